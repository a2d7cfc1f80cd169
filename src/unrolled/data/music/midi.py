"""MIDI files, read and written through mido."""

import io
import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from unrolled.data.formats.sheets.reading import open_seekable, telling
from unrolled.data.music.abc_keys import name_of
from unrolled.data.music.piece import BEGIN, END, NO_NOTES, PITCH, TICKS, VOICE, Piece, in_order, in_tempos
from unrolled.errors import DataError
from unrolled.extras import extra

MIDI = (".mid", ".midi", ".smf", ".kar")

DRUMS, PEDAL, DOWN = 9, 64, 64
"""The channel of drums, the controller of the sustain pedal, and the value from which on it is down."""

_KEY_SIGNATURE, _TEXT = re.compile(rb"\xff(\x59)\x02(.)(.)", re.DOTALL), 1
"""How a key is written, and the number that marks a text in its place."""

_LOUD = 80
_MICROSECONDS = 60e6
_FIFTHS = {name_of(fifths, False): fifths for fifths in range(-7, 8)}
_MINOR = {name_of(fifths, True): fifths for fifths in range(-7, 8)}
"""How many sharps the keys have that MIDI knows."""


@dataclass
class _Heard:
    """What was heard of a file so far: notes as `(begin, end, pitch, voice)`, how many never ended, and how many are of drums; each channel of each
    track has the number of its voice."""

    notes: list[tuple[int, int, int, int]] = field(default_factory=list)
    open: int = 0
    drums: int = 0
    voices: dict[tuple[int, int], int] = field(default_factory=dict)


class _Track:
    """A track that is heard message by message: which keys are down since when, which notes the pedal holds, and on which channels it is down."""

    def __init__(self, number: int, heard: _Heard, pedal: bool) -> None:
        self.number, self.heard, self.pedal, self.clock = number, heard, pedal, 0
        self.sounding: dict[tuple[int, int], deque[int]] = defaultdict(deque)
        self.held: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.down = set[int]()

    def hear(self, message: Any) -> None:
        """The next message."""
        self.clock += message.time
        if message.type == "control_change" and message.control == PEDAL and self.pedal:
            self._press(message.channel, message.value >= DOWN)
        elif message.type == "note_on" and message.velocity:
            self._begin(message.channel, message.note)
        elif message.type in ("note_on", "note_off") and self.sounding[message.channel, message.note]:
            self._release(message.channel, message.note)

    def finish(self) -> None:
        """Whatever sounds ends with the track."""
        for (channel, pitch), begins in self.sounding.items():
            self.heard.open += len(begins)
            for begin in begins:
                self._end(channel, pitch, begin)
        for channel in [*self.held]:
            self._press(channel, False)

    def _press(self, channel: int, down: bool) -> None:
        if down:
            self.down.add(channel)
            return
        self.down.discard(channel)
        for pitch, begin in self.held.pop(channel, ()):
            self._end(channel, pitch, begin)

    def _begin(self, channel: int, pitch: int) -> None:
        if channel == DRUMS:
            self.heard.drums += 1
            return
        for again in [one for one in self.held[channel] if one[0] == pitch]:
            self.held[channel].remove(again)
            self._end(channel, *again)
        self.sounding[channel, pitch].append(self.clock)

    def _release(self, channel: int, pitch: int) -> None:
        begin = self.sounding[channel, pitch].popleft()
        if channel in self.down:
            self.held[channel].append((pitch, begin))
        else:
            self._end(channel, pitch, begin)

    def _end(self, channel: int, pitch: int, begin: int) -> None:
        voice = self.heard.voices.setdefault((self.number, channel), len(self.heard.voices))
        self.heard.notes.append((begin, max(self.clock, begin + 1), pitch, voice))


def read_midi(path: Path, *, pedal: bool = False) -> tuple[Piece, dict[str, int]]:
    """The notes of a file, and how many of them were `open`, never ended, and end where their track does, or of `drums`, which are left out; and how many `keys` are none.

    Each channel of each track is a voice. With `pedal` notes sound on until the sustain pedal is lifted or the key is struck again. Meter and key are the first
    ones. What is broken is a `DataError`.
    """
    with telling(path, "MIDI"), open_seekable(path) as file:
        content = file.read()
        if not content:
            raise DataError(f"{path} is empty. Get it again.")
        content, keys = _with_known_keys(content)
        found = extra("mido").MidiFile(file=io.BytesIO(content), clip=True)
    if found.ticks_per_beat < 1:
        raise DataError(f"{path} must have ticks to a quarter note, got {found.ticks_per_beat}: its notes have no length. Export it again.")
    if found.type == 2:
        raise DataError(f"{path} has tracks that are no parts of one piece (format 2). Save it as format 1, or each track by itself.")
    heard, length = _Heard(), 0
    for number, messages in enumerate(found.tracks):
        track = _Track(number, heard, pedal)
        for message in messages:
            track.hear(message)
        track.finish()
        length = max(length, track.clock)
    notes = in_order(np.array(heard.notes, np.int64)) if heard.notes else NO_NOTES
    about = _about(found.tracks, length, found.ticks_per_beat)
    last = int(notes[:, END].max(initial=0))
    return Piece(notes, found.ticks_per_beat, last, place=str(path), **about), {"open": heard.open, "drums": heard.drums, "keys": keys}


def _with_known_keys(content: bytes) -> tuple[bytes, int]:
    """A file whose key signatures that do not exist, at which mido stops, are texts of the same bytes, and how many these are."""
    odd = [
        found.start(1)
        for found in _KEY_SIGNATURE.finditer(content)
        if abs(int.from_bytes(found[2], signed=True, byteorder="big")) > 7 or found[3] not in (b"\0", b"\1")
    ]
    changed = bytearray(content)
    for place in odd:
        changed[place] = _TEXT
    return bytes(changed), len(odd)


def _about(tracks: Any, length: int, ticks: int) -> dict[str, Any]:
    """Meter, key and tempos."""
    found: dict[str, Any] = {}
    tempos: list[tuple[int, float]] = []
    for track in tracks:
        clock = 0
        for message in track:
            clock += message.time
            if message.type == "time_signature" and "meter" not in found:
                found["meter"] = (max(message.numerator, 1), message.denominator)
            elif message.type == "key_signature" and "fifths" not in found:
                keys, found["minor"] = (_MINOR, True) if message.key in _MINOR else (_FIFTHS, False)
                found["fifths"] = keys[message.key]
            elif message.type == "set_tempo" and message.tempo:
                tempos.append((clock, _MICROSECONDS / message.tempo))
    return found | in_tempos(tempos, length)


def write_midi(piece: Piece, file: BinaryIO) -> None:
    """A file with a track for each voice, after one with meter, key and tempos."""
    mido = extra("mido")
    factor = -(-TICKS // piece.ticks)
    written = mido.MidiFile(type=1, ticks_per_beat=piece.ticks * factor)
    about = mido.MidiTrack()
    about.append(mido.MetaMessage("time_signature", numerator=piece.meter[0], denominator=piece.meter[1]))
    if piece.fifths is not None:
        keys = _MINOR if piece.minor else _FIFTHS
        about.append(mido.MetaMessage("key_signature", key=next(name for name, n in keys.items() if n == piece.fifths)))
    clock = 0
    for begin, tempo in piece.tempos or ((0, piece.tempo),):
        about.append(mido.MetaMessage("set_tempo", tempo=round(_MICROSECONDS / tempo), time=(begin - clock) * factor))
        clock = begin
    written.tracks.append(about)
    for number, voice in enumerate(np.unique(piece.notes[:, VOICE]).tolist()):
        track, clock = mido.MidiTrack(), 0
        for time, on, pitch in _changes(piece.notes[piece.notes[:, VOICE] == voice], factor):
            # Channel 10 is that of drums.
            channel = number % 15 + (number % 15 >= DRUMS)
            velocity = _LOUD if on else 0
            track.append(mido.Message("note_on" if on else "note_off", channel=channel, note=pitch, velocity=velocity, time=time - clock))
            clock = time
        track.append(mido.MetaMessage("end_of_track", time=max(piece.length * factor - clock, 0)))
        written.tracks.append(track)
    written.save(file=file)


def _changes(notes: np.ndarray, factor: int) -> Iterator[tuple[int, bool, int]]:
    """When keys go down and up; of the same time, up goes first."""
    yield from sorted(
        change
        for note in notes.tolist()
        for change in ((note[BEGIN] * factor, True, note[PITCH]), (note[END] * factor, False, note[PITCH]))
    )
