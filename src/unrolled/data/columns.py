"""Columns: what many sequences have in one field, one after the other, in memory or mapped from a file, whatever an element is."""

import mmap
import os
import tempfile
from array import array
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Protocol
from weakref import finalize

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from unrolled.errors import DataError
from unrolled.files import UNFINISHED, open_file
from unrolled.folders import cache_folder

Places = NDArray[np.int64]
"""Whole numbers that say where something stands, or how long it is."""

KEPT = 64 << 20
"""Bytes that may be read of a mapped file before their pages are given back."""

READ_AHEAD = 64 << 10
"""Bytes that the system maps at each read at least."""

_AT_ONCE = 1 << 16
"""Whole numbers that are put together before they become an array."""

IN_MEMORY = 512 << 20
"""Bytes of a column that are held in memory; a larger one lies in a file in the cache folder while it is used."""


class Elements(Protocol):
    """Elements of one type and shape, `[S, …]`."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of their numbers."""

    @property
    def shape(self) -> tuple[int, ...]:
        """`(S, …)`."""

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Those at `start` to `stop - 1`."""

    def take(self, places: Places) -> NDArray[Any]:
        """Those at some places, in this order."""


class InMemory:
    """Elements in an array."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        self.dtype, self.shape = array.dtype, array.shape

    def __len__(self) -> int:
        return len(self.array)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """See `Elements`."""
        return self.array[start:stop]

    def take(self, places: Places) -> NDArray[Any]:
        """See `Elements`."""
        found: NDArray[Any] = self.array[places]
        return found


class Mapped:
    """Elements in a raw binary file; reading all of them does not keep them in memory.

    `dtype` is that of the file, `element` the shape of an element. A file that is missing or does not have exactly `length` of them is a
    `DataError`.
    """

    def __init__(self, path: Path, dtype: DTypeLike, length: int, element: tuple[int, ...] = ()) -> None:
        self.path, self.dtype, self.shape = path, np.dtype(dtype), (length, *element)
        self._map: mmap.mmap | None = None
        self._read = 0
        self._size = self.dtype.itemsize * prod(element)
        wanted = length * self._size
        try:
            with open_file(path) as file:
                found = os.fstat(file.fileno()).st_size
                if found and found == wanted:
                    self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}. Encode the text again.") from None
        if found != wanted:
            raise DataError(f"{path} must have {wanted} bytes, got {found}. Encode the text again.")
        self._elements = np.frombuffer(self._map or b"", self.dtype).reshape(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Those at `start` to `stop - 1`. A range that is not inside the file is a `DataError`."""
        if not 0 <= start <= stop <= len(self):
            raise DataError(f"Elements {start}..{stop} were asked of {self.path}, which has {len(self)}.")
        found = self._elements[start:stop].copy()
        self._count(max((stop - start) * self._size, READ_AHEAD))
        return found

    def take(self, places: Places) -> NDArray[Any]:
        """See `Elements`."""
        found: NDArray[Any] = self._elements[places]
        self._count(len(places) * max(self._size, READ_AHEAD >> 4))
        return found

    def _count(self, read: int) -> None:
        """Give pages back when many have been read; the system reads them again if they are needed again."""
        self._read += read
        if self._read > KEPT:
            self._read = 0
            if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
                self._map.madvise(mmap.MADV_DONTNEED)


class Collector:
    """Elements that come one after the other, in memory until they take too much of it and in a file from then on."""

    def __init__(self, dtype: DTypeLike, element: tuple[int, ...] = (), most: int | None = None) -> None:
        self.dtype, self.element = np.dtype(dtype), element
        self._most = IN_MEMORY if most is None else most
        self._parts: list[NDArray[Any]] = []
        self._waiting = array("q")
        self._bytes, self._length, self._path = 0, 0, ""

    def __len__(self) -> int:
        return self._length + len(self._waiting)

    def add(self, elements: ArrayLike) -> None:
        """Some more of them, `[N, …]`."""
        if self._waiting:
            self._take_waiting()
        part = np.asarray(elements, self.dtype).reshape(-1, *self.element)
        self._parts.append(part)
        self._length += len(part)
        self._bytes += part.nbytes
        if self._bytes > self._most:
            self._spill()

    def extend(self, numbers: Iterable[int]) -> None:
        """Some more whole numbers, each an element."""
        self._waiting.extend(numbers)
        if len(self._waiting) > _AT_ONCE:
            self._take_waiting()

    def _take_waiting(self) -> None:
        waiting, self._waiting = self._waiting, array("q")
        self.add(np.frombuffer(waiting, np.int64))

    def done(self) -> Elements:
        """All of them."""
        if self._waiting:
            self._take_waiting()
        if not self._path:
            return InMemory(np.concatenate([*self._parts, np.zeros((0, *self.element), self.dtype)]))
        self._spill()
        mapped = Mapped(Path(self._path), self.dtype, self._length, self.element)
        # The system keeps what is mapped, and frees it when nobody reads it any more.
        self._drop()
        return mapped

    def _spill(self) -> None:
        """Write what has come to the file."""
        try:
            if not self._path:
                handle, self._path = tempfile.mkstemp(prefix=UNFINISHED, dir=cache_folder())
                os.close(handle)
                # The file goes, too, where collecting is broken off.
                self._drop = finalize(self, os.unlink, self._path)
            with open(self._path, "ab") as file:
                for part in self._parts:
                    file.write(np.ascontiguousarray(part).data)
        except OSError as error:
            cure = "Make room there, or let UNROLLED_CACHE name a folder on another disk."
            raise DataError(f"The cache folder {cache_folder()} cannot be written: {error.strerror or error}. {cure}") from None
        self._parts, self._bytes = [], 0


@dataclass(frozen=True)
class Column:
    """N sequences: sequence i has the elements `starts[i]` to `starts[i + 1] - 1`."""

    elements: Elements
    starts: Places

    @classmethod
    def of(cls, sequences: Iterable[ArrayLike], dtype: DTypeLike, element: tuple[int, ...] = ()) -> "Column":
        """From sequences that come one by one."""
        collector, lengths = Collector(dtype, element), [0]
        for sequence in sequences:
            part = np.asarray(sequence, dtype)
            collector.add(part)
            lengths.append(len(part))
        return cls(collector.done(), np.cumsum(lengths))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Places:
        """The number of elements of each sequence, `[N]`."""
        return np.diff(self.starts)

    def take(self, which: Places) -> NDArray[Any]:
        """All elements of some sequences, one sequence after the other."""
        return self.elements.take(places(self.starts, which))


def places(starts: Places, which: Places) -> Places:
    """Where all elements of some sequences stand, one sequence after the other; sequence i has `starts[i]` to `starts[i + 1] - 1`."""
    lengths = starts[which + 1] - starts[which]
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(starts[which], lengths) + within


def numbered(keys: Iterable[Hashable]) -> Places:
    """Different keys, numbered as they come."""
    numbers = dict[Hashable, int]()
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def joined(*several: Places) -> Places:
    """One number for each sequence, from 0 on, that those have in common which have one of `several` in common, and so on from each to the next."""
    found = np.arange(len(several[0]))
    while True:
        before = found
        for numbers in several:
            least = np.full(len(found), len(found))
            np.minimum.at(least, numbers, found)
            found = least[numbers]
        if (found == before).all():
            return np.unique(found, return_inverse=True)[1]
