"""Larger pictures that are made of pictures of digits: each digit somewhere, alone or among pieces of others."""

import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unrolled.data.examples import Example
from unrolled.errors import DataError

SIDE = 60
"""Rows and columns of a picture."""

_PIECES, _PIECE = 4, 8
"""How many pieces of other digits lie in a picture, and the rows and columns of each."""


def translated_digits(digits: Iterable[Example], copies: int) -> Iterator[Example]:
    """Each digit, a picture `[1, H, W, 1]`, somewhere in as many pictures of 60 × 60 as there are `copies`, with zeros around it (Mnih et al. 2014, §4.1).

    Where it lies follows from its pixels: other digits have other places. Copies of a digit are one group.
    """
    for number, digit in enumerate(digits, 1):
        pixels = _pixels(digit)
        for copy in range(copies):
            yield _example("translated", number, digit, _placed(pixels, _chance(pixels, copy)))


def cluttered_digits(digits: Iterable[Example], copies: int) -> Iterator[Example]:
    """The same with four pieces of 8 × 8 pixels of other digits of the same file, each anywhere in its digit and in the picture."""
    known = list(digits)
    others = [_pixels(digit) for digit in known]
    for number, (digit, pixels) in enumerate(zip(known, others, strict=True), 1):
        for copy in range(copies):
            chance = _chance(pixels, copy)
            yield _example("cluttered", number, digit, _cluttered(_placed(pixels, chance), others, chance))


def _pixels(digit: Example) -> NDArray[np.uint8]:
    assert digit.frames is not None
    pixels: NDArray[np.uint8] = digit.frames[0, ..., 0]
    if max(pixels.shape) > SIDE:
        raise DataError(
            f"{digit.place}: the digit must be at most {SIDE} × {SIDE} pixels, got {list(pixels.shape)}. Name smaller `digits`."
        )
    return pixels


def _chance(pixels: NDArray[np.uint8], copy: int) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(pixels.tobytes()), copy])


def _placed(pixels: NDArray[np.uint8], chance: np.random.Generator) -> NDArray[np.uint8]:
    """A digit somewhere in an empty picture."""
    picture = np.zeros((SIDE, SIDE), np.uint8)
    _somewhere(picture, pixels.shape, chance)[:] = pixels
    return picture


def _cluttered(picture: NDArray[np.uint8], others: Sequence[NDArray[np.uint8]], chance: np.random.Generator) -> NDArray[np.uint8]:
    """A picture with pieces of others, of which the brighter pixel is seen where they lie on something."""
    for _ in range(_PIECES):
        other = others[int(chance.integers(len(others)))]
        size = (min(_PIECE, other.shape[0]), min(_PIECE, other.shape[1]))
        there = _somewhere(picture, size, chance)
        np.maximum(there, _somewhere(other, size, chance), out=there)
    return picture


def _somewhere(picture: NDArray[np.uint8], size: Sequence[int], chance: np.random.Generator) -> NDArray[np.uint8]:
    """A part of a picture, as a view."""
    top, left = (int(chance.integers(whole - part + 1)) for whole, part in zip(picture.shape, size, strict=True))
    return picture[top : top + size[0], left : left + size[1]]


def _example(how: str, number: int, digit: Example, picture: NDArray[np.uint8]) -> Example:
    place = f"builtin:{how}-digits, digit {number}"
    return Example(place, group=str(number), frames=picture[None, ..., None], labels=digit.labels)
