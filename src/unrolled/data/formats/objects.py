"""JSON Lines: an object a line, with a sequence under one key and its label or tags under another."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.added import AddedNames
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.files import HEAD, look_ahead
from unrolled.data.formats.format import About
from unrolled.data.formats.guesses import INPUTS, TARGETS
from unrolled.data.formats.json_values import Part, written_finite
from unrolled.data.formats.object_fields import labelled, tagged, valued, with_sequence
from unrolled.data.formats.object_lines import has_key, keys_of, listed, read_objects, value_of
from unrolled.data.formats.options import ReadingOptions, group_of, require_apart, target_names
from unrolled.data.sound.waves import is_wave
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError
from unrolled.files import replace_file


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
            left = tuple(key for key in keys_of(record) if key not in (keys.input, "id", options.group, *keys.targets))
            return replace(options, learnt=(keys.input, *keys.targets), left=left) if keys.targets else options
        return options

    def head(self, path: Path, options: ReadingOptions) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The keys, with their values as JSON, but texts as they are."""
        records = [record for _, record in good(islice(read_objects(path, options.encoding), HEAD))]
        keys = list(dict.fromkeys(chain.from_iterable(records)))
        return keys, [["" if record.get(key) is None else _plain(record[key]) for key in keys] for record in records]

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The objects as they were with the key `predicted`, a label, a number, or a list of labels, tags or numbers, and what is known of it; in one list if
        they came from a file that is one value.

        Beside what is said of the steps of a text are its `tokens`. An example that did not come from an object becomes one with what is known of it.
        """
        first, found = look_ahead(found, 1)
        objects = map(_written(), found)
        if first and isinstance(first[0][0].origin, Part):
            file.writelines(f"{',' if number else '['}\n{line}" for number, line in enumerate(objects))
            file.write("\n]\n")
        else:
            file.writelines(f"{line}\n" for line in objects)


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
    known = with_sequence(
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
            return valued(known, found, targets, wanted)
        return tagged(known, found[0], targets[0]) if wanted.each_step else labelled(known, found[0], targets[0], options)
    except DataError:
        if options.labels_needed:
            raise
        return known


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
        heard = [key for key, value in record.items() if is_wave(value)]
        source = _find(record, options.input, options.learnt[:1], (*INPUTS, *heard), "input", place)
        if source is None:
            raise ConfigError(f"{place}: which key has the sequence is not clear. Pass one of {listed(record)} as `input`.")
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
                told = f"there is no key {key!r}, which is read since {self.place}; the keys are {listed(record)}"
                raise DataError(f"{place}: {told}. Add it, take the object out, or pass another key as `{option}`.")


def _find(record: Mapping[str, Any], asked: str | None, learnt: Sequence[str], usual: Sequence[str], option: str, place: str) -> str | None:
    """The key that was asked for, or else the first there is of others; None if there is none."""
    if asked is None:
        return next((key for key in (*learnt, *usual) if has_key(record, key)), None)
    if not has_key(record, asked):
        raise ConfigError(f"{place}: there is no key {asked!r}; the keys are {listed(record)}. Pass one of them as `{option}`.")
    return asked


def _as_object(example: Example) -> dict[str, Any]:
    known = {"id": example.name, "text": example.text, "tokens": example.tokens, "labels": example.labels, "tags": example.tags}
    target = None if example.values is None else example.values.tolist()
    return {key: value for key, value in (*known.items(), ("target", target)) if value is not None}


def _written() -> Callable[[tuple[Example, Prediction]], str]:
    """Writes examples as objects, each with what is predicted of it under keys that it does not have."""
    added, told = AddedNames(), set[str]()

    def write(one: tuple[Example, Prediction]) -> str:
        example, prediction = one
        origin = example.origin if isinstance(example.origin, Mapping) else None
        record = _as_object(example) if origin is None else dict(origin)
        cut = {"tokens": example.tokens} if origin is not None and prediction.each_step and example.text is not None else {}
        said = {**cut, **_predicted(prediction)}
        names = added.beside(record, said, example.place)
        return written_finite({**record, **dict(zip(names, said.values(), strict=True))}, example.place, told)

    return write


def _predicted(prediction: Prediction) -> dict[str, Any]:
    said = prediction.to_json()
    if prediction.values is not None:
        values = said.pop("values")
        return {"predicted": values[0] if len(values) == 1 and not prediction.each_step else values, **said}
    labels = said.pop("labels")
    label = said.pop("label", None)
    return {"predicted": labels if label is None else label, **said}
