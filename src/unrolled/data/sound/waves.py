"""Sound in memory: samples with their rate, as libraries for sound give them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError

LEAST_RATE, MOST_RATE = 1000, 768_000
"""Samples a second that sound may have."""

Samples = NDArray[np.float32]
"""Samples from -1 to 1 of one channel, `[N]`."""

_ARRAY, _RATE = "array", "sampling_rate"
"""The keys of sound in data sets of the library `datasets`."""


@dataclass(frozen=True, eq=False)
class Wave:
    """Samples in memory, `[N]`, of which so many make a second; `name` is what messages call it."""

    samples: Samples
    rate: int
    name: str

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, given: Any, place: str) -> "Wave":
        """What `is_wave` knows, that stands at a place: several channels, `[C, N]` or `[N, C]`, become their mean, and whole numbers what files make of them.

        `DataError` for other shapes and types, and for a rate that sound does not have.
        """
        samples, rate = (given[_ARRAY], given[_RATE]) if isinstance(given, Mapping) else given
        found = np.asarray(samples.detach().cpu() if hasattr(samples, "detach") else samples)
        if found.ndim not in (1, 2) or found.dtype.kind not in "fiu":
            raise DataError(f"{place}: samples must be numbers [N] or [C, N], got an array of {found.dtype} of shape {list(found.shape)}.")
        if not rate == int(rate) or not LEAST_RATE <= rate <= MOST_RATE:
            raise DataError(f"{place}: the rate must be from {LEAST_RATE:,} to {MOST_RATE:,} whole samples a second, got {rate}. Mend it.")
        if found.ndim == 2 and found.shape[0] < found.shape[1]:
            found = found.T
        plain = _from_minus_one_to_one(found)
        one = plain if plain.ndim == 1 else plain[:, 0] if plain.shape[1] == 1 else plain.mean(axis=1)
        return cls(np.ascontiguousarray(one), int(rate), place)


def is_wave(given: Any) -> bool:
    """Whether something is samples with their rate: `(samples, rate)`, or a mapping with `array` and `sampling_rate`."""
    if isinstance(given, Mapping):
        return _ARRAY in given and _RATE in given
    if not isinstance(given, tuple | list) or len(given) != 2:
        return False
    samples, rate = given
    # A list of a list and a number is a series that lacks something.
    many = isinstance(given, tuple) and isinstance(samples, list)
    return isinstance(rate, int | float | np.number) and (many or (hasattr(samples, "__array__") and np.ndim(samples) > 0))


def _from_minus_one_to_one(found: NDArray[Any]) -> NDArray[np.float32]:
    """Whole numbers divided by the most that they can be, those without a sign around half of it; others as they are."""
    if found.dtype.kind == "f":
        return found.astype(np.float32)
    half = 2.0 ** (8 * found.dtype.itemsize - 1)
    return ((found - half if found.dtype.kind == "u" else found) / half).astype(np.float32)
