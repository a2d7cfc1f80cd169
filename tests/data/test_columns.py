"""Columns: what many sequences have, in memory or in a file, is the same either way."""

import gc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unrolled.data import columns
from unrolled.data.columns import Collector, Column, InMemory, Mapped, places
from unrolled.errors import DataError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def mapped(path: Path, array: np.ndarray) -> Mapped:
    array.tofile(path)
    return Mapped(path, array.dtype, len(array), array.shape[1:])


@pytest.mark.parametrize("kept", [columns.KEPT, 0])
def test_mapped_elements_are_read_whether_their_pages_are_kept_or_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(columns, "KEPT", kept)
    ids = np.arange(50_000, dtype=np.uint16)
    found = mapped(tmp_path / "ids.bin", ids)
    assert found.read(0, len(found)).tolist() == ids.tolist()
    assert found.read(49_990, 50_000).tolist() == list(range(49_990, 50_000))
    assert found.read(7, 7).tolist() == [] and found.read(3, 5).dtype == np.uint16
    assert found.take(np.array([49_999, 0, 7, 7])).tolist() == [49_999, 0, 7, 7]
    assert found.take(np.zeros(0, np.int64)).dtype == np.uint16


def test_what_was_read_stays_when_the_file_is_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "KEPT", 0)
    found = mapped(tmp_path / "ids.bin", np.arange(9))
    first, taken = found.read(0, 3), found.take(np.array([1]))
    first += 10
    taken += 10
    assert found.read(0, 9).tolist() == list(range(9))
    assert (first.tolist(), taken.tolist()) == ([10, 11, 12], [11])


def test_mapped_elements_may_have_a_shape(tmp_path: Path) -> None:
    numbers = np.arange(30, dtype=np.float32).reshape(5, 3, 2)
    found = mapped(tmp_path / "numbers.bin", numbers)
    assert (found.shape, found.dtype, len(found)) == ((5, 3, 2), np.float32, 5)
    np.testing.assert_array_equal(found.read(1, 3), numbers[1:3])
    np.testing.assert_array_equal(found.take(np.array([4, 1])), numbers[[4, 1]])
    none = mapped(tmp_path / "none.bin", numbers[:0])
    assert none.read(0, 0).shape == (0, 3, 2)


def test_mapped_files_refuse_wrong_sizes_and_ranges(tmp_path: Path) -> None:
    path = tmp_path / "ids.bin"
    path.write_bytes(b"1234")
    with pytest.raises(DataError, match="must have 8 bytes, got 4"):
        Mapped(path, "<u2", 4)
    with pytest.raises(DataError, match="must have 6 bytes, got 4"):
        Mapped(path, "u1", 2, (3,))
    with pytest.raises(DataError, match="cannot be read"):
        Mapped(tmp_path / "none.bin", "u1", 4)
    for start, stop in ((-1, 2), (3, 2), (0, 5)):
        with pytest.raises(DataError, match="which has 4"):
            Mapped(path, "u1", 4).read(start, stop)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.integers(0, 6), max_size=9),
    st.sampled_from([(), (3,), (2, 2)]),
    st.sampled_from(["i8", "f4", "u2"]),
    st.sampled_from([0, 40, 100_000]),
)
def test_what_is_collected_is_the_same_in_memory_and_in_a_file(
    folder: Path, lengths: list[int], element: tuple[int, ...], dtype: str, most: int
) -> None:
    chance = np.random.default_rng(len(lengths))
    parts = [chance.integers(0, 1000, (n, *element)) for n in lengths]
    collectors = [Collector(dtype, element), Collector(dtype, element, most)]
    for part in parts:
        for collector in collectors:
            collector.add(part)
    one, other = (collector.done() for collector in collectors)
    bytes_of_all = sum(lengths) * np.dtype(dtype).itemsize * int(np.prod(element))
    assert isinstance(one, InMemory)
    assert isinstance(other, Mapped) == (bytes_of_all > most)
    whole = np.concatenate([*parts, np.zeros((0, *element))]).astype(dtype)
    which = chance.permutation(len(whole))
    for found in (one, other):
        assert (len(found), found.shape, found.dtype) == (len(whole), whole.shape, whole.dtype)
        np.testing.assert_array_equal(found.read(0, len(whole)), whole)
        np.testing.assert_array_equal(found.read(len(whole) // 3, len(whole) // 2), whole[len(whole) // 3 : len(whole) // 2])
        np.testing.assert_array_equal(found.take(which), whole[which])
        assert found.read(0, len(whole)).dtype == found.take(which).dtype == whole.dtype
    assert list(folder.iterdir()) == []


def spilled() -> Collector:
    collector = Collector("i8", most=16)
    for number in range(5):
        collector.add([number, -number])
    return collector


def test_what_does_not_fit_lies_in_a_file_until_it_is_done(folder: Path) -> None:
    collector = spilled()
    (path,) = folder.iterdir()
    assert path.stat().st_size == 64, "what came last is still in memory"
    found = collector.done()
    assert isinstance(found, Mapped) and list(folder.iterdir()) == []
    assert found.read(0, 10).tolist() == [0, 0, 1, -1, 2, -2, 3, -3, 4, -4]


def test_the_file_goes_where_collecting_is_broken_off(folder: Path) -> None:
    collector = spilled()
    assert len(list(folder.iterdir())) == 1
    del collector
    gc.collect()
    assert list(folder.iterdir()) == []


def test_a_little_is_kept_in_memory(folder: Path) -> None:
    collector = Collector("u1", most=16)
    collector.add(range(16))
    assert list(folder.iterdir()) == []
    assert isinstance(collector.done(), InMemory)
    collector.add([16])
    assert len(list(folder.iterdir())) == 1
    assert isinstance(collector.done(), Mapped)
    assert Collector("f4", (2,)).done().shape == (0, 2)


def test_numbers_one_by_one_and_together_stay_in_their_order() -> None:
    collector = Collector("i8")
    for number in range(3):
        collector.extend([number])
        assert len(collector) == 3 * number + 1
        collector.add([number, number])
    assert collector.done().read(0, 9).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(columns, "cache_folder", lambda: tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"nowhere cannot be written: No such file.*UNROLLED_CACHE"):
        spilled()


@pytest.mark.parametrize("most", [columns.IN_MEMORY, 8])
def test_a_column_has_its_sequences_one_after_the_other(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(columns, "IN_MEMORY", most)
    found = Column.of(([i] * i for i in (2, 0, 3, 1)), np.int64)
    assert isinstance(found.elements, Mapped if most == 8 else InMemory)
    assert (len(found), found.starts.tolist(), found.lengths.tolist()) == (4, [0, 2, 2, 5, 6], [2, 0, 3, 1])
    assert found.take(np.array([3, 0, 1, 2, 0])).tolist() == [1, 2, 2, 3, 3, 3, 2, 2]
    assert found.take(np.array([1])).tolist() == found.take(np.zeros(0, np.int64)).tolist() == []
    numbers = Column.of([np.arange(6).reshape(2, 3), np.arange(3)[None]], np.float32, (3,))
    assert numbers.take(np.array([1, 0])).tolist() == [[0, 1, 2], [0, 1, 2], [3, 4, 5]]


def test_a_column_may_have_no_sequence() -> None:
    found = Column.of([], np.int64)
    assert (len(found), found.lengths.tolist(), found.take(np.zeros(0, np.int64)).tolist()) == (0, [], [])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.data())
def test_places_are_those_of_the_elements_of_each_sequence(lengths: list[int], data: st.DataObject) -> None:
    starts = np.cumsum([0, *lengths])
    which = data.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=9))
    wanted = [place for i in which for place in range(starts[i], starts[i + 1])]
    assert places(starts, np.array(which, np.int64)).tolist() == wanted
