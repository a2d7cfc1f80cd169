"""Images in idx files."""

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import idx, read_examples
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.idx import Images
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError, DataError

PIXELS = np.random.default_rng(5).integers(0, 256, (5, 3, 4), dtype=np.uint8)
LABELS = np.array([7, 0, 255, 1, 1], np.uint8)
FORMAT = Images()


def packed(items: np.ndarray) -> bytes:
    return bytes((0, 0, 8, items.ndim)) + struct.pack(f">{items.ndim}I", *items.shape) + items.tobytes()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "t-labels-idx1-ubyte.gz").write_bytes(gzip.compress(packed(LABELS)))
    path = tmp_path / "t-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(packed(PIXELS)))
    return path


def read(path: Path, image: str = "rows"):
    return list(decided(FORMAT.read([path], ReadingOptions(image=image), Target.LABELS)))


@pytest.mark.parametrize("block", [1, 2, 5, 1024])
def test_rows_as_steps(images: Path, monkeypatch, block: int) -> None:
    monkeypatch.setattr(idx, "_BLOCK", block)
    found = read(images)
    assert [example.labels for example in found] == [(str(label),) for label in LABELS]
    assert found[3].place == f"{images}, image 4"
    assert found[0].numbers.dtype == np.float32
    np.testing.assert_allclose([example.numbers for example in found], PIXELS / 255, rtol=1e-6)


def test_an_image_as_one_step(images: Path) -> None:
    np.testing.assert_allclose([example.numbers for example in read(images, "whole")], PIXELS.reshape(5, 1, 12) / 255, rtol=1e-6)


@pytest.mark.parametrize("image", ["frame", "glimpses"])
def test_an_image_as_a_picture(images: Path, image: str) -> None:
    found = read(images, image)
    np.testing.assert_array_equal([example.frames for example in found], PIXELS[:, None, ..., None])
    assert all(example.numbers is None for example in found)


def test_images_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.images.idx3-ubyte"
    path.write_bytes(packed(PIXELS))
    assert [example.labels for example in read(path)] == [None] * 5


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("images-idx3", packed(PIXELS)[:-1], "5 items of 12 bytes and ends after 4"),
        ("images-idx3", packed(PIXELS) + b"\0", "goes on after the 5 items"),
        ("images-idx3", packed(PIXELS)[:11], "ends within its first 16 bytes"),
        ("images-idx3", packed(PIXELS[:, :0]), r"sizes are \[5, 0, 4\]"),
        ("images-idx3", b"PNG", "must begin with the bytes 0 0 8 3 .* got 80 78 71"),
        ("images-idx3", packed(PIXELS[0]), "must begin with the bytes 0 0 8 3"),
        ("labels-idx1", packed(LABELS[1:]), "has 4 labels and .* 5 images"),
        ("labels-idx1", packed(LABELS)[:-2], "5 items of 1 bytes and ends after 3"),
        ("labels-idx1", packed(LABELS) + b"\0", "goes on after the 5 items"),
    ],
)
def test_damaged_files(images: Path, name: str, content: bytes, message: str) -> None:
    images.with_name(f"t-{name}-ubyte.gz").write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=f"t-{name}-ubyte.gz.*{message}"):
        read(images)


def test_what_cannot_be_asked(images: Path) -> None:
    with pytest.raises(ConfigError, match="rows, whole, frame, glimpses, got 'columns'"):
        read(images, "columns")
    with pytest.raises(ConfigError, match="not to tag"):
        list(decided(FORMAT.read([images], ReadingOptions(), Target.TAGS)))


def test_predictions_are_a_table(images: Path) -> None:
    file = io.StringIO()
    FORMAT.write([(read(images)[1], Prediction(labels=("3",), probabilities=(0.25,)))], file, ReadingOptions())
    assert file.getvalue() == f"file,image,predicted,probability\n{images},2,3,0.2500\n"


def test_labels_that_are_not_needed_are_not_read(images: Path) -> None:
    images.with_name("t-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    assert [example.labels for example in decided(FORMAT.read([images], ReadingOptions().to_predict(), Target.LABELS))] == [None] * 5


def test_labels_may_be_read_as_numbers(images: Path) -> None:
    found = list(read_examples(images, ReadingOptions(), Target.VALUES))
    assert [example.values.tolist() for example in found] == [[label] for label in LABELS.tolist()]
    assert [example.labels for example in found] == [None] * 5
    with pytest.raises(ConfigError, match="An image has one label and none for its rows"):
        list(read_examples(images, ReadingOptions(), Target.STEP_VALUES))


def test_predicted_numbers_are_a_table(images: Path) -> None:
    file = io.StringIO()
    said = Prediction(values=np.array([3.5]), deviations=np.array([0.25]))
    FORMAT.write([(read(images)[1], said), (read(images)[4], said)], file, ReadingOptions())
    assert file.getvalue() == f"file,image,predicted,deviation\n{images},2,3.5,0.25\n{images},5,3.5,0.25\n"
    file = io.StringIO()
    FORMAT.write([(read(images)[1], Prediction(values=np.array([3.5])))], file, ReadingOptions())
    assert file.getvalue() == f"file,image,predicted\n{images},2,3.5\n"
