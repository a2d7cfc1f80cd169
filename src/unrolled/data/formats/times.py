"""Times in cells of text, and whether they come at even steps."""

import math
import warnings
from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import UnrolledWarning

_UNEVEN = 0.5
"""Steps that differ from the usual one by more than this share of it are uneven; months, jitter and leap seconds are not."""


class Times:
    """The times of one column, in seconds: numbers, or dates as ISO 8601 has them, one or the other throughout."""

    def __init__(self) -> None:
        self._kind = ""

    def read(self, text: str) -> float:
        """The time that a cell holds. A date without a zone is taken as UTC. What is neither a number nor a date is a `ValueError`."""
        kind, time = _parse(text.strip())
        self._kind = self._kind or kind
        if kind != self._kind:
            raise ValueError(f"{text!r} is a {kind} and those before are {self._kind}s")
        return time


def _parse(text: str) -> tuple[str, float]:
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if math.isfinite(number):
            return "number", number
    plain = text.replace("/", "-").replace("Z", "+00:00")
    try:
        date = datetime.fromisoformat(f"{plain}-01" if len(plain) == len("2024-05") else plain)
    except ValueError:
        raise ValueError(f"{text!r} is neither a number nor a date such as 2024-05, 2024-05-31 or 2024-05-31T12:00:00") from None
    return "date", (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()


class Sampling:
    """Says once, as an `UnrolledWarning`, that the steps of series, or those of one against another, are uneven."""

    def __init__(self) -> None:
        self._usual, self._said = 0.0, False

    def look(self, times: NDArray[np.float64], place: str) -> None:
        """Look at the increasing times of a series that begins at `place`."""
        if self._said or len(times) < 2:
            return
        steps = np.diff(times)
        usual = float(np.median(steps))
        self._usual = self._usual or usual
        uneven = int((abs(steps - usual) > _UNEVEN * usual).sum())
        if uneven:
            self._say(
                f"{place}: {uneven} of the {len(steps)} steps of this series are uneven, from {min(steps):g} to {max(steps):g} (seconds for dates)."
            )
        elif abs(usual - self._usual) > _UNEVEN * self._usual:
            self._say(f"{place}: this series has a row every {usual:g} (seconds for dates), and the first one every {self._usual:g}.")

    def _say(self, what: str) -> None:
        self._said = True
        cure = "A network counts rows and not time: resample them to one step, or go on if their times do not matter."
        warnings.warn(f"{what} {cure}", UnrolledWarning, stacklevel=3)
