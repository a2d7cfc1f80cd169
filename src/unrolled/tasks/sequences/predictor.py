"""A network that says something of sequences, and how it is asked."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import side_by_side
from unrolled.data.codecs import Encoded, TargetCodec
from unrolled.data.columns import Places
from unrolled.data.examples import Prediction
from unrolled.models import EachStep, SequenceHead, Whole
from unrolled.tasks.sequences.pieces import pieces

TC = TypeVar("TC", bound=TargetCodec)

Say = Callable[[Whole | EachStep, Tensor, Tensor, TC], list[Prediction]]
"""Makes predictions of the scores `[B, …]`, or `[T, B, …]` of steps, of sequences of some lengths `[B]`, for a codec."""


class Predictor(Generic[TC]):
    """A network, and how it is asked: whole sequences, or pieces of at most `window` steps.

    A network that reads forwards alone carries its state from one piece to the next, so that nothing changes; any other one reads `overlap`
    steps of both neighbours as well. A head that decides all steps together gets the scores of the whole sequence either way.
    """

    def __init__(self, model: Whole | EachStep, codec: TC, say: Say[TC], window: int | None = None, overlap: int = 0) -> None:
        self.model, self.codec, self.say, self.window, self.overlap = model, codec, say, window, overlap

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.model.parameters()).device

    @torch.inference_mode()
    def predict_all(
        self,
        encoded: Encoded,
        which: Places,
        tick: Callable[[int, int], None] | None = None,
        weights: Tensor | None = None,
        *,
        show: Callable[[int, Prediction], object] | None = None,
    ) -> tuple[list[Prediction], float, int]:
        """What it says of each sequence, in batches of about the same length, and the summed loss of those whose targets are known, over so
        many decisions; classes may have `weights` in it. The network should be in evaluation mode.

        To `show` is given each sequence of `encoded` with what is said of it, with the probabilities of all labels at each step, which are then forgotten.
        """
        found: dict[int, Prediction] = {}
        total, count = 0.0, 0
        for batch in side_by_side(encoded.dataset.lengths, which):
            said, loss, decisions = self._predict(encoded, batch, weights)
            for sequence, prediction in zip(batch.tolist(), said, strict=True):
                if show:
                    show(sequence, prediction)
                prediction.step_scores = None
                found[sequence] = prediction
            total, count = total + loss, count + decisions
            if tick:
                tick(len(found), len(which))
        return [found[i] for i in which.tolist()], total, count

    def _predict(self, encoded: Encoded, which: Places, weights: Tensor | None) -> tuple[list[Prediction], float, int]:
        """One batch."""
        lengths = torch.from_numpy(encoded.dataset.lengths[which]).to(self.device)
        scores = self._scores(encoded, which)
        loss, decisions = self._loss(encoded, which, scores, lengths, weights)
        return self.say(self.model, scores, lengths, self.codec), loss, decisions

    def _loss(self, encoded: Encoded, which: Places, scores: Tensor, lengths: Tensor, weights: Tensor | None) -> tuple[float, int]:
        """The summed loss of the sequences whose targets are known, and can be."""
        known = np.flatnonzero(encoded.targets.known(which))
        head = self.model.head
        if isinstance(head, SequenceHead):
            known = np.array([n for n in known if head.allows(torch.from_numpy(encoded.targets.take(which[n : n + 1])))], np.int64)
        if not len(known):
            return 0.0, 0
        targets = encoded.targets_of(which[known]).to(scores.device)
        if isinstance(self.model, Whole):
            return float(self.model.loss_of(scores[known], targets, weights=weights)), len(known)
        loss = float(self.model.loss_of(scores[: len(targets), known], targets, lengths[known], weights))
        return loss, int(encoded.decisions[which[known]].sum())

    def _scores(self, encoded: Encoded, which: Places) -> Tensor:
        """`[B, …]`, or `[T, B, …]` of steps."""
        steps = int(encoded.dataset.lengths[which].max())
        if isinstance(self.model, Whole):
            whole: Tensor = self.model(encoded.batch(which).to(self.device))
            return whole
        if self.window is None or steps <= self.window:
            scores, _ = self.model(encoded.batch(which).to(self.device))
            return scores
        return torch.cat(list(self._windows(self.model, encoded, which, steps, self.window)))

    def _windows(self, model: EachStep, encoded: Encoded, which: Places, steps: int, window: int) -> Iterator[Tensor]:
        carries, state = model.encoder.streams, None
        for span, decided in pieces(steps, window, 0 if carries else self.overlap):
            scores, after = model(encoded.batch(which, span).to(self.device), state)
            state = after if carries else None
            yield scores[decided]
