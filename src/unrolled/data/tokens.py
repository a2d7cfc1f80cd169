"""Token ids on disk, read through a memory map that stays small in memory."""

import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError

KEPT = 64 << 20
"""Bytes that may be read before their pages are given back."""

READ_AHEAD = 64 << 10
"""Bytes that the system maps at each read at least."""


class TokenFile:
    """The ids of a text, `[N]`, in a raw binary file; reading all of it does not keep it in memory.

    `dtype` is that of the file. A file that is missing or does not have exactly `length` ids is a `DataError`.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any], length: int) -> None:
        self.path, self.dtype, self._length = path, dtype, length
        self._map: mmap.mmap | None = None
        self._read = 0
        try:
            with open(path, "rb") as file:
                found = os.fstat(file.fileno()).st_size
                if found and found == length * dtype.itemsize:
                    self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}. Encode the text again.") from None
        if found != length * dtype.itemsize:
            raise DataError(f"{path} must have {length * dtype.itemsize} bytes, got {found}. Encode the text again.")
        self._ids = np.frombuffer(self._map or b"", dtype)

    def __len__(self) -> int:
        return self._length

    def read(self, start: int, stop: int) -> NDArray[np.int64]:
        """The ids at `start` to `stop - 1`, `[stop - start]`. A range that is not inside the file is a `DataError`."""
        if not 0 <= start <= stop <= self._length:
            raise DataError(f"Tokens {start}..{stop} were asked of {self.path}, which has {self._length}.")
        ids = self._ids[start:stop].astype(np.int64)
        self._read += max((stop - start) * self.dtype.itemsize, READ_AHEAD)
        if self._read > KEPT:
            self._give_back()
        return ids

    def _give_back(self) -> None:
        """Drop the pages read so far; the system reads them again if they are needed again."""
        self._read = 0
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
