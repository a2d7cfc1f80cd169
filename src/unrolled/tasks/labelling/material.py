"""Labelled files, read and numbered: what is learnt, what is held out, and what must be known of it later."""

import shlex
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import evenly
from unrolled.data.builtin import PREFIX
from unrolled.data.formats import ReadingOptions, for_other_files, labelled_examples, resolve_format, resolve_reading
from unrolled.data.formats.known import require_looked_at
from unrolled.data.sequences import Numbers, Sequences, gather
from unrolled.data.vectors import read_vectors, vector_words
from unrolled.errors import ConfigError
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.labelling.batches import Encoded
from unrolled.tasks.labelling.codec import Codec
from unrolled.tasks.recipe import Progress

SPLIT = 7
"""Seeds the drawing of what is held out, apart from all other chance."""


WORDS = 50_000
"""Most words to know when vectors are given and nothing is said."""


@dataclass(frozen=True)
class Part:
    """Some of the sequences of a source."""

    encoded: Encoded
    which: Numbers

    def __len__(self) -> int:
        return len(self.which)

    @property
    def word_counts(self) -> Numbers:
        """How often each word comes, by its number; nothing where steps are not words."""
        if self.encoded.words is None:
            return np.zeros(0, np.int64)
        return np.bincount(self.encoded.words[self.encoded.sequences.steps(self.which)], minlength=self.encoded.codec.sizes.words)

    def in_pieces(self, window: int) -> "Part":
        """The same steps in sequences of at most `window` steps."""
        sequences = self.encoded.sequences
        cut = sequences.in_pieces(window)
        inside = np.isin(np.searchsorted(sequences.starts, cut.starts[:-1], side="right") - 1, self.which)
        return Part(self.encoded.over(cut), np.flatnonzero(inside))


@dataclass(frozen=True)
class Labelled:
    """The data of a run; `vectors` are those to begin with, `[V, E]`, and which of the words have one, `[V]`.

    `guessed` says which columns were chosen that nobody asked for.
    """

    knowledge: Codec
    train: Part
    held_out: Part
    fingerprint: str
    vectors: tuple[Tensor, Tensor] | None = None
    guessed: str = ""


def read_labelled(configuration: Configuration, progress: Progress, *, tagged: bool, several: bool) -> Labelled:
    """Read what a configuration names, and set apart what is held out."""
    data, asked = configuration["data"], configuration["reading"]
    if not data.sources:
        raise ConfigError("There is no DATA to train on. Pass labelled files, or builtin:… examples: see docs/data.md.")
    if configuration["batches"].shift:
        _require_images(data.sources, asked, tagged=tagged)
    changed = (field.name for field in fields(asked) if getattr(asked, field.name) != field.default)
    resolved = resolve_format(data.sources, asked, tagged=tagged)
    examples = all(source.startswith(PREFIX) for source in data.sources)
    require_looked_at(replace(resolved, format=PREFIX) if examples else resolved, changed)
    reading = resolve_reading(data.sources, asked, tagged=tagged)
    sequences = _read(data.sources, reading, data.level, progress, tagged=tagged, several=several)
    everything = np.arange(len(sequences))
    same = for_other_files(replace(reading, scheme=sequences.scheme), data.validation) if data.validation else reading
    other = _read(data.validation, same, data.level, progress, tagged=tagged, several=several) if data.validation else None
    chance = np.random.default_rng([SPLIT, configuration["training"].seed])
    learnt, held = (everything, everything[:0]) if other else evenly(everything, data.held_out, chance)
    more = vector_words(Path(data.vectors), data.vocabulary or WORDS) if data.vectors else ()
    codec = Codec.learn(sequences, learnt, replace(data, vocabulary=data.vocabulary or (WORDS if more else None)), more)
    _require_used(configuration, codec)
    encoded = Encoded(sequences, codec, tagged=tagged, several=several)
    measured = Part(encoded, held)
    if other:
        measured = Part(Encoded(other, codec, tagged=tagged, several=several), np.arange(len(other)))
    measured.encoded.notice_unseen(measured.which)
    fingerprint = blake2b(f"{sequences.fingerprint} {other and other.fingerprint}".encode(), digest_size=16).hexdigest()
    return Labelled(codec, Part(encoded, learnt), measured, fingerprint, _vectors(data.vectors, codec), _guessed(reading))


def _require_images(sources: tuple[str, ...], reading: ReadingOptions, *, tagged: bool) -> None:
    """`ConfigError` unless the channels of a step are the pixels of a row, so that to move them is to move what they show."""
    if (resolve_format(sources, reading, tagged=tagged).format, reading.image) != ("idx", "rows"):
        raise ConfigError(
            "`--shift` moves images in idx files that are read row by row, and DATA is something else. Leave it out; `--noise` is for all numbers."
        )


def _require_used(configuration: Configuration, codec: Codec) -> None:
    """`ConfigError` for changes of what the steps do not have."""
    if configuration["batches"].noise and codec.numbers is None:
        raise ConfigError("`--noise` is added to numbers, and DATA has none. Leave it out; `--word-dropout` is for words and characters.")
    if configuration["model"].rare_dropout and codec.words is None:
        raise ConfigError("`--rare-dropout` is for words and characters, and DATA has none. Leave it out; `--noise` is for numbers.")


def _guessed(reading: ReadingOptions) -> str:
    """The columns that were chosen as nobody asked for others, with the flags that ask for them; nothing where there are none."""
    asked = (("--input", reading.input), ("--target", reading.target))
    chosen = [f"{flag} {shlex.quote(name)}" for (flag, given), name in zip(asked, reading.learnt, strict=False) if given is None]
    return " ".join(chosen)


def _vectors(path: str | None, codec: Codec) -> tuple[Tensor, Tensor] | None:
    if path is None:
        return None
    if codec.words is None:
        raise ConfigError("`--vectors` are for words, and these sequences have none. Leave it out.")
    vectors, known = read_vectors(Path(path), ("", *codec.words.names))
    return torch.from_numpy(vectors), torch.from_numpy(known)


def _read(
    sources: tuple[str, ...], reading: ReadingOptions, level: str | None, progress: Progress, *, tagged: bool, several: bool
) -> Sequences:
    def tick(count: int) -> None:
        progress(f"reading: {count:,} sequences", 0, 1)

    return gather(labelled_examples(sources, reading, tagged=tagged, several=several), level or "both", progress=tick)
