"""Piano rolls: MATLAB's cells and NumPy's archives of `[T, 88]` frames, in parts to learn, to choose by and to measure."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.formats.sheets.reading import open_seekable, telling
from unrolled.data.music.frames import from_frames
from unrolled.data.music.matlab import read_mat
from unrolled.data.music.piece import KEYS, LOWEST, Piece
from unrolled.data.opening import inner_name
from unrolled.errors import DataError

PARTS = TRAIN, VALID, TEST = ("train", "valid", "test")
"""The parts that a file of rolls may have."""

_NAMES = {
    part: re.compile(rf"({names})_?(data|set)?", re.IGNORECASE)
    for part, names in zip(PARTS, ("train|training", "valid|validation|val|dev", "test|testing"), strict=True)
}
"""What the arrays of each part may be called."""

ROLLS = (".mat", ".npz")

_PITCHES = 128


def parts_in(path: Path) -> tuple[str, ...]:
    """The parts of a file of rolls; none where it is not divided."""
    arrays = _arrays(path)
    return tuple(part for part in PARTS if _named(arrays, part) is not None)


def read_rolls(path: Path, part: str, resolution: int) -> Iterator[Piece | DataError]:
    """The rolls of one part of a file, or all that it has where it is not divided. Arrays of another shape stand there as errors."""
    arrays = _arrays(path)
    name = _named(arrays, part)
    if name is None and any(_named(arrays, other) is not None for other in PARTS):
        raise DataError(f"{path} has no part {part!r}: it has {', '.join(arrays)}. Pass one of its parts as `part`.")
    for array in [name] if name is not None else arrays:
        for number, roll in enumerate(_rolls(arrays[array]), 1):
            yield _piece(roll, f"{path}, {array} {number}", resolution)


def _named(arrays: Mapping[str, Any], part: str) -> str | None:
    return next((name for name in arrays if _NAMES[part].fullmatch(name)), None)


def _rolls(array: Any) -> list[Any]:
    """The rolls in an array: cells, sequences of one length, or a single one."""
    if array.dtype == object:
        return list(array.ravel())
    return list(array) if array.ndim == 3 else [array]


def _arrays(path: Path) -> dict[str, Any]:
    """The arrays of a file by name."""
    with telling(path, "a file of piano rolls"), open_seekable(path) as file:
        if inner_name(path).lower().endswith(".mat"):
            return read_mat(file)
        with np.load(file, allow_pickle=False) as archive:
            try:
                return {name: archive[name] for name in archive.files}
            except ValueError as error:
                if "pickle" not in str(error):
                    raise
                raise DataError(
                    f"{path} has arrays of Python objects, which are not loaded, as they could run any program. "
                    "Save each roll as an array of numbers under a name of its own, or rolls of one length as [N, T, 88]."
                ) from None


def _piece(roll: Any, place: str, resolution: int) -> Piece | DataError:
    """A roll `[T, 88]`, or `[T, 128]` of all pitches of MIDI; what is above 0 sounds."""
    roll = np.asarray(roll)
    if roll.ndim != 2 or roll.shape[1] not in (KEYS, _PITCHES) or roll.dtype.kind not in "buif":
        return DataError(
            f"{place} must be a roll [T, {KEYS}] or [T, {_PITCHES}] of numbers, got {roll.dtype} {list(roll.shape)}.{_turned(roll)}"
        )
    if roll.dtype.kind == "f" and not np.isfinite(roll).all():
        return DataError(f"{place} has a value that is not finite. Write 0 for keys that do not sound.")
    keys = roll if roll.shape[1] == KEYS else roll[:, LOWEST : LOWEST + KEYS]
    piece = from_frames((keys > 0).astype(np.uint8), resolution)
    return Piece(piece.notes, piece.ticks, piece.length, place=place)


def _turned(roll: Any) -> str:
    return " Turn it: steps go down, keys across." if roll.ndim == 2 and roll.shape[0] in (KEYS, _PITCHES) else ""
