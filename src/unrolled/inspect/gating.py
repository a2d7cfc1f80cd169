"""Every gate and state that the equations name, over a sequence, and how saturated they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from unrolled.equations.functions import sigmoid, tanh
from unrolled.errors import ConfigError
from unrolled.inspect.subject import Input, Looked, SomeLengths, read_subject
from unrolled.inspect.walk import Place, walk

NEAR = 0.1
"""What is nearer than this to an end of its range is saturated there (Karpathy et al. 2016, "Visualizing and Understanding Recurrent Networks")."""

RANGES = {sigmoid: (0.0, 1.0), tanh: (-1.0, 1.0)}
"""Between what a function's values lie."""


@dataclass(frozen=True, eq=False)
class Saturation:
    """For each gate that is a sigmoid or a tanh, the fraction of real steps at which each unit `[H]` is near its lower end (`left`: below
    0.1 or -0.9) and near its upper end (`right`: above 0.9)."""

    left: Mapping[str, np.ndarray]
    right: Mapping[str, np.ndarray]

    @property
    def summary(self) -> str:
        """The means over all units, in a sentence."""
        said = (f"{name} {self.left[name].mean():.0%} left and {self.right[name].mean():.0%} right" for name in self.left)
        return f"Saturated: {'; '.join(said)}." if self.left else "No line of the equations is a sigmoid or a tanh."


@dataclass(frozen=True, eq=False)
class Gates(Mapping[str, np.ndarray]):
    """What each equation gives at one place, a layer and a direction (0 forward, 1 reverse), by the name on its left: `[T, B, H]`, 0 past each end.

    `states` are the names of those that are carried on, the output first; `ranges` says between what the others lie that have ends.
    `lengths` `[B]`.
    """

    arrays: Mapping[str, np.ndarray]
    states: tuple[str, ...]
    ranges: Mapping[str, tuple[float, float]]
    lengths: np.ndarray
    place: Place

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    @property
    def saturation(self) -> Saturation:
        """How much of the time each unit of each gate is at its ends."""
        left, right = {}, {}
        for name, (low, high) in self.ranges.items():
            values = self.arrays[name]
            real = np.arange(len(values))[:, None] < self.lengths
            left[name] = (values[real] < low + NEAR).mean(0)
            right[name] = (values[real] > high - NEAR).mean(0)
        return Saturation(left, right)


def gates(layer_or_model: Looked, x: Input, lengths: SomeLengths = None, *, layer: int = -1, reverse: bool = False) -> Gates:
    """Every gate and state of one layer in one direction, computed from the equations, whatever the engine keeps.

    `layer` counts from 0, or from the last one where negative. Raises `ConfigError` for a layer or direction that there is not.
    """
    subject = read_subject(layer_or_model, x, lengths)
    count = subject.layer.num_layers
    place = (layer % count, int(reverse))
    if not -count <= layer < count or place not in subject.layer.places:
        raise ConfigError(f"There is no layer {layer}{' in reverse' if reverse else ''}: there are {count}, from 0, {subject.layer}.")
    with torch.no_grad():
        _, traces = walk(subject)
    trace = traces[subject.layer.places.index(place)]
    equations = subject.layer.cell.recurrence.equations
    real = subject.lengths.mask[..., None]
    values = {e.name: torch.stack([v[e.name] for v in trace.values]).masked_fill(~real, 0).cpu().numpy() for e in equations}
    ranges = {e.name: RANGES[type(e.expression)] for e in equations if type(e.expression) in RANGES}
    return Gates(values, subject.layer.cell.states, ranges, subject.lengths.values.cpu().numpy(), place)
