"""A recording with others like it, as `unrolled.inspect` looks at it."""

import numpy as np
import torch

from unrolled.data.columns import Places
from unrolled.data.vocabulary import END
from unrolled.decoding.alignment import follow
from unrolled.inspect.inspection_input import InspectionInput, Sample, draw_some
from unrolled.models import EncoderDecoder, Unaligned
from unrolled.tasks.transcription.reading import Utterances
from unrolled.tasks.transcription.ways import Found

BLANK = "·"
"""How the blank is shown, and an output at which nothing was written."""


@torch.inference_mode()
def utterance_input(model: Unaligned, utterances: Utterances, which: Places, whence: str, most: int) -> InspectionInput:
    """The first of some utterances, of which the network makes `most` outputs, with what it says at each of them, and some of the others.

    `whence` says where they are from.
    """
    device, span = next(model.parameters()).device, slice(most * _factor(model))
    names = _names(utterances, BLANK)
    x = utterances.encoded.batch(which[:1], span).to(device)
    said = model(x)[0].argmax(-1)
    symbols = tuple(names[symbol] for symbol in said[:, 0].tolist())
    note, sample = _note(utterances, which, whence, span), _sample(utterances, which, whence, span, device)
    return InspectionInput(model, x, symbols, "step", names, said.clone(), supposed=True, note=note, sample=sample)


@torch.inference_mode()
def written_input(model: EncoderDecoder, found: Found, utterances: Utterances, which: Places, whence: str, most: int) -> InspectionInput:
    """The same of a network that looked at the first of some utterances while it wrote what was `found`."""
    device, span = next(model.parameters()).device, slice(most * _factor(model))
    names = _names(utterances, END)
    x = utterances.encoded.batch(which[:1], span).to(device)
    written = (*(names[symbol] for symbol in found.symbols), END)
    symbols = [BLANK] * len(model.read(x).real)
    if found.weights is not None:
        for symbol, (begin, end) in zip(written, follow(found.weights), strict=False):
            symbols[begin:end] = [symbol] * len(symbols[begin:end])
    targets = torch.tensor([*found.symbols, utterances.codecs.target.blank], device=device)[:, None]
    note, sample = _note(utterances, which, whence, span), _sample(utterances, which, whence, span, device)
    return InspectionInput(model, x, tuple(symbols), "step", names, targets, written=written, note=note, sample=sample)


def _factor(model: Unaligned | EncoderDecoder) -> int:
    """Steps that make an output."""
    subsampling = model.encoder.subsampling
    return 1 if subsampling is None else subsampling.factor


def _names(utterances: Utterances, blank: str) -> list[str]:
    """What is written, by number, with a name for the blank."""
    codec = utterances.codecs.target
    return [blank if number == codec.blank else name for number, name in enumerate(codec.text.strings(range(codec.size)))]


def _note(utterances: Utterances, which: Places, whence: str, span: slice) -> str:
    """Which utterance it is, and what was left out of it."""
    place, steps = utterances.places[int(which[0])], int(utterances.lengths[which[0]])
    one = f"It is {place}, the first of {len(which):,} recordings {whence}" if len(which) > 1 else ""
    cut = f"These are the first {span.stop:,} of {steps:,} steps" if steps > span.stop else ""
    return ". ".join(filter(None, [one, cut]))


def _sample(utterances: Utterances, which: Places, whence: str, span: slice, device: torch.device) -> Sample | None:
    """Some of many utterances, as far as there are several."""
    drawn, told = draw_some(np.minimum(utterances.lengths[which], span.stop), f"recordings {whence}")
    if not len(drawn):
        return None
    x = utterances.encoded.batch(which[drawn], span).to(device)
    assert x.lengths is not None
    return Sample(x, x.lengths, told)
