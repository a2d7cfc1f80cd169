"""What a network said wrongly, as a table."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.examples import Example, Prediction
from unrolled.training.checkpoint import save_text

AROUND = 5
"""Steps on both sides of a wrong one that are shown."""

Answered = tuple[Example, Prediction]
"""A sequence with its targets, and what was said of it."""


def write_errors(path: Path, answered: Iterable[Answered]) -> int:
    """Write what is wrong into a CSV file, the surest answers first, or of numbers the farthest; gives how many there are."""
    rows = errors_of(answered)
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, names or ["place", "input", "label", "answer"], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    save_text(path, text.getvalue())
    return len(rows)


def errors_of(answered: Iterable[Answered]) -> list[dict[str, Any]]:
    """A row for each wrong sequence, or each wrong step: its place, input, label and answer, and the answer's probability and those of all labels; of
    numbers how far each is from what was said."""
    rows = [row for example, said in answered for row in _rows(example, said)]
    return sorted(rows, key=lambda row: -row["error"] if "error" in row else -row["probability"])


def _rows(example: Example, said: Prediction) -> Iterator[dict[str, Any]]:
    if said.values is not None:
        yield from _of_numbers(example, said)
    elif said.tags is not None:
        yield from _of_steps(example, said)
    elif {*(example.labels or ())} != {*(said.labels or ())}:
        sure = said.probabilities or tuple(1 - p for p in said.scores)
        yield {
            "place": example.place,
            "input": _input(example),
            "label": ", ".join(example.labels or ()),
            "answer": ", ".join(said.labels or ()),
            "probability": round(min(sure, default=0.0), 6),
            **{f"P({name})": round(p, 6) for name, p in said.every.items()},
        }


def _of_steps(example: Example, said: Prediction) -> Iterator[dict[str, Any]]:
    tokens = example.tokens or ()
    for step, (true, tag, sure) in enumerate(zip(example.tags or (), said.tags or (), said.probabilities, strict=False)):
        if true != tag:
            yield {
                "place": example.step_place(step),
                "input": _around(tokens, step) if tokens else f"step {step + 1}",
                "label": true,
                "answer": tag,
                "probability": round(sure, 6),
            }


def _of_numbers(example: Example, said: Prediction) -> Iterator[dict[str, Any]]:
    if example.values is None or said.values is None:
        return
    steps = said.values.ndim == 2
    for step, (true, value) in enumerate(zip(np.atleast_2d(example.values), np.atleast_2d(said.values), strict=False)):
        yield {
            "place": example.step_place(step) if steps else example.place,
            "input": _input(example),
            "label": " ".join(f"{number:.6g}" for number in true),
            "answer": " ".join(f"{number:.6g}" for number in value),
            "error": float(f"{np.abs(true - value).max():.6g}"),
        }


def _input(example: Example) -> str:
    if example.text is not None:
        return example.text
    if example.tokens is not None:
        return " ".join(example.tokens)
    if example.sound is not None:
        return str(example.sound)
    return example.name or ""


def _around(tokens: Sequence[str], step: int) -> str:
    """A token between brackets, with those around it."""
    first, last = max(step - AROUND, 0), step + 1 + AROUND
    return " ".join([*tokens[first:step], f"[{tokens[step]}]", *tokens[step + 1 : last]])
