"""Columns beside the target as what a network reads: standardised numbers, and labels as one of several."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.codecs.numbers import CONSTANT
from unrolled.data.vocabulary import damaged
from unrolled.errors import ConfigError, UnrolledWarning

MOST_LABELS = 1000
"""Labels that a column may have; one with more names rows, and says nothing of other ones."""


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, by the mean and the standard deviation of what was learnt; with `gaps`, which were learnt too, it says beside it whether
    a number is there."""

    mean: float
    deviation: float
    gaps: bool

    @classmethod
    def learn(cls, cells: NDArray[np.float64]) -> "NumberColumn":
        """From the cells that are learnt."""
        said = cells[~np.isnan(cells)]
        mean = float(said.mean()) if len(said) else 0.0
        deviation = float(said.std()) if len(said) else 1.0
        return cls(mean, deviation if deviation > CONSTANT * abs(mean) else 1.0, len(said) < len(cells))

    @property
    def width(self) -> int:
        """How many numbers it is read as."""
        return 1 + self.gaps

    def encode(self, name: str, cells: NDArray[Any]) -> NDArray[np.float32]:
        """`[R, width]`; the mean where nothing is said."""
        there = ~np.isnan(cells)
        found = np.where(there, (cells - self.mean) / self.deviation, 0)
        return np.stack([found, there] if self.gaps else [found], -1).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return {"mean": self.mean, "deviation": self.deviation, "gaps": self.gaps}


@dataclass(frozen=True)
class LabelColumn:
    """A column of labels: one number for each label that was learnt, which is 1 where it stands; of two labels a single one, 1 or -1. With `gaps`
    it was learnt that nothing stands somewhere, too."""

    labels: tuple[str, ...]
    gaps: bool = False

    @classmethod
    def learn(cls, name: str, cells: NDArray[Any]) -> "LabelColumn":
        """From the cells that are learnt. `ConfigError` for too many labels."""
        labels = sorted({_key(cell): cell for cell in cells.tolist() if cell is not None}.values())
        if len(labels) > MOST_LABELS:
            raise ConfigError(f"The column {name!r} has {len(labels):,} different labels, more than {MOST_LABELS:,}. Leave it out.")
        return cls(tuple(labels), any(cell is None for cell in cells.tolist()))

    @property
    def width(self) -> int:
        """How many numbers it is read as."""
        return 1 if len(self.labels) == 2 else len(self.labels)

    def encode(self, name: str, cells: NDArray[Any]) -> NDArray[np.float32]:
        """`[R, width]`; 0 where nothing is said. Labels that were not learnt are an `UnrolledWarning`, and are read as nothing."""
        numbers = {_key(label): number for number, label in enumerate(self.labels)}
        found = np.fromiter((-1 if cell is None else numbers.get(_key(cell), -2) for cell in cells.tolist()), np.int64, len(cells))
        if (found == -2).any():
            new = sorted({str(cell) for cell in cells[found == -2].tolist()})
            warnings.warn(
                f"The column {name!r} has labels that were not learnt, and are read as nothing: {', '.join(new[:5])}.",
                UnrolledWarning,
                stacklevel=2,
            )
        if len(self.labels) == 2:
            return ((found == 1) * 1.0 - (found == 0)).astype(np.float32)[:, None]
        return (found[:, None] == np.arange(len(self.labels))).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return {"labels": list(self.labels), "gaps": self.gaps}


def _key(label: str) -> str:
    """What is the same in labels that are one: files write truth values in small letters, large ones or both."""
    return label.lower() if label.lower() in ("true", "false") else label


ColumnCodec = NumberColumn | LabelColumn


def learn_columns(columns: Mapping[str, NDArray[Any]], rows: NDArray[np.bool_] | slice = slice(None)) -> dict[str, ColumnCodec]:
    """A codec for each of some columns, from some of the rows."""
    return {
        name: LabelColumn.learn(name, cells[rows]) if cells.dtype == object else NumberColumn.learn(cells[rows])
        for name, cells in columns.items()
    }


def encode_columns(codecs: Mapping[str, ColumnCodec], columns: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.float32]:
    """All of some columns side by side, `[R, F]`."""
    parts = [codec.encode(name, columns[name]) for name, codec in codecs.items()]
    return np.concatenate([np.zeros((rows, 0), np.float32), *parts], -1)


def column_from_json(found: Any) -> ColumnCodec:
    """What `to_json` gave. `RunError` for something else."""
    try:
        if "labels" in found:
            return LabelColumn(tuple(map(str, found["labels"])), bool(found["gaps"]))
        column = NumberColumn(float(found["mean"]), float(found["deviation"]), bool(found["gaps"]))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(f"a column must have labels, or a mean and a deviation ({error!r})") from None
    if not (np.isfinite(column.mean) and np.isfinite(column.deviation) and column.deviation > 0):
        raise damaged("the mean and the deviation of a column must be finite, and the deviation above 0")
    return column
