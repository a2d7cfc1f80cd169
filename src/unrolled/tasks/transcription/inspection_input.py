"""A recording with others like it, as `unrolled.inspect` looks at it."""

import numpy as np
import torch

from unrolled.data.columns import Places
from unrolled.inspect.inspection_input import InspectionInput, Sample, draw_some
from unrolled.models import Unaligned
from unrolled.tasks.transcription.reading import Utterances

BLANK = "·"
"""How the blank is shown."""


@torch.inference_mode()
def utterance_input(model: Unaligned, utterances: Utterances, which: Places, whence: str, most: int) -> InspectionInput:
    """The first of some utterances, of which the network makes `most` outputs, with what it says at each of them, and some of the others.

    `whence` says where they are from.
    """
    device, first = next(model.parameters()).device, which[:1]
    factor = 1 if model.encoder.subsampling is None else model.encoder.subsampling.factor
    span = slice(most * factor)
    codec = utterances.codecs.target
    names = [BLANK if number == codec.blank else name for number, name in enumerate(codec.text.strings(range(codec.size)))]
    x = utterances.encoded.batch(first, span).to(device)
    said = model(x)[0].argmax(-1)
    place, steps = utterances.places[int(first[0])], int(utterances.lengths[first[0]])
    one = f"It is {place}, the first of {len(which):,} recordings {whence}" if len(which) > 1 else ""
    cut = f"These are the first {most * factor:,} of {steps:,} steps" if steps > most * factor else ""
    return InspectionInput(
        model,
        x,
        tuple(names[symbol] for symbol in said[:, 0].tolist()),
        "step",
        names,
        said.clone(),
        supposed=True,
        note=". ".join(filter(None, [one, cut])),
        sample=_sample(utterances, which, whence, span, device),
    )


def _sample(utterances: Utterances, which: Places, whence: str, span: slice, device: torch.device) -> Sample | None:
    """Some of many utterances, as far as there are several."""
    drawn, told = draw_some(np.minimum(utterances.lengths[which], span.stop), f"recordings {whence}")
    if not len(drawn):
        return None
    x = utterances.encoded.batch(which[drawn], span).to(device)
    assert x.lengths is not None
    return Sample(x, x.lengths, told)
