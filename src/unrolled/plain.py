"""Plain values from TOML and JSON that may hold anything: what is none, or what no program could have written, is a `ValueError`."""

import json
import re
import sys
from math import isfinite
from typing import Any

from unrolled.options import LARGEST

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


_DEEPEST = 50
"""How many brackets of TOML may stand inside one another. Its parser counts on Python's limit, which a program may have raised."""


def from_toml(text: str) -> dict[str, Any]:
    """What TOML says; its whole numbers have 64 bits."""
    depth = 0
    for bracket in re.findall(r"[][{}]", text):
        depth += 1 if bracket in "[{" else -1
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
    found = tomllib.loads(text)
    try:
        _require_small(found)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return found


def from_json(text: str | bytes) -> Any:
    """What JSON says, of whole numbers that have 64 bits."""
    try:
        return json.loads(text, parse_int=_small)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _small(digits: str) -> int:
    # Longer ones are not even read: that takes time that grows with the square of their length.
    if len(digits) > len(str(-LARGEST)) or not -LARGEST <= (number := int(digits)) < LARGEST:
        raise ValueError("a whole number has more than 64 bits")
    return number


def _require_small(value: Any) -> None:
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        raise ValueError("a whole number has more than 64 bits")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _require_small(inner)


def or_null(value: float) -> float | None:
    """A number as JSON can have it: nothing in the place of what is infinite or none."""
    return value if isfinite(value) else None
