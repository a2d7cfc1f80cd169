"""Frames of keys, and files of piano rolls."""

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from unrolled.data.music.frames import from_frames, notes_of, to_frames
from unrolled.data.music.piece import KEYS, LOWEST, Piece
from unrolled.data.music.rolls import parts_in, read_rolls
from unrolled.errors import DataError


def roll(seed, steps=12):
    return (np.random.default_rng(seed).random((steps, KEYS)) < 0.2).astype(np.uint8)


def test_frames_are_the_same_notes_and_the_same_frames_again():
    frames = roll(0)
    notes = notes_of(frames)
    drawn = np.zeros_like(frames)
    for begin, end, pitch, _ in notes.tolist():
        assert not drawn[begin:end, pitch - LOWEST].any()
        drawn[begin:end, pitch - LOWEST] = 1
    assert np.array_equal(drawn, frames) and np.array_equal(to_frames(from_frames(frames, 4), 4)[0], frames)


def test_notes_begin_and_end_at_the_nearest_step_and_those_outside_the_piano_are_counted():
    notes = np.array([[0, 11, 60, 0], [13, 14, 62, 0], [16, 40, 20, 0], [20, 30, 109, 0]])
    frames, outside = to_frames(Piece(notes, 16, 40), 4)
    assert outside == 2 and frames[:, 60 - LOWEST].tolist() == [1] * 3 + [0] * 7
    assert np.flatnonzero(frames[:, 62 - LOWEST]).tolist() == [3]


def cells(*rolls):
    found = np.empty((1, len(rolls)), object)
    found[0] = rolls
    return found


def test_cells_of_matlab_are_read_part_by_part(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"traindata": cells(roll(1), roll(2, 5)), "validdata": cells(roll(3)), "testdata": cells(roll(4))})
    assert parts_in(path) == ("train", "valid", "test")
    found = [*read_rolls(path, "train", 4)]
    assert [np.array_equal(to_frames(piece, 4)[0], wanted) for piece, wanted in zip(found, (roll(1), roll(2, 5)), strict=True)] == [
        True
    ] * 2
    assert found[1].place.endswith("a.mat, traindata 2")


def frames_of(path, part="train"):
    return [to_frames(piece, 4)[0] if isinstance(piece, Piece) else piece for piece in read_rolls(path, part, 4)]


@pytest.mark.parametrize("kind", [np.uint8, bool, float, np.int16, scipy.sparse.csc_matrix, scipy.sparse.csc_array])
@pytest.mark.parametrize("upright", [False, True])
def test_cells_may_be_of_any_numbers_and_stand_either_way(tmp_path, kind, upright):
    rolls = [roll(1), roll(2, 5), roll(3, 1)]
    kept = cells(*(kind(one) if isinstance(kind, type) and "sparse" in kind.__module__ else one.astype(kind) for one in rolls))
    scipy.io.savemat(tmp_path / "a.mat", {"testdata": kept[:, :1], "other": 3, "TrainData": kept.T if upright else kept})
    assert all(map(np.array_equal, frames_of(tmp_path / "a.mat"), rolls)) and parts_in(tmp_path / "a.mat") == ("train", "test")
    assert len(frames_of(tmp_path / "a.mat")) == 3 and np.array_equal(frames_of(tmp_path / "a.mat", "test")[0], rolls[0])


def test_empty_cells_are_named_and_the_rest_is_read(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"traindata": cells(np.zeros((0, 0)), roll(1), roll(2).T), "validdata": np.zeros((0, 0))})
    empty, found, turned = frames_of(tmp_path / "a.mat")
    assert (
        "traindata 1 must be a roll [T, 88]" in str(empty) and np.array_equal(found, roll(1)) and parts_in(tmp_path / "a.mat") == ("train",)
    )
    assert "traindata 3 must be" in str(turned) and str(turned).endswith("got uint8 [88, 12]. Turn it: steps go down, keys across.")


def test_files_of_matlab_that_are_hdf5_are_read(tmp_path):
    """Written as version 7.3 of MATLAB's files is: axes in the other order, cells as references, an empty array as its sizes."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        inside = []
        for number, one in enumerate([roll(1), roll(2, 5).astype(float)]):
            inside.append(file.create_dataset(f"#refs#/{number}", data=one.T))
            inside[-1].attrs["MATLAB_class"] = np.bytes_("double")
        inside.append(file.create_dataset("#refs#/empty", data=np.array([0, 88], np.uint64)))
        inside[-1].attrs["MATLAB_empty"] = 1
        sparse, filled = scipy.sparse.csc_matrix(roll(3)), file.create_group("#refs#/sparse")
        filled.attrs["MATLAB_sparse"] = 12
        for name, array in (("data", sparse.data), ("ir", sparse.indices), ("jc", sparse.indptr)):
            filled[name] = array.astype(np.uint64)
        inside.append(filled)
        held = file.create_dataset("traindata", (4, 1), h5py.ref_dtype)
        held[:, 0] = [one.ref for one in inside]
        held.attrs["MATLAB_class"] = np.bytes_("cell")
        file.create_group("about").attrs["MATLAB_class"] = np.bytes_("struct")
    with open(tmp_path / "a.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    first, second, empty, third = frames_of(tmp_path / "a.mat")
    assert np.array_equal(first, roll(1)) and np.array_equal(second, roll(2, 5)) and np.array_equal(third, roll(3)) and not len(empty)


def test_archives_of_numpy_are_read_whole_where_they_are_not_divided(tmp_path):
    wide = np.zeros((6, 128))
    wide[:, LOWEST : LOWEST + KEYS] = 100 * roll(1, 6)
    np.savez(tmp_path / "a.npz", one=wide, several=np.stack([roll(2, 4), roll(3, 4)]))
    found = [to_frames(piece, 4)[0] for piece in read_rolls(tmp_path / "a.npz", "test", 4)]
    assert [*map(len, found)] == [6, 4, 4] and np.array_equal(found[0], roll(1, 6)) and parts_in(tmp_path / "a.npz") == ()


def test_what_is_no_roll_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", train=np.zeros((3, 7)))
    (found,) = read_rolls(tmp_path / "a.npz", "train", 4)
    assert isinstance(found, DataError) and "train 1 must be a roll [T, 88] or [T, 128] of numbers, got float64 [3, 7]" in str(found)
    with pytest.raises(DataError, match="has no part 'test': it has train"):
        [*read_rolls(tmp_path / "a.npz", "test", 4)]
    np.savez(tmp_path / "c.npz", train=cells(roll(1)))
    with pytest.raises(DataError, match=r"has arrays of Python objects, which are not loaded.* Save each roll as an array of numbers"):
        parts_in(tmp_path / "c.npz")
    (tmp_path / "b.mat").write_bytes(b"no")
    with pytest.raises(DataError, match="cannot be read as a file of piano rolls"):
        parts_in(tmp_path / "b.mat")
