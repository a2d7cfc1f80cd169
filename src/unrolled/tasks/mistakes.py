"""Tables of what networks said wrongly, as files."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.numerals import rounded
from unrolled.options import option
from unrolled.training.checkpoint import save_text

TABLES = (".csv", ".tsv")
"""How names of such files may end."""

AROUND = 5
"""Steps on both sides of a wrong one that are shown."""

MOST_CHANNELS = 8
"""Channels of a step that are shown, at most."""

_COLUMNS = ("place", "input", "label", "answer")

Mistake = dict[str, Any]
"""A row: the `place`, `input`, `label` and `answer`, and the answer's `probability`, or of numbers the `error`; and what else is known."""


@dataclass(frozen=True)
class ErrorOptions:
    """What was said wrongly."""

    errors: str | None = option(
        None,
        "Write each wrong answer into this CSV or TSV file, with its input, label, and probabilities, the surest (or of numbers the farthest) first.",
        written=TABLES,
    )


def save_mistakes(path: Path, rows: Iterable[Mistake]) -> None:
    """Write rows into a table, the surest answers first, or of numbers the farthest."""
    ranked = sorted(rows, key=lambda row: -row["error"] if "error" in row else -row["probability"])
    names = dict.fromkeys([*_COLUMNS, *(name for row in ranked for name in row)])
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n", delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
    table.writeheader()
    table.writerows(ranked)
    save_text(path, text.getvalue())


def shown(steps: Sequence[Any], step: int | None = None, text: Callable[[Any], str] = str) -> str:
    """The first of some steps in words, and how many there are; or a `step` between brackets, with those around it."""
    if step is not None:
        first = max(step - AROUND, 0)
        return " ".join(f"[{text(each)}]" if at == step else text(each) for at, each in enumerate(steps[first : step + 1 + AROUND], first))
    begin = " ".join(map(text, steps[: 2 * AROUND]))
    return begin if len(steps) <= 2 * AROUND else f"{begin} … ({len(steps):,} steps)"


def as_numbers(numbers: Sequence[float] | np.ndarray) -> str:
    """The numbers of one step, with commas between."""
    return ",".join(rounded(number) for number in numbers[:MOST_CHANNELS]) + (",…" if len(numbers) > MOST_CHANNELS else "")
