"""Arrays of NumPy and HDF5: series of one length `[N, T]` or `[N, T, C]`, or clips `[N, T, H, W]`, with labels, numbers or tags in another array beside."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from unrolled.data import kinds
from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.files import named
from unrolled.data.formats.format import About
from unrolled.data.formats.guesses import INPUTS, TARGETS
from unrolled.data.formats.numbers import complete
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.sheets.frames import is_frame
from unrolled.data.formats.sheets.reading import open_seekable, telling
from unrolled.data.formats.tables import TextTable
from unrolled.data.opening import kind_in
from unrolled.data.pictures.arrays import as_pixels, in_clips
from unrolled.errors import ConfigError, DataError
from unrolled.extras import extra

_SERIES = ("x", "x_train", "x_test", "data", "series", "inputs", "features", "images", *INPUTS)
_TARGETS = ("y", "y_train", "y_test", "labels", "label", "targets", *TARGETS)
"""Names of arrays, in small letters, the surest first."""


class Arrays:
    """`.npy` files, whose labels stand in a file beside them with y for X in its name, and `.npz` and HDF5 files with an array for each."""

    name = "arrays"
    suffixes: tuple[str, ...] = (".npy", ".npz", ".h5", ".hdf5", ".hdf")
    about = About(
        "arrays of NumPy or HDF5: series [N, T] or [N, T, channels], clips [N, T, H, W] or [N, T, H, W, C]; targets in an array of their own",
        ("text", "numbers", "frames", "labels", "tags", "values", "step values"),
        ("input", "target", "impute", "axes"),
        labels="Name their array as `target`, or put y….npy beside X….npy.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The series. Arrays of another number of axes, of different numbers of sequences, or of objects are a `DataError`; a table that pandas wrote is
        read as one."""
        for path in paths:
            if _has_table(path):
                yield from _TABLE.read([path], replace(options, header=True), wanted)
                continue
            with _opened(path) as arrays:
                source, target = _names(path, arrays, options)
                series = in_clips(_series(path, source, arrays[source]), options.axes, named(path))
                targets = None if target is None else _beside(path, target, arrays[target], len(series), wanted)
                yield from tried(range(len(series)), partial(_example, path, series, targets, options, wanted))

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the names of the arrays, or the columns of a table."""
        if _has_table(paths[0]):
            return replace(_TABLE.resolve(paths, replace(options, header=True), wanted), header=options.header)
        with _opened(paths[0]) as arrays:
            learnt = [name for name in _names(paths[0], arrays, options) if name]
            return replace(options, learnt=tuple(learnt), left=tuple(name for name in arrays if name not in learnt))

    def head(self, path: Path, options: ReadingOptions) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The names of the arrays, and their shapes; the columns of a table."""
        if _has_table(path):
            return _TABLE.head(path, replace(options, header=True))
        with _opened(path) as arrays:
            return list(arrays), [[f"{array.dtype} {list(array.shape)}" for array in arrays.values()]]

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """A table with a row for each series: its file, its number from 0, and what is predicted, for steps in the order of these."""
        table, begun = csv.writer(file, lineterminator="\n"), False
        for example, prediction in found:
            if isinstance(example.origin[0], list):
                raise ConfigError("A table of pandas in an HDF5 file is not written again. Save it as CSV, and predict that.")
            if not begun:
                table.writerow(["file", "sequence", *prediction.columns])
            begun = True
            cells = prediction.cells(options.between)
            if prediction.each_step:
                cells = tuple(map(" ".join, zip(*prediction.step_cells(","), strict=True)))
            table.writerow([*example.origin, *cells])


_TABLE = TextTable("hdf5", (), None)


def _has_table(path: Path) -> bool:
    with telling(path, "an HDF5 file"):
        return kind_in(path) is kinds.HDF5 and is_frame(path)


@contextmanager
def _opened(path: Path) -> Iterator[dict[str, Any]]:
    """The arrays of a file by name; that of a `.npy` file, and of the one with its targets, by the names of the files."""
    kind = kind_in(path)
    with telling(path, "a file of arrays"):
        if kind is kinds.HDF5:
            with extra("h5py").File(path, "r") as file:
                yield {name: array for name, array in file.items() if hasattr(array, "shape")}
            return
        with open_seekable(path) as file:
            if kind is kinds.NUMPY:
                found = {path.stem: _loaded(path, lambda: np.load(file, allow_pickle=False))}
                if (beside := path.with_name(_with_y(path.name))) != path and beside.exists():
                    found["y"] = _loaded(beside, lambda: np.load(beside, allow_pickle=False))
                yield found
            else:
                with np.load(file, allow_pickle=False) as archive:
                    yield {name: _loaded(path, partial(archive.__getitem__, name)) for name in archive.files}


def _loaded(path: Path, load: Callable[[], Any]) -> Any:
    """An array. One of Python's objects, which could run code when it is loaded, is a `DataError`."""
    try:
        return load()
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        cure = "Save numbers of one length as one array, or series of different lengths as JSON Lines."
        raise DataError(f"{path} has an array of Python objects, which is not read, as it could run programs. {cure}") from None


def _with_y(name: str) -> str:
    """The name of the file with the targets: y for the first X, or y_ for x_."""
    return name.replace("X", "y", 1) if "X" in name else name.replace("x", "y", 1)


def _names(path: Path, arrays: dict[str, Any], options: ReadingOptions) -> tuple[str, str | None]:
    """The names of the arrays with series and with targets, if there is one."""
    lower = {name.lower(): name for name in reversed(list(arrays))}
    for option in ("input", "target"):
        asked = getattr(options, option)
        if asked is not None and asked not in arrays and (option == "input" or options.labels_needed):
            raise ConfigError(f"{named(path)} has no array {asked!r}; it has {', '.join(arrays)}. Pass one of them as `{option}`.")
    target = options.target or next((lower[name] for name in (*map(str.lower, options.learnt_targets), *_TARGETS) if name in lower), None)
    rest = [name for name in arrays if name != target]
    source = options.input or next(
        (lower[name] for name in (*map(str.lower, options.learnt[:1]), *_SERIES) if lower.get(name) in rest), None
    )
    if source is None and len(rest) != 1:
        raise ConfigError(f"{named(path)}: which array has the sequences is not clear. Pass one of {', '.join(arrays)} as `input`.")
    return source or rest[0], target if target in arrays else None


def _series(path: Path, name: str, array: Any) -> Any:
    """An array of texts `[N]`, of numbers `[N, T]` or `[N, T, C]`, or of frames `[N, T, H, W]` or `[N, T, H, W, C]`, or with T before N."""
    kind, axes = np.dtype(array.dtype).kind, len(array.shape)
    if not (axes == 1 and kind in "USO") and not (axes in (2, 3, 4, 5) and kind in "biuf"):
        told = f"{named(path)}: the array {name!r} must be [sequences, steps] or [sequences, steps, channels] of numbers, [clips, frames, height, width] of pixels, or [sequences] of texts"
        raise DataError(f"{told}, got {list(array.shape)} of {array.dtype}. Bring it into that shape.")
    return array


def _beside(path: Path, name: str, array: Any, count: int, wanted: Target) -> Any:
    """An array with something for each sequence, or for each step of each."""
    axes = (2, 3) if wanted.each_step else (1, 2)
    if len(array.shape) not in axes or len(array) != count:
        told = f"{named(path)}: the array {name!r} with targets must have {' or '.join(map(str, axes))} axes, the first as long as there are sequences"
        raise DataError(f"{told}, {count}, got {list(array.shape)}. Name another one as `target`.")
    return array


def _example(path: Path, series: Any, targets: Any, options: ReadingOptions, wanted: Target, number: int) -> Example:
    place, value = f"{named(path)}, sequence {number}", series[number]
    known = Example(place, origin=(str(path), number))
    if np.ndim(value) == 0:
        known = replace(known, text=_text(value))
    elif np.ndim(value) > 2:
        return _with_target(replace(known, frames=as_pixels(np.asarray(value))), targets, number, wanted)
    else:
        with np.errstate(over="ignore"):
            numbers = np.asarray(value, np.float64).astype(np.float32)
        rows = numbers[:, None] if numbers.ndim == 1 else numbers
        names = [f"channel {channel}" for channel in range(rows.shape[1])]
        known = replace(known, numbers=complete(rows, lambda step: f"{place}, step {step}", names, impute=options.impute))
    return _with_target(known, targets, number, wanted)


def _with_target(known: Example, targets: Any, number: int, wanted: Target) -> Example:
    return known if targets is None else _targeted(known, np.asarray(targets[number]), wanted)


def _targeted(known: Example, target: NDArray[Any], wanted: Target) -> Example:
    if wanted.numbers:
        values = target.astype(np.float64)
        return replace(known, values=values[:, None] if wanted.each_step and values.ndim == 1 else np.atleast_1d(values))
    texts = tuple(map(_text, np.atleast_1d(target)))
    return replace(known, tags=texts) if wanted.each_step else replace(known, labels=texts)


def _text(value: Any) -> str:
    """A label or text: bytes as UTF-8, and whole numbers without a point."""
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bytes):
        return plain.decode("utf-8", "replace")
    return str(int(plain) if isinstance(plain, float) and plain.is_integer() else plain)
