"""A text with others like it, as `unrolled.inspect` looks at it."""

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.data.codecs import TextCodec
from unrolled.data.codecs.text import EVENT
from unrolled.data.columns import Elements
from unrolled.data.vocabulary import Ids
from unrolled.inspect.inspection_input import START, UNITS, InspectionInput, Sample, sample_of_ids
from unrolled.models import NextStep

WINDOW, WINDOWS = 256, 16
"""Steps of the windows that stand for a long text, and how many there are of them."""

LOOKED_THROUGH = 1 << 18
"""Tokens that are looked through for lines."""

HELD_OUT = "held out in training"


def text_input(model: NextStep, codec: TextCodec, symbols: Sequence[str], most: int) -> InspectionInput:
    """The first `most` symbols of a text after the start of a line. Where lines stand alone, its lines are a sample of many."""
    ids = codec.look_up(symbols[:most])
    note = f"These are the first {most:,}; there are more" if len(symbols) > most else ""
    sample = None if model.line_end is None else _lines(model, codec, ids, "")
    return _inspection_input(model, codec, ids, symbols[:most], note, sample)


def held_out_input(model: NextStep, codec: TextCodec, tokens: Elements, most: int) -> InspectionInput | None:
    """The beginning of the text that a run held out, from its first new line on, with windows or lines of all of it."""
    ids = tokens.read(0, min(len(tokens), 2 * most)).astype(np.int64)
    ends = np.flatnonzero(ids[:most] == codec.end)
    begin = int(ends[0]) + 1 if len(ends) and ends[0] + 1 < len(ids) else 0
    ids = ids[begin : begin + most]
    if not len(ids):
        return None
    sample = _windows(model, codec, tokens)
    if model.line_end is not None:
        sample = _lines(model, codec, tokens.read(0, min(len(tokens), LOOKED_THROUGH)).astype(np.int64), f" {HELD_OUT}")
    return _inspection_input(model, codec, ids, codec.strings(ids), f"It is from the text that was {HELD_OUT}", sample)


def _inspection_input(
    model: NextStep, codec: TextCodec, ids: Ids, symbols: Sequence[str], note: str, sample: Sample | None
) -> InspectionInput:
    answers = codec.strings(range(codec.size))
    x = torch.from_numpy(np.append(codec.end, ids))[:, None].to(_device(model))
    return InspectionInput(model, x, (START, *symbols), codec.level, answers, note=note, sample=sample)


def _lines(model: NextStep, codec: TextCodec, ids: Ids, whence: str) -> Sample | None:
    """Some of the lines, each from its start on."""
    lines = (line[line != codec.end] for line in np.split(ids, np.flatnonzero(ids == codec.end)))
    begun = [np.append(codec.end, line[:WINDOW]) for line in lines if len(line)]
    return sample_of_ids(begun, f"{'cases' if codec.level == EVENT else 'lines'}{whence}", _device(model))


def _windows(model: NextStep, codec: TextCodec, tokens: Elements) -> Sample | None:
    """Some windows of a text, drawn at random, in each of which the network begins anew; None of a text that is hardly longer than they."""
    if len(tokens) < 2 * WINDOW:
        return None
    starts = np.random.default_rng(0).integers(len(tokens) - WINDOW, size=WINDOWS)
    x = torch.from_numpy(np.stack([tokens.read(start, start + WINDOW).astype(np.int64) for start in starts.tolist()], 1)).to(_device(model))
    told = f"{WINDOWS} windows of {WINDOW} {UNITS[codec.level]}s of the text that was {HELD_OUT}, drawn at random"
    return Sample(x, torch.full((WINDOWS,), WINDOW), told)


def _device(model: NextStep) -> torch.device:
    return next(model.parameters()).device
