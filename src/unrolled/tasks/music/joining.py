"""Given notes together with those that are drawn: what is given stays as it was."""

from dataclasses import replace
from math import lcm

import numpy as np

from unrolled.data.codecs.music import Steps
from unrolled.data.music.frames import notes_of
from unrolled.data.music.piece import BEGIN, END, PITCH, VOICE, Notes, Piece, in_order, in_tempos
from unrolled.tasks.music.options import GIVEN, voices_of
from unrolled.tasks.music.sampling import ABOVE, AROUND, BELOW

HIGHEST, BASS, ALL = GIVEN


def kept(piece: Piece, which: str) -> tuple[Piece, str]:
    """The part of a piece that is given, and where other notes may be drawn. Of the highest, or lowest, those notes above, or below, which none begins or sounds."""
    if which == ALL:
        return piece, BELOW
    if which not in (HIGHEST, BASS):
        return piece.with_voices([number - 1 for number in voices_of(which)]), AROUND
    sign = 1 if which == HIGHEST else -1
    notes = piece.notes
    outer = [
        not (((notes[:, BEGIN] <= note[BEGIN]) & (notes[:, END] > note[BEGIN]) & (sign * notes[:, PITCH] > sign * note[PITCH])).any())
        for note in notes
    ]
    return replace(piece, notes=notes[outer], events=()), BELOW if which == HIGHEST else ABOVE


def with_drawn(given: Piece, drawn: Steps, resolution: int) -> Piece:
    """A piece with the keys of frames `[T, 88]` beside its own notes, as a voice of their own."""
    voice = int(given.notes[:, VOICE].max(initial=-1)) + 1
    return _together(given, given.notes, notes_of(drawn), voice, len(drawn), resolution)


def gone_on(given: Piece, frames: Steps, begun: int, resolution: int) -> Piece:
    """A piece, of `begun` frames, and what comes after it in `frames`; notes that are still held at its end sound on."""
    found, ticks = notes_of(frames), _ticks(given, resolution)
    notes, step = given.notes.copy(), ticks // resolution
    factor = ticks // given.ticks
    for begin, end, pitch, _ in found[(found[:, BEGIN] < begun) & (found[:, END] > begun)].tolist():
        held = np.flatnonzero((notes[:, PITCH] == pitch) & (notes[:, END] * factor > begin * step))
        if len(held):
            notes[held[-1], END] = max(end * step // factor, int(notes[held[-1], END]))
    return _together(given, notes, found[found[:, BEGIN] >= begun], 0, len(frames), resolution)


def _ticks(given: Piece, resolution: int) -> int:
    return lcm(given.ticks, resolution)


def _together(given: Piece, notes: Notes, drawn: Notes, voice: int, steps: int, resolution: int) -> Piece:
    ticks = _ticks(given, resolution)
    own, more = notes.copy(), drawn.copy()
    own[:, [BEGIN, END]] *= ticks // given.ticks
    more[:, [BEGIN, END]] *= ticks // resolution
    more[:, VOICE] = voice
    length = max(steps * (ticks // resolution), int(own[:, END].max(initial=0)))
    found = replace(given, notes=in_order(np.concatenate([own, more])), ticks=ticks, length=length, events=(), place="")
    return replace(in_tempos_of(found, given), pickup=given.pickup * (ticks // given.ticks))


def in_tempos_of(piece: Piece, given: Piece) -> Piece:
    """A piece in the tempos of another one, of which the last goes on to its end."""
    if not given.tempos:
        return replace(piece, tempo=given.tempo, tempos=())
    return replace(piece, **in_tempos([(begin * piece.ticks // given.ticks, tempo) for begin, tempo in given.tempos], piece.length))
