"""What a network said wrongly of sequences, as rows of a table."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from unrolled.data.examples import Example, Prediction
from unrolled.tasks.mistakes import Mistake, as_numbers, shown

FEW = 50
"""Labels at most of which a row has the probabilities of all."""


def errors_of(example: Example, said: Prediction, labels: Sequence[str] = ()) -> Iterator[Mistake]:
    """A row for a wrong sequence, or for each wrong step: its place, input, label and answer, the probabilities of both, and of all `labels` where
    these are few; of numbers how far each is from what was said."""
    if said.values is not None:
        yield from _of_numbers(example, said)
    elif said.tags is not None:
        yield from _of_steps(example, said, labels)
    elif {*(example.labels or ())} != {*(said.labels or ())}:
        yield {
            "place": example.place,
            "input": _input(example),
            "label": ", ".join(example.labels or ()),
            "answer": ", ".join(said.labels or ()),
            "probability": round(_least(said.labels or (), said.every), 6),
            **_of_all(said.every, _least(example.labels or (), said.every)),
        }


def _of_steps(example: Example, said: Prediction, labels: Sequence[str]) -> Iterator[Mistake]:
    for step, (true, tag, sure) in enumerate(zip(example.tags or (), said.tags or (), said.probabilities, strict=False)):
        if true != tag:
            every = {} if said.step_scores is None else dict(zip(labels, said.step_scores[step].tolist(), strict=True))
            yield {
                "place": example.step_place(step),
                "input": _input(example, step),
                "label": true,
                "answer": tag,
                "probability": round(sure, 6),
                **_of_all(every, every.get(true)),
            }


def _of_numbers(example: Example, said: Prediction) -> Iterator[Mistake]:
    if example.values is None or said.values is None:
        return
    steps = said.values.ndim == 2
    spread = [None] * said.values.size if said.deviations is None else np.atleast_2d(said.deviations)
    for step, (true, value, deviation) in enumerate(zip(np.atleast_2d(example.values), np.atleast_2d(said.values), spread, strict=False)):
        if np.isnan(true).all() or (true == value).all():
            continue
        yield {
            "place": example.step_place(step) if steps else example.place,
            "input": _input(example, step if steps else None),
            "label": as_numbers(true),
            "answer": as_numbers(value),
            **({} if deviation is None else {"deviation": as_numbers(deviation)}),
            "error": float(f"{np.nanmax(np.abs(true - value)):.6g}"),
        }


def _of_all(every: dict[str, float], true: float | None) -> dict[str, Any]:
    """The probability of the true label, nothing where it was never learnt, and of every one, where these are few."""
    found: dict[str, Any] = {"label_probability": "" if true is None else round(true, 6)}
    return found | ({f"P({name})": round(p, 6) for name, p in every.items()} if len(every) <= FEW else {})


def _least(labels: Sequence[str], every: dict[str, float]) -> Any:
    """The least of the probabilities of labels that are said to hold together, or of none of those there are; None if one was never learnt."""
    if not labels:
        return min((1 - p for p in every.values()), default=0.0)
    return None if {*labels} - every.keys() else min(every[label] for label in labels)


def _input(example: Example, step: int | None = None) -> str:
    if example.text is not None and step is None:
        return example.text
    if example.tokens is not None:
        return " ".join(example.tokens) if step is None else shown(example.tokens, step)
    if example.sound is not None or example.clip is not None:
        return f"{example.sound or example.clip}" + ("" if step is None else f", step {step + 1}")
    if example.numbers is not None:
        return shown([*example.numbers], step, as_numbers)
    return (example.name or "") if step is None else f"step {step + 1}"
