"""ABC tunes: what each mark means, what cannot be read, and tunes written and read again."""

from fractions import Fraction

import numpy as np
import pytest

from unrolled.data.music.abc import read_abc
from unrolled.data.music.abc_keys import key_in, name_of
from unrolled.data.music.abc_writing import to_abc
from unrolled.data.music.events import is_event
from unrolled.errors import DataError

HEAD = "X:1\nT:A tune\nM:4/4\nL:1/4\nK:{key}\n"


@pytest.fixture
def tune(tmp_path):
    def read(music, key="C", head=HEAD):
        path = tmp_path / "a.abc"
        path.write_text(head.format(key=key) + music, encoding="utf-8")
        (found,) = read_abc(path)
        return found

    return read


def played(piece):
    """Pitches and lengths in quarter notes, in order."""
    return [(pitch, Fraction(end - begin, piece.ticks)) for begin, end, pitch, _ in piece.notes.tolist()]


def pitches(piece):
    return piece.notes[:, 2].tolist()


def test_letters_octaves_and_lengths(tune):
    found = tune("C c c' C, C2 C/ C// C3/2 z C/4")
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    assert played(found) == [(60, 1), (72, 1), (84, 1), (48, 1), (60, 2), (60, half), (60, quarter), (60, 3 * half), (60, quarter)]
    assert Fraction(int(found.notes[-1, 0]), found.ticks) == Fraction(37, 4)


@pytest.mark.parametrize(
    ("key", "music", "wanted"),
    [
        ("G", "F f =F F | F", [66, 78, 65, 65, 66]),
        ("Bb", "B E ^B B, | b", [70, 63, 72, 60, 82]),
        ("Ddor", "F B", [65, 71]),
        ("Am", "F ^G _A __B ^^c", [65, 68, 68, 69, 74]),
        ("D ^G", "G c", [68, 73]),
        ("none", "F [K:D] F", [65, 66]),
    ],
)
def test_key_signatures_and_accidentals_that_hold_until_the_bar_ends(tune, key, music, wanted):
    assert pitches(tune(music, key)) == wanted


def test_ties_join_notes_also_over_bars(tune):
    assert played(tune("C2- C2- | C2 D2")) == [(60, 6), (62, 2)]


def test_chords_are_as_long_as_their_first_note_says_and_tie_one_by_one(tune):
    found = tune("[C2E2G2] [C-E]2 [CF]")
    assert sorted(found.notes[:, :3].tolist()) == [[0, 2, 60], [0, 2, 64], [0, 2, 67], [2, 4, 64], [2, 5, 60], [4, 5, 65]]


@pytest.mark.parametrize(
    ("music", "lengths"),
    [
        ("(3CDE F", [Fraction(2, 3)] * 3 + [1]),
        ("(3:2:2C2D F", [Fraction(4, 3), Fraction(2, 3), 1]),
        ("(2CD", [Fraction(3, 2)] * 2),
        ("C>D E<F", [Fraction(3, 2), Fraction(1, 2), Fraction(1, 2), Fraction(3, 2)]),
        ("[M:6/8] (5CDEFG A", [Fraction(3, 5)] * 5 + [1]),
        ("[M:6/8] (7CDEFGAB A", [Fraction(3, 7)] * 7 + [1]),
        ("[M:9/8] (9CDEFGABcd A", [Fraction(1, 3)] * 9 + [1]),
        ("[M:3/4] (5CDEFG A", [Fraction(2, 5)] * 5 + [1]),
        ("C>>D", [Fraction(7, 4), Fraction(1, 4)]),
    ],
)
def test_tuplets_and_dotted_pairs(tune, music, lengths):
    assert [length for _, length in played(tune(music))] == lengths


@pytest.mark.parametrize(
    ("music", "wanted"),
    [
        ("|:C D:| E", "CDCDE"),
        ("C D:|E F:|", "CDCDEFEF"),
        ("|:C|1 D:|2 E|| F", "CDCEF"),
        ("|: C [1 D :| [2 E :| F", "CDCEF"),
        ("|:C::D:|", "CCDD"),
        ("|:C D", "CD"),
        ("C||:D:|", "CDD"),
    ],
)
def test_repeats_are_played(tune, music, wanted):
    assert pitches(tune(music)) == [{"C": 60, "D": 62, "E": 64, "F": 65}[letter] for letter in wanted]


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        (None, "FCDE"),
        ("ABC", "FCDE"),
        ("AB", "FCD"),
        ("A2B", "FCCD"),
        ("(AB)3.C", "FCDCDCDE"),
        ("((AB)2 C)2", "FCDCDECDCDE"),
        ("CBA", "FEDC"),
        ("A then B", "FCDE"),
    ],
)
def test_parts_are_played_in_their_order(tune, order, wanted):
    head = HEAD if order is None else HEAD.replace("K:", f"P:{order}\nK:")
    found = tune("F|\nP:A\nC|\nP:B.\nD|[P:C]E|", head=head)
    assert pitches(found) == [{"C": 60, "D": 62, "E": 64, "F": 65}[letter] for letter in wanted] and all(map(is_event, found.events))


def test_parts_without_marks_are_played_once_as_they_are_written(tune):
    assert pitches(tune("C|D|", head=HEAD.replace("K:", "P:AB\nK:"))) == [60, 62]
    assert pitches(tune("C|\nP:B\nD|", head=HEAD.replace("K:", "P:AB\nK:"))) == [60, 62]


def test_each_part_begins_in_its_own_meter_and_key_and_repeats_itself_alone(tune):
    found = tune("P:A\nF|C:|\nP:B\n[K:D][M:3/4]F|:C:|D|\n[M:4/4]", head=HEAD.replace("K:", "P:ABA\nK:"))
    assert pitches(found) == [65, 60, 65, 60, 66, 61, 61, 62, 65, 60, 65, 60]
    events = [event for event in found.events if event[0] in "MK|:"]
    first, second = ["|:", "|", ":|"], ["|:", ":|", "|", "M:4/4"]
    assert events == ["M:4/4", "K:0", *first, "M:3/4", "K:2", *second, "K:0", *first]


def test_a_line_that_ends_a_repeat_is_no_field(tune):
    assert pitches(tune("C\nd:|")) == [60, 74, 60, 74]


def test_what_has_no_notes_is_passed_over(tune):
    found = tune('"Am"C !trill!D {gab}E (F G) ~A .B % a comment\nw: la la\nV:1\nC\\\nD y`')
    assert pitches(found) == [60, 62, 64, 65, 67, 69, 71, 60, 62]


def test_the_unit_is_a_sixteenth_in_short_meters_and_else_an_eighth(tune):
    assert played(tune("C", head="X:1\nM:2/4\nK:{key}\n")) == [(60, Fraction(1, 4))]
    assert played(tune("C", head="X:1\nM:6/8\nQ:1/4=90\nK:{key}\n")) == [(60, Fraction(1, 2))]


def test_meter_tempo_and_upbeat(tune):
    found = tune("C|CDE|", head="X:1\nL:1/4\nM:3/4\nQ:1/2=60\nK:{key}\n")
    assert (found.meter, found.tempo, found.pickup) == ((3, 4), 120, found.ticks)
    assert tune("[Q:1/4=90]C|[Q:1/4=60]C").tempo == 90


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("X:1\nM:4/4\nCDE", "line 1: the tune has no K:"),
        ("X:1\nK:H\nC", "line 2: K: must be a key such as G, Am or Ddor, got 'H'"),
        ("X:1\nM:0/4\nK:C\nC", "line 2: M: must be a meter"),
        ("X:1\nL:1/0\nK:C\nC", "line 2: L: must be a note length"),
        ("X:1\nK:C\nC D/0", "line 3: a note cannot be '/0' long"),
        ("X:1\nK:C\nC\nD @E", "line 4, character 3: what '@E' means is not known"),
        ("X:1\nK:C\nC\nV:2\nC", "line 4: the tune has several voices"),
        ("X:1\nV:S\nV:B\nK:C\nC", "line 3: the tune has several voices, V:B. Only tunes of one voice"),
        ("X:1\nK:C\nC2 & E2", "line 3: & lays a second voice over the first"),
        ("X:1\nK:C\n|:C|1D:|2E:|3F|", "line 3: the ending '3' is not one of 1 and 2"),
        ("X:1\nK:C\n|:C|1,2D:|3E|", "line 3: the ending '1,2' is not one of 1 and 2"),
        ("X:1\nK:C\n|::C::|", "line 3: '|::' repeats more than once"),
        ("X:1\nP:AABB\nK:C\nC", "line 2: P:AABB plays part A, which begins nowhere in the tune. Write P:A where it begins"),
        ("X:1\nP:ABA\nK:C\nP:A\nC\nP:B\nD\nP:B\nC", "line 2: P:ABA plays part B, which begins twice"),
        ("X:1\nP:A(B\nK:C\nP:A\nC", "line 2: P:A(B is no order of parts. Write one such as AAB"),
        ("X:1\nP:A)B\nK:C\nP:A\nC", "line 2: P:A)B is no order of parts"),
        ("X:1\nP:A0\nK:C\nP:A\nC", "line 2: P:A0 is no order of parts"),
        ("X:1\nP:((A99)99)99\nK:C\nP:A\nC", "line 2: P:((A99)99)99 plays more than 1000 parts"),
        ("X:1\nK:C\nZ2000", "line 3: Z2000 must be a rest of 1 to 1000 bars"),
        ("X:1\nK:C\nZ0", "line 3: Z0 must be a rest"),
        ("X:1\nK:C clef=bass transpose=2\nC", "line 2: 'C clef=bass transpose=2' moves the notes"),
        ("X:1\nK:C\nC\nc''''''", "line 4: \"c''''''\" is no pitch that MIDI has"),
        ("X:1\nL:0/8\nK:C\nC", "line 2: L: must be a note length such as 1/8, got '0/8'"),
        ("X:1\nL:1/9999999\nK:C\nC\nC///", "line 5: a note cannot be 1/19999998 quarter notes long"),
        ("X:1\nK:C\nC\n(3:0:3CDE", "line 4: a note cannot be 0 quarter notes long"),
        ("X:1\nM:130/4\nK:C\nC", "line 2: M: must be a meter"),
        *((f"X:1\n{name}:{5000 * '1'}/{5000 * '8'}\nK:C\nC", "line 2: the number 11111111") for name in "MLQ"),
        *(
            (f"X:1\nK:C\n{mark}", "line 3: the number 99999999")
            for mark in (f"C{5000 * '9'}", f"C/{5000 * '9'}", f"(3:{5000 * '9'}CDE", f"Z{5000 * '9'}")
        ),
        ("X:1\nK:C\nC" + 5000 * "/", "line 3: a note cannot be"),
        ("X:1\nK:C\n(1C", "line 3: a tuplet must have 2 notes or more"),
    ],
)
def test_a_tune_that_cannot_be_read_is_named_with_its_line_and_the_next_is_read(tmp_path, text, message):
    path = tmp_path / "bad.abc"
    path.write_text(f"{text}\n\nX:2\nK:C\nC\n", encoding="utf-8")
    bad, good = read_abc(path)
    assert isinstance(bad, DataError) and f"bad.abc, {message}" in str(bad) and pitches(good) == [60]


def test_a_file_without_a_tune_is_named(tmp_path):
    (tmp_path / "none.abc").write_text("CDE\n")
    with pytest.raises(DataError, match=r"none\.abc has no tune in it"):
        [*read_abc(tmp_path / "none.abc")]


def test_an_empty_line_ends_a_tune(tune):
    found = tune("C D\n\nE F is no music @\n")
    assert pitches(found) == [60, 62]


def test_the_meter_is_that_at_the_first_note_in_both_files_that_are_written(tune):
    found = tune("C2|", head="X:1\nM:4/4\nK:A\nM:6/8\n")
    assert found.meter == (6, 8) and "M:6/8" in to_abc(found.events) and "M:4/4" not in to_abc(found.events)
    assert tune("C2|[M:3/4]D", head="X:1\nM:2/4\nK:C\n").meter == (2, 4)


def test_a_meter_within_a_tune_leaves_its_unit(tune):
    assert played(tune("C[M:2/4]C", head="X:1\nM:4/4\nK:C\n")) == [(60, Fraction(1, 2))] * 2


def test_the_head_of_a_file_says_meter_and_unit_of_all_its_tunes(tmp_path):
    (tmp_path / "a.abc").write_text("M:3/4\nL:1/4\n\nX:1\nK:C\nC\n\nX:2\nM:2/4\nL:1/16\nK:C\nC\n\nX:3\nK:C\nC\n")
    found = [*read_abc(tmp_path / "a.abc")]
    assert [one.meter for one in found] == [(3, 4), (2, 4), (3, 4)] and [played(one) for one in found] == [
        [(60, 1)],
        [(60, Fraction(1, 4))],
        [(60, 1)],
    ]
    (tmp_path / "b.abc").write_text("L:0/8\n\nX:1\nK:C\nC\n")
    with pytest.raises(DataError, match=r"b\.abc, line 1: L: must be a note length"):
        [*read_abc(tmp_path / "b.abc")]


@pytest.mark.parametrize(
    ("key", "head", "wanted"),
    [("C octave=-1", HEAD, 48), ("C clef=treble+8", HEAD, 72), ("C", HEAD.replace("K:", "V:1 octave=1\nK:"), 72), ("C bass", HEAD, 60)],
)
def test_octaves_of_keys_and_voices_move_the_notes(tune, key, head, wanted):
    assert pitches(tune("C", key, head)) == [wanted]


def test_rests_of_many_bars_are_as_many_bars(tune):
    found = tune("Z200|C")
    assert Fraction(int(found.notes[0, 0]), found.ticks) == 800


EVERYTHING = """X:1
M:6/8
K:Em
B|E2e Bdf|^g-g2 [GB]c'3|1 (3efg f2 =c2:|2 e6||[M:3/4][K:Bb] B,2 _d2 z2|:[CE]2- [CE]4:|
"""


def test_a_tune_that_is_written_and_read_again_is_the_same(tmp_path):
    (tmp_path / "a.abc").write_text(EVERYTHING)
    (first,) = read_abc(tmp_path / "a.abc")
    (tmp_path / "b.abc").write_text(to_abc(first.events, "Again", 90))
    (again,) = read_abc(tmp_path / "b.abc")
    assert again.events == first.events and np.array_equal(again.notes, first.notes) and again.tempo == 90


@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("fifths", range(-7, 8))
def test_keys_are_written_and_read(fifths, minor):
    assert key_in(name_of(fifths, minor)) == (fifths, minor, {})


def test_a_sign_stands_wherever_one_of_the_ways_to_read_accidentals_needs_it():
    events = "M:4/4 K:1 n66 =1/2 n65 =1/2 n65 =1/2 n77 =1/2 n66 =1/2 n78 =1/2 | n66 =1/2"
    text = to_abc(events.split())
    assert text.splitlines()[-1] == "F=F=F=f^F^f | F"
