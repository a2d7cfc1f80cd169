"""What was measured during a run: one JSON object a line, in the order in which it happened."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import RunError
from unrolled.files import append_to, read_file
from unrolled.later import Later
from unrolled.plain import from_json
from unrolled.training.plot import draw_losses

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from unrolled.training import checkpoint
else:
    checkpoint = Later("unrolled.training.checkpoint")


class History:
    """The file `metrics.jsonl`. Every record has `update`, the number of updates done by then."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, record: Mapping[str, Any]) -> None:
        """Append a record."""
        try:
            append_to(self.path, f"{json.dumps(record)}\n".encode())
        except OSError as error:
            raise RunError(f"{self.path} cannot be written: {error.strerror}. Make room or permission there, then resume.") from None

    def records(self) -> list[dict[str, Any]]:
        """All records that are whole; a line cut short by a crash is passed over."""
        return list(_whole(self._read().splitlines()))

    def exists(self) -> bool:
        """Whether there is such a file, or something else in its place."""
        return os.path.lexists(self.path)

    def size(self) -> int:
        """Bytes up to now: where a checkpoint stands in the history."""
        return self.path.lstat().st_size if self.exists() else 0

    def cut(self, size: int) -> None:
        """Forget what was added when there were so many bytes: a resumed run goes through it again."""
        kept = _whole(self._read()[:size].splitlines())
        checkpoint.save_text(self.path, "".join(json.dumps(r) + "\n" for r in kept))

    def _read(self) -> bytes:
        try:
            return read_file(self.path)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise RunError(f"{self.path} cannot be read: {error.strerror}.") from None


def _whole(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            record = from_json(line)
        except ValueError:
            continue
        if isinstance(record, dict) and type(record.get("update")) is int:
            yield record


class Curves(Mapping[str, NDArray[np.float64]]):
    """What was measured during a run, as a mapping of arrays by name: `curves["held_out"]`, at the updates `curves.updates("held_out")`."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self.records = tuple(records)

    def __repr__(self) -> str:
        return f"<Curves of {len(self.records)} records: {', '.join(self.names)}>"

    @property
    def names(self) -> tuple[str, ...]:
        """Everything of which there are numbers."""
        found = (name for record in self.records for name, value in record.items() if isinstance(value, int | float) and name != "update")
        return tuple(dict.fromkeys(found))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Curves) and self.records == other.records

    __hash__ = None  # type: ignore[assignment]

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """The numbers of that name, in the order in which they were measured. `KeyError` where there are none."""
        if name not in self.names:
            raise KeyError(f"{name!r}: there are {', '.join(self.names)}")
        return np.array([record[name] for record in self.records if name in record], np.float64)

    def updates(self, name: str) -> NDArray[np.int64]:
        """After how many updates each of them was measured."""
        return np.array([record["update"] for record in self.records if name in record], np.int64)

    def plot(self) -> "Figure":
        """The losses as a figure of matplotlib."""
        return draw_losses(self.records)
