"""A dataset: many sequences, a column for each field, in which every different token, tag and label is kept once."""

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Collector, Column, InMemory, Places
from unrolled.data.examples import Example, marks_spans, told_at
from unrolled.data.words import split_words
from unrolled.errors import DataError

LEVELS = ("word", "char", "both")

Cut = Callable[[str], Sequence[str]]
"""Makes tokens of a text."""


Perceive = Callable[[Example], Example]
"""Makes numbers of the recording of an example, or frames of its clip, and tags of their spans."""

TOKENS, NUMBERS, FRAMES, TAGS, STEP_VALUES = "tokens", "numbers", "frames", "tags", "step values"
"""The columns with something for each step, those of them that a dataset has."""

NO_TAG = ""
"""What stands among tags for a step of which nothing is said."""

_NOTHING_SAID = -1
_NOTHING = {TAGS: _NOTHING_SAID, STEP_VALUES: math.nan}
"""What stands for steps of which nothing is said."""


@dataclass(frozen=True)
class Dataset:
    """N sequences with S steps in all.

    `columns` are by name those that the sequences have, all with the same `starts`: tokens as places in `table`, numbers `[S, C]`, frames
    `[S, H, W, C]`, tags as
    places in `names`, or -1 where nothing is said, and numbers to predict, `[S, K]`. Of whole sequences, `labels` `[N]` are places in
    `label_sets`, which has a tuple of places in `names` for each different set of labels, and -1 where nothing is said; `values` `[N, K]`
    are numbers to predict, NaN where nothing is said. `groups` `[N]` has a number for each sequence that those of one group have in common;
    None where none has one. `channels` are the names of the C channels, if they have any. `scheme` is how tags
    marked spans where they were read. `fingerprint` is equal exactly when all of this is.
    """

    starts: Places
    columns: Mapping[str, Column]
    table: tuple[str, ...]
    labels: Places
    label_sets: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    channels: tuple[str, ...]
    scheme: str | None
    fingerprint: str
    groups: Places | None = None

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> Places:
        """The number of steps of each sequence, `[N]`."""
        return np.diff(self.starts)

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """`(H, W, C)` of frames; nothing where there are none."""
        return self.columns[FRAMES].elements.shape[1:] if FRAMES in self.columns else ()

    @property
    def numbers(self) -> int:
        """C, the channels of numbers; 0 where there are none."""
        return self.columns[NUMBERS].elements.shape[1] if NUMBERS in self.columns else 0

    def token_counts(self, which: Places) -> dict[str, int]:
        """The tokens of some sequences, and how often each comes."""
        if TOKENS not in self.columns:
            return {}
        found = np.bincount(self.columns[TOKENS].take(which), minlength=len(self.table))
        return {token: n for token, n in zip(self.table, found.tolist(), strict=True) if n}

    def tokens(self, sequence: int, most: int) -> list[str]:
        """The first tokens of a sequence."""
        if TOKENS not in self.columns:
            return []
        first, last = self.starts[sequence : sequence + 2].tolist()
        return [self.table[place] for place in self.columns[TOKENS].elements.read(first, min(last, first + most)).tolist()]

    def in_pieces(self, window: int) -> "Dataset":
        """The same steps in sequences of at most `window` steps; what was said of whole sequences is left out.

        No piece begins inside a span: a span that does not fit begins the next piece, and one that is longer than a piece is divided into
        several, each of which begins with B.
        """
        tags = self.columns[TAGS].elements.read(0, int(self.starts[-1])) if TAGS in self.columns else np.full(int(self.starts[-1]), -1)
        begins = np.array([*map(self._beginning, self.names), -1])
        inside = begins[tags] >= 0
        tags, starts = tags.copy(), list[int]()
        for first, end in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            while first < end:
                starts.append(first)
                if inside[first]:
                    tags[first] = begins[tags[first]]
                first = _cut(inside, first, min(first + window, end), end)
        cut = np.array([*starts, self.starts[-1]])
        columns = {name: replace(column, starts=cut) for name, column in self.columns.items()}
        if TAGS in columns:
            columns[TAGS] = Column(InMemory(tags), cut)
        nothing = np.full((len(starts), self.values.shape[1]), np.nan)
        return replace(self, starts=cut, columns=columns, labels=np.full(len(starts), -1), values=nothing, groups=None)

    def _beginning(self, name: str) -> int:
        """The place of the tag with which a span begins that goes on with this one; -1 if it is none with which spans go on."""
        begin = f"B{name[1:]}"
        goes_on = marks_spans(self.scheme) and name.startswith("I") and begin in self.names
        return self.names.index(begin) if goes_on else -1


def _cut(inside: NDArray[np.bool_], first: int, last: int, end: int) -> int:
    """Where a piece from `first` on ends, at `last` at the latest: before the span that goes on there, if the piece is not all of it."""
    back = last
    while first < back < end and inside[back]:
        back -= 1
    return back if back > first else last


def cut_text(text: str, level: str) -> list[str]:
    """The tokens of a text: its characters, or its words and marks."""
    if level == "char":
        return list(text)
    return split_words(text.replace("\n", " ") if "\n" in text else text)


def gather(
    examples: Iterable[Example],
    cut: str | Cut,
    *,
    perceive: Perceive | None = None,
    fingerprint: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Dataset:
    """Examples, read one by one, as a `Dataset`; undivided text is cut by `cut`, which may be a level, and `perceive` makes
    numbers of recordings and frames of clips.
    Without `fingerprint` that is empty.

    `DataError` names the place of an example without steps, or with other channels or other kinds of steps than the first.
    """
    found = _Gathering(
        (lambda text: cut_text(text, cut)) if isinstance(cut, str) else cut, perceive, blake2b(digest_size=16) if fingerprint else None
    )
    for count, example in enumerate(examples, 1):
        found.add(example)
        if progress and count % 1000 == 0:
            progress(count)
    return found.done()


class _Numbering(dict[str, int]):
    """Different strings, numbered as they come."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


class _Gathering:
    """Columns that grow by one example after the other."""

    def __init__(self, cut: Cut, perceive: Perceive | None, content: "blake2b | None") -> None:
        self.cut, self.perceive, self.content = cut, perceive, content
        self.starts, self.labels = array("q", [0]), array("q")
        self.collectors: dict[str, Collector] = {}
        self.table, self.names = _Numbering(), _Numbering()
        self.sets: dict[tuple[int, ...], int] = {}
        self.values: dict[int, NDArray[np.float64]] = {}
        self.width = 0
        self.kind: tuple[bool, int, bool] | None = None
        self.channels: tuple[str, ...] = ()
        self.scheme: str | None = None
        self.groups = array("q")
        self.group_names = _Numbering()

    def add(self, example: Example) -> None:
        if example.sound is not None or example.clip is not None or example.frames is not None:
            example = self._perceived(example)
        tokens, numbers, frames = example.tokens, example.numbers, example.frames
        if tokens is None and example.text is not None:
            tokens = tuple(self.cut(example.text))
        steps = len(tokens) if tokens is not None else example.steps
        if not steps:
            raise DataError(f"{example.place}: the sequence is empty. Take it out, or give it at least one step.")
        kind = (tokens is not None, 0 if numbers is None else numbers.shape[1], frames is not None)
        if kind != self.kind:
            self._require_first(example.place, kind)
        if tokens is not None:
            self._collector(TOKENS, np.int64).extend(map(self.table.__getitem__, tokens))
        if numbers is not None:
            self._require_channels(example)
            if np.isinf(numbers).any():
                raise DataError(
                    f"{example.place}: numbers must be finite, or NaN where one is missing, got an infinite one. Mend or scale it."
                )
            self._collector(NUMBERS, np.float32, numbers.shape[1:]).add(numbers)
        if frames is not None:
            self._collector(FRAMES, frames.dtype.type, frames.shape[1:]).add(frames)
        if example.tags is not None or example.values is not None:
            self._add_targets(example, steps)
        self.starts.append(self.starts[-1] + steps)
        self.labels.append(-1 if example.labels is None else self._label_set(example.labels))
        self.scheme = self.scheme or example.scheme
        if example.group is not None:
            self.groups.append(self.group_names[example.group])
        if self.content is None:
            return
        parts = (numbers, example.values, *(() if frames is None else (frames,)))
        shapes = [part if part is None else part.shape for part in parts]
        self.content.update(repr((tokens, example.tags, example.labels, example.group, shapes)).encode("utf-8", "surrogatepass"))
        for part in parts:
            self.content.update(b"" if part is None else np.ascontiguousarray(part).tobytes())

    def _perceived(self, example: Example) -> Example:
        """With the numbers of a recording, or the frames of a clip."""
        if self.perceive is None:
            raise DataError(
                f"{example.place} is sound or pictures, and the network reads none. Pass sequences like those that it learnt from."
            )
        with told_at(example.place):
            return self.perceive(example)

    def _add_targets(self, example: Example, steps: int) -> None:
        tags, values = example.tags, example.values
        of_steps = values if values is not None and values.ndim == 2 else None
        for what, found in (("tag", tags), ("target", of_steps)):
            if found is not None and len(found) != steps:
                raise DataError(f"{example.place}: there must be one {what} for each of the {steps} steps, got {len(found)}.")
        if values is not None:
            self._require_as_many(example.place, values.shape[-1])
        if tags is not None:
            self._collector(TAGS, np.int64).extend(map(self.names.__getitem__ if NO_TAG not in tags else self._tag, tags))
        if of_steps is not None:
            self._collector(STEP_VALUES, np.float64, of_steps.shape[1:]).add(of_steps)
        elif values is not None:
            self.values[len(self.labels)] = values

    def _tag(self, tag: str) -> int:
        return self.names[tag] if tag != NO_TAG else _NOTHING_SAID

    def _require_as_many(self, place: str, count: int) -> None:
        self.width = self.width or count
        if self.width != count:
            raise DataError(f"{place}: there are {count} numbers to predict, and {self.width} in those before. Give them all as many.")

    def _collector(self, name: str, dtype: type, element: tuple[int, ...] = ()) -> Collector:
        """That of a column, with something for each step before this sequence."""
        if name not in self.collectors:
            self.collectors[name] = Collector(dtype, element)
        if name in _NOTHING:
            self._fill(name)
        return self.collectors[name]

    def _fill(self, name: str) -> None:
        collector = self.collectors[name]
        if missing := self.starts[-1] - len(collector):
            collector.add(np.full((missing, *collector.element), _NOTHING[name]))

    def _label_set(self, labels: Sequence[str]) -> int:
        chosen = tuple(self.names[label] for label in labels)
        return self.sets.setdefault(chosen, len(self.sets))

    def _require_channels(self, example: Example) -> None:
        channels = example.channels
        if self.channels and channels and channels != self.channels:
            told = f"the channels are {', '.join(channels)}, those of the first sequence {', '.join(self.channels)}"
            raise DataError(f"{example.place}: {told}. Pass `channels={list(self.channels)}`.")
        self.channels = channels or self.channels

    def _require_first(self, place: str, kind: tuple[bool, int, bool]) -> None:
        if self.kind:
            was, now = (f"{'tokens' if t else 'no tokens'} and {c} channels{' and frames' * f}" for t, c, f in (self.kind, kind))
            raise DataError(f"{place}: the sequence has {now}, the first one has {was}. Give them all the same.")
        self.kind = kind

    def done(self) -> Dataset:
        starts = np.array(self.starts, np.int64)
        for name in _NOTHING.keys() & self.collectors.keys():
            self._fill(name)
        untagged = InMemory(np.broadcast_to(np.int64(-1), starts[-1:]))
        columns = {
            TAGS: Column(untagged, starts),
            **{name: Column(collector.done(), starts) for name, collector in self.collectors.items()},
        }
        values = np.full((len(self.labels), self.width if self.values else 0), np.nan)
        if self.values:
            values[[*self.values]] = [*self.values.values()]
        labels, sets, names = np.array(self.labels, np.int64), tuple(self.sets), tuple(self.names)
        return Dataset(
            starts,
            columns,
            tuple(self.table),
            labels,
            sets,
            names,
            values,
            self.channels,
            self.scheme,
            "" if self.content is None else self.content.hexdigest(),
            np.array(self.groups, np.int64) if len(self.groups) == len(self.labels) else None,
        )
