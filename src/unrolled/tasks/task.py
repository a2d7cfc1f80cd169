"""What the training loop runs, for every recipe: a network, how it learns from the data, and what is measured of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from unrolled.models import Arrangement
from unrolled.training import Objective
from unrolled.training.criterion import Criterion, choose
from unrolled.training.task import Measures, Tick


class Learner(Protocol):
    """How a network learns from the data; see `unrolled.training.Task`."""

    batches: int

    def begin(self, epoch: int) -> None:
        """An epoch begins."""

    def objective(self, batches: range) -> Objective:
        """The losses of the batches of one update."""

    def try_out(self) -> None:
        """One small batch, so that an engine that was named and cannot run it says so before anything is written."""

    def state_dict(self) -> dict[str, Tensor]:
        """What is carried from one batch to the next."""

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` gave."""


class Measuring(Protocol):
    """What is measured of the network on the held-out part, of which there are so many tokens (`size`); a loss is measured in a `unit`."""

    size: int
    unit: str

    @property
    def criteria(self) -> Sequence[Criterion]:
        """By which of the measures the best weights may be kept; the first one where nothing is said."""

    def require(self) -> None:
        """`ConfigError` if a library for it is missing."""

    def measure(self, tick: Tick, *, exactly: bool) -> Measures:
        """Measures by name, `held_out` the loss; `exactly` those of the weights that were kept, at the end of a run."""

    def describe(self, measures: Measures) -> str:
        """Measures in words."""

    def remarks(self, measures: Measures, best: float | None) -> Iterable[str]:
        """Sentences about exact measures that nobody should miss; `best` is the loss of the best weights on the way."""


class Task:
    """A network that learns; `summary` says what is input, what is target, and how much there is of it.

    `criterion` is the one of its measures by which the best weights are kept: that called `best_by`, or else the first. `ConfigError` for
    another name.
    """

    def __init__(
        self, name: str, model: Arrangement, learner: Learner, measuring: Measuring, summary: str, best_by: str | None = None
    ) -> None:
        self.name, self.model, self.learner, self.measuring, self.summary = name, model, learner, measuring, summary
        self.batches, self.held_out_size, self.unit = learner.batches, measuring.size, measuring.unit
        self.criterion = choose(measuring.criteria, best_by)

    def try_out(self) -> None:
        """What is missing, or cannot run, is said before anything is written."""
        self.measuring.require()
        with torch.random.fork_rng(), torch.no_grad():
            self.model.train()
            self.learner.try_out()

    def begin(self, epoch: int) -> None:
        """An epoch begins."""
        self.learner.begin(epoch)

    def objective(self, batches: range) -> Objective:
        """The losses of the batches of one update."""
        return self.learner.objective(batches)

    def evaluate(self, tick: Tick) -> Measures:
        """Measures of the held-out part."""
        return self.measuring.measure(tick, exactly=False)

    def evaluate_exactly(self, tick: Tick) -> Measures:
        """The same for the weights that were kept."""
        return self.measuring.measure(tick, exactly=True)

    def describe(self, measures: Measures) -> str:
        """Measures in words."""
        return self.measuring.describe(measures)

    def remarks(self, measures: Measures, best: float | None) -> Iterable[str]:
        """Sentences about exact measures that nobody should miss."""
        return self.measuring.remarks(measures, best)

    def state_dict(self) -> dict[str, Tensor]:
        """What is carried from one batch to the next."""
        return self.learner.state_dict()

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` gave."""
        self.learner.load_state_dict(memory)
