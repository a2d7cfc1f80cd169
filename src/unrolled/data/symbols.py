"""Numbers for whatever strings the steps of sequences are: words as a file cuts them, residues, activities, characters."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import RunError

_RUN = re.compile(r"(.)\1\1+", re.DOTALL)


def word_shape(word: str) -> str:
    """A word with X for each capital, x for each other letter and 0 for each digit; of a run of the same only two are left.

    "Apple" is Xxx, "NASA" XX, "U2" X0 and "don't" xx'x.
    """
    signs = ("X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word)
    return _RUN.sub(r"\1\1", "".join(signs))


@dataclass(frozen=True)
class Symbols:
    """Different strings in the order of their numbers, which begin at 1: 0 stands for every other string."""

    names: tuple[str, ...]

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], most: int | None = None) -> "Symbols":
        """The most frequent strings, at most `most` with the unknown one; ties in alphabetical order."""
        ranked = sorted((name for name, n in counts.items() if n > 0), key=lambda name: (-counts[name], name))
        return cls(tuple(ranked[: None if most is None else most - 1]))

    @classmethod
    def from_names(cls, names: object) -> "Symbols":
        """From a list as JSON gives it. `RunError` for something else."""
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names) or len(set(names)) != len(names):
            raise RunError("The symbols of the run are damaged: they must be a list of different strings. Take it from a copy of the run.")
        return cls(tuple(names))

    @property
    def size(self) -> int:
        """How many numbers there are, that of the unknown one included."""
        return len(self.names) + 1

    def numbers(self, strings: Iterable[str]) -> NDArray[np.int64]:
        """The number of each string, `[N]`."""
        return np.fromiter((self._index.get(s, 0) for s in strings), np.int64)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names, 1)}
