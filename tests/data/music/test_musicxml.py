"""Scores in MusicXML."""

import zipfile

import pytest

from unrolled.data.music.musicxml import read_musicxml
from unrolled.errors import DataError


def note(step, octave, duration, more="", voice=1):
    return f"<note>{more}<pitch><step>{step}</step><octave>{octave}</octave></pitch><duration>{duration}</duration><voice>{voice}</voice></note>"


ATTRIBUTES = """<attributes><divisions>2</divisions><key><fifths>-1</fifths><mode>minor</mode></key>
<time><beats>3</beats><beat-type>4</beat-type></time></attributes><direction><sound tempo="90"/></direction>"""

SCORE = f"""<?xml version="1.0"?><score-partwise>
<part id="P1"><measure>{ATTRIBUTES}{note("C", 4, 2)}{note("E", 4, 2, "<chord/>")}{note("D", 4, 1, "<grace/>")}
<note><rest/><duration>2</duration></note>{note("G", 4, 2, '<tie type="start"/>')}</measure>
<measure>{note("G", 4, 3, '<tie type="stop"/>')}<backup><duration>3</duration></backup>{note("A", 3, 1, voice=2)}</measure></part>
<part id="P2"><measure><attributes><divisions>1</divisions></attributes><forward><duration>1</duration></forward>
<note><pitch><step>B</step><alter>-1</alter><octave>2</octave></pitch><duration>2</duration></note></measure></part>
</score-partwise>"""

WANTED = [[0, 2, 60, 0], [0, 2, 64, 0], [2, 6, 46, 2], [4, 9, 67, 0], [6, 7, 57, 1]]


@pytest.fixture(params=["plain", "packed"])
def score(request, tmp_path):
    def write(text):
        if request.param == "plain":
            (tmp_path / "a.musicxml").write_text(text)
            return tmp_path / "a.musicxml"
        with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
            archive.writestr("META-INF/container.xml", "<container/>")
            archive.writestr("a.xml", text)
        return tmp_path / "a.mxl"

    return write


def test_notes_of_all_parts_and_voices_are_read(score):
    piece, odd = read_musicxml(score(SCORE))
    assert piece.ticks == 2 and piece.notes.tolist() == WANTED
    assert (piece.meter, piece.fifths, piece.minor, piece.tempo) == ((3, 4), -1, True, 90) and not any(odd.values())


def test_parts_sound_as_they_are_transposed_and_odd_notes_are_counted(score):
    moved = "<transpose><chromatic>-2</chromatic><octave-change>-1</octave-change></transpose></attributes>"
    text = f"""<score-partwise><part id="P"><measure><attributes><divisions>1</divisions>{moved}{note("C", 5, 1)}
    {note("C", 5, 1, '<tie type="start"/>')}<note><rest/><duration>4</duration></note>{note("C", 5, 1, '<tie type="stop"/>')}
    <note><unpitched/><duration>1</duration></note>{note("C", 0, 1)}{note("D", 5, 1, '<tie type="start"/>')}</measure></part></score-partwise>"""
    piece, odd = read_musicxml(score(text))
    assert piece.notes[:, :3].tolist() == [[0, 1, 58], [1, 2, 58], [6, 7, 58], [9, 10, 60]]
    assert odd == {"unpitched": 1, "outside": 1, "ties": 2}


def test_tempos_hold_from_where_they_stand(score):
    text = SCORE.replace("</measure>\n<measure>", '</measure>\n<measure><direction><sound tempo="60"/></direction>', 1)
    assert read_musicxml(score(text))[0].tempos == ((0, 90), (6, 60))


def test_a_key_that_no_music_has_is_none(score):
    piece, _ = read_musicxml(score(SCORE.replace("<fifths>-1</fifths>", "<fifths>x</fifths>")))
    assert piece.fifths is None and piece.notes.tolist() == WANTED


def test_divisions_whose_product_is_too_large_are_rounded(score):
    text = "".join(
        f'<part id="P{n}"><measure><attributes><divisions>{n}</divisions></attributes>{note("C", 4, 1)}</measure></part>'
        for n in (999_983, 999_979, 999_961, 999_959)
    )
    piece, _ = read_musicxml(score(f"<score-partwise>{text}</score-partwise>"))
    assert piece.ticks == 1 << 20 and len(piece.notes) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html/>", r"must be a score with parts \(score-partwise\), got <html>"),
        ("<score-partwise>", "cannot be read as MusicXML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><score-partwise/>', "declares entities"),
        (SCORE.replace("<duration>2<", "<duration>-2<"), "a duration must be a number of at least 0, got '-2'"),
        (SCORE.replace("<duration>2<", "<duration>1e999999999<"), "a duration must be a number of at least 0, got '1e999999999'"),
        (SCORE.replace("<divisions>2<", "<divisions>0<"), "divisions must be a number above 0, got '0'"),
        (SCORE.replace("<step>C", "<step>H"), "cannot be read as MusicXML: 'H'"),
    ],
)
def test_what_is_no_score_is_named(score, text, message):
    with pytest.raises(DataError, match=message):
        read_musicxml(score(text))
