"""Strings and their ids: the one vocabulary of characters, words, subwords, events, labels and tags."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from unrolled.errors import ConfigError, DataError, RunError

Ids = NDArray[np.int64]

UNKNOWN, END = "<UNK>", "<EOS>"
"""What stands for every string that is not known, and for the end of a text."""

STEPS: tuple[str, ...] = (UNKNOWN,)
"""The special symbols of what steps are: words, characters."""

TEXTS: tuple[str, ...] = (UNKNOWN, END)
"""Those of what is written: ids 0 and 1. `<EOS>` also stands before the first symbol."""


@dataclass(frozen=True)
class Vocabulary:
    """Different strings in the order of their ids: first the `specials`, then `names`.

    Without `<UNK>` among the specials, as for labels, a string that is not known has the id -1. `counts` says how often each symbol came in
    what was learnt; it is empty where that is not known, and no part of what makes vocabularies equal.
    """

    names: tuple[str, ...]
    specials: tuple[str, ...] = STEPS
    counts: tuple[int, ...] = field(default=(), compare=False)

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], size: int | None = None, *, specials: tuple[str, ...] = STEPS, least: int = 1
    ) -> "Vocabulary":
        """The most frequent strings that came at least `least` times, ties in alphabetical order; at most `size` symbols, the specials included.

        What is counted under the name of a special symbol is its own. A size without room for a single string is a `ConfigError`.
        """
        if size is not None and size <= len(specials):
            told = " and ".join(specials)
            raise ConfigError(f"The size of a vocabulary must be at least {len(specials) + 1}, as it counts {told}, got {size}.")
        known = {name: n for name, n in counts.items() if n >= least and name not in specials}
        ranked = sorted(known, key=lambda name: (-known[name], name))
        names = tuple(ranked[: None if size is None else size - len(specials)])
        kept = [known[name] for name in names]
        own = [counts.get(special, 0) for special in specials]
        if specials:
            own[0] += sum(counts.values()) - sum(own) - sum(kept)
        return cls(names, specials, (*own, *kept))

    @classmethod
    def from_json(cls, found: object, specials: tuple[str, ...] = STEPS) -> "Vocabulary":
        """From the names as JSON has them, or an object with `names` and `counts`. `RunError` for something else."""
        names, counts = (found.get("names"), found.get("counts", [])) if isinstance(found, dict) else (found, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
            raise damaged("the names of a vocabulary must be a list of different strings")
        if any("\ud800" <= character <= "\udfff" for name in names for character in name) or not {*specials}.isdisjoint(names):
            raise damaged("the names of a vocabulary must be text, and none of them that of a special symbol")
        total = len(specials) + len(names)
        whole = isinstance(counts, list) and all(type(n) is int and 0 <= n < 2**63 for n in counts)
        if not whole or len(counts) not in (0, total):
            raise damaged(f"the counts of a vocabulary must be none or {total} whole numbers of at least 0")
        return cls(tuple(names), specials, tuple(counts))

    def widened(self, learnt: "Vocabulary", *, widen: bool = True) -> "Vocabulary":
        """This one with the names of another one, `learnt`, behind its own, unless it is not to be wider; counts are those of the other."""
        known = {*self.names}
        names = (*self.names, *(name for name in learnt.names if name not in known)) if widen else self.names
        if not learnt.counts:
            return Vocabulary(names, self.specials)
        counts = dict(zip(learnt.symbols, learnt.counts, strict=True))
        own = tuple(counts.get(name, 0) for name in names)
        specials = [counts.get(name, 0) for name in self.specials]
        if specials:
            specials[0] += sum(learnt.counts) - sum(own) - sum(specials)
        return Vocabulary(names, self.specials, (*specials, *own))

    def to_json(self) -> Any:
        """What `from_json` reads."""
        return {"names": self.names, "counts": self.counts}

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The string of each id."""
        return (*self.specials, *self.names)

    @property
    def size(self) -> int:
        """How many ids there are."""
        return len(self.specials) + len(self.names)

    def __len__(self) -> int:
        return self.size

    @property
    def unknown(self) -> int:
        """The id of what is not known."""
        return self.specials.index(UNKNOWN) if UNKNOWN in self.specials else -1

    @property
    def dtype(self) -> np.dtype[Any]:
        """The narrowest unsigned integer that holds every id."""
        return np.min_scalar_type(max(self.size - 1, 1)).newbyteorder("<")

    @property
    def log_frequencies(self) -> NDArray[np.float64] | None:
        """The natural log-probability of each symbol by how often it came in what was learnt, each counted once more; None if not known."""
        more = np.array(self.counts, np.float64) + 1
        return np.log(more / more.sum()) if self.counts else None

    def ids(self, strings: Iterable[str], dtype: DTypeLike = np.int64) -> NDArray[Any]:
        """The id of each string, `[N]`. That of what looks like a special symbol is the unknown one."""
        known, unknown = self._ids, self.unknown
        return np.fromiter((known.get(string, unknown) for string in strings), dtype)

    def strings(self, ids: ArrayLike) -> list[str]:
        """The string of each id. An id outside the vocabulary is a `DataError`."""
        flat = np.asarray(ids, np.int64).ravel()
        if flat.size and not (flat.min() >= 0 and flat.max() < self.size):
            raise DataError(f"Ids must lie in 0..{self.size - 1}, got {flat.min()}..{flat.max()}.")
        return [self.symbols[i] for i in flat.tolist()]

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names, len(self.specials))}


def damaged(what: str) -> RunError:
    """The error for something in a run folder that is not what was written there."""
    return RunError(f"What the run knows of its data is damaged or foreign: {what}. Take it from a copy of the run.")


def switch(found: Mapping[str, Any], name: str) -> bool:
    """What a run says of something that is so or not. `RunError` for something else."""
    if not isinstance(found[name], bool):
        raise damaged(f"{name!r} must be true or false, got {found[name]!r}")
    return found[name]
