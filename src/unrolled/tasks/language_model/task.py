"""What the training loop needs to know of language modelling."""

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unrolled.data.corpus import Corpus
from unrolled.data.streams import Streams
from unrolled.data.vocabulary import Vocabulary
from unrolled.models import LanguageModel
from unrolled.tasks.language_model.measure import LEAST_PART, Measure, measure, streams_for
from unrolled.tasks.language_model.options import NAME
from unrolled.tasks.language_model.trained import UNITS, describe
from unrolled.training import Piece, StreamOptions, Truncated

QUICK_STREAMS = 64
"""Parts that the held-out text is read in while training goes on."""

FAR = 0.05
"""The part by which the last loss may be above the best one on the way before that is worth a word."""

CURE = "Train longer, with a lower `--learning-rate` or a higher `--reset-probability`."


class LanguageModelTask:
    """A network that learns to predict the next symbol of a text, streams of it side by side."""

    name = NAME

    def __init__(self, model: LanguageModel, corpus: Corpus, options: StreamOptions, device: torch.device) -> None:
        self.model, self.corpus, self.device = model.to(device), corpus, device
        self.streams = Streams(corpus.train, options.batch, options.window)
        self.truncated = Truncated(
            self.model,
            _summed_loss,
            options.window,
            options.backprop or options.window,
            initial=model.begin,
            reset=options.reset_probability or 0.0,
        )
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
        return self._measured(QUICK_STREAMS, tick)

    def score(self, measures: Mapping[str, float]) -> float:
        """The loss."""
        return measures["held_out"]

    def evaluate_exactly(self, tick: Callable[[int, int], None]) -> Mapping[str, float]:
        """The loss of the whole held-out text, as `evaluate` of the trained model gives it."""
        return self._measured(streams_for(self.held_out_size), tick)

    def describe(self, measures: Mapping[str, float]) -> str:
        """Nats, and what is usual for characters, words or events."""
        return describe(self._as_measure(measures), self.corpus.vocabulary)

    def remarks(self, measures: Mapping[str, float], best: float | None) -> Iterator[str]:
        """Whether what was learnt is of use where a text begins, as `sample` and `score` begin there, and whether that is what was measured
        on the way."""
        found, unit = self._as_measure(measures), UNITS[self.corpus.vocabulary.level]
        if best is not None and found.parts == 1 and self.held_out_size >= 2 * LEAST_PART:
            yield (
                "This loss is that of the held-out text read from its beginning in one go, as `unrolled evaluate` reads it. On the way it was cut "
                f"into parts, read side by side, which is faster: {best:.4f} nats with the same weights."
            )
        if found.unigram is not None and found.nats >= found.unigram:
            yield (
                f"WARNING: what was learnt is of no use: read from its beginning, the held-out text costs {found.nats:.4f} nats per {unit}, and "
                f"guessing each {unit} by its frequency {found.unigram:.4f}. Samples and scores will be no better. {CURE}"
            )
        elif best is not None and found.nats > best + FAR * best:
            yield (
                f"WARNING: {found.nats:.4f} nats per {unit} from the beginning are far above {best:.4f} on the way: the network does not always "
                f"know how to begin. {CURE}"
            )

    def _measured(self, streams: int, tick: Callable[[int, int], None]) -> Mapping[str, float]:
        found = measure(self.model, self.corpus.held_out, streams, tick, self.corpus.vocabulary.log_frequencies)
        return {
            "held_out": found.nats,
            "bits": found.bits,
            "perplexity": found.perplexity,
            "unknown": found.unknown,
            **found.accuracies,
            **({} if found.unigram is None else {"unigram": found.unigram}),
            "parts": found.parts,
            "lost": found.lost,
        }

    def _as_measure(self, measures: Mapping[str, float]) -> Measure:
        """What `_measured` made these numbers of."""
        return Measure(
            measures["held_out"],
            self.held_out_size,
            int(measures["unknown"]),
            measures["accuracy"],
            measures.get("accuracy_within"),
            measures.get("unigram"),
            int(measures["parts"]),
            int(measures["lost"]),
        )

    def state_dict(self) -> dict[str, Tensor]:
        """The carried state."""
        return self.truncated.state_dict()

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Take over a carried state."""
        self.truncated.load_state_dict(memory)


def _summed_loss(logits: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="sum")
