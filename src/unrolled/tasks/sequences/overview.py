"""What there is to learn from in sequences."""

from typing import Any

import numpy as np

from unrolled.data.codecs.labels import label_counts
from unrolled.data.dataset import TOKENS
from unrolled.data.examples import Target
from unrolled.tasks.overview import Overview
from unrolled.tasks.sequences.reading import SequenceData
from unrolled.tasks.sequences.split import repeats


def overview_of(data: SequenceData[Any], wanted: Target, summary: str) -> Overview:
    """The sequences of DATA, all of them, and how they are divided."""
    dataset, measured = data.train.encoded.dataset, data.held_out
    repeated, in_both = repeats(dataset, data.train.which, measured.encoded.dataset, measured.which)
    kind = ("tokens",) if TOKENS in dataset.columns else ("numbers",)
    return Overview(
        summary,
        dataset.lengths,
        data.inputs or dataset.channels or kind,
        data.targets or (wanted.value,),
        data.reading.left,
        {} if wanted.numbers else label_counts(dataset, np.arange(len(dataset)), wanted),
        len(data.train),
        len(measured),
        repeated,
        in_both,
    )
