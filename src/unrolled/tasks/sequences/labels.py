"""What the recipes for labels of sequences and for tags of their steps have in common."""

from abc import abstractmethod
from typing import Any, Generic

import numpy as np
import torch
from torch import Tensor

from unrolled.data.codecs import Encoded, LabelCodec
from unrolled.data.columns import Places
from unrolled.data.formats import ReadingOptions
from unrolled.extras import extra
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.sequences.answers import ConfusionOptions
from unrolled.tasks.sequences.options import LabelOptions, WindowOptions
from unrolled.tasks.sequences.reading import SequenceCodecs, SequenceData
from unrolled.tasks.sequences.recipe import SM, SO, SequenceRecipe
from unrolled.training.task import Measures

TIE = 1e-6
"""The part of the loss in what decides which weights are kept: enough to choose among those that are right equally often."""


class LabelRecipe(SequenceRecipe[SO, LabelCodec, SM], Generic[SO, SM]):
    """A recipe whose targets are labels or tags."""

    picture = ConfusionOptions
    evaluating = (ReadingOptions, WindowOptions, ConfusionOptions)

    @abstractmethod
    def counts(self, encoded: Encoded, which: Places) -> Tensor:
        """How often each label comes in some sequences, `[K]`."""

    def target(self, found: Any) -> LabelCodec:
        """Stored labels."""
        return LabelCodec.from_json(found)

    def badness(self, measures: Measures) -> float:
        """How much is wrong."""
        return 1 - measures["decisive"] + TIE * measures.get("held_out", 0.0)

    def require(self, codecs: SequenceCodecs[LabelCodec]) -> None:
        """The libraries that count."""
        extra("sklearn.metrics")
        if codecs.target.marks_spans:
            extra("seqeval.metrics")

    def weights(self, data: SequenceData[LabelCodec], configuration: Configuration[SO]) -> Tensor | None:
        """For each label what makes all of them count the same, with a mean of 1 over what is learnt, if that is asked for."""
        options = configuration.options.data
        if not isinstance(options, LabelOptions) or options.class_weights != "balanced":
            return None
        counts = self.counts(data.train.encoded, data.train.which).numpy()
        return torch.from_numpy(counts.sum() / (len(counts) * np.maximum(counts, 1))).float()
