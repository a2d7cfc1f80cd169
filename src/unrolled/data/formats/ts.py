"""The `.ts` files of the UEA and sktime archives: a case a line, dimensions divided by colons, the label last.

The files of the archives are sorted by class. Their format:
https://www.sktime.net/en/stable/api_reference/file_specifications/ts.html.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.files import named, read_lines
from unrolled.data.formats.format import About
from unrolled.data.formats.numbers import complete, parse_number
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError, DataError


@dataclass
class _Header:
    """What stands before `@data`: `labels` (None if the cases have none), whether they have `numbers` to predict, the number of `dimensions` (0 if not said), other lines."""

    labels: tuple[str, ...] | None = None
    numbers: bool = False
    dimensions: int = 0
    lines: list[str] = field(default_factory=list)

    def take(self, line: str, place: str) -> None:
        """Take in one line that begins with `@`."""
        name, *values = line[1:].split() or [""]
        name, said = name.lower(), values[0].lower() if values else ""
        if name == "data":
            return
        if name == "classlabel":
            self.labels = tuple(values[1:]) if said == "true" else None
            return
        if name in ("dimensions", "dimension") and said.isdecimal():
            self.dimensions = self.dimensions or int(said)
        elif name == "timestamps" and said == "true":
            raise DataError(f"{place}: values with time stamps are not read. Write one value for each time and @timeStamps false.")
        elif name == "targetlabel":
            self.numbers = said == "true"
            return
        self.lines.append(line)


class TimeSeries:
    """`.ts` files as numbers `[T, C]`, one channel for each dimension; the cases may have different lengths."""

    name = "ts"
    suffixes = (".ts",)
    about = About(
        "time series as the UEA and sktime archives have them",
        ("numbers", "labels", "values"),
        ("impute",),
        "@univariate false\n@dimensions 2\n@classLabel true walk rest\n@data\n0.1,0.3,0.2:9.8,9.7,9.9:walk\n0.0,0.0,0.1:9.8,9.8,9.8:rest\n",
        labels="Write @classLabel true and all labels before @data, or @targetLabel true for numbers, and a colon and the label or number at the end of "
        "each case; a question mark is none.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The cases. One with dimensions of different length or number, or a label that the file does not declare, is bad.

        Labels that are declared may be read as numbers, and numbers, with @targetLabel true, not as labels.
        """
        if wanted.each_step:
            raise ConfigError("A .ts file has a label for each case and none for its steps. Use it to classify, not to tag.")
        header = _Header()
        for path in paths:
            header = _Header(dimensions=header.dimensions)
            yield from _read(path, options, header, wanted)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """A `.ts` file as it was read, with the predicted label or number where a label stands."""
        begun = False
        for example, prediction in found:
            if not begun:
                labels = sorted(prediction.every) or list(prediction.labels or ())
                kind = "@targetLabel true" if prediction.values is not None else f"@classLabel true {' '.join(labels)}"
                print(*example.origin[0], kind, "@data", sep="\n", file=file)
                begun = True
            said = (prediction.labels or ("?",))[0] if prediction.values is None else prediction.cells(",")[0]
            print(example.origin[1], said, sep=":", file=file)


def _read(path: Path, options: ReadingOptions, header: _Header, wanted: Target) -> Iterator[Example | DataError]:
    """The cases of one file, whose header is filled on the way; its `dimensions` are those of the files before, if there were any."""
    begun = False
    for number, line in read_lines(path, options.encoding):
        line, place = line.strip(), f"{named(path)}, line {number}"
        if not line or line.startswith("#") or (not begun and line.startswith("%")):
            continue
        if not begun and line.startswith("@"):
            begun = line.lower() == "@data"
            header.take(line, place)
            continue
        if not begun:
            raise DataError(f"{place}: cases must come after a line with @data, got {line[:20]!r}. Put that line before them.")
        if header.numbers and options.labels_needed and not wanted.numbers:
            raise DataError(
                f"{place}: the cases have numbers to predict and not classes. Train `regress`, or pass a file with @classLabel true."
            )
        yield from tried([line], partial(_case, place, header, options))
    if not begun:
        raise DataError(f"{named(path)} has no line with @data, after which the cases come. Pass a file in the .ts format.")


def _case(place: str, header: _Header, options: ReadingOptions, line: str) -> Example:
    """The case in a line."""
    values, labels = _split(line, header, place, options.labels_needed)
    numbers = _parse(values, place, options.impute)
    header.dimensions = header.dimensions or numbers.shape[1]
    if numbers.shape[1] != header.dimensions:
        raise DataError(
            f"{place}: a case must have {header.dimensions} dimensions, divided by colons, as those before or @dimensions say, "
            f"got {numbers.shape[1]}. Mend the line, or @classLabel if it does not say whether cases have labels."
        )
    return Example(place, numbers=numbers, labels=labels, origin=(header.lines, values))


def _split(line: str, header: _Header, place: str, needed: bool) -> tuple[str, tuple[str, ...] | None]:
    """The values of a line, and its label if cases have labels. One that is not declared is a `DataError` if labels are `needed`."""
    if header.labels is None and not header.numbers:
        return line, None
    values, _, label = line.rpartition(":")
    label = label.strip()
    if header.labels is None:
        return values, None if label == "?" else (label,)
    if label == "?" or not (needed or label in header.labels):
        return values, None
    if label not in header.labels:
        raise DataError(
            f"{place}: the label must be one of {', '.join(header.labels)} as @classLabel says, got {label[:40]!r}. Mend either."
        )
    return values, (label,)


def _parse(values: str, place: str, impute: bool) -> NDArray[np.float32]:
    """The numbers `[T, C]` of a case."""
    channels = []
    for index, channel in enumerate(values.split(":"), 1):
        try:
            channels.append([parse_number(value) for value in channel.split(",")])
        except ValueError as error:
            raise DataError(f"{place}, dimension {index}: {error}. A missing number is written as a question mark.") from None
    lengths = [len(channel) for channel in channels]
    if len(set(lengths)) > 1:
        raise DataError(f"{place}: all dimensions of a case must have one length, got {lengths}. Mark what is missing with question marks.")
    with np.errstate(over="ignore"):
        numbers = np.array(channels, np.float64).astype(np.float32).T
    names = [f"dimension {index + 1}" for index in range(len(channels))]
    return complete(numbers, lambda row: f"{place}, value {row + 1}", names, impute=impute)
