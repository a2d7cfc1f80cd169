"""A piece with others like it, as `unrolled.inspect` looks at it."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from unrolled.data.batches import Batch, padded
from unrolled.data.codecs.music import EventCodec, FrameCodec, MusicCodec, Steps
from unrolled.data.music.events import BARS, LENGTH
from unrolled.data.music.piece import LOWEST, Piece
from unrolled.inspect.inspection_input import START, InspectionInput, Sample, draw_some, sample_of_ids
from unrolled.models import NUMBERS, NextStep

Bars = tuple[float, float]
"""The quarter notes of a bar, and of what stands before the first whole one."""

FOUR: Bars = (4.0, 0.0)

_TONES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def piece_input(
    model: NextStep, codec: MusicCodec, pieces: Sequence[Steps], whence: str, most: int, bars: Bars = FOUR
) -> InspectionInput | None:
    """The first `most` steps of the first piece, whose bars are `bars`, and some of the others; None where there is none."""
    if not pieces:
        return None
    steps = pieces[0][:most]
    more = [f"It is the first of {len(pieces):,} pieces{whence}"] if len(pieces) > 1 else []
    more += [f"These are the first {most:,} of {len(pieces[0]):,} {codec.unit}s"] if len(pieces[0]) > most else []
    device = next(model.parameters()).device
    note = ". ".join(more)
    if isinstance(codec, EventCodec):
        sample = sample_of_ids([codec.inputs(piece[:most]) for piece in pieces], f"pieces{whence}", device)
        names = [_shown(event) for event in codec.vocabulary.symbols]
        x = torch.from_numpy(np.append(codec.end, steps[steps != codec.end])).to(device)[:, None]
        symbols = (START, *(names[i] for i in x[1:, 0].tolist()))
        return InspectionInput(model, x, symbols, "event", names, note=note, sample=sample, properties=_of_events(codec, x[:, 0].tolist()))
    return InspectionInput(
        model,
        _batch(codec, [steps]).to(device),
        (START, *map(_chord, steps[:-1])),
        "frame",
        targets=torch.from_numpy(steps).to(device)[:, None],
        note=note,
        sample=_sample(codec, pieces, whence, most, device),
        properties=_of_frames(codec, len(steps), *bars),
    )


def _batch(codec: FrameCodec, pieces: Sequence[Steps]) -> Batch:
    """What is read of some pieces."""
    lengths = np.array([*map(len, pieces)], np.int64)
    x = padded(np.concatenate([codec.inputs(piece) for piece in pieces]), lengths)
    return Batch({NUMBERS: x.to(torch.get_default_dtype())}, torch.from_numpy(lengths))


def _sample(codec: FrameCodec, pieces: Sequence[Steps], whence: str, most: int, device: torch.device) -> Sample | None:
    """Some of many pieces, as far as there are several."""
    drawn, told = draw_some(np.array([min(len(piece), most) for piece in pieces], np.int64), f"pieces{whence}")
    if not len(drawn):
        return None
    x = _batch(codec, [pieces[i][:most] for i in drawn]).to(device)
    assert x.lengths is not None
    return Sample(x, x.lengths, told)


def _chord(frame: Steps) -> str:
    """The tones that sound, the lowest first."""
    return " ".join(_name(int(key) + LOWEST) for key in np.flatnonzero(frame)) or "silence"


def _name(pitch: int) -> str:
    return f"{_TONES[pitch % 12]}{pitch // 12 - 1}"


def _shown(event: str) -> str:
    """An event as a person reads it."""
    return _name(int(event[1:])) if event[0] == "n" and event[1:].isdigit() else event


def bars_of(piece: Piece) -> Bars:
    """The quarter notes of a bar of a piece, and of its pickup."""
    return piece.bar / piece.ticks, piece.pickup / piece.ticks


def _of_frames(codec: FrameCodec, steps: int, quarters: float, pickup: float) -> Mapping[str, np.ndarray]:
    """Where each step that is read stands in the bars of its piece, and in its quarter note; nothing is read before the first frame."""
    beat, bar = codec.resolution, max(round(codec.resolution * quarters), 1)
    place = np.arange(-1, steps - 1)
    in_bar = (place - round(codec.resolution * pickup)) % bar
    found = {f"the position in bars of {quarters:g} quarter notes": in_bar / bar, "the first step of such a bar": in_bar == 0}
    return {name: values.astype(float) for name, values in found.items()} | (
        {"the position in the quarter note": place % beat / beat} if beat > 1 else {}
    )


def _of_events(codec: EventCodec, ids: Sequence[int]) -> Mapping[str, np.ndarray]:
    """The quarter notes since the last bar, and whether one begins, after each event."""
    since, clock = [], 0.0
    events = [codec.vocabulary.symbols[i] for i in ids]
    for event in events:
        if event in BARS:
            clock = 0.0
        elif event.startswith(LENGTH):
            top, _, bottom = event[1:].partition("/")
            clock += int(top) / int(bottom or 1)
        since.append(clock)
    return {"the quarter notes since the bar began": np.array(since), "the bar line": np.array([float(event in BARS) for event in events])}
