"""Sequences as they were read, before anything is made of them, and what a network says of them."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.numerals import rounded
from unrolled.data.pictures.clips import Clip
from unrolled.data.pictures.pixels import Pixels
from unrolled.data.sound.recordings import Sound
from unrolled.errors import DataError

Span = tuple[float, float, str]
"""From which time of a recording or a clip up to which it has a tag."""

NO_SPANS = "none"
"""The scheme of tags that mark no spans."""


class Target(Enum):
    """What is to be said of a sequence: labels or numbers of all of it, tags or numbers of each step, or a text after it."""

    LABELS = "labels"
    TAGS = "tags"
    VALUES = "values"
    STEP_VALUES = "step values"
    TEXTS = "texts"

    @property
    def each_step(self) -> bool:
        """Whether it belongs to steps."""
        return self in (Target.TAGS, Target.STEP_VALUES)

    @property
    def numbers(self) -> bool:
        """Whether it is numbers."""
        return self in (Target.VALUES, Target.STEP_VALUES)

    @property
    def said(self) -> str:
        """One of it, in a word."""
        return {"labels": "label", "tags": "tag", "values": "number", "step values": "number", "texts": "text"}[self.value]


@contextmanager
def told_at(place: str) -> Iterator[None]:
    """A `DataError` about what is at a place tells the place, too."""
    try:
        yield
    except DataError as error:
        raise error if str(error).startswith(place) else DataError(f"{place}: {error}") from None


BLANK = object()
"""The origin of a line with nothing in it, of which nothing can be said, and which keeps its place where others are answered."""


@dataclass(slots=True)  # Frozen ones take five times as long to make, and files have hundreds of thousands of sequences.
class Example:
    """One sequence with what is known of it; nothing changes one that was read.

    Its steps are `tokens` (one string for each step), or `text` that is still to be cut into words or characters, or `numbers`
    (float32 `[T, C]`, NaN where a value is missing, with names of its `channels` if there are some); tokens and numbers may come together,
    step by step.

    What is to be said of it are `labels` of the whole sequence (one, or several where several may hold at once), `tags` of its steps,
    `values` (numbers `[K]`, or `[T, K]` for its steps), or `texts` to be written after it, any of which is right; None where the source
    says nothing. `target` is the column that was looked at for it.

    Or it is `sound`, a recording, in a file or in memory, that is to be heard, of which `hear` in `unrolled.data.dataset.gather` makes numbers, and tags of the `spans` of
    it that have one: from a second, up to another, and which. Or it is `clip`, a picture or video of which `see` makes frames, with tags
    of its `spans`, or `frames` in an array `[T, H, W, C]`, which are brought to the size of the others.

    `place` is where the sequence stands, as in "names.csv, line 3", for messages; `lines` those of its steps in the file `path`, where each
    has one. `name` is its own, if it has one, and `group` what must not be both learnt and held out, such as the day of a date. `begin` is
    the time of its first step. `scheme` is how its tags marked spans before they became BIO. `origin` is what its format needs to write it
    again with a prediction beside it.
    """

    place: str
    text: str | None = None
    tokens: tuple[str, ...] | None = None
    numbers: NDArray[np.float32] | None = None
    sound: Sound | None = None
    spans: tuple[Span, ...] | None = None
    clip: Clip | None = None
    frames: Pixels | None = None
    labels: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    values: NDArray[np.float64] | None = None
    texts: tuple[str, ...] | None = None
    name: str | None = None
    group: str | None = None
    channels: tuple[str, ...] = ()
    scheme: str | None = None
    target: str | None = None
    begin: float = math.nan
    path: Path | None = None
    lines: Sequence[int] | None = None
    origin: Any = None

    @property
    def blank(self) -> bool:
        """Whether it is an empty line."""
        return self.origin is BLANK

    @property
    def steps(self) -> int:
        """How many steps it has, if it is divided into steps."""
        steps = next((part for part in (self.tokens, self.numbers, self.frames) if part is not None), ())
        return len(steps)

    def step_place(self, step: int) -> str:
        """Where a step stands, which counts from 0: its own line if the source has one for each."""
        return f"{self.place}, step {step + 1}" if self.lines is None else f"{self.path}, line {self.lines[step]}"


def marks_spans(scheme: str | None) -> bool:
    """Whether tags that were read in a scheme mark spans, and so are BIO."""
    return scheme not in (None, NO_SPANS)


@dataclass(slots=True)
class Prediction:
    """What a network says of an example.

    For a whole sequence `labels`, of which there is one unless `several` may hold, and their `probabilities`; for its steps `tags` and
    the probability of each. `scores` are the probabilities of all labels, `known`, where it is about a whole sequence. Of numbers `values` are `[K]`,
    or `[T, K]` for steps, and `deviations` their standard deviations, where the network gives some. `seconds` are
    those from one step of sound to the next. Of a blank example it says nothing. `step_scores` `[T, K]` are the probabilities of all labels at
    each step, which only who asks a `Predictor` to be shown them ever sees: of many sequences they would not fit into memory.
    """

    labels: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    probabilities: tuple[float, ...] = ()
    known: tuple[str, ...] = ()
    scores: Sequence[float] = ()
    several: bool = False
    values: NDArray[np.float64] | None = None
    deviations: NDArray[np.float64] | None = None
    seconds: float = math.nan
    step_scores: NDArray[np.float32] | None = None

    def chosen(self, top: int | None = None, threshold: float | None = None) -> "Prediction":
        """With the `top` most probable labels of a whole sequence in the place of the one that is said, or of those that are said to hold, and of these
        those whose probability is at least `threshold`; there may be none."""
        if not self.known or (top is None and threshold is None):
            return self
        ranked = sorted(self.every.items(), key=lambda label: -label[1])
        ranked = ranked[: (len(ranked) if self.several else 1) if top is None else top]
        kept = [label for label in ranked if label[1] >= (threshold or 0.0)]
        return replace(self, labels=tuple(name for name, _ in kept), probabilities=tuple(p for _, p in kept))

    def renamed(self, name: Callable[[str], Any]) -> "Prediction":
        """With other names of labels and tags."""
        labels, tags = (None if names is None else tuple(map(name, names)) for names in (self.labels, self.tags))
        return replace(self, labels=labels, tags=tags, known=tuple(map(name, self.known)))

    @property
    def every(self) -> dict[str, float]:
        """The probability of each label, for a whole sequence."""
        return dict(zip(self.known, self.scores, strict=True))

    @property
    def finite(self) -> bool:
        """Whether all its numbers are some."""
        if self.values is None:
            return math.isfinite(sum(self.scores or self.probabilities))
        return all(bool(np.isfinite(part).all()) for part in (self.values, self.deviations) if part is not None)

    @property
    def each_step(self) -> bool:
        """Whether it is about steps."""
        return self.tags is not None or (self.values is not None and self.values.ndim == 2)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what is added to a table."""
        if self.values is None:
            return "predicted", "probability"
        return ("predicted", "deviation") if self.deviations is not None else ("predicted",)

    def cells(self, between: str) -> tuple[str, ...]:
        """What is added to a row about a whole sequence, one for each of `columns`, with `between` between several in one cell."""
        if self.values is None and len(self.probabilities) == 1:
            return between.join(self.labels or ()), f"{self.probabilities[0]:.4f}"
        if self.values is None:
            return between.join(self.labels or ()), between.join([f"{p:.4f}" for p in self.probabilities])
        return tuple(between.join(rounded(v) for v in row) for row in (self.values, self.deviations) if row is not None)

    def step_cells(self, between: str) -> list[tuple[str, ...]]:
        """The same for each step."""
        if self.values is None:
            return [(tag, f"{p:.4f}") for tag, p in zip(self.tags or (), self.probabilities, strict=True)]
        several = [rows for rows in (self.values, self.deviations) if rows is not None]
        return [tuple(between.join(rounded(v) for v in row) for row in step) for step in zip(*several, strict=True)]

    def stretches(self) -> list[tuple[float, float, str, float]]:
        """The tags of sound from which second to which, and their mean probability, where steps in a row have the same."""
        found, at = list[tuple[float, float, str, float]](), 0
        for tag, group in groupby(self.tags or ()):
            end = at + len(list(group))
            sure = sum(self.probabilities[at:end]) / (end - at)
            found.append((round(at * self.seconds, 3), round(end * self.seconds, 3), tag, sure))
            at = end
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        if self.tags is not None and not math.isnan(self.seconds):
            return {"segments": [{"begin": b, "end": e, "label": tag, "probability": round(p, 6)} for b, e, tag, p in self.stretches()]}
        if self.values is not None:
            found: dict[str, Any] = {"values": _plain(self.values)}
            return found if self.deviations is None else {**found, "deviations": _plain(self.deviations)}
        if self.tags is not None:
            return {"labels": self.tags, "probabilities": [round(p, 6) for p in self.probabilities]}
        if self.labels is None:
            return {}
        labels = self.labels
        said = {"labels": labels} if self.several else {"label": labels[0] if labels else None, "labels": labels}
        return {**said, "probabilities": {name: round(p, 6) for name, p in self.every.items()}}


def _plain(values: NDArray[np.float64]) -> Any:
    """Numbers for JSON, without digits that mean nothing."""
    return [_plain(row) for row in values] if values.ndim > 1 else [float(rounded(v, 8)) for v in values]
