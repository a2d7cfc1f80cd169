"""Files of sequences, read and encoded: what is learnt, what is held out, and the codecs of both."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Generic

import numpy as np
import torch
from torch import Tensor

from unrolled.data.builtin_examples import OF_DIGITS
from unrolled.data.codecs import Encoded, InputCodec, Senses
from unrolled.data.columns import Places
from unrolled.data.dataset import Dataset, gather
from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, for_other_files, labelled_examples, require_used, resolve_format, resolve_reading
from unrolled.data.formats.files import HEAD, look_ahead
from unrolled.data.formats.options import columns_named
from unrolled.data.pictures.images import WHOLE
from unrolled.data.pictures.seeing import Seeing
from unrolled.data.sound.hearing import Hearing
from unrolled.data.splits import deal, divide
from unrolled.data.vectors import read_vectors, vector_words
from unrolled.data.words import notice_clauses
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks.sequences.ahead import heard_ahead, seen_ahead
from unrolled.tasks.sequences.frame_features import features_of
from unrolled.tasks.sequences.options import BatchOptions, SequenceDataOptions
from unrolled.tasks.sequences.predictor import TC
from unrolled.tasks.sequences.split import about_split
from unrolled.tasks.trained import Progress

SPLIT = 7
"""Seeds the drawing of what is held out, apart from all other chance."""

WORDS = 50_000
"""Most words to know when vectors are given and nothing is said."""

LearnTarget = Callable[[Dataset, Places], TC]
"""Makes the codec of what is to be said, from some sequences."""


@dataclass(frozen=True)
class SequenceCodecs(Generic[TC]):
    """The codecs of what is read, and of what is to be said."""

    inputs: InputCodec
    target: TC

    def to_json(self) -> dict[str, Any]:
        """Both, ready for JSON."""
        return {"inputs": self.inputs.to_json(), "target": self.target.to_json()}

    def widen(self, known: "SequenceCodecs[Any] | KnownCodecs", *, widen: bool) -> "SequenceCodecs[TC]":
        """Those of a run that is begun from, as far as they are known, with what these have besides."""
        inputs = self.inputs if known.inputs is None else known.inputs.widened(self.inputs, widen=widen)
        return SequenceCodecs(inputs, self.target if known.target is None else known.target.widened(self.target))


@dataclass(frozen=True)
class KnownCodecs:
    """What a run knows that another one begins from: what it read, and what it said, where that is of the same kind."""

    inputs: InputCodec | None
    target: Any


@dataclass(frozen=True)
class Part:
    """Some of the sequences of a source."""

    encoded: Encoded
    which: Places

    def __len__(self) -> int:
        return len(self.which)

    @property
    def steps(self) -> int:
        """All steps of them."""
        return int(self.encoded.dataset.lengths[self.which].sum())

    def in_pieces(self, window: int) -> "Part":
        """The same steps in sequences of at most `window` steps."""
        cut = self.encoded.in_pieces(window)
        starts = self.encoded.dataset.starts
        inside = np.isin(np.searchsorted(starts, cut.dataset.starts[:-1], side="right") - 1, self.which)
        return Part(cut, np.flatnonzero(inside))


@dataclass(frozen=True)
class SequenceData(Generic[TC]):
    """The data of a run; `vectors` are those to begin with, `[V, E]`, and which of the words have one, `[V]`.

    `split` says in sentences what to know of what is learnt beside what is held out.
    """

    codecs: SequenceCodecs[TC]
    train: Part
    held_out: Part
    fingerprint: str
    reading: ReadingOptions
    vectors: tuple[Tensor, Tensor] | None = None
    split: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The column or key with what is read, as far as it has a name."""
        return self.reading.learnt[:1] or tuple(filter(None, (self.reading.activity,)))

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns or keys with what is to be said, as far as they have names."""
        return self.reading.learnt[1:] or tuple(filter(None, (self.reading.target or self.reading.column,)))

    def summary(self) -> str:
        """What is input, what is target, what was left out, and how much there is of it."""
        inputs, target = self.codecs.inputs.describe(), self.codecs.target.describe()
        source = f" (from {columns_named(self.inputs)})" if self.inputs else ""
        wanted = f" (from {columns_named(self.targets)})" if self.targets else ""
        left = f" Left out: {columns_named(self.reading.left)}." if self.reading.left else ""
        size = f"{_counted(len(self.train), 'sequence')} of {_counted(self.train.steps, 'step')} to learn, {len(self.held_out):,} held out."
        return f"{size}{self.split} Input{source}: {inputs}. Target{wanted}: {target}.{left}{self._first()}"

    def _first(self) -> str:
        """The first sequence with its target, by which a wrong guess is seen."""
        if not len(self.train):
            return ""
        dataset, sequence = self.train.encoded.dataset, int(self.train.which.min())
        return f" The first: {self.codecs.inputs.show(dataset, sequence)} → {self.codecs.target.show(dataset, sequence)}".rstrip(".") + "."


def read_sequences(
    data: SequenceDataOptions,
    asked: ReadingOptions,
    batches: BatchOptions,
    seed: int,
    progress: Progress,
    wanted: Target,
    learn: LearnTarget[TC],
    *,
    several: bool = False,
    widened: Callable[[SequenceCodecs[TC]], SequenceCodecs[TC]] = lambda codecs: codecs,
    memory: Callable[[], Iterator[Example]] | None = None,
) -> SequenceData[TC]:
    """Read what the options name, or what `memory` gives in its place, and set apart what is held out."""
    if not data.sources and memory is None:
        raise ConfigError("There is no DATA to train on. Pass files of sequences, or builtin:… examples: see docs/data.md.")
    if data.validation and asked.group:
        raise ConfigError("`group` says what is held out together, and `validation` names files that are held out. Leave one of them out.")
    reading = asked
    if memory is None:
        if batches.shift:
            _require_images(data.sources, asked, wanted)
        _require_used(data.sources, asked, wanted)
        reading = resolve_reading(data.sources, asked, wanted)
    senses = Senses(Hearing(choose=data.codec), Seeing(choose=data.frame_codec), features_of)
    data.require_speakers(asked.group)
    read = _reader(data.level, progress, wanted, several, senses, memory)
    sequences = read(data.sources, reading, notice=data.level != "char")
    everything = np.arange(len(sequences))
    same = for_other_files(replace(reading, scheme=sequences.scheme), data.validation) if data.validation else reading
    other = read(data.validation, same) if data.validation else None
    learnt, held = (everything, everything[:0]) if other else _divided(sequences, wanted, data, np.random.default_rng([SPLIT, seed]))
    senses.report()
    codecs = widened(SequenceCodecs(_learn_inputs(sequences, learnt, data, senses), learn(sequences, learnt)))
    encoded = Encoded(sequences, codecs.inputs, codecs.target)
    measured = Part(encoded, held)
    if other:
        measured = Part(Encoded(other, codecs.inputs, codecs.target), np.arange(len(other)))
    codecs.target.notice_unknown(measured.encoded.dataset, measured.which)
    fingerprint = blake2b(f"{sequences.fingerprint} {other and other.fingerprint}".encode(), digest_size=16).hexdigest()
    vectors = _vectors(data.vectors, codecs.inputs)
    if not len(measured) and data.held_out:
        only = "there is one sequence" if len(sequences) == 1 else "all sequences are of one group"
        told = f"Nothing is held out, as {only}, so nothing will be measured. Name files to measure on as `validation`."
        warnings.warn(told, UnrolledWarning, stacklevel=2)
    split = about_split(codecs.target, sequences, learnt, measured.encoded.dataset, measured.which) if len(measured) else ""
    return SequenceData(codecs, Part(encoded, learnt), measured, fingerprint, reading, vectors, split)


def _divided(sequences: Dataset, wanted: Target, data: SequenceDataOptions, chance: np.random.Generator) -> tuple[Places, Places]:
    """What is learnt, and what is held out: a share, or one of the parts into which all is dealt."""
    if not data.fold:
        return divide(sequences, wanted, data.held_out, chance)
    number, folds = data.fold
    held = deal(sequences, wanted, folds, chance) == number - 1
    return np.flatnonzero(~held), np.flatnonzero(held)


def _learn_inputs(sequences: Dataset, learnt: Places, data: SequenceDataOptions, senses: Senses) -> InputCodec:
    more = vector_words(Path(data.vectors), data.vocabulary or WORDS) if data.vectors else ()
    return InputCodec.learn(
        sequences,
        learnt,
        senses.sound,
        senses.frames,
        level=data.level,
        lower=data.lower,
        shapes=data.shapes,
        size=data.vocabulary or (WORDS if more else None),
        least=data.min_count,
        more=more,
    )


def _require_used(sources: tuple[str, ...], asked: ReadingOptions, wanted: Target) -> None:
    """`ConfigError` for options of reading that say nothing about these files."""
    changed = [field.name for field in fields(asked) if getattr(asked, field.name) != field.default]
    require_used(sources, resolve_format(sources, asked, wanted), changed)


def _require_images(sources: tuple[str, ...], reading: ReadingOptions, wanted: Target) -> None:
    """`ConfigError` unless the channels of a step are the pixels of a row, or the bands of sound, so that to move them is to move what they show."""
    known = resolve_format(sources, reading, wanted).format
    pictures = known == "frames" or ((known == "idx" or {*sources} <= {*OF_DIGITS}) and reading.image != WHOLE)
    if not pictures and known != "sound":
        raise ConfigError(
            "`shift` moves sound, pictures, and images in idx files that are not read as a single step, and DATA is something else. Leave it out; `noise` is for all numbers."
        )


def _vectors(path: str | None, codec: InputCodec) -> tuple[Tensor, Tensor] | None:
    if path is None:
        return None
    if codec.tokens is None:
        raise ConfigError("`vectors` are for words, and these sequences have none. Leave it out.")
    vectors, known = read_vectors(Path(path), ("", *codec.tokens.words.names))
    return torch.from_numpy(vectors), torch.from_numpy(known)


def _noticing(examples: Iterable[Example]) -> Iterator[Example]:
    """The examples; of the first ones it is said if their texts, as far as they are to be cut, have no words between blanks."""
    first, examples = look_ahead(examples, HEAD)
    notice_clauses((example.text or "" for example in first if example.tokens is None), "Pass `level='char'` to read characters.")
    yield from examples


def _reader(
    level: str | None,
    progress: Progress,
    wanted: Target,
    several: bool,
    senses: Senses,
    memory: Callable[[], Iterator[Example]] | None,
) -> Callable[..., Dataset]:
    def tick(count: int) -> None:
        progress(f"reading: {count:,} sequences", 0, 1)

    def read(sources: tuple[str, ...], reading: ReadingOptions, *, notice: bool = False) -> Dataset:
        examples: Iterable[Example] = memory() if memory and not sources else labelled_examples(sources, reading, wanted, several=several)
        if reading.group:
            examples = _grouped(examples, reading.group)
        examples = seen_ahead(heard_ahead(examples, senses.hearing, progress, reading.bad_rows), senses, reading.bad_rows)
        found = gather(_noticing(examples) if notice else examples, level or "both", perceive=senses.after_seeing, progress=tick)
        return found if senses.sound is None else senses.sound.level(found)

    return read


def _grouped(examples: Iterable[Example], group: str) -> Iterator[Example]:
    """The examples, each of which must say to which group it belongs."""
    for example in examples:
        if example.group is None:
            cure = "Fill it in, or name another column or key."
            raise DataError(f"{example.place}: the sequence has no group, for which `group={group!r}` names the column or key. {cure}")
        yield example


def _counted(number: int, unit: str) -> str:
    """A number of things, in words."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"
