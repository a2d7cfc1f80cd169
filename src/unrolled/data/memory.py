"""Data in memory as examples: lists, arrays, data frames, and data sets of the library `datasets`."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.examples import Example, Target
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.bio import in_bio
from unrolled.data.formats.hugging_face import rows_of
from unrolled.data.formats.objects import examples_of
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.label_kinds import Kind
from unrolled.data.pictures.clips import Clip
from unrolled.data.sound.recordings import Recording
from unrolled.data.sound.waves import Wave, is_sound, is_wave
from unrolled.errors import DataError
from unrolled.extras import extra


def in_memory(data: Any, targets: Any, options: ReadingOptions, wanted: Target, kind: Kind | None = None) -> Iterator[Example | DataError]:
    """Sequences with their `targets`: a list of them, or an array, whose first axis are sequences; or, without targets, what has columns.

    That is a data frame of pandas, polars or pyarrow, a mapping of columns, a data set of the library `datasets`, or a list of mappings; the `options`
    `input` and `target` name the columns, if they are not called as usual. A sequence is a text, a list of tokens, numbers `[T]` or `[T, C]`, the
    `Path` of a recording, or sound in memory: `(samples, rate)`, or a mapping with `array` and `sampling_rate`, or with the `bytes` of a file and its `path`. `DataError` for anything else, and for another number of targets. `kind` is shown all labels.
    """
    kind = kind or Kind()
    if targets is None:
        for example in examples_of(((f"row {number}", row) for number, row in enumerate(_rows(data))), options, wanted):
            if isinstance(example, Example) and (example.labels or example.tags):
                kind.see(next((value for key, value in example.origin.items() if repr(key) == example.target), ""))
            yield example
        return
    if isinstance(data, str | Mapping) or not hasattr(data, "__len__"):
        raise DataError(f"`data` must be a list or an array of sequences where there are `targets`, got {type(data).__name__}. Pass one.")
    sequences, said = _listed(data), _listed(targets)
    if len(sequences) != len(said):
        raise DataError(f"`targets` must be as many as the sequences, {len(sequences)}, got {len(said)}. Pass one for each.")
    for number, (sequence, target) in enumerate(zip(sequences, said, strict=True)):
        place = f"`data[{number}]`"
        kind.see(target)
        yield with_target(example_of(sequence, place), target, wanted)


def sequences_in(data: Any, options: ReadingOptions, wanted: Target) -> Iterator[Example]:
    """The same without targets, to be answered: a list of sequences, or what has columns, read as `options` say."""
    if isinstance(data, str) or not hasattr(data, "__len__"):
        shown = f"the text {data[:30]!r}. Pass [{data[:30]!r}]" if isinstance(data, str) else f"{type(data).__name__}. Pass one"
        raise DataError(f"`sequences` must be a list, got {shown}.")
    if _has_columns(data):
        yield from decided(examples_of(((f"row {number}", row) for number, row in enumerate(_rows(data))), options.to_predict(), wanted))
        return
    for number, sequence in enumerate(_listed(data)):
        yield sequence if isinstance(sequence, Example) else example_of(sequence, f"`sequences[{number}]`")


def _has_columns(data: Any) -> bool:
    """Whether data is a frame, a mapping, a data set, or a list of mappings, and not a list of sequences."""
    if isinstance(data, list | tuple) and not hasattr(data, "features"):
        return len(data) > 0 and all(isinstance(row, Mapping) and not is_wave(row) for row in data)
    return isinstance(data, Mapping) or hasattr(data, "features") or hasattr(data, "columns")


def _listed(data: Any) -> list[Any]:
    """What an array holds, one by one; those of pyarrow in the types of Python."""
    return data.to_pylist() if hasattr(data, "to_pylist") else list(data)


def are_files(data: Any, targets: Any = None) -> bool:
    """Whether data is the path of a file, or several, and not what is in memory."""
    paths = data if isinstance(data, list | tuple) else [data]
    return targets is None and all(isinstance(path, str | os.PathLike) for path in paths)


def labelled(examples: Iterable[Example | DataError], wanted: Target, *, several: bool = False) -> Iterator[Example]:
    """The examples, each of which must have what is wanted, and one label unless there may be `several`."""
    for example in decided(in_bio(examples, None) if wanted is Target.TAGS else examples):
        found = example.values if wanted.numbers else example.tags if wanted.each_step else example.labels
        if found is None or not (len(found) or several):
            raise DataError(f"{example.place}: the sequence has no {wanted.said}. Give it one, or take it out.")
        if wanted is Target.LABELS and len(found) > 1 and not several:
            raise DataError(
                f"{example.place}: a sequence must have one label, got {len(found)}. Train with `output='multi-label'` for several."
            )
        yield example


def _rows(data: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(data, Mapping) and not any(hasattr(part, "features") for part in data.values()):
        columns = {str(name): list(column) for name, column in data.items()}
        if len({len(column) for column in columns.values()}) > 1:
            raise DataError("The columns of a table must have one length. Fill the shorter ones up.")
        return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    if hasattr(data, "features") or isinstance(data, Mapping):
        return rows_of(data)
    if isinstance(data, list | tuple) and all(isinstance(row, Mapping) for row in data):
        return iter(data)
    try:
        frame = extra("narwhals").from_native(data, eager_only=True)
    except TypeError:
        raise DataError(
            f"`data` must be files, or sequences with their labels, or a data frame or data set with both, got {type(data).__name__}. "
            "Pass one of these."
        ) from None
    return ({name: None if _is_missing(cell) else cell for name, cell in row.items()} for row in frame.iter_rows(named=True))


def _is_missing(cell: Any) -> bool:
    """Whether a cell says nothing: None, NaN, or `pandas.NA`, which is neither equal to itself nor not."""
    if isinstance(cell, np.ndarray | list | tuple):
        return False
    try:
        return cell is None or bool(cell != cell)
    except TypeError:
        return True


def belong_to_steps(data: Any, targets: Any) -> bool:
    """Whether numbers to predict are those of steps: `[T, K]`, or as many as the steps of each of several lengths."""
    shapes = [np.shape(target) for target in targets]
    if any(len(shape) == 2 for shape in shapes):
        return True
    lengths = [len(sequence) for sequence in data]
    return len({*lengths}) > 1 and all(shape == (length,) for shape, length in zip(shapes, lengths, strict=False))


def with_target(example: Example, target: Any, wanted: Target) -> Example:
    """An example with what is to be said of it."""
    if wanted is Target.TAGS:
        if isinstance(target, str) or not hasattr(target, "__iter__"):
            raise DataError(f"{example.place}: its tags must be a list with one for each step, got {target!r}.")
        example.tags = tuple(_name(tag, example.place) for tag in target)
    elif wanted is Target.LABELS:
        several = isinstance(target, list | tuple | set | frozenset)
        example.labels = tuple(_name(label, example.place) for label in (target if several else [target]))
    else:
        values = _values(target, example.place)
        example.values = values[:, None] if wanted is Target.STEP_VALUES and values.ndim == 1 else values
    return example


def _name(label: Any, place: str) -> str:
    """A label as text, also where it is a number of NumPy or torch. `DataError` for a missing one."""
    plain = label.item() if isinstance(label, np.generic) or (hasattr(label, "item") and not np.ndim(label)) else label
    if _is_missing(plain):
        raise DataError(f"{place} has no label, but {plain!r}. Give it one, or take it out.")
    return str(plain)


def _values(target: Any, place: str) -> np.ndarray:
    try:
        found = np.atleast_1d(np.asarray(target, np.float64))
    except (TypeError, ValueError):
        raise DataError(f"{place}: what is to be predicted must be numbers, got {target!r}.") from None
    return found


def example_of(sequence: str | Sequence[str] | np.ndarray | Path, place: str) -> Example:
    """A text, a list of tokens, numbers (also of torch, or of a column of a frame), the path of a recording, or one in memory as an example. `DataError` for something else."""
    if is_wave(sequence):
        return Example(place, sound=Wave.of(sequence, place))
    if isinstance(sequence, Path):
        return Example(place, sound=Recording(sequence)) if is_sound(sequence.name) else Example(place, clip=Clip(sequence))
    if isinstance(sequence, str):
        return Example(place, text=str(sequence))
    if hasattr(sequence, "__array__") and not isinstance(sequence, np.ndarray):
        sequence = np.asarray(sequence)
    if isinstance(sequence, np.ndarray) and sequence.ndim in (1, 2) and sequence.dtype.kind in "fiub":
        with np.errstate(over="ignore"):
            found = sequence.astype(np.float32)
        return Example(place, numbers=found[:, None] if found.ndim == 1 else found)
    if isinstance(sequence, np.ndarray) and sequence.ndim == 4 and sequence.dtype == np.uint8:
        return Example(place, frames=sequence)
    if isinstance(sequence, np.ndarray) and sequence.ndim == 1 and sequence.dtype.kind in "OU":
        sequence = sequence.tolist()
    if isinstance(sequence, list | tuple) and all(isinstance(token, str) for token in sequence):
        return Example(place, tokens=tuple(sequence))
    if isinstance(sequence, list | tuple) and not any(isinstance(step, str) for step in sequence):
        return Example(place, numbers=_numbers(sequence, place))
    raise DataError(
        f"{place} must be a text, a list of tokens, an array of numbers [T, C] or an Example, got {_kind(sequence)}. "
        "Pass one of these, or take it out."
    )


def _numbers(sequence: Sequence[Any], place: str) -> np.ndarray:
    """A series as JSON Lines write it, a list of numbers or of lists of as many numbers, as `[T, C]`."""
    try:
        found: np.ndarray = np.array(sequence, np.float32)
    except (TypeError, ValueError):
        found = np.zeros((0, 0, 0))
    if found.ndim not in (1, 2):
        raise DataError(f"{place} must be a list of numbers, or of lists of as many numbers, got {repr(sequence)[:60]}. Mend it.")
    return found[:, None] if found.ndim == 1 else found


def _kind(sequence: object) -> str:
    """What something is that is no sequence, in a few words."""
    if isinstance(sequence, np.ndarray):
        return f"an array of {sequence.dtype} of shape {list(sequence.shape)}"
    if isinstance(sequence, list | tuple):
        return f"{repr(next(token for token in sequence if not isinstance(token, str)))[:30]} among its tokens"
    return type(sequence).__name__
