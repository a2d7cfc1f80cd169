"""A sequence with others like it, as `unrolled.inspect` looks at it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.codecs import Encoded, LabelCodec
from unrolled.inspect.inspection_input import InspectionInput, Sample, draw_some
from unrolled.tasks.sequences.predictor import Predictor
from unrolled.tasks.sequences.reading import Part


def sequence_input(predictor: Predictor[Any], part: Part, whence: str, most: int, labels: Sequence[str]) -> InspectionInput:
    """The first sequence of a part with its targets, or else what the network says, and some of the others; `most` steps of each.

    `whence` says where they are from; `labels` are the names of what is predicted, if it has names.
    """
    encoded, first = part.encoded, part.which[:1]
    steps = int(encoded.dataset.lengths[first[0]])
    outputs = int(predictor.model.encoder.output_lengths(torch.tensor(min(steps, most))))
    known = bool(encoded.targets.known(first)[0])
    targets = encoded.targets_of(first) if known else _supposed(predictor, encoded, first)
    tokens, codec = encoded.dataset.tokens(int(first[0]), most), encoded.inputs.tokens
    one = f"It is the first of {len(part):,} sequences {whence}" if len(part) > 1 else ""
    cut = f"These are the first {most:,} of {steps:,} steps" if steps > most else ""
    several = isinstance(encoded.target, LabelCodec) and encoded.target.several
    return InspectionInput(
        predictor.model,
        encoded.batch(first, slice(most)).to(predictor.device),
        tuple(tokens if tokens and outputs == len(tokens) else map(str, range(outputs))),
        "step" if codec is None else "char" if codec.level == "char" else "word",
        labels,
        targets[:most] if encoded.target.target.each_step else targets,
        not known or several,
        note=". ".join(filter(None, [one, cut])),
        sample=_sample(predictor, part, whence, most),
    )


def _sample(predictor: Predictor[Any], part: Part, whence: str, most: int) -> Sample | None:
    """Some of many sequences, as far as there are several."""
    lengths = part.encoded.dataset.lengths[part.which]
    shorter = f", of each the first {most:,} steps" if (lengths > most).any() else ""
    which, told = draw_some(np.minimum(lengths, most), f"sequences {whence}")
    if not len(which):
        return None
    x = part.encoded.batch(part.which[which], slice(most)).to(predictor.device)
    assert x.lengths is not None
    return Sample(x, x.lengths, told + shorter)


def _supposed(predictor: Predictor[Any], encoded: Encoded, first: np.ndarray) -> Tensor:
    """What the network says, as targets."""
    ((said,), _, _) = predictor.predict_all(encoded, first)
    return torch.from_numpy(encoded.target.supposed(said))
