"""JSON Lines: an object a line, with a sequence under one key and its label or tags under another."""

import json
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.files import HEAD, STANDARD_INPUT, look_ahead, named, read_lines
from unrolled.data.formats.format import About
from unrolled.data.formats.guesses import INPUTS, TARGETS
from unrolled.data.formats.json_arrays import read_array
from unrolled.data.formats.numbers import complete
from unrolled.data.formats.options import ReadingOptions, group_of, require_apart, target_names
from unrolled.data.formats.spans import spans_in, tagged_words
from unrolled.data.formats.tables import split_labels
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.files import replace_file

_HALF = re.compile(r"\\u[dD][89a-fA-F]")


class JsonLines:
    """Objects of which one value is a text, a list of tokens or a series, and another a label, a number, or a list of labels, tags or numbers.

    A list of numbers is a series of one channel, a list of lists of numbers one of several. The keys of the first object hold for all.
    """

    name = "jsonl"
    suffixes = (".jsonl", ".ndjson", ".json")
    about = About(
        "JSON Lines: an object a line",
        ("text", "tokens", "numbers", "labels", "tags", "values", "step values", "texts"),
        ("input", "target", "separator", "impute", "group"),
        '{"text": "set an alarm for six", "label": "alarm"}\n{"text": "play something slow", "label": "music"}\n',
        {"input": "text", "target": "label"},
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The objects. What is no object, lacks a key of the first one, or has not as many tags as tokens is bad."""
        return examples_of(chain.from_iterable(read_objects(path, options.encoding) for path in paths), options, wanted)

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the keys of the first object."""
        return self.resolved(good(read_objects(paths[0], options.encoding)), options, wanted)

    def resolved(self, records: Iterable[tuple[str, dict[str, Any]]], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the keys of the first of some objects."""
        for place, record in islice(records, 1):
            keys = _Keys.find(record, place, options, wanted)
            left = tuple(key for key in record if key not in (keys.input, "id", options.group, *keys.targets))
            return replace(options, learnt=(keys.input, *keys.targets), left=left) if keys.targets else options
        return options

    def head(self, path: Path, options: ReadingOptions) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The keys, with their values as JSON, but texts as they are."""
        records = [record for _, record in good(islice(read_objects(path, options.encoding), HEAD))]
        keys = list(dict.fromkeys(chain.from_iterable(records)))
        return keys, [["" if record.get(key) is None else _plain(record[key]) for key in keys] for record in records]

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The objects as they were with the key `predicted`, a label, a number, or a list of labels, tags or numbers, and what is known of it.

        Beside what is said of the steps of a text are its `tokens`. An example that did not come from an object becomes one with what is known of it.
        """
        for example, prediction in found:
            record = dict(example.origin) if isinstance(example.origin, Mapping) else _as_object(example)
            cut = {"tokens": example.tokens} if prediction.each_step and example.text is not None else {}
            print(json.dumps({**record, **cut, **_predicted(prediction)}, ensure_ascii=False), file=file)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def save_examples(examples: Iterable[Example], path: Source) -> Path:
    """Write texts or tokens with their labels, tags or numbers to predict as JSON Lines, to train on; gives the path. It is written aside first, so that a file is whole.

    `DataError` for an example of numbers, which belong into a table, and for halves of surrogate pairs, which UTF-8 does not have.
    """
    path = Path(path)
    try:
        replace_file(path, lambda file: file.writelines(_lines(examples)))
    except OSError as error:
        raise DataError(f"{path} could not be written: {error.strerror}. Choose another place.") from None
    return path


def _lines(examples: Iterable[Example]) -> Iterator[bytes]:
    """An object a line; what is said of an example before is null where nothing is said."""
    said = dict[str, None]()
    for example in examples:
        if example.numbers is not None:
            raise DataError(f"{example.place} has numbers, which JSON Lines do not hold here. Write them as a table of series.")
        known = _as_object(example)
        if example.labels is not None:
            labels = known.pop("labels")
            known["label"] = labels[0] if len(labels) == 1 else labels
        said.update(dict.fromkeys(key for key in ("label", "tags", "target") if key in known))
        line = json.dumps({**known, **{key: None for key in said if key not in known}}, ensure_ascii=False)
        try:
            yield f"{line}\n".encode()
        except UnicodeEncodeError as error:
            half = error.object[error.start]
            raise DataError(
                f"{example.place} has half of a character, {half!r}, which cannot be written. Take it out of the text."
            ) from None


def examples_of(
    records: Iterable[tuple[str, Mapping[str, Any]] | DataError], options: ReadingOptions, wanted: Target
) -> Iterator[Example | DataError]:
    """What objects say, each of which stands at a place; `ConfigError` if the first has not the keys that were asked for."""
    keys: _Keys | None = None

    def example(placed: tuple[str, Mapping[str, Any]]) -> Example:
        nonlocal keys
        place, record = placed
        keys = keys or _Keys.find(record, place, options, wanted)
        keys.require(record, place)
        return _example(record, place, keys, options, wanted)

    return tried(records, example)


def _example(record: Mapping[str, Any], place: str, keys: "_Keys", options: ReadingOptions, wanted: Target) -> Example:
    source, targets = keys.input, keys.targets
    known = _with_sequence(
        Example(place, target=", ".join(map(repr, targets)) or None, origin=record), value_of(record, source), source, impute=options.impute
    )
    if isinstance(record.get("id"), str | int):
        known = replace(known, name=str(record["id"]))
    if options.group is not None:
        known = replace(known, group=group_of(value_of(record, options.group)))
    found = [value_of(record, key) for key in targets]
    if not targets or any(value is None or (value != value and not wanted.numbers) for value in found):
        return known
    try:
        if wanted.numbers:
            return _valued(known, found, targets, wanted)
        return _tagged(known, found[0], targets[0]) if wanted.each_step else _labelled(known, found[0], targets[0], options)
    except DataError:
        if options.labels_needed:
            raise
        return known


def _with_sequence(known: Example, value: Any, key: str, *, impute: bool) -> Example:
    """With a text, a list of tokens, or a series: a list of numbers, or of lists of as many numbers."""
    if not isinstance(value, str | list):
        cure = "Pass another key as `input`, or mend the object."
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


def _valued(known: Example, found: Sequence[Any], keys: Sequence[str], wanted: Target) -> Example:
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


def _tagged(known: Example, target: Any, key: str | None) -> Example:
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


def _labelled(known: Example, target: Any, key: str | None, options: ReadingOptions) -> Example:
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


def read_objects(path: Path, encoding: str) -> Iterator[tuple[str, dict[str, Any]] | DataError]:
    """The objects of a file, one a line, each with its place, or what is wrong with a line that has none.

    Halves of surrogate pairs, as cut texts have them, are no characters and cannot be written: each becomes a question mark. An
    `UnrolledWarning` names the first line that has one.
    """
    lines = read_lines(path, encoding)
    first, lines = look_ahead(lines, 1)
    if (
        path != STANDARD_INPUT
        and first
        and first[0][1].lstrip("\ufeff ").startswith("[")
        and (array := read_array(path, encoding)) is not None
    ):
        yield from array
        return
    halves = False
    for number, line in lines:
        if not line.strip():
            continue
        place = f"{named(path)}, line {number}"
        try:
            record = parse_object(line, place)
        except DataError as error:
            yield error.with_traceback(None)
            continue
        if _HALF.search(line) and (whole := json.loads(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))) != record:
            if not halves:
                told = "has half of a character, such as \\ud83d, as text has that was cut within one"
                warnings.warn(f"{place} {told}. It is read as a question mark, as later ones are.", UnrolledWarning, stacklevel=2)
            record, halves = whole, True
        yield place, record


def parse_object(line: str, place: str) -> dict[str, Any]:
    """The object in a line that stands at `place`. `DataError` if there is none, or if it has a key twice."""
    try:
        record = json.loads(line, object_pairs_hook=_once)
    except KeyError as twice:
        raise DataError(f"{place}: the key {twice.args[0]!r} comes twice in an object. Take one of them out.") from None
    except (ValueError, RecursionError) as error:
        record, told = None, f" ({error})"
    else:
        told = ""
    if not isinstance(record, dict):
        raise DataError(f"{place} must be a JSON object, got {line[:30]!r}{told}. {_cure(record)}")
    return record


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. `KeyError` for a key that comes twice, of which only one value would be left."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise KeyError(next(key for key in keys if keys.count(key) > 1))
    return found


def _cure(record: Any) -> str:
    """How something that is no object is mended; None is what cannot be read, as the first line of a list in many lines."""
    if record == []:
        return "Take the line out."
    if isinstance(record, list) and not isinstance(record[0], dict):
        return "Write lists and texts under the keys of an object, as docs/data.md shows."
    return "Write one object a line, as `jq -c '.[]' FILE` does with a list."


@dataclass(frozen=True)
class _Keys:
    """The keys of the sequence and of its targets, found in the object at `place`; `needed` says whether targets must be there."""

    input: str
    targets: tuple[str, ...]
    needed: bool
    place: str

    @classmethod
    def find(cls, record: Mapping[str, Any], place: str, options: ReadingOptions, wanted: Target) -> "_Keys":
        """Those asked for, or learnt from, or else usual ones; no target if none is there.

        In a file that is only to be labelled, what happens to have a usual name is not taken for a label.
        """
        source = _find(record, options.input, options.learnt[:1], INPUTS, "input", place)
        if source is None:
            raise ConfigError(f"{place}: which key has the sequence is not clear. Pass one of {', '.join(record)} as `input`.")
        if options.group_needed:
            asked = target_names(options.target, tuple(record), wanted)
            require_apart(place, _find(record, options.group, (), (), "group", place), (source,), asked)
        return cls(source, cls._targets(record, source, place, options, wanted), options.labels_needed, place)

    @staticmethod
    def _targets(record: Mapping[str, Any], source: str, place: str, options: ReadingOptions, wanted: Target) -> tuple[str, ...]:
        asked = target_names(options.target, tuple(record), wanted)
        if not options.labels_needed:
            return asked if options.target is not None else options.learnt_targets
        if asked:
            return tuple(str(_find(record, name, (), (), "target", place)) for name in asked)
        if options.learnt_targets and all(has_key(record, name) for name in options.learnt_targets):
            return options.learnt_targets
        if len(options.learnt_targets) > 1:
            return ()
        found = _find(record, None, (), [name for name in TARGETS if name not in (source, options.group)], "target", place)
        return () if found is None else (found,)

    def require(self, record: Mapping[str, Any], place: str) -> None:
        """`DataError` for an object without one of them."""
        for option, key in (("input", self.input), *(("target", key) for key in self.targets if self.needed)):
            if not has_key(record, key):
                told = f"there is no key {key!r}, which is read since {self.place}; the keys are {', '.join(record)}"
                raise DataError(f"{place}: {told}. Add it, take the object out, or pass another key as `{option}`.")


def _find(record: Mapping[str, Any], asked: str | None, learnt: Sequence[str], usual: Sequence[str], option: str, place: str) -> str | None:
    """The key that was asked for, or else the first there is of others; None if there is none."""
    if asked is None:
        return next((key for key in (*learnt, *usual) if has_key(record, key)), None)
    if not has_key(record, asked):
        raise ConfigError(f"{place}: there is no key {asked!r}; the keys are {', '.join(record)}. Pass one of them as `{option}`.")
    return asked


def has_key(record: Any, key: str) -> bool:
    """Whether an object has a key, or `data.text` in the object under another one."""
    first, dot, rest = key.partition(".")
    return isinstance(record, Mapping) and (key in record or bool(dot and has_key(record.get(first), rest)))


def value_of(record: Any, key: str) -> Any:
    """What an object has under a key; None where it has none."""
    if not isinstance(record, Mapping) or key in record:
        return record.get(key) if isinstance(record, Mapping) else None
    first, dot, rest = key.partition(".")
    return value_of(record.get(first), rest) if dot else None


def shown(value: Any) -> str:
    """A value as JSON, short enough for a message."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 40 else f"{text[:37]}…"


def _as_object(example: Example) -> dict[str, Any]:
    known = {"id": example.name, "text": example.text, "tokens": example.tokens, "labels": example.labels, "tags": example.tags}
    target = None if example.values is None else example.values.tolist()
    return {key: value for key, value in (*known.items(), ("target", target)) if value is not None}


def _predicted(prediction: Prediction) -> dict[str, Any]:
    said = prediction.to_json()
    if prediction.values is not None:
        values = said.pop("values")
        return {"predicted": values[0] if len(values) == 1 and not prediction.each_step else values, **said}
    labels = said.pop("labels")
    label = said.pop("label", None)
    return {"predicted": labels if label is None else label, **said}
