"""What the training loop needs to know of labelling."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.data.batches import by_length
from unrolled.extras import extra
from unrolled.models import Ordinal
from unrolled.models.inputs import Inputs
from unrolled.tasks.labelling.material import Labelled, Part
from unrolled.tasks.labelling.options import BatchOptions
from unrolled.tasks.labelling.predictor import Predictor, device_of, predict_all
from unrolled.tasks.labelling.scores import Scores
from unrolled.training import Piece

TIE = 1e-6
"""The part of the loss in what decides which weights are kept: enough to choose among those that are right equally often."""


class LabellingTask:
    """A network that learns to label sequences, or their steps."""

    def __init__(
        self, name: str, predictor: Predictor, material: Labelled, options: BatchOptions, seed: int, weights: Tensor | None
    ) -> None:
        self.name, self.predictor, self.material, self.options, self.seed = name, predictor, material, options, seed
        self.device = device_of(predictor.model)
        self.weights = weights
        self.train = material.train if predictor.window is None else material.train.in_pieces(predictor.window)
        lengths = self.train.encoded.sequences.lengths
        self.batches, self.held_out_size = -(-len(self.train) // options.batch), int(self._size(material.held_out))
        self.unit = "nats per step" if predictor.tagged else "nats per sequence"
        self.order = by_length(lengths, self.train.which, options.batch)
        self.scores: Scores | None = None

    @property
    def model(self) -> nn.Module:
        """The network."""
        model: nn.Module = self.predictor.model
        return model

    def _size(self, part: Part) -> int:
        lengths = part.encoded.sequences.lengths[part.which]
        return int(lengths.sum()) if self.predictor.tagged else len(lengths)

    def try_out(self) -> None:
        """One batch, so that what is missing, or an engine that was named and cannot run it, is told before anything is written."""
        extra("sklearn.metrics")
        if self.material.knowledge.marks_spans:
            extra("seqeval.metrics")
        with torch.random.fork_rng(), torch.no_grad():
            which = self.train.which[:1]
            self.model.train()
            self.predictor.loss(self.train.encoded.inputs(which).to(self.device), self.train.encoded, which, self.weights)

    def summary(self) -> str:
        """How many sequences there are; of labels with an order also which it is, as only numbers say it; and the columns that nobody named."""
        codec = self.material.knowledge
        words = f", {codec.words.size:,} words" if codec.words else ""
        ordered = f" ({' < '.join(codec.labels)})" if isinstance(getattr(self.model, "output", None), Ordinal) else ""
        scheme = f" ({codec.scheme.upper()})" if codec.scheme and codec.marks_spans else ""
        guessed = f", columns by guess: {self.material.guessed}" if self.material.guessed else ""
        steps = int(self.train.encoded.sequences.lengths[self.train.which].sum())
        return (
            f"{len(self.material.train):,} sequences of {steps:,} steps to learn, {len(self.material.held_out):,} held out, "
            f"{len(codec.labels):,} labels{ordered}{scheme}{words}{guessed}"
        )

    def begin(self, epoch: int) -> None:
        """Other batches than in the epoch before, the same in every run."""
        chance = np.random.default_rng([self.seed, epoch])
        self.order = by_length(self.train.encoded.sequences.lengths, self.train.which, self.options.batch, chance)

    def pieces(self, batch: int) -> Iterator[Piece]:
        """The loss of one batch."""
        which = self.order[batch]
        inputs = self._varied(self.train.encoded.inputs(which)).to(self.device)
        total, count = self.predictor.loss(inputs, self.train.encoded, which, self.weights)
        yield Piece(total, count, count)

    def _varied(self, inputs: Inputs) -> Inputs:
        """Numbers with noise, and moved about, as far as that is asked for."""
        numbers = inputs.numbers
        if numbers is None or not (self.options.noise or self.options.shift):
            return inputs
        if self.options.shift:
            numbers = _moved(numbers, self.options.shift)
        return replace(inputs, numbers=numbers + self.options.noise * torch.randn_like(numbers))

    def evaluate(self, tick: Callable[[int, int], None]) -> Mapping[str, float]:
        """Scores of the held-out part, and the loss, unless none of its labels was learnt."""
        part = self.material.held_out
        found, total, count = predict_all(self.predictor, part.encoded, part.which, tick)
        scores = self.scores = self.predictor.score(part.encoded, part.which, found)
        loss = {"held_out": total / count} if count else {}
        entities = {} if scores.entity_f1 is None else {"entity_f1": scores.entity_f1}
        return {**loss, "accuracy": scores.accuracy, "macro_f1": scores.macro_f1, "decisive": scores.decisive, **entities}

    evaluate_exactly = evaluate

    def score(self, measures: Mapping[str, float]) -> float:
        """How much is wrong."""
        return 1 - measures["decisive"] + TIE * measures.get("held_out", 0.0)

    def describe(self, measures: Mapping[str, float]) -> str:
        """Loss and scores."""
        loss = f"loss {measures['held_out']:.4f}" if "held_out" in measures else "no loss, as no label there was learnt"
        return f"{loss}, {self.scores}"

    def remarks(self, measures: Mapping[str, float], best: float | None) -> tuple[str, ...]:
        """None."""
        return ()

    def state_dict(self) -> dict[str, Tensor]:
        """Nothing is carried from batch to batch."""
        return {}

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Nothing."""


def _moved(numbers: Tensor, most: int) -> Tensor:
    """Each sequence `[T, B, C]` moved by up to `most` steps and channels, with 0, the mean, where nothing was."""
    steps, batch, channels = numbers.shape
    by_steps, by_channels = torch.randint(-most, most + 1, (2, batch))
    times = torch.arange(steps)[:, None] + by_steps
    places = torch.arange(channels) + by_channels[:, None]
    inside = ((times >= 0) & (times < steps))[..., None] & ((places >= 0) & (places < channels))
    moved = numbers[times.clamp(0, steps - 1), torch.arange(batch)]
    moved = moved.gather(-1, places.clamp(0, channels - 1).expand(steps, -1, -1))
    return moved.masked_fill(~inside, 0)
