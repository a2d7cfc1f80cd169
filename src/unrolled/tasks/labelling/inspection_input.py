"""A sequence with others like it, as `unrolled.inspect` looks at it."""

import numpy as np
import torch
from torch import Tensor

from unrolled.inspect.inspection_input import InspectionInput, Sample, draw_some
from unrolled.tasks.labelling.batches import Encoded
from unrolled.tasks.labelling.material import Part
from unrolled.tasks.labelling.predictor import Predictor, device_of, predict_all


def labelled_input(predictor: Predictor, part: Part, whence: str, most: int) -> InspectionInput:
    """The first sequence of a part with its labels, or else those that the network gives, and some of the others; `most` steps of each.

    `whence` says where they are from.
    """
    encoded, first = part.encoded, part.which[:1]
    codec, sequences = encoded.codec, encoded.sequences
    steps = sequences.steps(first)
    targets = encoded.tags(first)[:most] if predictor.tagged else torch.from_numpy(encoded.targets[first])
    supposed = bool((targets < 0).any())
    tokens = [sequences.table[n] for n in sequences.tokens[steps[:most]]] if len(sequences.tokens) else []
    one = f"It is the first of {len(part):,} sequences {whence}" if len(part) > 1 else ""
    cut = f"These are the first {most:,} of {len(steps):,} steps" if len(steps) > most else ""
    return InspectionInput(
        predictor.model,
        encoded.inputs(first, slice(most)).to(device_of(predictor.model)),
        tuple(tokens or map(str, range(min(len(steps), most)))),
        "step" if not tokens else "char" if codec.level == "char" else "word",
        codec.labels,
        _supposed(predictor, encoded, first)[:most] if supposed else targets,
        supposed or predictor.several,
        note=". ".join(filter(None, [one, cut])),
        sample=_sample(predictor, part, whence, most),
    )


def _sample(predictor: Predictor, part: Part, whence: str, most: int) -> Sample | None:
    """Some of many sequences, as far as there are several."""
    lengths = part.encoded.sequences.lengths[part.which]
    shorter = f", of each the first {most:,} steps" if (lengths > most).any() else ""
    which, told = draw_some(np.minimum(lengths, most), f"sequences {whence}")
    if not len(which):
        return None
    x = part.encoded.inputs(part.which[which], slice(most)).to(device_of(predictor.model))
    return Sample(x, x.lengths, told + shorter)


def _supposed(predictor: Predictor, encoded: Encoded, first: np.ndarray) -> Tensor:
    """What the network says, as targets: tags `[T, 1]`, labels `[1]`, or `[1, K]` where several may hold."""
    ((said,), _, _) = predict_all(predictor, encoded, first)
    number_of = encoded.codec.number_of
    if said.tags is not None:
        return torch.tensor([[number_of[tag]] for tag in said.tags])
    if predictor.several:
        return torch.tensor([[int(label in (said.labels or ())) for label in encoded.codec.labels]])
    return torch.tensor([number_of[label] for label in said.labels or ()])
