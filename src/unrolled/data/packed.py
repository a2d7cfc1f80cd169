"""Arrays of numbers as text, for JSON."""

import base64
import binascii
import zlib
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from unrolled.data.vocabulary import damaged

LARGEST = 1 << 30
"""Bytes that packed numbers may unpack to."""


def packed(numbers: NDArray[Any]) -> str:
    """The bytes of an array, compressed."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(numbers).tobytes())).decode("ascii")


def unpacked(text: object, dtype: DTypeLike) -> NDArray[Any]:
    """The numbers of a `dtype` that `packed` was given, `[N]`. `RunError` for something else."""
    try:
        if not isinstance(text, str):
            raise TypeError("no text")
        unpack = zlib.decompressobj()
        data = unpack.decompress(base64.b64decode(text, validate=True), LARGEST)
        if not unpack.eof:
            raise ValueError("too long, or cut off")
        return np.frombuffer(data, np.dtype(dtype)).copy()
    except (binascii.Error, zlib.error, ValueError, TypeError) as error:
        raise damaged(f"packed numbers cannot be read ({error})") from None
