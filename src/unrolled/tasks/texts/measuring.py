"""What is measured of a language model while it learns."""

from collections.abc import Iterator

from unrolled.data.corpus import Corpus
from unrolled.models import NextStep
from unrolled.tasks.measures.likelihood import LEAST_PART, UNITS, Likelihood, measure, streams_for
from unrolled.training.criterion import LOSS, Criterion
from unrolled.training.task import Measures, Tick

QUICK_STREAMS = 64
"""Parts that the held-out text is read in while training goes on."""

FAR, NATS = 0.05, 0.05
"""The part, and the nats, by which the last loss may differ from the best one on the way before that is worth a word."""


class TextMeasuring:
    """The likelihood of the whole held-out text: on the way read in parts side by side, in the end as `evaluate` reads it."""

    def __init__(self, model: NextStep, corpus: Corpus) -> None:
        self.model, self.corpus, self.size = model, corpus, len(corpus.held_out)
        self.level = corpus.codec.level
        self.unit = f"nats per {UNITS[self.level]}"
        right = Criterion("accuracy", "accuracy" if model.line_end is None else "accuracy_within")
        self.criteria = (LOSS, right)

    def require(self) -> None:
        """Nothing is needed."""

    def measure(self, tick: Tick, *, exactly: bool) -> Measures:
        """The loss, and what follows from it."""
        streams = streams_for(self.size) if exactly else QUICK_STREAMS
        found = measure(self.model, self.corpus.held_out, streams, tick, self.corpus.codec)
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

    def describe(self, measures: Measures) -> str:
        """Nats, and what is usual for characters, words or events."""
        return str(self._likelihood(measures))

    def remarks(self, measures: Measures, best: float | None) -> Iterator[str]:
        """Whether what was learnt is of use where a text begins, as `sample` and `score` begin there, and whether that is what was measured
        on the way."""
        found, unit = self._likelihood(measures), UNITS[self.level]
        quick = max(1, min(QUICK_STREAMS, self.size // LEAST_PART))
        resets = "" if self.model.line_end is not None else " or a higher `reset_probability`"
        cure = f"Train longer, with a lower `learning_rate`{resets}."
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

    def _likelihood(self, measures: Measures) -> Likelihood:
        """What `measure` made these numbers of."""
        return Likelihood(
            measures["held_out"],
            self.size,
            int(measures["unknown"]),
            measures["accuracy"],
            measures.get("accuracy_within"),
            measures.get("unigram"),
            int(measures["parts"]),
            int(measures["lost"]),
            self.level,
        )


def _counted(parts: int) -> str:
    return "one part, from its beginning" if parts == 1 else f"{parts} parts"
