"""Frames in rows of numbers, as sensors write them: a frame a row."""

import csv
import re
from pathlib import Path

import numpy as np

from unrolled.data.numerals import is_number
from unrolled.data.opening import open_unpacked
from unrolled.data.pictures.pixels import Pixels
from unrolled.errors import ConfigError, DataError

SENSED = (".csv",)
"""How names of files with rows of numbers end."""


def read_shape(shape: str) -> tuple[int, int, int]:
    """Height, width and channels, as in `24x32` or `24x32x3`. `ConfigError` for something else."""
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})(?:x(\d{1,2}))?", shape.strip())
    numbers = () if found is None else tuple(int(part or 1) for part in found.groups())
    if not numbers or 0 in numbers:
        raise ConfigError(f"`shape` must be a height and a width, and channels if there are several, as in 24x32, got {shape!r}.")
    return numbers[0], numbers[1], numbers[2]


def read_rows(path: Path, shape: tuple[int, int, int]) -> Pixels:
    """The frames `[T, H, W, C]` of a table with commas: the last H · W · C cells of each row; a first row of names is passed over.

    `DataError` names the line of a row that has fewer, or something else than numbers.
    """
    size, frames = shape[0] * shape[1] * shape[2], list[np.ndarray]()
    with open_unpacked(path) as file:
        for number, row in enumerate(csv.reader(line.decode("utf-8", "replace") for line in file), 1):
            cells = row[-size:]
            if (number == 1 and not any(map(is_number, cells))) or not row:
                continue
            if len(cells) < size or not all(map(is_number, cells)):
                got = f"{len(cells)} cells" if len(cells) < size else "something else"
                raise DataError(f"{path}, line {number}: a row must end in {size} numbers, as `shape` says, got {got}. Mend it.")
            frames.append(np.array(cells, np.float32).reshape(shape))
    if not frames:
        raise DataError(f"{path} has no row of numbers. Take it out, or get it again.")
    return np.stack(frames)
