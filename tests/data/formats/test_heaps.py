"""Python objects that pandas keeps in HDF5 files: plain ones are read as pandas reads them, damaged and dangerous ones are refused before any library looks at them."""

import datetime
import decimal
import os
import pickle
import struct
from pathlib import Path

import pytest

from unrolled.data.formats.sheets.frames import frame_rows
from unrolled.data.formats.sheets.heaps import require_plain_objects
from unrolled.data.formats.sheets.reading import as_cell
from unrolled.errors import DataError

pandas = pytest.importorskip("pandas")
h5py = pytest.importorskip("h5py")
tables = pytest.importorskip("tables")

DAYS = pandas.date_range("2024-01-01", periods=3, freq="D")
TEXTS = pandas.DataFrame({"text": ["good", "", "é" * 100], "n": [1, 2, 3]})
MIXED = pandas.DataFrame({"x": [decimal.Decimal("1.5"), datetime.date(2024, 1, 2), pandas.Timestamp("2024-05-31")]})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("format", ["fixed", "table"])
@pytest.mark.parametrize(
    ("frame", "index"),
    [
        (TEXTS, []),
        (TEXTS[TEXTS["n"] > 1], ["index"]),
        (TEXTS.set_index(DAYS), ["index"]),
        (TEXTS.set_index(DAYS.rename("day")), ["day"]),
        (TEXTS.set_index(pandas.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])), ["level_0", "level_1"]),
        (TEXTS.assign(text=pandas.Categorical(TEXTS["text"])), []),
        (MIXED, []),
    ],
)
def test_frames_are_read_with_their_index(frame, index: list[str], format: str, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    try:
        frame.to_hdf(path, key="data", format=format)
    except (TypeError, NotImplementedError):
        pytest.skip("pandas does not write it so")
    expected = frame.reset_index() if index else frame
    names, *rows = frame_rows(path)
    assert names == [*index, *frame.columns] == list(map(str, expected.columns))
    assert rows == [[as_cell(cell) for cell in row] for row in expected.itertuples(index=False, name=None)]


def texts(path: Path) -> bytes:
    TEXTS.to_hdf(path, key="data")
    require_plain_objects(path)
    return path.read_bytes()


def refused(path: Path, content: bytes, told: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=told):
        require_plain_objects(path)


def test_damaged_heaps(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    content = texts(path)
    heap = content.index(b"GCOL")
    length = struct.unpack_from("<Q", content, heap + 16 + 8)[0]
    reference = struct.pack("<IQI", length, heap, 1)
    assert content.count(reference) == 1
    told = "a.h5 cannot be read as an HDF5 file: .* is no whole heap of objects. It is damaged"
    for other in ((length, heap + 8, 1), (length, 1 << 60, 1), (length, heap, 9), (length + 1, heap, 1)):
        refused(path, content.replace(reference, struct.pack("<IQI", *other)), told)
    refused(path, content[: heap + 8] + struct.pack("<Q", 1 << 40) + content[heap + 16 :], told)
    refused(path, content[: heap + 24] + struct.pack("<Q", 1 << 40) + content[heap + 32 :], told)


class Evil:
    def __reduce__(self):
        return os.mkdir, (str(Path(os.environ["PYTEST_EVIL"])),)


@pytest.mark.parametrize("where", ["object", "attribute"])
def test_pickles_that_run_programs(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, made = tmp_path / "a.h5", tmp_path / "made"
    monkeypatch.setenv("PYTEST_EVIL", str(made))
    texts(path)
    if where == "attribute":
        with h5py.File(path, "a") as file:
            file["data"].attrs["info"] = pickle.dumps(Evil(), 0)
    else:
        with tables.open_file(path, "a") as file:
            file.remove_node("/data/block1_values")
            file.create_vlarray("/data", "block1_values", tables.ObjectAtom()).append(Evil())
    told = "a.h5: data.* has a Python object, posix.mkdir. It could run programs and is not read. Save the table as Parquet or CSV"
    with pytest.raises(DataError, match=told):
        list(frame_rows(path))
    assert not made.exists()


@pytest.mark.parametrize("name", ["re.sys.exit", "to_offset", "warnings"])
def test_modules_of_times_give_times_alone(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    texts(path)
    with h5py.File(path, "a") as file:
        file["data"].attrs["info"] = f"cpandas._libs.tslibs.offsets\n{name}\n.".encode()
    with pytest.raises(DataError, match=rf"has a Python object, pandas._libs.tslibs.offsets.{name}"):
        require_plain_objects(path)
