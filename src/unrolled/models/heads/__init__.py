"""What the scores of a network mean: a loss, and what is predicted."""

from unrolled.models.heads.classes import Binary, ClassHead, MultiLabel, Ordinal, Softmax
from unrolled.models.heads.crf import LinearChain, barred, best_path, bio_constraints
from unrolled.models.heads.ctc import CTC
from unrolled.models.heads.head import Head, SequenceHead, single
from unrolled.models.heads.regression import Absolute, Huber, Normal, NumberHead, Squared

__all__ = [
    "CLASS_HEADS",
    "CTC",
    "NUMBER_HEADS",
    "Absolute",
    "Binary",
    "ClassHead",
    "Head",
    "Huber",
    "LinearChain",
    "MultiLabel",
    "Normal",
    "NumberHead",
    "Ordinal",
    "SequenceHead",
    "Softmax",
    "Squared",
    "barred",
    "best_path",
    "bio_constraints",
    "single",
]

CLASS_HEADS: dict[str, type[ClassHead]] = {"softmax": Softmax, "binary": Binary, "multi-label": MultiLabel, "ordinal": Ordinal}
"""The heads that tell classes apart, by the name that `output` takes."""

NUMBER_HEADS: dict[str, type[NumberHead]] = {"squared": Squared, "absolute": Absolute, "huber": Huber, "normal": Normal}
"""The heads that predict numbers, by the name that `loss` takes."""
