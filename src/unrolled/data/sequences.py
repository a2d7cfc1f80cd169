"""Many sequences, flat in memory: every different token, tag and label is kept once, and each step is a number or two."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from unrolled.data.examples import Example, marks_spans
from unrolled.data.vocabulary import split_words
from unrolled.errors import DataError

LEVELS = ("word", "char", "both")

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Sequences:
    """N sequences with S steps in all; sequence i has the steps `starts[i]` to `starts[i + 1] - 1`.

    `tokens` `[S]` has the place of each step's token in `table`; it is empty if there are none. `numbers` is `[S, C]`, with C = 0 if there
    are none. `tags` `[S]` and `labels` `[N]` are places in `names`, and -1 where nothing is said; `labels` stand in `label_sets`, which
    has a tuple of places in `names` for each different set of labels. `channels` are the names of the C channels, if they have any.
    `scheme` is how tags marked spans where they were read. `fingerprint` is equal exactly when all of this is.
    """

    starts: Numbers
    tokens: Numbers
    table: tuple[str, ...]
    numbers: NDArray[np.float32]
    tags: Numbers
    labels: Numbers
    label_sets: tuple[tuple[int, ...], ...]
    names: tuple[str, ...]
    channels: tuple[str, ...]
    scheme: str | None
    fingerprint: str

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Numbers:
        """The number of steps of each sequence, `[N]`."""
        return np.diff(self.starts)

    def steps(self, which: Numbers) -> Numbers:
        """The places of all steps of some sequences, one sequence after the other."""
        return places(self.starts, which)

    def in_pieces(self, window: int) -> "Sequences":
        """The same steps and tags in sequences of at most `window` steps; what was said of whole sequences is left out.

        No piece begins inside a span: a span that does not fit begins the next piece, and one that is longer than a piece is divided into
        several, each of which begins with B.
        """
        begins = np.array([*map(self._beginning, self.names), -1])
        inside = begins[self.tags] >= 0
        tags, starts = self.tags.copy(), list[int]()
        for first, end in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            while first < end:
                starts.append(first)
                if inside[first]:
                    tags[first] = begins[tags[first]]
                first = _cut(inside, first, min(first + window, end), end)
        return replace(self, starts=np.array([*starts, self.starts[-1]]), tags=tags, labels=np.full(len(starts), -1))

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


def places(starts: Numbers, which: Numbers) -> Numbers:
    """Where all steps of some sequences stand, one sequence after the other; sequence i has `starts[i]` to `starts[i + 1] - 1`."""
    lengths = starts[which + 1] - starts[which]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(starts[which], lengths) + within


def cut(text: str, level: str) -> list[str]:
    """The tokens of a text: its characters, or its words and marks."""
    return list(text) if level == "char" else split_words(text.replace("\n", " "))


def gather(examples: Iterable[Example], level: str, *, progress: Callable[[int], None] | None = None) -> Sequences:
    """Examples, read one by one, as `Sequences`; undivided text is cut at `level`.

    `DataError` names the place of an example without steps, or with other channels or other kinds of steps than the first.
    """
    found = _Gathering(level)
    for count, example in enumerate(examples, 1):
        found.add(example)
        if progress and count % 1000 == 0:
            progress(count)
    return found.done()


class _Places(dict[str, int]):
    """Different strings, numbered as they come."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self)
        return self[name]


class _Gathering:
    def __init__(self, level: str) -> None:
        self.level = level
        self.starts, self.tokens, self.tags, self.labels = (array("q") for _ in range(4))
        self.starts.append(0)
        self.table, self.names = _Places(), _Places()
        self.sets: dict[tuple[int, ...], int] = {}
        self.numbers: list[NDArray[np.float32]] = []
        self.kind: tuple[bool, int] | None = None
        self.channels: tuple[str, ...] = ()
        self.scheme: str | None = None
        self.content = blake2b(digest_size=16)

    def add(self, example: Example) -> None:
        tokens = example.tokens
        if tokens is None and example.text is not None:
            tokens = tuple(cut(example.text, self.level))
        numbers = example.numbers
        steps = len(tokens) if tokens is not None else len(numbers) if numbers is not None else 0
        if not steps:
            raise DataError(f"{example.place}: the sequence is empty. Take it out, or give it at least one step.")
        self._require_alike(example.place, tokens is not None, 0 if numbers is None else numbers.shape[1])
        if example.tags is not None and len(example.tags) != steps:
            raise DataError(f"{example.place}: there must be one tag for each of the {steps} steps, got {len(example.tags)}.")
        self.starts.append(self.starts[-1] + steps)
        self.tokens.extend(map(self.table.__getitem__, tokens or ()))
        if numbers is not None:
            self._require_channels(example)
            self.numbers.append(numbers)
        self.tags.extend(map(self.names.__getitem__, example.tags) if example.tags is not None else [-1] * steps)
        self.labels.append(self._label_set(example.labels))
        self.scheme = self.scheme or example.scheme
        self.content.update(repr((tokens, example.tags, example.labels)).encode("utf-8", "surrogatepass"))
        if numbers is not None:
            self.content.update(np.ascontiguousarray(numbers).tobytes())

    def _label_set(self, labels: Sequence[str] | None) -> int:
        if labels is None:
            return -1
        chosen = tuple(self.names[label] for label in labels)
        return self.sets.setdefault(chosen, len(self.sets))

    def _require_channels(self, example: Example) -> None:
        channels = tuple(example.record.get("channels", ()))
        if self.channels and channels and channels != self.channels:
            names = " ".join(f"--channels {name}" for name in self.channels)
            raise DataError(
                f"{example.place}: the channels are {', '.join(channels)}, those of the first sequence {', '.join(self.channels)}. Pass `{names}`."
            )
        self.channels = channels or self.channels

    def _require_alike(self, place: str, has_tokens: bool, channels: int) -> None:
        self.kind = self.kind or (has_tokens, channels)
        if self.kind != (has_tokens, channels):
            was, now = (f"{'tokens' if t else 'no tokens'} and {c} channels" for t, c in (self.kind, (has_tokens, channels)))
            raise DataError(f"{place}: the sequence has {now}, the first one has {was}. Give them all the same.")

    def done(self) -> Sequences:
        starts, tokens, tags, labels = (np.array(a, np.int64) for a in (self.starts, self.tokens, self.tags, self.labels))
        channels = self.kind[1] if self.kind else 0
        numbers = np.concatenate(self.numbers) if self.numbers else np.zeros((int(starts[-1]), channels), np.float32)
        sets, names = tuple(self.sets), tuple(self.names)
        table, content = tuple(self.table), self.content.hexdigest()
        return Sequences(starts, tokens, table, numbers, tags, labels, sets, names, self.channels, self.scheme, content)
