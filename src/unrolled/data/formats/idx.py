"""Images as MNIST has them: an idx file with the images and another with their labels beside it.

The format: http://yann.lecun.com/exdb/mnist. Big-endian: two bytes of 0, one for the kind of numbers (8: unsigned bytes), one for how many
sizes follow (3: images, rows, columns; 1: labels), the sizes in four bytes each, and then one byte after another.
"""

import csv
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from math import prod
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.files import named
from unrolled.data.formats.format import About
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.opening import open_unpacked
from unrolled.data.pictures.images import fields_of
from unrolled.errors import ConfigError, DataError

_BLOCK = 1 << 20
"""Bytes read at a time, but at least an image."""

_LARGEST = 1 << 26
"""Bytes that an image may have."""


class Images:
    """Images of idx files, as numbers from 0 to 1, a row for each step, `[rows, columns]`, or one step, `[1, rows * columns]`; or as pictures."""

    name = "idx"
    suffixes = ("images-idx3-ubyte", "images.idx3-ubyte")
    about = About(
        "images in idx files, as MNIST has them, with the labels in a file beside them",
        ("numbers", "frames", "labels", "values"),
        ("image",),
        labels="Put the file with the labels, …labels-idx1-ubyte, beside that with the images.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example]:
        """The images with their labels, if the file with the labels lies beside. A damaged or short file is a `DataError`."""
        if wanted.each_step:
            raise ConfigError("An image has one label and none for its rows. Use it to classify, not to tag.")
        for path in paths:
            yield from _read(path, options)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """A table with a row for each image: its file, its number from 1, and what is predicted."""
        table = csv.writer(file, lineterminator="\n")
        begun = False
        for example, prediction in found:
            if not begun:
                table.writerow(["file", "image", *prediction.columns])
            begun = True
            table.writerow([*example.origin, *prediction.cells(options.between)])


def _read(path: Path, options: ReadingOptions) -> Iterator[Example]:
    """The images of one file."""
    with open_unpacked(path) as file:
        count, *shape = _sizes(path, file, 3)
        images = _items(path, file, count, prod(shape))
        known = _labels(path, count) if options.labels_needed else repeat(None, count)
        for number, (image, labels) in enumerate(zip(images, known, strict=True), 1):
            pixels = np.frombuffer(image, np.uint8).reshape(shape)
            yield Example(f"{named(path)}, image {number}", **fields_of(pixels, options.image), labels=labels, origin=(str(path), number))


def _labels(images: Path, count: int) -> Iterator[tuple[str, ...] | None]:
    """The label of each image; None for all of them if no file with labels lies beside the images."""
    path = images.with_name(images.name.replace("images", "labels").replace("idx3", "idx1"))
    if path == images or not path.exists():
        yield from repeat(None, count)
        return
    with open_unpacked(path) as file:
        (found,) = _sizes(path, file, 1)
        if found != count:
            raise DataError(f"{path} has {found} labels and {images} has {count} images. Pass files that belong together.")
        for label in _items(path, file, count, 1):
            yield (str(label[0]),)


def _sizes(path: Path, file: BinaryIO, number: int) -> tuple[int, ...]:
    """The sizes at the head of a file of unsigned bytes with so many of them, none of them 0."""
    head = file.read(4)
    if head != bytes((0, 0, 8, number)):
        raise DataError(
            f"{path} must begin with the bytes 0 0 8 {number} of an idx file of unsigned bytes with {number} sizes, got {' '.join(map(str, head))}. "
            "Pass a file such as train-images-idx3-ubyte.gz."
        )
    sizes = file.read(4 * number)
    if len(sizes) < 4 * number:
        raise DataError(f"{path} ends within its first {4 + 4 * number} bytes. Get it again.")
    found = struct.unpack(f">{number}I", sizes)
    if not all(found):
        raise DataError(f"{path} says that its sizes are {list(found)}, and none may be 0. Get it again.")
    if prod(found[1:]) > _LARGEST:
        raise DataError(f"{path} says that its sizes are {list(found)}, and an item may have at most {_LARGEST:,} bytes. Get it again.")
    return found


def _items(path: Path, file: BinaryIO, count: int, size: int) -> Iterator[bytes]:
    """So many items of `size` bytes each, after which the file ends."""
    block = max(_BLOCK // size, 1)
    for start in range(0, count, block):
        number = min(block, count - start)
        data = file.read(number * size)
        if len(data) < number * size:
            found = start + len(data) // size
            raise DataError(f"{path} says that it has {count} items of {size} bytes and ends after {found} of them. Get it again.")
        yield from (data[at : at + size] for at in range(0, len(data), size))
    if file.read(1):
        raise DataError(f"{path} goes on after the {count} items of {size} bytes that it says it has. Get it again.")
