"""Any tune and any piece, written and read again."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some

from unrolled.data.codecs.music import learn_codec, music_codec
from unrolled.data.music.abc import read_abc
from unrolled.data.music.events import BARS, ENDINGS, REST, TIE, TOGETHER, is_event, play
from unrolled.data.music.midi import read_midi
from unrolled.data.music.piece import Piece
from unrolled.tasks.music.writing import write_piece

SOUNDS = some.one_of(some.just(REST), some.integers(0, 127).map("n{}".format), some.sampled_from(["n60", "n61", "n62", "n64"]))
LENGTHS = some.sampled_from(["=1", "=1/2", "=1/3", "=1/12", "=2/5", "=3/7", "=4", "=1/16", "=1/1000"])
MARKS = some.sampled_from([[], [], [], [TIE], [TOGETHER], [TIE, TOGETHER]])
SINGLE = some.sampled_from([*BARS, *ENDINGS, "M:6/8", "M:5/64", "K:3", "K:-4m", "K:7", "K:-7"]).map(lambda event: [event])
EVENTS = some.lists(
    some.one_of(some.tuples(SOUNDS, LENGTHS, MARKS).map(lambda one: [one[0], one[1], *one[2]]), SINGLE), min_size=1, max_size=30
).map(lambda parts: [event for part in parts for event in part])


def same(piece, other):
    """Whether two pieces have the same notes, in quarter notes."""
    times = [
        sorted((Fraction(begin, one.ticks), Fraction(end, one.ticks), pitch) for begin, end, pitch, _ in one.notes.tolist())
        for one in (piece, other)
    ]
    return times[0] == times[1]


@settings(max_examples=80, deadline=None)
@given(events=EVENTS)
def test_any_events_are_the_same_notes_when_they_are_written_as_abc_and_read(events, tmp_path_factory):
    piece, path = play(events), tmp_path_factory.getbasetemp() / "round.abc"
    write_piece(piece, path)
    (again,) = read_abc(path)
    assert same(piece, again)


@settings(max_examples=40, deadline=None)
@given(events=EVENTS)
def test_any_events_are_the_same_notes_when_they_are_written_as_midi_and_read(events, tmp_path_factory):
    piece, path = play(event for event in events if event not in ("=3/7", "=2/5", "=1/1000")), tmp_path_factory.getbasetemp() / "round.mid"
    write_piece(piece, path)
    assert same(piece, read_midi(path)[0])


NOTES = some.lists(some.tuples(some.integers(0, 500), some.integers(1, 90), some.integers(0, 127)), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(notes=NOTES, fifths=some.integers(-7, 7), meter=some.sampled_from([(4, 4), (5, 64), (99, 1)]), common=some.booleans())
def test_whatever_is_learnt_can_be_loaded(notes, fifths, meter, common):
    table = np.array([(begin, begin + length, pitch, 0) for begin, length, pitch in notes], np.int64)
    piece = Piece(table, 7, 600, meter, fifths=fifths)
    codec = learn_codec("events", 960, [piece], 24, common_key=common)
    assert music_codec(codec.to_json() | {"events": {"names": [*codec.vocabulary.names], "counts": []}}) == codec
    assert all(map(is_event, codec.vocabulary.names)) and codec.notes(codec.encode(piece)) > 0
