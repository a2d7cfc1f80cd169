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
    piece = read_musicxml(score(SCORE))
    assert piece.ticks == 2 and piece.notes.tolist() == WANTED
    assert (piece.meter, piece.fifths, piece.minor, piece.tempo) == ((3, 4), -1, True, 90)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html/>", r"must be a score with parts \(score-partwise\), got <html>"),
        ("<score-partwise>", "cannot be read as MusicXML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><score-partwise/>', "declares entities"),
        (SCORE.replace("<step>C", "<step>H"), "cannot be read as MusicXML: 'H'"),
    ],
)
def test_what_is_no_score_is_named(score, text, message):
    with pytest.raises(DataError, match=message):
        read_musicxml(score(text))
