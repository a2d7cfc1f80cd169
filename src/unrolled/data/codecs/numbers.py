"""Numbers, a channel each brought to mean 0 and deviation 1, by what the training part says of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError, RunError

CONSTANT = 1e-12
"""The deviation, as a part of the mean, up to which numbers are all the same."""


@dataclass(frozen=True)
class NumberCodec:
    """The mean and deviation (root mean square of what is left, 1 for a constant) of each channel."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    @np.errstate(over="ignore", invalid="ignore")
    def learn(cls, sequences: Iterable[NDArray[np.float32]]) -> "NumberCodec":
        """What sequences `[T, C]`, read one by one, say of their channels; NaN says nothing. No step at all is a `DataError`.

        Counts, means and sums of squares of parts are joined as in Chan, Golub and LeVeque (1979), so that nothing is cancelled. What is a
        billionth of a billionth of the mean squared is what rounding leaves of a constant, whose deviation is set to 1. Numbers whose
        squares are too large for 64 bits are a `DataError`.
        """
        count = mean = squares = np.zeros(0)
        for numbers in sequences:
            if not len(numbers):
                continue
            if not len(count):
                count = mean = squares = np.zeros(numbers.shape[1])
            _require_channels(numbers, len(count))
            known = ~np.isnan(numbers)
            here = known.sum(axis=0)
            values = np.where(known, numbers, 0).astype(np.float64)
            centre = values.sum(axis=0) / np.maximum(here, 1)
            total = np.maximum(count + here, 1)
            apart = centre - mean
            squares = squares + np.where(known, (values - centre) ** 2, 0).sum(axis=0) + apart**2 * count * here / total
            mean = mean + apart * here / total
            count = count + here
        if not len(count):
            raise DataError("There is no step with numbers to take means from. Pass sequences with at least one step.")
        deviation = np.sqrt(squares / np.maximum(count, 1))
        if not (np.isfinite(mean).all() and np.isfinite(deviation).all()):
            raise DataError("There are numbers whose squares are too large to be added up. Scale them, to below 1e150.")
        return cls(mean, np.where(deviation > CONSTANT * np.abs(mean), deviation, 1.0))

    @np.errstate(over="ignore")
    def apply(self, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        """A sequence `[T, C]` standardised; what is missing becomes 0, the mean. Another number of channels is a `DataError`."""
        _require_channels(numbers, len(self.mean))
        standard = (numbers - self.mean) / self.deviation
        return np.where(np.isnan(standard), 0, standard).astype(np.float32)

    def to_json(self) -> dict[str, list[float]]:
        """What `from_json` needs, in numbers that JSON keeps exactly."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Sequence[float]]) -> "NumberCodec":
        """The codec that `to_json` was called on; anything else is a `RunError`."""
        try:
            mean, deviation = (np.array(stored[name], np.float64) for name in ("mean", "deviation"))
            if mean.ndim == 1 and mean.shape == deviation.shape and np.isfinite([mean, deviation]).all() and (deviation > 0).all():
                return cls(mean, deviation)
        except (KeyError, TypeError, ValueError):
            pass
        raise RunError("The means and deviations of the channels are damaged. Take them from an intact run folder.")


def _require_channels(numbers: NDArray[np.float32], channels: int) -> None:
    if numbers.ndim != 2 or numbers.shape[1] != channels:
        raise DataError(f"Each step must have {channels} channels as the first sequence has, got shape {list(numbers.shape)} for [T, C].")
