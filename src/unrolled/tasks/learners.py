"""The two ways of learning: batches of whole sequences, and windows of streams whose state is carried on."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import numpy as np
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.data.columns import Places
from unrolled.models import Arrangement, NextStep
from unrolled.training import Objective, StreamOptions, Truncated

Order = Callable[[np.random.Generator | None], list[Places]]
"""Which sequences come together in batches; shuffled with a generator. There are always as many batches."""


class Batches:
    """Whole sequences, in other batches in each epoch, the same in every run with this `seed`.

    `decisions` `[N]` says how many losses each sequence has. `get` makes a batch of some sequences, which `change` may vary in training;
    `weights` are those of classes.
    """

    def __init__(
        self,
        model: Arrangement,
        order: Order,
        decisions: Places,
        get: Callable[[Places], Batch],
        seed: int,
        *,
        weights: Tensor | None = None,
        change: Callable[[Batch], Batch] = lambda batch: batch,
    ) -> None:
        self.model, self.decisions, self.get, self.seed, self.weights, self.change = model, decisions, get, seed, weights, change
        self._order, self._device = order, next(model.parameters()).device
        self.order = order(None)
        self.batches = len(self.order)

    def begin(self, epoch: int) -> None:
        """Other batches than in the epoch before."""
        self.order = self._order(np.random.default_rng([self.seed, epoch]))

    def objective(self, batches: range) -> Objective:
        """Of all sequences of some batches, summed up batch by batch."""
        parts = [self.order[batch] for batch in batches]
        count = sum(int(self.decisions[part].sum()) for part in parts)
        return Objective(count, (self._loss(self.change(self.get(part))) for part in parts))

    def try_out(self) -> None:
        """The loss of one sequence."""
        self._loss(self.get(self.order[0][:1]))

    def _loss(self, batch: Batch) -> Tensor:
        return self.model.loss(batch.to(self._device), self.weights)[0]

    def state_dict(self) -> dict[str, Tensor]:
        """Nothing is carried from batch to batch."""
        return {}

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Nothing."""


class Windows(Protocol):
    """Parallel streams, read window by window."""

    windows: int

    def begin(self, epoch: int) -> None:
        """An epoch begins, in which they may be others."""

    def get(self, index: int) -> Batch:
        """Window `index`, with its targets."""

    def size(self, index: int) -> int:
        """The number of targets in it."""


class StreamWindows:
    """Windows of parallel streams, by truncated back-propagation through time."""

    def __init__(self, model: NextStep, streams: Windows, options: StreamOptions) -> None:
        self.model, self.streams, self.batches = model, streams, streams.windows
        self.truncated = Truncated(
            model, model.head.loss, options.window, options.backprop or options.window, initial=model.begin, reset=options.reset_probability
        )
        self._device = next(model.parameters()).device

    def begin(self, epoch: int) -> None:
        """Every stream begins anew."""
        self.streams.begin(epoch)
        self.truncated.forget()

    def objective(self, batches: range) -> Objective:
        """Of some windows of all streams."""
        return Objective(sum(map(self.streams.size, batches)), (part for window in batches for part in self._losses(window)))

    def _losses(self, number: int) -> Iterator[Tensor]:
        window = self.streams.get(number).to(self._device)
        assert window.targets is not None
        return self.truncated.losses(window[self.model.field], window.targets)

    def try_out(self) -> None:
        """One step."""
        self.model(self.streams.get(0)[self.model.field][:1, :1].to(self._device))

    def state_dict(self) -> dict[str, Tensor]:
        """The carried state."""
        return self.truncated.state_dict()

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Take over a carried state."""
        self.truncated.load_state_dict(memory)
