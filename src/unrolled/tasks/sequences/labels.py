"""What the recipes for labels of sequences and for tags of their steps have in common."""

from abc import abstractmethod
from typing import Any, ClassVar, Generic

import numpy as np
import torch
from torch import Tensor

from unrolled.data.codecs import Encoded, LabelCodec
from unrolled.data.columns import Places
from unrolled.data.formats import ReadingOptions
from unrolled.extras import extra
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.mistakes import ErrorOptions
from unrolled.tasks.sequences.answers import CalibrationOptions, ConfusionOptions
from unrolled.tasks.sequences.options import LabelOptions, WindowOptions
from unrolled.tasks.sequences.reading import SequenceCodecs, SequenceData
from unrolled.tasks.sequences.recipe import SM, SO, SequenceRecipe
from unrolled.training.criterion import Criterion

ACCURACY, BALANCED_ACCURACY = Criterion("accuracy"), Criterion("balanced accuracy")
MICRO_F1, MACRO_F1 = Criterion("micro F1"), Criterion("macro F1")
ENTITY_F1, MACRO_ENTITY_F1 = Criterion("entity F1"), Criterion("macro entity F1")


class LabelRecipe(SequenceRecipe[SO, LabelCodec, SM], Generic[SO, SM]):
    """A recipe whose targets are labels or tags."""

    picture = ConfusionOptions
    evaluating: ClassVar[tuple[type, ...]] = (ReadingOptions, WindowOptions, ConfusionOptions, CalibrationOptions, ErrorOptions)

    @abstractmethod
    def counts(self, encoded: Encoded, which: Places) -> Tensor:
        """How often each label comes in some sequences, `[K]`."""

    def target(self, found: Any) -> LabelCodec:
        """Stored labels."""
        return LabelCodec.from_json(found)

    @staticmethod
    def balanced(configuration: Configuration[SO]) -> bool:
        """Whether all labels are to count the same, however rare they are."""
        options = configuration.options.data
        return isinstance(options, LabelOptions) and options.class_weights == "balanced"

    def require(self, codecs: SequenceCodecs[LabelCodec]) -> None:
        """The libraries that count."""
        extra("sklearn.metrics")
        if codecs.target.marks_spans:
            extra("seqeval.metrics")

    def weights(self, data: SequenceData[LabelCodec], configuration: Configuration[SO]) -> Tensor | None:
        """For each label what makes all of them count the same, with a mean of 1 over what is learnt, if that is asked for."""
        if not self.balanced(configuration):
            return None
        counts = self.counts(data.train.encoded, data.train.which).numpy()
        return torch.from_numpy(counts.sum() / (len(counts) * np.maximum(counts, 1))).float()
