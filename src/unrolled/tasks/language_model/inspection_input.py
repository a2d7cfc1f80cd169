"""A text with others like it, as `unrolled.inspect` looks at it."""

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.data.coding import Ids
from unrolled.data.tokens import TokenFile
from unrolled.data.vocabulary import EVENT, Vocabulary
from unrolled.inspect.inspection_input import START, UNITS, InspectionInput, Sample, sample_of_ids
from unrolled.models import LanguageModel

WINDOW, WINDOWS = 256, 16
"""Steps of the windows that stand for a long text, and how many there are of them."""

LOOKED_THROUGH = 1 << 18
"""Tokens that are looked through for lines."""

HELD_OUT = "held out in training"


def text_input(model: LanguageModel, vocabulary: Vocabulary, symbols: Sequence[str], most: int) -> InspectionInput:
    """The first `most` symbols of a text after the start of a line. Where lines stand alone, its lines are a sample of many."""
    ids = vocabulary.look_up(symbols[:most])
    note = f"These are the first {most:,}; there are more" if len(symbols) > most else ""
    sample = None if model.line_end is None else _lines(model, vocabulary, ids, "")
    return _inspection_input(model, vocabulary, ids, symbols[:most], note, sample)


def held_out_input(model: LanguageModel, vocabulary: Vocabulary, tokens: TokenFile, most: int) -> InspectionInput | None:
    """The beginning of the text that a run held out, from its first new line on, with windows or lines of all of it."""
    ids = tokens.read(0, min(len(tokens), 2 * most))
    ends = np.flatnonzero(ids[:most] == vocabulary.end)
    begin = int(ends[0]) + 1 if len(ends) and ends[0] + 1 < len(ids) else 0
    ids = ids[begin : begin + most]
    if not len(ids):
        return None
    sample = _windows(model, vocabulary, tokens)
    if model.line_end is not None:
        sample = _lines(model, vocabulary, tokens.read(0, min(len(tokens), LOOKED_THROUGH)), f" {HELD_OUT}")
    names = ["\n" if i == vocabulary.end else vocabulary.symbols[i] for i in ids.tolist()]
    return _inspection_input(model, vocabulary, ids, names, f"It is from the text that was {HELD_OUT}", sample)


def _inspection_input(
    model: LanguageModel, vocabulary: Vocabulary, ids: Ids, symbols: Sequence[str], note: str, sample: Sample | None
) -> InspectionInput:
    answers = ["\n" if i == vocabulary.end else name for i, name in enumerate(vocabulary.symbols)]
    x = torch.from_numpy(np.append(vocabulary.end, ids))[:, None].to(_device(model))
    return InspectionInput(model, x, (START, *symbols), vocabulary.level, answers, note=note, sample=sample)


def _lines(model: LanguageModel, vocabulary: Vocabulary, ids: Ids, whence: str) -> Sample | None:
    """Some of the lines, each from its start on."""
    lines = (line[line != vocabulary.end] for line in np.split(ids, np.flatnonzero(ids == vocabulary.end)))
    begun = [np.append(vocabulary.end, line[:WINDOW]) for line in lines if len(line)]
    return sample_of_ids(begun, f"{'cases' if vocabulary.level == EVENT else 'lines'}{whence}", _device(model))


def _windows(model: LanguageModel, vocabulary: Vocabulary, tokens: TokenFile) -> Sample | None:
    """Some windows of a text, drawn at random, in each of which the network begins anew; None of a text that is hardly longer than they."""
    if len(tokens) < 2 * WINDOW:
        return None
    starts = np.random.default_rng(0).integers(len(tokens) - WINDOW, size=WINDOWS)
    x = torch.from_numpy(np.stack([tokens.read(start, start + WINDOW) for start in starts.tolist()], 1)).to(_device(model))
    told = f"{WINDOWS} windows of {WINDOW} {UNITS[vocabulary.level]}s of the text that was {HELD_OUT}, drawn at random"
    return Sample(x, torch.full((WINDOWS,), WINDOW), told)


def _device(model: LanguageModel) -> torch.device:
    return next(model.parameters()).device
