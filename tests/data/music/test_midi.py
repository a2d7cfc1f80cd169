"""MIDI files: written by mido or byte by byte, read again, and what is broken in them."""

import io
import struct
from dataclasses import replace

import mido
import numpy as np
import pytest

from unrolled.data.music.midi import read_midi, write_midi
from unrolled.data.music.piece import Piece
from unrolled.errors import DataError


def on(note, time=0, channel=0, velocity=70):
    return mido.Message("note_on", note=note, time=time, channel=channel, velocity=velocity)


def off(note, time=0, channel=0):
    return mido.Message("note_off", note=note, time=time, channel=channel)


def pedal(value, time=0):
    return mido.Message("control_change", control=64, value=value, time=time)


@pytest.fixture
def midi(tmp_path):
    def write(*tracks, ticks=4, **options):
        file = mido.MidiFile(ticks_per_beat=ticks, **options)
        file.tracks += [mido.MidiTrack(track) for track in tracks]
        file.save(tmp_path / "a.mid")
        return tmp_path / "a.mid"

    return write


def test_each_channel_of_each_track_is_a_voice(midi):
    piece, odd = read_midi(midi([on(60), on(64, channel=1), off(60, 4), off(64, 4, 1)], [on(40, 2), off(40, 2)]))
    assert piece.notes.tolist() == [[0, 4, 60, 0], [0, 8, 64, 1], [2, 4, 40, 2]]
    assert (piece.ticks, piece.length, odd) == (4, 8, {"open": 0, "drums": 0, "keys": 0})


def test_a_note_of_no_loudness_ends_one_and_the_first_of_two_ends_first(midi):
    piece, _ = read_midi(midi([on(60), on(60, 2), on(60, 1, velocity=0), off(60, 3)]))
    assert piece.notes.tolist() == [[0, 3, 60, 0], [2, 6, 60, 0]]


def test_notes_that_never_end_end_with_their_track_and_drums_are_left_out(midi):
    piece, odd = read_midi(midi([on(60), on(36, channel=9), off(36, 2, 9), mido.MetaMessage("end_of_track", time=6)]))
    assert piece.notes.tolist() == [[0, 8, 60, 0]] and odd == {"open": 1, "drums": 1, "keys": 0}


def test_the_pedal_holds_notes_until_it_is_lifted_or_their_key_is_struck_again(midi):
    path = midi([pedal(127), on(60), on(62), off(60, 1), off(62), on(60, 3), pedal(0, 2), off(60, 1)])
    assert read_midi(path)[0].notes[:, :3].tolist() == [[0, 1, 60], [0, 1, 62], [4, 7, 60]]
    assert read_midi(path, pedal=True)[0].notes[:, :3].tolist() == [[0, 4, 60], [0, 6, 62], [4, 7, 60]]


def test_meter_key_and_both_tempos_of_two_are_read(midi):
    head = [
        mido.MetaMessage("time_signature", numerator=3, denominator=4),
        mido.MetaMessage("key_signature", key="Gm"),
        mido.MetaMessage("set_tempo", tempo=500_000),
        mido.MetaMessage("set_tempo", tempo=1_000_000, time=12),
    ]
    piece, _ = read_midi(midi(head, [on(60), off(60, 16)]))
    # Three quarter notes of half a second, and one of a whole.
    assert (piece.meter, piece.fifths, piece.minor) == ((3, 4), -2, True) and piece.tempo == pytest.approx(4 / 2.5 * 60)
    assert piece.tempos == ((0, 120), (12, 60)) and piece.seconds([0, 4, 12, 14, 16]).tolist() == pytest.approx([0, 0.5, 1.5, 2, 2.5])


def tempo(microseconds, time=0):
    return mido.MetaMessage("set_tempo", tempo=microseconds, time=time)


@pytest.mark.parametrize(
    ("tempos", "wanted"),
    [
        ([tempo(1_000_000, 8)], ((0, 120), (8, 60))),
        ([tempo(1_000_000), tempo(1_000_000, 8)], ()),
        ([tempo(300_000), tempo(1_000_000), tempo(500_000, 4), tempo(250_000, 4)], ((0, 60), (4, 120), (8, 240))),
    ],
)
def test_a_tempo_holds_until_the_next_and_the_usual_one_until_the_first(midi, tempos, wanted):
    piece, _ = read_midi(midi(tempos, [on(60), off(60, 16)]))
    assert piece.tempos == wanted and (wanted or piece.tempo == 60)


def raw(tmp_path, division, track, kind=0):
    body = track + b"\x00\xff\x2f\x00"
    (tmp_path / "r.mid").write_bytes(b"MThd" + struct.pack(">IHHH", 6, kind, 1, division) + b"MTrk" + struct.pack(">I", len(body)) + body)
    return tmp_path / "r.mid"


def test_running_status_and_values_that_are_too_large_are_read(tmp_path):
    piece, _ = read_midi(raw(tmp_path, 2, b"\x00\x90\x3c\x40\x02\x3c\x00\x00\x3e\xff\x02\x3e\x00"))
    assert piece.notes[:, :3].tolist() == [[0, 2, 60], [2, 4, 62]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"MThd\x00\x00", "cannot be read as MIDI"),
        (b"no midi at all", "cannot be read as MIDI"),
    ],
)
def test_broken_files_are_named(tmp_path, content, message):
    path = tmp_path / "broken.mid"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"broken\.mid {message}"):
        read_midi(path)


@pytest.mark.parametrize(("division", "shown"), [(0, "0"), (0xE728, "-6360")])
def test_files_whose_notes_have_no_length_in_beats_are_named(tmp_path, division, shown):
    with pytest.raises(DataError, match=f"must have ticks to a quarter note, got {shown}"):
        read_midi(raw(tmp_path, division, b"\x00\x90\x3c\x40\x02\x3c\x00"))


def test_tracks_that_are_no_parts_of_one_piece_are_named(tmp_path):
    with pytest.raises(DataError, match="format 2"):
        read_midi(raw(tmp_path, 4, b"\x00\x90\x3c\x40\x02\x3c\x00", kind=2))


@pytest.mark.parametrize(("key", "count", "fifths"), [(b"\x09\x00", 1, None), (b"\x02\x07", 1, None), (b"\xfe\x00", 0, -2)])
def test_a_key_that_no_music_has_leaves_the_notes(tmp_path, key, count, fifths):
    piece, odd = read_midi(raw(tmp_path, 2, b"\x00\xff\x59\x02" + key + b"\x00\x90\x3c\x40\x02\x3c\x00"))
    assert piece.notes[:, :3].tolist() == [[0, 2, 60]] and odd["keys"] == count and piece.fifths == fifths


def test_many_voices_pass_over_the_channel_of_drums(tmp_path):
    notes = np.array([[voice, voice + 1, 60 + voice, voice] for voice in range(20)])
    (tmp_path / "w.mid").write_bytes(_written(Piece(notes, 4, 20)))
    again, odd = read_midi(tmp_path / "w.mid")
    assert again.notes[:, 2].tolist() == notes[:, 2].tolist() and odd["drums"] == 0


def test_what_is_written_is_read_again(tmp_path):
    notes = np.array([[0, 1, 36, 1], [0, 3, 60, 0], [1, 2, 36, 1], [3, 5, 72, 0]])
    piece = Piece(notes, 4, 8, (6, 8), fifths=-3, minor=True, tempo=96)
    (tmp_path / "w.mid").write_bytes(_written(piece))
    again, _ = read_midi(tmp_path / "w.mid")
    (tmp_path / "t.mid").write_bytes(_written(replace(piece, tempos=((0, 60.0), (2, 100.0), (6, 40.0)))))
    timed = mido.MidiFile(tmp_path / "t.mid")
    assert read_midi(tmp_path / "t.mid")[0].tempos == ((0, 60), (2 * timed.ticks_per_beat // 4, 100), (6 * timed.ticks_per_beat // 4, 40))
    assert timed.length == pytest.approx(0.5 + 0.6 + 0.75)
    assert (again.notes[:, :3] / (again.ticks / 4, again.ticks / 4, 1)).tolist() == notes[:, :3].tolist()
    assert (again.meter, again.fifths, again.minor, round(again.tempo, 3)) == ((6, 8), -3, True, 96)


def _written(piece):
    file = io.BytesIO()
    write_midi(piece, file)
    return file.getvalue()
