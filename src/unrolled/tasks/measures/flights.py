"""How near predicted positions of balls come, in pixels, beside what anybody would say."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.builtin_examples.movement import Flight
from unrolled.data.examples import Example, Prediction
from unrolled.tasks.measures.numbers import NumberScores

RIVALS: Mapping[str, Callable[[Flight], NDArray[Any]]] = {"last-position": Flight.last_position, "straight-on": Flight.straight_on}


@dataclass(frozen=True)
class FlightScores(NumberScores):
    """The same with the mean distance in `pixels` of what is said after the last frame, and that of `rivals`."""

    pixels: float
    rivals: Mapping[str, float]

    @property
    def text(self) -> str:
        """With a line for the distances."""
        others = ", ".join(f"{name} {pixels:.3f}" for name, pixels in self.rivals.items())
        return f"{super().text}\nAfter the last frame {self.pixels:.3f} pixels from where each ball is then; {others}"

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return {**super().to_json(), "pixels": self.pixels, "rivals": dict(self.rivals)}


def beside_flights(scores: Any, answered: Iterable[tuple[Example, Prediction]]) -> Any:
    """Measures of balls with distances, if all examples are of such; others as they are."""
    pairs = list(answered)
    if not isinstance(scores, NumberScores) or not all(isinstance(example.origin, Flight) for example, _ in pairs):
        return scores
    own, others = list[float](), {name: list[float]() for name in RIVALS}
    for example, said in pairs:
        assert example.values is not None and said.values is not None
        where = np.atleast_2d(example.values)[-1].reshape(-1, 2)
        own.append(_apart(np.atleast_2d(said.values)[-1].reshape(-1, 2), where))
        for name, rival in RIVALS.items():
            others[name].append(_apart(rival(example.origin), where))
    known = {field.name: getattr(scores, field.name) for field in fields(NumberScores)}
    return FlightScores(**known, pixels=float(np.mean(own)), rivals={name: float(np.mean(each)) for name, each in others.items()})


def _apart(said: NDArray[Any], true: NDArray[Any]) -> float:
    """The mean distance over balls."""
    return float(np.linalg.norm(said - true, axis=1).mean())
