"""What the training loop needs to know of language modelling."""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.corpus import Corpus
from unrolled.data.streams import Streams
from unrolled.models import LanguageModel
from unrolled.tasks.language_model.measure import Measure, measure, streams_for
from unrolled.tasks.language_model.options import NAME
from unrolled.tasks.language_model.trained import describe
from unrolled.training import Piece, StreamOptions, Truncated

QUICK_STREAMS = 64
"""Parts that the held-out text is read in while training goes on."""


class LanguageModelTask:
    """A network that learns to predict the next symbol of a text, streams of it side by side."""

    name = NAME

    def __init__(self, model: LanguageModel, corpus: Corpus, options: StreamOptions, device: torch.device) -> None:
        self.model, self.corpus, self.device = model.to(device), corpus, device
        self.streams = Streams(corpus.train, options.batch, options.window)
        self.truncated = Truncated(self.model, _summed_loss, options.window, options.backprop or options.window)
        self.batches, self.held_out_size = self.streams.windows, len(corpus.held_out)
        self.unit = f"nats per {'character' if corpus.vocabulary.level == 'char' else 'word'}"

    def try_out(self) -> None:
        """One step of the network, so that an engine that was named and cannot run it says so before anything is written."""
        with torch.random.fork_rng(), torch.no_grad():
            self.model.train()(torch.zeros(1, 1, dtype=torch.long, device=self.device))

    def summary(self) -> str:
        """How much text there is."""
        return f"{len(self.corpus.train):,} tokens to learn, {self.held_out_size:,} held out, {self.corpus.vocabulary.size:,} symbols"

    def begin(self, epoch: int) -> None:
        """Every stream begins anew."""
        self.truncated.forget()

    def pieces(self, batch: int) -> Iterator[Piece]:
        """The losses of one window of all streams."""
        inputs, targets = self.streams.get(batch)
        return self.truncated.pieces(inputs.to(self.device), targets.to(self.device))

    def evaluate(self, tick: Callable[[int, int], None]) -> Mapping[str, float]:
        """The loss of the whole held-out text, read in parts side by side."""
        return _measures(measure(self.model, self.corpus.held_out, QUICK_STREAMS, tick))

    def score(self, measures: Mapping[str, float]) -> float:
        """The loss."""
        return measures["held_out"]

    def evaluate_exactly(self, tick: Callable[[int, int], None]) -> Mapping[str, float]:
        """The loss of the whole held-out text, as `evaluate` of the trained model gives it."""
        return _measures(measure(self.model, self.corpus.held_out, streams_for(self.held_out_size), tick))

    def describe(self, measures: Mapping[str, float]) -> str:
        """Nats, and what is usual for characters or for words."""
        return describe(Measure(measures["held_out"], self.held_out_size, int(measures["unknown"])), self.corpus.vocabulary)

    def memory(self) -> dict[str, Tensor]:
        """The carried state."""
        return self.truncated.memory()

    def recall(self, memory: Mapping[str, Tensor]) -> None:
        """Take over a carried state."""
        self.truncated.recall(memory)


def _summed_loss(logits: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="sum")


def _measures(found: Measure) -> dict[str, float]:
    return {"held_out": found.nats, "bits": found.bits, "perplexity": found.perplexity, "unknown": found.unknown}
