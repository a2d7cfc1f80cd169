"""Codecs of music: frames and events, moved, stored and taken back."""

import json

import numpy as np
import pytest

from unrolled.data.codecs.music import BEGINNING, learn_codec, music_codec
from unrolled.data.music.events import play
from unrolled.data.music.frames import from_frames
from unrolled.errors import RunError

TUNE = play(["M:3/4", "K:1", "n60", "=1", "n64", "=1/2", "n67", "=3/2", "|"])


def frames():
    return np.eye(88, dtype=np.uint8)[[40, 43, 43, 84]]


def test_what_is_read_before_a_frame_is_the_one_before_it_and_before_the_first_that_it_begins():
    codec = learn_codec("frames", 4, [])
    inputs = codec.inputs(frames())
    assert np.array_equal(inputs[1:, :BEGINNING], frames()[:-1]) and inputs[:, BEGINNING].tolist() == [1, 0, 0, 0]
    assert not inputs[0, :BEGINNING].any() and codec.notes(frames()) == 3
    assert np.array_equal(codec.encode(codec.decode(frames())), frames())


def test_frames_move_as_far_as_the_piano_goes():
    codec = learn_codec("frames", 4, [])
    assert codec.transposed(frames(), 3).argmax(1).tolist() == [43, 46, 46, 87]
    assert np.array_equal(codec.transposed(frames(), 4), frames())
    assert codec.transposed(frames(), -40).argmax(1).tolist() == [0, 3, 3, 44]


def test_events_know_all_keys_that_they_may_be_moved_to():
    codec = learn_codec("events", 4, [TUNE], 2)
    ids = codec.encode(TUNE)
    assert codec.strings(ids) == [*TUNE.events] and ids[-1] == codec.end and codec.inputs(ids).tolist() == [codec.end, *ids[:-1]]
    assert codec.strings(codec.transposed(ids, 2))[1:3] == ["K:3", "n62"] and codec.transposed(ids, 2)[-1] == codec.end
    assert np.array_equal(codec.transposed(ids, 3), ids) and codec.notes(ids) == 3


@pytest.mark.parametrize("view", ["frames", "events"])
def test_a_common_key_moves_pieces_before_they_are_encoded(view):
    codec = learn_codec(view, 4, [TUNE], common_key=True)
    assert codec.decode(codec.encode(TUNE)).notes[:, 2].tolist() == [65, 69, 72]


@pytest.mark.parametrize("view", ["frames", "events"])
def test_a_codec_is_stored_and_taken_back(view):
    codec = learn_codec(view, 8, [TUNE, from_frames(frames(), 4)], 1, common_key=True)
    again = music_codec(json.loads(json.dumps(codec.to_json())))
    assert again == codec and np.array_equal(again.encode(TUNE), codec.encode(TUNE))


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "music must have"),
        ({"view": "notes", "resolution": 4, "common_key": False}, "'view' as one of frames, events"),
        ({"view": "frames", "resolution": 0, "common_key": False}, "'resolution' must be from 1 to 960, got 0"),
        ({"view": "frames", "resolution": 4, "common_key": 1}, "'common_key' must be true or false"),
        ({"view": "events", "resolution": 4, "common_key": False, "events": ["n60", "x"]}, "each event must be one of music, got 'x'"),
    ],
)
def test_what_is_no_codec_is_refused(found, message):
    with pytest.raises(RunError, match=message):
        music_codec(found)
