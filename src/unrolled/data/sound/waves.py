"""Sound in memory: samples with their rate, as libraries for sound give them."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.kinds import SOUND, known_kind
from unrolled.errors import DataError
from unrolled.extras import extra

SOUNDS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au")
"""How names of files of sound end, in lower case."""

LEAST_RATE, MOST_RATE = 1000, 768_000
"""Samples a second that sound may have."""

Samples = NDArray[np.float32]
"""Samples from -1 to 1 of one channel, `[N]`."""

_ARRAY, _RATE = "array", "sampling_rate"
"""The keys of sound in data sets of the library `datasets`."""

_BYTES, _PATH = "bytes", "path"
"""Its keys for a file of sound that was not read yet (`Audio(decode=False)`): what is in it, or None, and where it was."""


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

        `DataError` for other shapes and types, for a rate that sound does not have, and for a file that cannot be read.
        """
        samples, rate = (
            given if not isinstance(given, Mapping) else (given[_ARRAY], given[_RATE]) if _ARRAY in given else _decoded(given, place)
        )
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
    """Whether something is samples with their rate, `(samples, rate)` or a mapping with `array` and `sampling_rate`, or a file with `bytes` and `path`."""
    if isinstance(given, Mapping):
        return (_ARRAY in given and _RATE in given) or (_BYTES in given and _PATH in given and _is_file_of_sound(given))
    if not isinstance(given, tuple | list) or len(given) != 2:
        return False
    samples, rate = given
    # A list of a list and a number is a series that lacks something.
    many = isinstance(given, tuple) and isinstance(samples, list)
    return isinstance(rate, int | float | np.number) and (many or (hasattr(samples, "__array__") and np.ndim(samples) > 0))


def is_sound(name: str) -> bool:
    """Whether the name of a file says that it is sound."""
    return name.lower().endswith(SOUNDS)


def _is_file_of_sound(given: Mapping[str, Any]) -> bool:
    content, path = given[_BYTES], given[_PATH]
    return is_sound(str(path)) if path else isinstance(content, bytes) and known_kind(content) is SOUND


def _decoded(given: Mapping[str, Any], place: str) -> tuple[NDArray[np.float32], int]:
    """The samples of a file and their rate; of its path where it was not read."""
    soundfile = extra("soundfile")
    try:
        content = given[_BYTES] if given[_BYTES] is not None else Path(given[_PATH]).read_bytes()
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    except OSError as error:
        raise DataError(f"{place}: {given[_PATH]} cannot be read: {error.strerror or error}. Mend its path, or pass its bytes.") from None
    except soundfile.LibsndfileError as error:
        why = str(getattr(error, "error_string", error)).rstrip(". ")
        raise DataError(f"{place}: its bytes cannot be read as sound: {why}. Pass wav, flac, ogg or mp3.") from None
    return samples, rate


def _from_minus_one_to_one(found: NDArray[Any]) -> NDArray[np.float32]:
    """Whole numbers divided by the most that they can be, those without a sign around half of it; others as they are."""
    if found.dtype.kind == "f":
        return found.astype(np.float32)
    half = 2.0 ** (8 * found.dtype.itemsize - 1)
    return ((found - half if found.dtype.kind == "u" else found) / half).astype(np.float32)
