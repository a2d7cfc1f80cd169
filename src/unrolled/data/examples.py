"""Sequences as they were read, before anything is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_SPANS = "none"
"""The scheme of tags that mark no spans."""


@dataclass(frozen=True)
class Example:
    """One sequence with what is known of it.

    Its steps are `tokens` (one string for each step), or `text` that is still to be cut into words or characters, or `numbers`
    (float32 `[T, C]`, NaN where a value is missing); tokens and numbers may come together, step by step. `labels` are those of the whole
    sequence (one, or several where several may hold at once), `tags` those of its steps; None where the source says nothing.

    `place` is where it stands, as in "names.csv, line 3", for messages. `name` is its own, if it has one. `scheme` is how its tags marked
    spans before they became BIO. `record` is what the
    source's format needs to write it again with a prediction beside it.
    """

    place: str
    text: str | None = None
    tokens: tuple[str, ...] | None = None
    numbers: NDArray[np.float32] | None = None
    labels: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    name: str | None = None
    scheme: str | None = None
    record: Mapping[str, Any] = field(default_factory=dict)

    def step_place(self, step: int) -> str:
        """Where a step stands, which counts from 0: its own line if the source has one for each (`record["path"]`, `["numbers"]`)."""
        numbers = self.record.get("numbers")
        return f"{self.place}, step {step + 1}" if numbers is None else f"{self.record['path']}, line {numbers[step]}"


def marks_spans(scheme: str | None) -> bool:
    """Whether tags that were read in a scheme mark spans, and so are BIO."""
    return scheme not in (None, NO_SPANS)


@dataclass(frozen=True)
class Prediction:
    """What a network says of an example.

    For a whole sequence `labels`, of which there is one unless `several` may hold, and their `probabilities`; for its steps `tags` and
    the probability of each. `chances` has every label's probability where it is about a whole sequence.
    """

    labels: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    probabilities: tuple[float, ...] = ()
    chances: Mapping[str, float] = field(default_factory=dict)
    several: bool = False

    @property
    def written_probabilities(self) -> list[str]:
        """The probabilities as text, with four digits."""
        return [f"{probability:.4f}" for probability in self.probabilities]

    def cells(self, between: str) -> tuple[str, str]:
        """What stands in two cells of a row about a whole sequence: its labels and their probabilities, with `between` between several."""
        return between.join(self.labels or ()), between.join(self.written_probabilities)
