"""What the values of JSON objects say: sequences, numbers, tags, spans and labels."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.examples import Example, Target
from unrolled.data.formats.numbers import complete
from unrolled.data.formats.object_lines import keys_of, shown
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.spans import spans_in, tagged_words
from unrolled.data.formats.table_layouts import split_labels
from unrolled.data.sound.waves import Wave, is_wave
from unrolled.errors import DataError


def with_sequence(known: Example, value: Any, key: str, *, impute: bool) -> Example:
    """With a text, a list of tokens, a series: a list of numbers, or of lists of as many numbers, or sound in memory."""
    if is_wave(value):
        return replace(known, sound=Wave.of(value, known.place))
    if not isinstance(value, str | list):
        inside = f", such as {key}.{keys_of(value)[0]}" if isinstance(value, Mapping) and value else ""
        cure = f"Pass another key as `input`{inside}, or mend the object."
        raise DataError(f"{known.place}: {key!r} must be a text, a list of tokens or a series of numbers, got {shown(value)}. {cure}")
    if not (value.strip() if isinstance(value, str) else value):
        raise DataError(f"{known.place}: {key!r} must have at least one token, got {shown(value)}. Take it out, or fill it in.")
    if isinstance(value, str):
        return replace(known, text=value)
    if isinstance(value[0], list) or (value[0] is None or _is_number(value[0])):
        return replace(known, numbers=_series(known, value, key, impute=impute))
    for step, token in enumerate(value):
        if not isinstance(token, str | int | float) or isinstance(token, bool):
            raise DataError(
                f"{known.place}, step {step + 1}: {key!r} must have a text or a number as each token, got {shown(token)}. Mend the object."
            )
    return replace(known, tokens=tuple(map(_text, value)))


def _series(known: Example, value: Sequence[Any], key: str, *, impute: bool) -> NDArray[np.float32]:
    """The numbers `[T, C]` of a series; what is null is missing: see `complete`."""
    rows = [row if isinstance(row, list) else [row] for row in value]
    for step, row in enumerate(rows):
        if not row or len(row) != len(rows[0]) or not all(cell is None or _is_number(cell) for cell in row):
            raise DataError(
                f"{known.place}, step {step + 1}: {key!r} must have {max(len(rows[0]), 1)} number{'s' if len(rows[0]) > 1 else ''} at each step as at "
                f"the first, got {shown(value[step])}. Mend the object."
            )
    with np.errstate(over="ignore"):
        numbers = np.array([[np.nan if cell is None else cell for cell in row] for row in rows], np.float32)
    names = [f"number {column + 1} of {key!r}" for column in range(numbers.shape[1])]
    return complete(numbers, lambda step: f"{known.place}, step {step + 1}", names, impute=impute)


def valued(known: Example, found: Sequence[Any], keys: Sequence[str], wanted: Target) -> Example:
    """With numbers to predict: those of one or several keys for the whole sequence, `[K]`, or lists of them, `[T, K]`."""
    columns = [value if isinstance(value, list) else [value] for value in found]
    if wanted.each_step and known.text is not None:
        known = replace(known, tokens=_divided(known.text, len(columns[0])))
    told = f"{known.place}: {', '.join(map(repr, keys))} must be numbers{' for each step' if wanted.each_step else ''}"
    if wanted.each_step:
        rows = [[*chain.from_iterable(cell if isinstance(cell, list) else [cell] for cell in step)] for step in zip(*columns, strict=False)]
        if any(len(column) != known.steps for column in columns) or len({len(row) for row in rows}) > 1:
            raise DataError(f"{told}, {known.steps} of them, got {shown(found[0] if len(found) == 1 else found)}. Mend the object.")
        cells = [cell for row in rows for cell in row]
    else:
        cells = [*chain.from_iterable(columns)]
        rows = [cells]
    if not cells or not all(_is_number(cell) and math.isfinite(cell) for cell in cells):
        raise DataError(f"{told}, got {shown(found[0] if len(found) == 1 else found)}. Mend the object, or pass another `target`.")
    values = np.array(rows, np.float64)
    return replace(known, values=values if wanted.each_step else values[0])


def _is_number(value: Any) -> bool:
    """Whether it is a number that 64 bits can hold, which not every whole number is."""
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**1023)


def _divided(text: str, steps: int) -> tuple[str, ...]:
    """A text as its characters, if it has as many as there are steps, or as its parts between blanks."""
    return tuple(text) if len(text) == steps else tuple(text.split())


def tagged(known: Example, target: Any, key: str | None) -> Example:
    """With tags: a list, or a string with as many characters as the text or as many parts between blanks, or spans of the text.

    A text may stand beside the `tokens` into which it was cut, as `write` has it.
    """
    tokens, tags = known.tokens, target
    if known.text is not None and (spans := spans_in(target)) is not None:
        try:
            tokens, tags = tagged_words(known.text, spans)
        except ValueError as error:
            raise DataError(f"{known.place}: {error}. Mend the object.") from None
        return replace(known, tokens=tokens, tags=tags)
    if isinstance(target, str):
        whole = known.text is not None and len(target) == len(known.text) and len(target.split()) != len(known.text.split())
        tags = target if whole or " " not in target else target.split()
    if not isinstance(tags, str | list) or not all(isinstance(tag, str | int) for tag in tags):
        raise DataError(f"{known.place}: {key!r} must be a list of tags, got {shown(target)}. Mend the object, or pass another `target`.")
    if tokens is None and known.text is not None:
        cut = (known.origin or {}).get("tokens")
        beside = isinstance(cut, list) and len(cut) == len(tags)
        tokens = tuple(map(str, cut or ())) if beside else _divided(known.text, len(tags))
    steps = known.steps if tokens is None else len(tokens)
    if steps != len(tags):
        what = "steps" if tokens is None else "tokens"
        raise DataError(
            f"{known.place}: {key!r} must have as many tags as the sequence has {what}, {steps}, got {len(tags)}. Mend the object."
        )
    return replace(known, tokens=tokens, tags=tuple(map(_text, tags)))


def labelled(known: Example, target: Any, key: str | None, options: ReadingOptions) -> Example:
    """With a label, or several."""
    parts = target if isinstance(target, list) else [target]
    if not all(isinstance(part, str | int | float) and part == part for part in parts):
        raise DataError(f"{known.place}: {key!r} must be a text, a number or a list of them, got {shown(target)}. Mend the object.")
    whole = isinstance(target, str)
    labels = split_labels(target, options.separator) if whole else tuple(_text(part).strip() for part in parts)
    return replace(known, labels=labels)


def _text(value: Any) -> str:
    """A label, a tag or a token as text: true and false as in JSON, and 1.0 as 1."""
    if isinstance(value, str):
        return value
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)
