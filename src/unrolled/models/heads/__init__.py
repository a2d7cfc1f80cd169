"""What the scores of a network mean: a loss, and what is predicted."""

from unrolled.models.heads.classes import Binary, ClassHead, MultiLabel, Ordinal, Softmax
from unrolled.models.heads.crf import LinearChain, bio_constraints
from unrolled.models.heads.head import Head, SequenceHead, single

__all__ = [
    "CLASS_HEADS",
    "Binary",
    "ClassHead",
    "Head",
    "LinearChain",
    "MultiLabel",
    "Ordinal",
    "SequenceHead",
    "Softmax",
    "bio_constraints",
    "single",
]

CLASS_HEADS: dict[str, type[ClassHead]] = {"softmax": Softmax, "binary": Binary, "multi-label": MultiLabel, "ordinal": Ordinal}
"""The heads that tell classes apart, by the name that `output` takes."""
