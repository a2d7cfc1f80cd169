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

FAR, NATS = 0.05, 0.05
"""The part, and the nats, by which the last loss may differ from the best one on the way before that is worth a word."""


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
            reset=options.reset_probability,
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
        quick = max(1, min(QUICK_STREAMS, self.held_out_size // LEAST_PART))
        resets = "" if self.model.line_end is not None else " or a higher `--reset-probability`"
        cure = f"Train longer, with a lower `--learning-rate`{resets}."
        if best is not None and found.parts != quick:
            yield (
                f"This loss is that of the held-out text read in {_counted(found.parts)}, as `unrolled evaluate` reads it. On the way it was cut "
                f"into {quick}, read side by side, which is faster: {best:.4f} nats with the same weights."
            )
        # What is no number is of no use either.
        if found.unigram is not None and not found.nats < found.unigram:
            yield (
                f"WARNING: what was learnt is of no use: each {unit} of the held-out text costs {found.nats:.4f} nats, and {found.unigram:.4f} where "
                f"it is guessed by its frequency. Samples and scores will be no better. {cure}"
            )
        elif best is not None and abs(found.nats - best) > max(FAR * best, NATS):
            yield (
                f"WARNING: {found.nats:.4f} nats per {unit} now and {best:.4f} on the way are far apart: the network does not always know how to "
                f"begin. {cure}"
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


def _counted(parts: int) -> str:
    return "one part, from its beginning" if parts == 1 else f"{parts} parts"


def _summed_loss(logits: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="sum")
