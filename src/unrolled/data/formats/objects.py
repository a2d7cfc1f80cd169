"""JSON Lines: an object a line, with a sequence under one key and its label or tags under another."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from unrolled.data.examples import Example, Prediction
from unrolled.data.formats.files import named, read_lines
from unrolled.data.formats.format import About
from unrolled.data.formats.guesses import INPUTS, TARGETS
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.tables import split_labels
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError


class JsonLines:
    """Objects of which one value is a string or a list of tokens, and another a label, a number, a list of labels, or a list of tags."""

    name = "jsonl"
    suffixes = (".jsonl", ".ndjson", ".json")
    about = About(
        "JSON Lines: an object a line",
        ("text", "tokens", "labels", "tags"),
        ("input", "target", "separator"),
        '{"text": "set an alarm for six", "label": "alarm"}\n{"text": "play something slow", "label": "music"}\n',
        {"input": "text", "target": "label"},
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, *, tagged: bool) -> Iterator[Example]:
        """The objects. What is no object, has no input, or has not as many tags as tokens is a `DataError`."""
        for path in paths:
            for number, line in read_lines(path, options.encoding):
                if line.strip():
                    place = f"{named(path)}, line {number}"
                    yield example_of(parse_object(line, place), place, options, tagged=tagged)

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, *, tagged: bool) -> ReadingOptions:
        """With the keys of the first object."""
        lines = ((number, line) for number, line in read_lines(paths[0], options.encoding) if line.strip())
        for number, line in islice(lines, 1):
            place = f"{paths[0]}, line {number}"
            source, target = _keys(parse_object(line, place), options, place)
            return options if target is None else replace(options, learnt=(source, target))
        return options

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The objects as they were with the keys `predicted`, a label, or a list of tags or where several labels may hold, and `probabilities`.

        Beside tags of a text are its `tokens`. An example that did not come from an object becomes one with what is known of it.
        """
        for example, prediction in found:
            record = dict(example.record.get("object") or _as_object(example))
            cut = {"tokens": example.tokens} if prediction.tags is not None and example.text is not None else {}
            print(json.dumps({**record, **cut, **_predicted(prediction)}, ensure_ascii=False), file=file)


def save_examples(examples: Iterable[Example], path: Source) -> Path:
    """Write texts or tokens with their labels or tags as JSON Lines, to train on; gives the path. It is written aside first, so that a file is whole.

    `DataError` for an example of numbers, which belong into a table.
    """
    path = Path(path)
    aside = path.with_name(f".{path.name}.part")
    try:
        with open(aside, "w", encoding="utf-8") as file:
            for example in examples:
                if example.numbers is not None:
                    raise DataError(f"{example.place} has numbers, which JSON Lines do not hold here. Write them as a table of series.")
                known = _as_object(example)
                if example.labels and len(example.labels) == 1:
                    (known["label"],) = known.pop("labels")
                print(json.dumps(known, ensure_ascii=False), file=file)
        aside.replace(path)
    except OSError as error:
        raise DataError(f"{path} could not be written: {error.strerror}. Choose another place.") from None
    finally:
        aside.unlink(missing_ok=True)
    return path


def example_of(record: Mapping[str, Any], place: str, options: ReadingOptions, *, tagged: bool) -> Example:
    """What an object says; `ConfigError` if it has not the keys that were asked for."""
    source, target = _keys(record, options, place)
    value = record[source]
    if not isinstance(value, str | list):
        cure = "Pass another key as `--input`, or mend the object."
        raise DataError(f"{place}: {source!r} must be a text or a list of tokens, got {shown(value)}. {cure}")
    if not (value.strip() if isinstance(value, str) else value):
        raise DataError(f"{place}: {source!r} must have at least one token, got {shown(value)}. Take it out, or fill it in.")
    text = value if isinstance(value, str) else None
    tokens = None if text is not None else tuple(map(str, value))
    name = str(record["id"]) if isinstance(record.get("id"), str | int) else None
    about = {"object": record} if target is None else {"object": record, "target": repr(target)}
    known = Example(place, text=text, tokens=tokens, name=name, record=about)
    found = None if target is None else record[target]
    if found is None:
        return known
    try:
        return _tagged(known, found, target) if tagged else _labelled(known, found, target, options)
    except DataError:
        if options.labels_needed:
            raise
        return known


def _tagged(known: Example, target: Any, key: str | None) -> Example:
    """With tags: a list, or a string with as many characters as the text or as many parts between blanks."""
    tokens, tags = known.tokens, target
    if isinstance(target, str):
        whole = known.text is not None and len(target) == len(known.text) and len(target.split()) != len(known.text.split())
        tags = target if whole or " " not in target else target.split()
    if not isinstance(tags, str | list) or not all(isinstance(tag, str | int) for tag in tags):
        raise DataError(f"{known.place}: {key!r} must be a list of tags, got {shown(target)}. Mend the object, or pass another `--target`.")
    if tokens is None and known.text is not None:
        tokens = tuple(known.text) if len(known.text) == len(tags) else tuple(known.text.split())
    if tokens is None or len(tokens) != len(tags):
        raise DataError(
            f"{known.place}: {key!r} must have as many tags as the sequence has tokens, {len(tokens or ())}, got {len(tags)}. Mend the object."
        )
    return Example(known.place, known.text, tokens, tags=tuple(map(str, tags)), name=known.name, record=known.record)


def _labelled(known: Example, target: Any, key: str | None, options: ReadingOptions) -> Example:
    """With a label, or several."""
    parts = target if isinstance(target, list) else [target]
    if not all(isinstance(part, str | int | float) for part in parts):
        raise DataError(f"{known.place}: {key!r} must be a text, a number or a list of them, got {shown(target)}. Mend the object.")
    whole = isinstance(target, str)
    labels = split_labels(target, options.separator) if whole else tuple(_text(part) for part in parts)
    return Example(known.place, known.text, known.tokens, labels=labels, name=known.name, record=known.record)


def _text(value: Any) -> str:
    """A label as text: true and false as in JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def parse_object(line: str, place: str) -> dict[str, Any]:
    """The object in a line that stands at `place`. `DataError` if there is none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        record, told = None, f" ({error})"
    else:
        told = ""
    if not isinstance(record, dict):
        raise DataError(f"{place} must be a JSON object, got {line[:30]!r}{told}. {_cure(record)}")
    return record


def _cure(record: Any) -> str:
    """How something that is no object is mended; None is what cannot be read, as the first line of a list in many lines."""
    if record == []:
        return "Take the line out."
    if isinstance(record, list) and not isinstance(record[0], dict):
        return "Write lists and texts under the keys of an object, as docs/data.md shows."
    return "Write one object a line, as `jq -c '.[]' FILE` does with a list."


def _keys(record: Mapping[str, Any], options: ReadingOptions, place: str) -> tuple[str, str | None]:
    """The keys of the sequence and of its label: those asked for, or learnt from, or else usual ones; no label if none is there.

    In a file that is only to be labelled, what happens to have a usual name is not taken for a label.
    """
    source = _find(record, options.input, options.learnt[:1], INPUTS, "--input", place)
    if source is None:
        raise ConfigError(f"{place}: which key has the sequence is not clear. Pass one of {', '.join(record)} as `--input`.")
    if options.labels_needed:
        return source, _find(record, options.target, options.learnt[1:], TARGETS, "--target", place)
    return source, next((key for key in (options.target, *options.learnt[1:]) if key in record), None)


def _find(record: Mapping[str, Any], asked: str | None, learnt: Sequence[str], usual: Sequence[str], flag: str, place: str) -> str | None:
    """The key that was asked for, or else the first there is of others; None if there is none."""
    if asked is None:
        return next((key for key in (*learnt, *usual) if key in record), None)
    if asked not in record:
        raise ConfigError(f"{place}: there is no key {asked!r}; the keys are {', '.join(record)}. Pass one of them as `{flag}`.")
    return asked


def shown(value: Any) -> str:
    """A value as JSON, short enough for a message."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 40 else f"{text[:37]}…"


def _as_object(example: Example) -> dict[str, Any]:
    known = {"id": example.name, "text": example.text, "tokens": example.tokens, "labels": example.labels, "tags": example.tags}
    return {key: value for key, value in known.items() if value is not None}


def _predicted(prediction: Prediction) -> dict[str, Any]:
    if prediction.tags is not None:
        return {"predicted": prediction.tags, "probabilities": _rounded(prediction.probabilities)}
    labels = prediction.labels or ()
    chances = {label: round(chance, 6) for label, chance in prediction.chances.items()}
    return {"predicted": labels if prediction.several else labels[0], "probabilities": chances or _rounded(prediction.probabilities)}


def _rounded(chances: Sequence[float]) -> list[float]:
    return [round(chance, 6) for chance in chances]
