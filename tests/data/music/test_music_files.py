"""Files of music read together: what is left out is counted and named, and the rest is read."""

import numpy as np
import pytest

from unrolled.data.music.piece import Piece
from unrolled.data.music.reading import MusicReading, Tally, has_part, read_music
from unrolled.errors import UnrolledWarning
from unrolled.tasks.music.writing import write_piece

XML = """<score-partwise><part id="P"><measure><attributes><time><beats>4</beats><beat-type>{}</beat-type></time></attributes>
<note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note><note><unpitched/><duration>1</duration></note></measure></part></score-partwise>"""


def test_a_broken_file_is_left_out_and_the_first_five_are_named(tmp_path):
    for number in range(7):
        (tmp_path / f"bad{number}.npz").write_bytes(b"no")
    write_piece(Piece(np.array([[0, 4, 60, 0]]), 4, 4), tmp_path / "good.mid")
    tally = Tally()
    assert not has_part(tmp_path / "bad0.npz", "train")
    assert len([*read_music(sorted(tmp_path.iterdir()), MusicReading(4), tally)]) == 1
    with pytest.warns(UnrolledWarning, match="^7 files are left out. The first: .*bad0") as told:
        tally.warn()
    assert [f"bad{number}.npz" in str(told[0].message) for number in range(7)] == [True] * 5 + [False] * 2


@pytest.mark.parametrize("unit", [0, 3])
def test_a_meter_that_no_music_has_is_told_and_the_notes_are_kept(tmp_path, unit):
    (tmp_path / "a.musicxml").write_text(XML.format(unit))
    tally = Tally()
    (piece,) = read_music([tmp_path / "a.musicxml"], MusicReading(4), tally)
    assert piece.meter == (4, 4) and len(piece.notes) == 1
    (meter, unpitched) = sorted(tally.left.items(), key=lambda one: one[0])
    assert meter[0].startswith("meters that no music has") and f"4/{unit}" in meter[1][1][0]
    assert unpitched[0] == "notes without a pitch are left out"


def test_ties_that_lead_to_nothing_are_told(tmp_path):
    (tmp_path / "a.abc").write_text("X:1\nK:C\nC-D\n")
    tally = Tally()
    assert len([*read_music([tmp_path / "a.abc"], MusicReading(4), tally)]) == 1
    assert [*tally.left] == ["ties lead to no note of their pitch, and are passed over"]
