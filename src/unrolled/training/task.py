"""What the training loop asks of a task, and what it gives back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from unrolled.training.criterion import Criterion

Tick = Callable[[int, int], None]
"""Is told how many steps are done of how many."""

Measures = Mapping[str, float]


@dataclass(frozen=True)
class Objective:
    """What an update makes smaller: the mean of `count` losses, however many batches they come in.

    `sums` adds up some of them at a time. A sum must be propagated back before the next is asked for: so one is in memory, and no more.
    """

    count: int
    sums: Iterator[Tensor]


class Task(Protocol):
    """What the loop knows of a task, whose model lies on its device already.

    `batches` is the number of batches in an epoch, `held_out_size` that of held-out tokens (with 0 nothing is measured, and the last
    weights are kept), `unit` what a loss is measured in.
    """

    name: str
    batches: int
    held_out_size: int
    unit: str

    @property
    def model(self) -> nn.Module:
        """The network."""

    @property
    def criterion(self) -> Criterion:
        """By which of its measures the best weights are kept."""

    def begin(self, epoch: int) -> None:
        """An epoch begins."""

    def objective(self, batches: range) -> Objective:
        """The losses of the batches of one update."""

    def evaluate(self, tick: Tick) -> Measures:
        """Measures of the held-out part, of which `held_out` is the loss."""

    def evaluate_exactly(self, tick: Tick) -> Measures:
        """The same for the weights that were kept, at the end of the run."""

    def describe(self, measures: Measures) -> str:
        """Measures in words."""

    def remarks(self, measures: Measures, best: float | None) -> Iterable[str]:
        """Sentences about the exact measures that nobody should miss; `best` is the loss of the best weights on the way."""

    def state_dict(self) -> dict[str, Tensor]:
        """What is carried from one batch to the next."""

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` gave."""


@dataclass(frozen=True)
class Outcome:
    """How a call of `train` ended: `measures` of the held-out part, empty when it was interrupted."""

    finished: bool
    measures: Measures
