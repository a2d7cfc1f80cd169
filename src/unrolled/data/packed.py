"""Arrays of numbers as text, for JSON."""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from unrolled.data.vocabulary import damaged

LARGEST = 1 << 30
"""Bytes that packed numbers may unpack to."""


def packed(numbers: NDArray[Any]) -> str:
    """The bytes of an array, compressed."""
    return base64.b85encode(zlib.compress(np.ascontiguousarray(numbers).tobytes())).decode("ascii")


def unpacked(text: object, dtype: DTypeLike, size: int | None = None) -> NDArray[Any]:
    """The numbers of a `dtype` that `packed` was given, `[N]`, of which there must be `size` if that is known. `RunError` for something else."""
    wide = np.dtype(dtype).itemsize
    most = LARGEST if size is None else min(wide * size, LARGEST)
    try:
        if not isinstance(text, str):
            raise TypeError("no text")
        unpack = zlib.decompressobj()
        data = unpack.decompress(base64.b85decode(text), most + 1)
        if not unpack.eof or len(data) > most:
            raise ValueError("too long, or cut off")
        found = np.frombuffer(data, np.dtype(dtype)).copy()
    except (zlib.error, ValueError, TypeError) as error:
        raise damaged(f"packed numbers cannot be read ({error})") from None
    if size is not None and len(found) != size:
        raise damaged(f"there must be {size:,} packed numbers, got {len(found):,}")
    return found
