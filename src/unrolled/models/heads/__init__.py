"""What the scores of a network mean: a loss, and what is predicted."""

from unrolled.models.heads.classes import Binary, ClassHead, MultiLabel, Ordinal, Softmax
from unrolled.models.heads.counts import NegativeBinomial, ZeroInflatedNegativeBinomial
from unrolled.models.heads.crf import LinearChain, barred, best_path, bio_constraints
from unrolled.models.heads.ctc import CTC
from unrolled.models.heads.distributions import Mixture, Quantiles, StudentT
from unrolled.models.heads.head import Head, SequenceHead, single
from unrolled.models.heads.keys import IndependentKeys, JointKeys, KeysHead
from unrolled.models.heads.regression import Absolute, Distribution, Huber, Normal, NumberHead, Squared

__all__ = [
    "CLASS_HEADS",
    "CTC",
    "FORECAST_HEADS",
    "NUMBER_HEADS",
    "Absolute",
    "Binary",
    "ClassHead",
    "Distribution",
    "Head",
    "Huber",
    "IndependentKeys",
    "JointKeys",
    "KeysHead",
    "LinearChain",
    "Mixture",
    "MultiLabel",
    "NegativeBinomial",
    "Normal",
    "NumberHead",
    "Ordinal",
    "Quantiles",
    "SequenceHead",
    "Softmax",
    "Squared",
    "StudentT",
    "ZeroInflatedNegativeBinomial",
    "barred",
    "best_path",
    "bio_constraints",
    "single",
]

CLASS_HEADS: dict[str, type[ClassHead]] = {"softmax": Softmax, "binary": Binary, "multi-label": MultiLabel, "ordinal": Ordinal}
"""The heads that tell classes apart, by the name that `output` takes."""

NUMBER_HEADS: dict[str, type[NumberHead]] = {"squared": Squared, "absolute": Absolute, "huber": Huber, "normal": Normal}
"""The heads that predict numbers, by the name that `loss` takes."""

FORECAST_HEADS: dict[str, type[NumberHead]] = {
    **NUMBER_HEADS,
    "quantiles": Quantiles,
    "student-t": StudentT,
    "mixture": Mixture,
    "negative-binomial": NegativeBinomial,
    "zero-inflated": ZeroInflatedNegativeBinomial,
}
"""The heads that predict numbers over time, by the name that `loss` takes."""
