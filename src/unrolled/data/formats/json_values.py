"""Values of JSON: none is lost as its key comes twice, and halves of characters become question marks."""

import json
import math
import re
import warnings
from pathlib import Path
from typing import Any

from unrolled.data.formats.files import named, open_text
from unrolled.errors import DataError, UnrolledWarning

_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def whole_value(path: Path, encoding: str) -> Any:
    """The one value of a file, without halves of characters, of which an `UnrolledWarning` tells; None if the file is no JSON, as one with an object a line."""
    with open_text(path, encoding) as file:
        text = file.read()
    try:
        found = value_in(text, named(path))
    except DataError:
        raise
    except ValueError:
        return None
    if (whole := without_halves(found, text)) != found:
        tell_of_half(named(path))
    return whole


def value_in(text: str, place: str) -> Any:
    """What a text at `place` says. `ValueError` if it is no JSON, and `DataError` if an object in it has a key twice."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except KeyError as twice:
        raise DataError(f"{place}: the key {twice.args[0]!r} comes twice in an object. Take one of them out.") from None
    except RecursionError as error:
        raise ValueError(str(error)) from None


class Part(dict[str, Any]):
    """An object that is a part of a value, and no line of a file."""

    __slots__ = ()


def written_finite(record: dict[str, Any], place: str, told: set[str]) -> str:
    """A line of JSON. It has no NaN and no number beyond those of 64 bits, such as 1e400: null stands for them, of which an `UnrolledWarning` tells
    unless `told` has something, and it gets the place."""
    try:
        return json.dumps(record, ensure_ascii=False, allow_nan=False)
    except ValueError:
        if not told:
            warnings.warn(
                f"{place}: a number is none that JSON has, NaN or too large. It is written as null, as later ones are.",
                UnrolledWarning,
                stacklevel=2,
            )
        told.add(place)
        return json.dumps(_finite(record), ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. `KeyError` for a key that comes twice, of which only one value would be left."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise KeyError(next(key for key in keys if keys.count(key) > 1))
    return found


def without_halves(value: Any, text: str) -> Any:
    """What a text says as JSON, with a question mark in the place of each half of a character."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) if _HALF.search(text) else value


def tell_of_half(place: str) -> None:
    """Say that there are such halves."""
    told = "has half of a character, such as \\ud83d, as text has that was cut within one"
    warnings.warn(f"{place} {told}. It is read as a question mark, as later ones are.", UnrolledWarning, stacklevel=2)
