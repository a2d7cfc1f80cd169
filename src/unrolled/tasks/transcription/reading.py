"""Recordings with their texts, read and encoded: what is learnt, what is held out, and the codecs of both."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unrolled.data.batches import Batch, padded
from unrolled.data.codecs import Encoded, InputCodec, Senses, SoundCodec
from unrolled.data.codecs.lexicon import read_lexicon
from unrolled.data.codecs.transcripts import TranscriptCodec, Transcripts
from unrolled.data.columns import Places
from unrolled.data.dataset import Dataset, gather
from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, labelled_examples, resolve_reading
from unrolled.data.sound.hearing import Hearing
from unrolled.data.splits import deal, divide
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.models.heads.ctc import least
from unrolled.tasks.sequences.ahead import heard_ahead
from unrolled.tasks.sequences.reading import SPLIT, SequenceCodecs
from unrolled.tasks.sequences.split import about_split
from unrolled.tasks.trained import Progress
from unrolled.tasks.transcription.options import TranscribeOptions

Codecs = SequenceCodecs[TranscriptCodec]
"""The codecs of what is heard, and of what is said."""


class Utterances:
    """N sequences with their texts as symbols, in batches. `places` `[N]` are where they stand, for messages."""

    def __init__(self, dataset: Dataset, codecs: Codecs, places: list[str]) -> None:
        self.encoded, self.codecs, self.places = Encoded(dataset, codecs.inputs, codecs.target), codecs, places
        assert isinstance(self.encoded.targets, Transcripts)
        self.transcripts = self.encoded.targets

    def __len__(self) -> int:
        return len(self.encoded)

    @property
    def lengths(self) -> Places:
        """The number of steps of each, `[N]`."""
        return self.encoded.dataset.lengths

    def batch(self, which: Places, span: slice = slice(None)) -> Batch:
        """What is read of some of them, of each the steps in `span`, and their texts."""
        lengths = self.transcripts.lengths[which]
        targets = padded(self.transcripts.take(which), lengths)
        return replace(self.encoded.batch(which, span), targets=targets, target_lengths=torch.from_numpy(lengths))

    @cached_property
    def needed(self) -> Places:
        """The fewest outputs that a network must have for the text of each, `[N]`."""
        everything = np.arange(len(self))
        lengths = self.transcripts.lengths
        parts = [
            least(padded(self.transcripts.take(some), lengths[some]), torch.from_numpy(lengths[some])).numpy()
            for some in np.array_split(everything, max(len(self) // 256, 1))
        ]
        return np.concatenate(parts)


@dataclass(frozen=True)
class TranscriptData:
    """The data of a run: what is learnt and what is held out, each some of the utterances of a source."""

    codecs: Codecs
    utterances: Utterances
    learnt: Places
    measured: Utterances
    held: Places
    fingerprint: str
    reading: ReadingOptions
    split: str = ""

    def summary(self) -> str:
        """What is input, what is target, and how much there is of it."""
        steps = int(self.utterances.lengths[self.learnt].sum())
        sound = self.codecs.inputs.sound
        amount = f"{steps:,} steps" if sound is None else f"{steps * sound.mel.step / 60:,.1f} minutes"
        size = f"{len(self.learnt):,} recordings of {amount} to learn, {len(self.held):,} held out."
        inputs, target = self.codecs.inputs, self.codecs.target
        first = int(self.learnt.min())
        dataset = self.utterances.encoded.dataset
        shown = f"The first: {inputs.show(dataset, first)} → {target.show(dataset, first)}."
        return f"{size}{self.split} Input: {inputs.describe()}. Target: {target.describe()}. {shown}"


def read_transcripts(
    options: TranscribeOptions, progress: Progress, widened: Callable[[Codecs], Codecs] = lambda codecs: codecs
) -> TranscriptData:
    """Read what the options name, and set apart what is held out."""
    data, reading = options.data, options.reading
    if not data.sources:
        raise ConfigError("There is no DATA to train on. Pass recordings with their texts: see docs/sound.md.")
    if data.validation and reading.group:
        raise ConfigError("`group` says what is held out together, and `validation` names files that are held out. Leave one of them out.")
    data.require_speakers(reading.group)
    resolved = resolve_reading(data.sources, reading, Target.TEXTS)
    hearing = Hearing(choose=data.codec)
    sequences, places = _read(data.sources, resolved, hearing, progress)
    other, other_places = _read(data.validation, resolved.of_others(), hearing, progress) if data.validation else (None, [])
    hearing.report()
    everything = np.arange(len(sequences))
    learnt, held = (everything, everything[:0]) if other else _divided(sequences, options)
    lexicon = None if data.lexicon is None else read_lexicon(Path(data.lexicon), reading.encoding, lower=data.lower)
    wanted: dict[str, Any] = {"least": data.min_count, "lower": data.lower, "alphabet": data.alphabet, "lexicon": lexicon}
    target = TranscriptCodec.learn(sequences, learnt, data.level, data.vocabulary, **wanted)
    codecs = widened(Codecs(InputCodec.learn(sequences, learnt, hearing.codec), target))
    target = codecs.target
    utterances = Utterances(sequences, codecs, places)
    measured = Utterances(other, codecs, other_places) if other else utterances
    held = np.arange(len(other)) if other else held
    target.notice_unknown(measured.encoded.dataset, held)
    if not len(held) and data.held_out:
        told = "Nothing is held out, as there is one recording, or all are of one group, so nothing will be measured."
        warnings.warn(f"{told} Name recordings to measure on as `validation`.", UnrolledWarning, stacklevel=2)
    fingerprint = blake2b(f"{sequences.fingerprint} {other and other.fingerprint}".encode(), digest_size=16).hexdigest()
    split = about_split(target, sequences, learnt, measured.encoded.dataset, held) if len(held) else ""
    return TranscriptData(codecs, utterances, learnt, measured, held, fingerprint, resolved, split)


def _read(sources: tuple[str, ...], reading: ReadingOptions, hearing: Hearing[SoundCodec], progress: Progress) -> tuple[Dataset, list[str]]:
    """The sequences of some files, and where each stands."""
    places = list[str]()

    def noted(examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            if reading.group_needed and reading.group and example.group is None:
                told = f"the recording has no group, for which `group={reading.group!r}` names the column, key or field"
                raise DataError(f"{example.place}: {told}. Fill it in, or name another one.")
            if example.tokens is not None or example.text is not None:
                raise DataError(f"{example.place} has text to read, and what is said is heard in sound or numbers. Pass recordings.")
            places.append(example.place)
            yield example

    examples = heard_ahead(labelled_examples(sources, reading, Target.TEXTS), hearing, progress, reading.bad_rows)
    found = gather(noted(examples), "char", perceive=Senses(hearing))
    return found if hearing.codec is None else hearing.codec.level(found), places


def _divided(sequences: Dataset, options: TranscribeOptions) -> tuple[Places, Places]:
    """What is learnt, and what is held out."""
    data, chance = options.data, np.random.default_rng([SPLIT, options.training.seed])
    if not data.fold:
        return divide(sequences, Target.TEXTS, data.held_out, chance)
    number, folds = data.fold
    held = deal(sequences, Target.TEXTS, folds, chance) == number - 1
    return np.flatnonzero(~held), np.flatnonzero(held)


def with_room(utterances: Utterances, which: Places, factor: int) -> Places:
    """Those of some utterances whose texts fit into their steps, of which a network makes one of `factor`.

    An `UnrolledWarning` names the first of the others; `DataError` if there are no others than these.
    """
    outputs = -(-utterances.lengths[which] // factor)
    fits = utterances.needed[which] <= outputs
    if fits.all():
        return which
    first = int(np.flatnonzero(~fits)[0])
    place, steps, needed = utterances.places[which[first]], int(outputs[first]), int(utterances.needed[which[first]])
    told = (
        f"{place}: its text needs at least {needed:,} outputs of the network, one for each symbol and one between equal ones, and its "
        f"{int(utterances.lengths[which[first]]):,} steps give {steps:,}"
    )
    cure = "Take a smaller `subsampling` or `frame_step`, or `level='subword'`; or its text is not its own."
    if not fits.any():
        raise DataError(f"{told}; so it is with all recordings. {cure}")
    warnings.warn(f"{told}. It is left out, {int((~fits).sum()):,} recordings in all. {cure}", UnrolledWarning, stacklevel=3)
    return which[fits]
