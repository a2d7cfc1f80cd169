"""Pieces as events, and back."""

from fractions import Fraction

import numpy as np
import pytest

from unrolled.data.music.events import bars, elements, is_event, loose_ties, play, transposed, unclosed, without_loose_ties
from unrolled.data.music.frames import to_frames
from unrolled.data.music.notation import events_of, has_chords_alone
from unrolled.data.music.piece import Piece


def piece(notes, **options):
    notes = np.array(notes)
    return Piece(np.column_stack([notes, np.zeros(len(notes), int)]), 4, int(notes[:, 1].max()), **options)


def test_a_melody_is_notes_lengths_rests_and_bars():
    found = events_of(piece([[0, 4, 60], [8, 22, 62]], meter=(2, 4), fifths=1), 4)
    assert " ".join(found) == "M:2/4 K:1 n60 =1 r =1 | n62 =2 - | n62 =3/2"


def test_notes_that_sound_together_are_played_together():
    notes = [[0, 16, 40], [0, 4, 60], [4, 8, 62], [9, 16, 64]]
    found = events_of(piece(notes), 4)
    assert " ".join(found) == "M:4/4 n40 =4 & n60 =1 n62 =1 r =1/4 n64 =7/4 |"
    assert sorted((play(found).notes[:, :3] * 4 // (play(found).ticks, play(found).ticks, 4)).tolist()) == sorted(notes)


@pytest.mark.parametrize("chords", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_any_notes_are_the_same_frames_again(seed, chords):
    chance = np.random.default_rng(seed)
    begins = np.sort(chance.integers(0, 60, 40))
    notes = np.stack([begins, begins + chance.integers(1, 30, 40), chance.integers(40, 60, 40)], 1)
    given = piece(notes, meter=(3, 4), pickup=4)
    events = events_of(given, 4, chords=chords)
    assert all(map(is_event, events)) and (not chords or has_chords_alone(events))
    assert np.array_equal(to_frames(play(events), 4)[0], to_frames(given, 4)[0])
    assert all(bar.length == bar.meant for bar in bars(elements(events)) if not bar.edge)


@pytest.mark.parametrize(
    ("line", "notes", "loose"),
    [
        ("n60 =1 - n60 =1", [[0, 2, 60]], 0),
        ("n60 =1 - n62 =1 n60 =1", [[0, 1, 60], [1, 2, 62], [2, 3, 60]], 1),
        ("n60 =1 - r =9 n60 =1", [[0, 1, 60], [10, 11, 60]], 1),
        ("n60 =2 - & n62 =1 n60 =1", [[0, 1, 60], [0, 1, 62], [1, 2, 60]], 1),
        ("n60 =1 - & n62 =1 n60 =1", [[0, 2, 60], [0, 1, 62]], 0),
        ("n60 =1 -", [[0, 1, 60]], 1),
        ("|: n60 =1 - :| n60 =1", [[0, 3, 60]], 0),
    ],
)
def test_a_tie_joins_the_note_that_begins_where_the_tied_one_ends_and_no_other(line, notes, loose):
    found = play(line.split())
    assert sorted(found.notes[:, :3].tolist()) == sorted(notes) and loose_ties(line.split()) == loose
    without = [*without_loose_ties(line.split())]
    assert loose_ties(without) == 0 and np.array_equal(play(without).notes, found.notes)


def test_meter_and_key_are_those_at_the_first_sound():
    found = play(["M:4/4", "K:3", "M:6/8", "n60", "=1", "M:3/4", "K:1m"])
    assert (found.meter, found.fifths, found.minor) == ((6, 8), 3, False)


def test_what_stands_where_it_says_nothing_is_passed_over():
    found = play(["=1", "-", "n60", "n62", "=1/2", "&", "|", "r", "&"])
    assert found.notes[:, 2].tolist() == [62] and found.length == 0


def test_bars_that_are_too_short_or_too_long_are_told_from_upbeats():
    line = "M:2/4 n60 =1 | n60 =2 | n60 =3 | n60 =1 :| n60 =1 | n60 =2 ||"
    found = [*bars(elements(line.split()))]
    assert [(bar.length, bar.edge) for bar in found] == [(1, True), (2, False), (3, False), (1, True), (1, True), (2, True)]
    assert {bar.meant for bar in found} == {Fraction(2)}


def test_a_bar_after_a_double_one_without_notes_stands_at_an_edge():
    found = [*bars(elements(["M:2/4", "n60", "=2", "|", "n60", "=2", "||", "|", "n60", "=1", "|", "n60", "=2"]))]
    assert [(bar.length, bar.edge) for bar in found] == [(2, True), (2, True), (1, True), (2, True)]
    assert [bar.edge for bar in bars(elements(["M:2/4", "n60", "=2", "|", "n60", "=2", "|", "|", "n60", "=1", "|", "n60", "=2"]))] == [
        True,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("event", "by", "wanted"),
    [("n60", 3, "n63"), ("K:0", 2, "K:2"), ("K:1m", -1, "K:6m"), ("=1", 5, "=1"), ("K:0", 1, "K:-5")],
)
def test_events_are_transposed(event, by, wanted):
    assert transposed(event, by) == wanted


@pytest.mark.parametrize("text", ["n128", "n-1", "n060", "=0", "=1/0", "M:0/4", "M:3/5", "K:8", "", "n", "x"])
def test_what_is_no_event_is_known(text):
    assert not is_event(text)


@pytest.mark.parametrize(
    ("events", "count"), [("|: n60 :|", 0), ("n60 :|", 0), ("|: n60", 1), ("|: n60 :: n60", 1), ("|: n60 |: n60 :|", 1), (":: n60 ::", 1)]
)
def test_repeats_that_are_not_closed_are_counted(events, count):
    assert unclosed(events.split()) == count
