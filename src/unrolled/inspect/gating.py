"""Every gate and state that the equations name, over a sequence, and how saturated they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from unrolled.errors import ConfigError
from unrolled.inspect.subject import Input, Looked, SomeLengths, read_subject
from unrolled.inspect.walk import Place, lines_of
from unrolled.layers import RUNAWAY


@dataclass(frozen=True, eq=False)
class Saturation:
    """For each gate that ends with a sigmoid, a tanh or a relu, the fraction of real steps at which each unit `[H]` is at its lower end
    (`left`: up to 0.1, -0.9, or 0 of a relu) and at its upper end (`right`: from 0.9 on; a relu has none); 0 without steps."""

    left: Mapping[str, np.ndarray]
    right: Mapping[str, np.ndarray]

    @property
    def summary(self) -> str:
        """The means over all units, in a sentence."""
        said = (f"{name} {self.left[name].mean():.0%} left and {self.right[name].mean():.0%} right" for name in self.left)
        return f"Saturated: {'; '.join(said)}." if self.left else "No line of the equations ends with a sigmoid, a tanh or a relu."


@dataclass(frozen=True, eq=False)
class Gates(Mapping[str, np.ndarray]):
    """What each equation gives at one place, a layer and a direction (0 forward, 1 reverse), by the name on its left: `[T, B, H]`, 0 past each end.

    `states` are the names of those that are carried on, the output first; of those that end with a sigmoid, a tanh or a relu, `bounds` says
    between what they lie, and `ends` up to and from where on they are saturated. `lengths` `[B]`.
    """

    arrays: Mapping[str, np.ndarray]
    states: tuple[str, ...]
    bounds: Mapping[str, tuple[float, float]]
    ends: Mapping[str, tuple[float, float]]
    lengths: np.ndarray
    place: Place

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    @property
    def runaway(self) -> dict[str, float]:
        """The part of the values of each state that are beyond `RUNAWAY`, from where on no gradient passes a tanh of them; states without any
        are left out."""
        real = np.arange(next(iter(self.arrays.values())).shape[0])[:, None] < self.lengths
        parts = {name: float((np.abs(self.arrays[name][real]) > RUNAWAY).mean()) if real.any() else 0.0 for name in self.states}
        return {name: part for name, part in parts.items() if part}

    @property
    def saturation(self) -> Saturation:
        """How much of the time each unit of each gate is at its ends."""
        left, right = {}, {}
        for name, (low, high) in self.ends.items():
            values = self.arrays[name]
            real = np.arange(len(values))[:, None] < self.lengths
            steps = max(real.sum(), 1)
            left[name] = (values[real] <= low).sum(0) / steps
            right[name] = (values[real] >= high).sum(0) / steps
        return Saturation(left, right)


def gates(layer_or_model: Looked, x: Input, lengths: SomeLengths = None, *, layer: int = -1, reverse: bool = False) -> Gates:
    """Every gate and state of one layer in one direction, computed from the equations, whatever the engine keeps.

    `layer` counts from 0, or from the last one where negative. Raises `ConfigError` for a layer or direction that there is not.
    """
    found = every_gate(layer_or_model, x, lengths)
    count = 1 + max(number for number, _ in found)
    place = (layer % count, int(reverse))
    if not -count <= layer < count or place not in found:
        raise ConfigError(f"There is no layer {layer}{' in reverse' if reverse else ''}. There are {count}, counted from 0.")
    return found[place]


def every_gate(layer_or_model: Looked, x: Input, lengths: SomeLengths = None) -> dict[Place, Gates]:
    """The same of every layer and direction, by `(layer, 0)` and, in reverse, `(layer, 1)`."""
    subject = read_subject(layer_or_model, x, lengths)
    cell, ends = subject.layer.cell, subject.lengths.values.cpu().numpy()
    last = {e.name: e.expression for e in cell.recurrence.equations}
    bounds, limits = ({name: found for name, e in last.items() if (found := getattr(e, what, None))} for what in ("bounds", "ends"))
    return {
        lines.place: Gates({name: v.cpu().numpy() for name, v in lines.values.items()}, cell.states, bounds, limits, ends, lines.place)
        for lines in lines_of(subject)
    }
