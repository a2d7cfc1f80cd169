"""Frames of keys, and files of piano rolls."""

import numpy as np
import pytest
import scipy.io

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
