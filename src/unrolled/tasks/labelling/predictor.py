"""What a network says of sequences, and what that costs: for whole sequences, and for their steps."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import by_length
from unrolled.data.examples import Prediction, marks_spans
from unrolled.data.sequences import Numbers
from unrolled.models import Classifier, MultiLabel, Tagger
from unrolled.models.inputs import Inputs
from unrolled.tasks.labelling.batches import Encoded, pieces
from unrolled.tasks.labelling.scores import Scores, score_labels, score_tags

MEASURED_AT_ONCE = 64

Weights = Tensor | None


class Predictor(Protocol):
    """A network that labels, and how it is asked: of whole sequences, or in pieces of at most `window` steps."""

    tagged: bool
    several: bool
    window: int | None

    @property
    def model(self) -> Any:
        """The network."""

    def loss(self, inputs: Inputs, encoded: Encoded, which: Numbers, weights: Weights = None) -> tuple[Tensor, int]:
        """The summed loss of some sequences, whose labels are all known, and of how many decisions."""

    def predict(self, encoded: Encoded, which: Numbers) -> tuple[list[Prediction], float, int]:
        """What it says of each, and the summed loss of those whose labels are known, over so many decisions."""

    def score(self, encoded: Encoded, which: Numbers, found: list[Prediction]) -> Scores:
        """How well that agrees with the labels of the sequences."""


def device_of(model: torch.nn.Module) -> torch.device:
    """Where a network is."""
    return next(model.parameters()).device


@torch.inference_mode()
def predict_all(
    predictor: Predictor, encoded: Encoded, which: Numbers, tick: Callable[[int, int], None] | None = None
) -> tuple[list[Prediction], float, int]:
    """`predict` of any number of sequences, in batches of about the same length; the network should be in evaluation mode."""
    found: dict[int, Prediction] = {}
    total, count = 0.0, 0
    for batch in by_length(encoded.sequences.lengths, which, MEASURED_AT_ONCE):
        said, loss, decisions = predictor.predict(encoded, batch)
        found.update(zip(batch.tolist(), said, strict=True))
        total, count = total + loss, count + decisions
        if tick:
            tick(len(found), len(which))
    return [found[i] for i in which.tolist()], total, count


class WholeSequences:
    """One label, or several, for a sequence."""

    tagged = False
    window: int | None = None

    def __init__(self, model: Classifier) -> None:
        self.model, self.several = model, isinstance(model.output, MultiLabel)

    def loss(self, inputs: Inputs, encoded: Encoded, which: Numbers, weights: Weights = None) -> tuple[Tensor, int]:
        """The loss of one batch."""
        return self._loss(self.model(inputs), encoded, which, weights), len(which)

    def _loss(self, scores: Tensor, encoded: Encoded, which: Numbers, weights: Weights = None) -> Tensor:
        return self.model.output.loss(scores, torch.from_numpy(encoded.targets[which]).to(scores.device), weights)

    def predict(self, encoded: Encoded, which: Numbers) -> tuple[list[Prediction], float, int]:
        """One batch."""
        scores = self.model(encoded.inputs(which).to(device_of(self.model)))
        known = np.flatnonzero(encoded.targets[which].reshape(len(which), -1).min(-1) >= 0)
        loss = float(self._loss(scores[known], encoded, which[known])) if len(known) else 0.0
        chances = self.model.output.probabilities(scores)
        decided = self.model.output.decide(chances).tolist()
        names = encoded.codec.labels
        said = []
        for choice, row in zip(decided, chances.tolist(), strict=True):
            chosen = [k for k, yes in enumerate(choice) if yes] if self.several else [choice]
            said.append(
                Prediction(
                    labels=tuple(names[k] for k in chosen),
                    probabilities=tuple(row[k] for k in chosen),
                    chances=dict(zip(names, row, strict=True)),
                    several=self.several,
                )
            )
        return said, loss, len(known)

    def score(self, encoded: Encoded, which: Numbers, found: list[Prediction]) -> Scores:
        """By their labels."""
        sequences = encoded.sequences
        true = [tuple(sequences.names[n] for n in sequences.label_sets[sequences.labels[i]]) for i in which]
        return score_labels(true, [p.labels or () for p in found], several=self.several)


class Steps:
    """One tag for every step.

    With a `window` sequences are read in pieces of so many steps: a network that reads forwards alone carries its state from one to the
    next, so that nothing changes; any other one reads `overlap` steps of both neighbours as well. A conditional random field gets
    the scores of the whole sequence either way.
    """

    tagged, several = True, False

    def __init__(self, model: Tagger, window: int | None = None, overlap: int = 0) -> None:
        self.model, self.window, self.overlap = model, window, overlap

    def loss(self, inputs: Inputs, encoded: Encoded, which: Numbers, weights: Weights = None) -> tuple[Tensor, int]:
        """The loss of one batch."""
        scores, _ = self.model(inputs)
        targets = encoded.tags(which).to(scores.device)
        return self.model.loss(scores, targets, inputs.lengths, weights), int(inputs.lengths.sum())

    def predict(self, encoded: Encoded, which: Numbers) -> tuple[list[Prediction], float, int]:
        """One batch."""
        lengths = torch.from_numpy(encoded.sequences.lengths[which]).to(device_of(self.model))
        scores = self._scores(encoded, which)
        tags, _ = self.model.best(scores, lengths)
        chances = self.model.probabilities(scores, lengths).gather(-1, tags[..., None])[..., 0]
        known = [n for n, i in enumerate(which.tolist()) if self._is_known(encoded, i)]
        targets = encoded.tags(which[known]).to(scores.device)
        loss = float(self.model.loss(scores[: len(targets), known], targets, lengths[known])) if known else 0.0
        names = encoded.codec.labels
        said = [
            Prediction(tags=tuple(names[k] for k in row[:n]), probabilities=tuple(chance[:n]))
            for row, chance, n in zip(tags.T.tolist(), chances.T.tolist(), lengths.tolist(), strict=True)
        ]
        return said, loss, int(lengths[known].sum())

    def _is_known(self, encoded: Encoded, sequence: int) -> bool:
        """Whether its tags are there, are known, and are such as the network can give: else no loss can be said of them."""
        first, last = encoded.sequences.starts[sequence : sequence + 2]
        tags = encoded.targets[first:last]
        if tags.min() < 0:
            return False
        return self.model.crf is None or self.model.crf.allows(torch.from_numpy(tags))

    def _scores(self, encoded: Encoded, which: Numbers) -> Tensor:
        steps = int(encoded.sequences.lengths[which].max())
        if self.window is None or steps <= self.window:
            scores, _ = self.model(encoded.inputs(which).to(device_of(self.model)))
            return scores
        return torch.cat(list(self._windows(encoded, which, steps, self.window)))

    def _windows(self, encoded: Encoded, which: Numbers, steps: int, window: int) -> Iterator[Tensor]:
        carries, state = self.model.encoder.directions == 1, None
        for span, decided in pieces(steps, window, 0 if carries else self.overlap):
            inputs = encoded.inputs(which, span).to(device_of(self.model))
            scores, after = self.model(inputs, state)
            state = after if carries else None
            yield scores[decided]

    def score(self, encoded: Encoded, which: Numbers, found: list[Prediction]) -> Scores:
        """By their tags, and by entities where these were learnt and are what the tags of the sequences mark."""
        sequences = encoded.sequences
        spans = zip(sequences.starts[which].tolist(), sequences.starts[which + 1].tolist(), strict=True)
        true = [tuple(sequences.names[n] for n in sequences.tags[a:b]) for a, b in spans]
        return score_tags(true, [p.tags or () for p in found], spans=encoded.codec.marks_spans and marks_spans(sequences.scheme))
