"""Pictures that are made of digits: where these lie, what lies beside them, and that other digits have other places."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.builtin_examples import BUILTIN_EXAMPLES, OfDigits, builtin_examples
from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.errors import ConfigError, DataError

SIDE, PIECE = 60, 8


def digits(count: int = 30, side: int = 12, seed: int = 1) -> list[Example]:
    """Of bright pixels everywhere, so that a digit is found by its mass, and no two are equal."""
    pixels = np.random.default_rng(seed).integers(200, 256, (count, 1, side, side, 1)).astype(np.uint8)
    return [Example(f"digit {n}", frames=picture, labels=(str(n % 10),)) for n, picture in enumerate(pixels)]


def made(name: str, some: list[Example], copies: int = 1) -> list[Example]:
    source = BUILTIN_EXAMPLES[name]
    assert isinstance(source, OfDigits)
    return list(source.make(some, copies))


def picture(example: Example) -> np.ndarray:
    assert example.frames is not None and example.frames.shape == (1, SIDE, SIDE, 1) and example.frames.dtype == np.uint8
    return example.frames[0, ..., 0]


def places(whole: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Where a part lies in a picture in which nothing of it is covered."""
    windows = np.lib.stride_tricks.sliding_window_view(whole, part.shape)
    return np.argwhere((windows == part).all((2, 3)))


def test_a_translated_digit_lies_whole_in_an_empty_picture_wherever_there_is_room() -> None:
    known, found = digits(300), []
    for digit, example in zip(known, made("builtin:translated-digits", known), strict=True):
        assert digit.frames is not None and example.labels == digit.labels
        (place,) = places(picture(example), digit.frames[0, ..., 0]).tolist()
        assert (picture(example) > 0).sum() == 12 * 12
        found.append(place)
    for axis in np.array(found).T:
        assert axis.min() <= 2 and axis.max() >= SIDE - 12 - 2 and abs(axis.mean() - (SIDE - 12) / 2) < 3


def test_clutter_is_four_pieces_of_other_digits_that_cover_no_brighter_pixel() -> None:
    """Each digit is of one brightness, by which its pieces are known."""
    known = [Example("digit", frames=np.full((1, 12, 12, 1), 100 + n, np.uint8), labels=("0",)) for n in range(100)]
    whole = 0
    for own, (example, alone) in enumerate(
        zip(made("builtin:cluttered-digits", known), made("builtin:translated-digits", known), strict=True), 100
    ):
        cluttered, digit = picture(example), picture(alone)
        assert (cluttered >= digit).all()
        others = {*np.unique(cluttered).tolist()} - {0, own}
        assert len(others) <= 4
        squares = [np.argwhere(cluttered == other) for other in others]
        whole += len(squares) == 4 and all(np.ptp(s, 0).tolist() == [PIECE - 1] * 2 and len(s) == PIECE**2 for s in squares)
    assert whole > 40


def test_places_follow_from_the_pixels_of_a_digit_and_copies_have_others() -> None:
    """So pictures of test digits lie elsewhere than those that are learnt, and nothing depends on what else is in a file."""
    for name in ("builtin:translated-digits", "builtin:cluttered-digits"):
        first, again = made(name, digits()), made(name, digits())
        assert all((picture(a) == picture(b)).all() for a, b in zip(first, again, strict=True))
    some = made("builtin:translated-digits", digits())
    assert (picture(made("builtin:translated-digits", digits()[3:])[0]) == picture(some[3])).all()
    others = made("builtin:translated-digits", digits(seed=2))
    assert sum((picture(a) > 0).tolist() == (picture(b) > 0).tolist() for a, b in zip(some, others, strict=True)) <= 1
    copied = made("builtin:translated-digits", digits(5), copies=3)
    assert [example.group for example in copied] == [str(n) for n in (1, 2, 3, 4, 5) for _ in range(3)]
    assert len({picture(example).tobytes() for example in copied}) == 15


def test_digits_come_from_an_idx_file_and_are_read_as_it_would_be(tmp_path: Path) -> None:
    pixels = np.stack([digit.frames[0, ..., 0] for digit in digits(3) if digit.frames is not None])
    file, labels = tmp_path / "a-images-idx3-ubyte.gz", tmp_path / "a-labels-idx1-ubyte.gz"
    file.write_bytes(gzip.compress(bytes((0, 0, 8, 3)) + struct.pack(">3I", *pixels.shape) + pixels.tobytes()))
    labels.write_bytes(gzip.compress(bytes((0, 0, 8, 1)) + struct.pack(">I", 3) + bytes((7, 8, 9))))
    read = {
        image: list(read_examples("builtin:translated-digits", ReadingOptions(digits=str(file), image=image), Target.LABELS))
        for image in ("rows", "whole", "glimpses")
    }
    for rows, whole, seen in zip(*read.values(), strict=True):
        assert rows.numbers is not None and whole.numbers is not None and rows.frames is None and seen.numbers is None
        np.testing.assert_allclose(rows.numbers, picture(seen) / 255, rtol=1e-6)
        assert (whole.numbers == rows.numbers.reshape(1, -1)).all()
    assert [example.labels for example in read["rows"]] == [("7",), ("8",), ("9",)]


def test_what_cannot_be_made_is_told() -> None:
    for name in ("builtin:translated-digits", "builtin:cluttered-digits"):
        with pytest.raises(ConfigError, match=f"{name} is made of digits. Name an idx file with some as `digits`"):
            builtin_examples(name, Target.LABELS)
    with pytest.raises(DataError, match=r"digit 0: the digit must be at most 60 × 60 pixels, got \[61, 61\]\. Name smaller `digits`"):
        made("builtin:translated-digits", digits(1, side=61))
    with pytest.raises(ConfigError, match="`copies` must be at least 1, got 0"):
        ReadingOptions(copies=0)
