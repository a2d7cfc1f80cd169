"""How fast a run's network forgets, in a few seconds."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.errors import UnrolledError
from unrolled.inspect import forgetting
from unrolled.inspect.inspection_input import InspectionInput, Sample
from unrolled.tasks.inspecting.source import held_out
from unrolled.training import RunFolder

LONGEST, MOST_STEPS = 256, 1024
"""Steps of a sequence that are read, and of all sequences together."""

LOOKED_BACK_FROM = 4
"""Steps of each sequence from which it is looked back."""

PROBES = 4
"""Random combinations of units that stand for all of them."""


def half_life(folder: RunFolder, trained: Any) -> tuple[float | None, str]:
    """The steps in which what is left of an input is halved, infinite where it does not shrink; or None, and why it cannot be measured."""
    try:
        found: InspectionInput | None = held_out(folder, trained, LONGEST)
        if found is None:
            return None, "what it held out cannot be read again: it is gone, not what it was, or large"
        value = forgetting(found.model, *_some(found), steps=LOOKED_BACK_FROM, probes=PROBES).half_life
    except UnrolledError as error:
        return None, str(error)
    return (None, "its sequences have too few steps") if value != value else (value, "")


def _some(found: InspectionInput) -> tuple[Tensor | Batch, Tensor | None]:
    """The first of the sequences that the input stands for, as far as they are not too long together."""
    sample: Sample | None = found.sample
    if sample is None:
        return found.x, None  # type: ignore[return-value]
    lengths = torch.where(sample.lengths.cumsum(0) <= MOST_STEPS, sample.lengths, 0)
    return (replace(sample.x, lengths=lengths) if isinstance(sample.x, Batch) else sample.x), lengths  # type: ignore[return-value]
