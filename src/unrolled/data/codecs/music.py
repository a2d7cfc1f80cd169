"""Codecs of music: pieces as frames of keys, or as events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unrolled.data.music import events
from unrolled.data.music.frames import from_frames, to_frames
from unrolled.data.music.notation import events_of
from unrolled.data.music.piece import KEYS, LOWEST, PITCH, Piece
from unrolled.data.music.theory import to_common_key
from unrolled.data.vocabulary import END, TEXTS, Vocabulary, damaged, switch

FRAMES, EVENTS = "frames", "events"
VIEWS = (FRAMES, EVENTS)
"""How a piece may be seen."""

MOST_RESOLUTION = 960
"""Steps of a quarter note, at most."""

BEGINNING = KEYS
"""The channel that is 1 before the first frame."""

Steps = NDArray[Any]
"""A piece as the network predicts it: frames `[T, 88]`, or ids of events `[T]`, of which the last is the end."""


@dataclass(frozen=True)
class FrameCodec:
    """Pieces as frames, of which a quarter note has `resolution`; with `common_key` all are moved to C major or A minor."""

    resolution: int
    common_key: bool = False

    view: ClassVar[str] = FRAMES
    unit: ClassVar[str] = "frame"

    def move(self, piece: Piece) -> int:
        """By how many semitones a piece is moved before it is encoded."""
        return to_common_key(piece, LOWEST, LOWEST + KEYS - 1) if self.common_key else 0

    def outside(self, piece: Piece) -> int:
        """How many notes of a piece lie outside the piano, once it is moved, and are left out."""
        return _outside(piece, self.move(piece), LOWEST, LOWEST + KEYS - 1)

    def encode(self, piece: Piece) -> Steps:
        """The frames of a piece."""
        return to_frames(piece.transposed(self.move(piece)), self.resolution)[0]

    def decode(self, steps: Steps, tempo: float = 120.0) -> Piece:
        """The piece of frames."""
        return from_frames(steps, self.resolution, tempo)

    def transposed(self, steps: Steps, by: int) -> Steps:
        """The same so many keys higher; as it was where the piano has not so many."""
        beyond = steps[:, KEYS - by :] if by > 0 else steps[:, : -by or 0]
        return steps if not by or beyond.any() else np.roll(steps, by, 1)

    def inputs(self, steps: Steps) -> Steps:
        """What is read before each step: the frame before it, `[T, 89]`, or the mark of a beginning."""
        found = np.zeros((len(steps), KEYS + 1), np.uint8)
        found[1:, :KEYS] = steps[:-1]
        found[:1, BEGINNING] = 1
        return found

    def notes(self, steps: Steps) -> int:
        """How many notes begin in frames."""
        return int((steps[1:] > steps[:-1]).sum() + steps[:1].sum())

    def describe(self) -> str:
        """What a step is, in words."""
        return f"which of {KEYS} keys sound in each frame, {self.resolution} of them a quarter note{_moved(self.common_key)}"

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        return {"view": self.view, "resolution": self.resolution, "common_key": self.common_key}


@dataclass(frozen=True)
class EventCodec:
    """Pieces as events of a `vocabulary`, at the nearest of `resolution` steps of a quarter note where they were not read as events."""

    resolution: int
    vocabulary: Vocabulary
    common_key: bool = False
    _moves: dict[int, Steps] = field(default_factory=dict, compare=False, repr=False)

    view: ClassVar[str] = EVENTS
    unit: ClassVar[str] = "event"
    end: ClassVar[int] = TEXTS.index(END)

    @classmethod
    def learn(cls, pieces: Iterable[Piece], resolution: int, transpose: int, *, common_key: bool) -> "EventCodec":
        """All events of some pieces, as they are and moved by up to `transpose` semitones."""
        counts: dict[str, int] = {}
        for piece in pieces:
            for event in _events(piece, resolution, to_common_key(piece) if common_key else 0):
                counts[event] = counts.get(event, 0) + 1
        moved = filter(events.is_event, {events.transposed(event, by) for event in counts for by in range(-transpose, transpose + 1)})
        return cls(resolution, Vocabulary.from_counts({**dict.fromkeys(moved, 1), **counts}, specials=TEXTS), common_key)

    @property
    def size(self) -> int:
        """How many symbols there are."""
        return self.vocabulary.size

    def move(self, piece: Piece) -> int:
        """By how many semitones a piece is moved before it is encoded."""
        return to_common_key(piece) if self.common_key else 0

    def outside(self, piece: Piece) -> int:
        """How many notes of a piece have no pitch of MIDI once it is moved, and become rests."""
        return _outside(piece, self.move(piece), 0, events.MOST_PITCH)

    def encode(self, piece: Piece) -> Steps:
        """The ids of the events of a piece, and of its end."""
        return np.append(self.vocabulary.ids(_events(piece, self.resolution, self.move(piece))), self.end)

    def decode(self, steps: Steps, tempo: float = 120.0) -> Piece:
        """The piece of ids, up to its end."""
        return events.play(self.strings(steps), tempo)

    def strings(self, steps: Steps) -> Sequence[str]:
        """The events of ids, without the end and what is not known."""
        return [self.vocabulary.symbols[i] for i in steps.tolist() if i >= len(TEXTS)]

    def transposed(self, steps: Steps, by: int) -> Steps:
        """The same so many semitones higher; as it was where a symbol of that is not known."""
        if not by:
            return steps
        if by not in self._moves:
            self._moves[by] = self.vocabulary.ids(events.transposed(event, by) for event in self.vocabulary.symbols)
            self._moves[by][self.end] = self.end
        moved = self._moves[by][steps]
        return steps if (moved == self.vocabulary.unknown).any() else moved

    def inputs(self, steps: Steps) -> Steps:
        """What is read before each step: the event before it, or the end of the piece before."""
        return np.concatenate([[self.end], steps[:-1]])

    def notes(self, steps: Steps) -> int:
        """How many notes there are."""
        return sum(event.startswith(events.NOTE) for event in self.strings(steps))

    def describe(self) -> str:
        """What a step is, in words."""
        return f"each event of {self.size:,}: notes, their lengths, rests, bars{_moved(self.common_key)}"

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        common = {"view": self.view, "resolution": self.resolution, "common_key": self.common_key}
        return {**common, "events": self.vocabulary.to_json()}


MusicCodec = FrameCodec | EventCodec


def learn_codec(view: str, resolution: int, pieces: Sequence[Piece], transpose: int = 0, *, common_key: bool = False) -> MusicCodec:
    """The codec of a view, learnt from some pieces."""
    if view == FRAMES:
        return FrameCodec(resolution, common_key)
    return EventCodec.learn(pieces, resolution, transpose, common_key=common_key)


def music_codec(found: object) -> MusicCodec:
    """The codec whose `to_json` gave this. `RunError` for something else."""
    if not isinstance(found, dict) or {*found} - {"events"} != {"view", "resolution", "common_key"} or found["view"] not in VIEWS:
        raise damaged(f"music must have 'resolution', 'common_key', and 'view' as one of {', '.join(VIEWS)}")
    resolution, common_key = found["resolution"], switch(found, "common_key")
    if type(resolution) is not int or not 1 <= resolution <= MOST_RESOLUTION:
        raise damaged(f"'resolution' must be from 1 to {MOST_RESOLUTION}, got {resolution!r}")
    if found["view"] == FRAMES:
        return FrameCodec(resolution, common_key)
    vocabulary = Vocabulary.from_json(found.get("events"), TEXTS)
    if wrong := next((event for event in vocabulary.names if not events.is_event(event)), None):
        raise damaged(f"each event must be one of music, got {wrong!r}")
    return EventCodec(resolution, vocabulary, common_key)


def _events(piece: Piece, resolution: int, by: int) -> Sequence[str]:
    """The events of a piece so many semitones higher; notes that have no pitch there are rests."""
    moved = (events.transposed(event, by) for event in events_of(piece, resolution))
    return [event if events.is_event(event) else events.REST for event in moved]


def _outside(piece: Piece, by: int, lowest: int, highest: int) -> int:
    pitches = piece.notes[:, PITCH] + by
    return int(((pitches < lowest) | (pitches > highest)).sum())


def _moved(common_key: bool) -> str:
    return "; all in C major or A minor" if common_key else ""
