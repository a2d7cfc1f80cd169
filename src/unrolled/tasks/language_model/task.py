"""What the training loop needs to know of language modelling."""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.corpus import Corpus
from unrolled.data.streams import Streams
from unrolled.data.vocabulary import Vocabulary
from unrolled.models import LanguageModel
from unrolled.tasks.language_model.measure import Measure, measure, streams_for
from unrolled.tasks.language_model.options import NAME
from unrolled.tasks.language_model.trained import UNITS, describe
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
        self.unit = f"nats per {UNITS[corpus.vocabulary.level]}"

    def try_out(self) -> None:
        """One step of the network, so that an engine that was named and cannot run it says so before anything is written."""
        with torch.random.fork_rng(), torch.no_grad():
            self.model.train()(torch.full((1, 1), Vocabulary.end, device=self.device))

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
        """Nats, and what is usual for characters, words or events."""
        unknown, accuracy = int(measures["unknown"]), measures["accuracy"]
        found = Measure(measures["held_out"], self.held_out_size, unknown, accuracy, measures.get("accuracy_within"))
        return describe(found, self.corpus.vocabulary)

    def memory(self) -> dict[str, Tensor]:
        """The carried state."""
        return self.truncated.memory()

    def recall(self, memory: Mapping[str, Tensor]) -> None:
        """Take over a carried state."""
        self.truncated.recall(memory)


def _summed_loss(logits: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="sum")


def _measures(found: Measure) -> dict[str, float]:
    return {"held_out": found.nats, "bits": found.bits, "perplexity": found.perplexity, "unknown": found.unknown, **found.accuracies}
