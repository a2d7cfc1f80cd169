"""What the training loop needs to know of translation."""

from collections.abc import Callable, Iterator, Mapping
from math import exp, inf
from textwrap import shorten

import numpy as np
import torch
from torch import Tensor

from unrolled.data.pairs.bitext import Bitext
from unrolled.extras import extra
from unrolled.models import EncoderDecoder
from unrolled.tasks.translation.material import Bilingual
from unrolled.tasks.translation.trained import TrainedTranslator, to_device
from unrolled.training import Piece

WRITTEN = 200
"""Held-out sources that are translated on the way, to see how it goes."""

WRITTEN_AT_LAST = 2000
"""The same at the end of a run, to say how good it is."""

SHOWN = 60
"""Characters of an example."""


class TranslationTask:
    """A network that learns to write the targets of sources."""

    name, unit = "translate", "nats per symbol"

    def __init__(self, model: EncoderDecoder, material: Bilingual, batch: int, seed: int) -> None:
        self.model, self.material, self.batch, self.seed = model, material, batch, seed
        self.translator = TrainedTranslator(model, material.knowledge)
        self.held_out = Bitext(material.held_out, material.knowledge, copy=model.copies)
        self.batches = -(-len(material.train) // batch)
        self.held_out_size = int(self.held_out.target_lengths.sum())
        self.device = next(model.parameters()).device
        self.order = material.train.order(batch)
        self.example = ""

    def try_out(self) -> None:
        """One batch, so that what is missing, or an engine that was named and cannot run it, is told before anything is written."""
        extra("sacrebleu.metrics")
        with torch.random.fork_rng(), torch.no_grad():
            self.model.train()
            self._loss(self.material.train, self.order[0][:1])

    def summary(self) -> str:
        """How many pairs there are, what was left out, and into which symbols they are cut."""
        codings, train = self.material.knowledge, self.material.train
        sizes = f"{codings.source.size:,} and {codings.target.size:,} symbols ({codings.source.level})"
        held = f"{len(self.material.held_out):,} sources held out"
        return f"{self.material.told}. {len(train):,} to learn, of {train.target_lengths.sum():,} written symbols, {held}; {sizes}"

    def begin(self, epoch: int) -> None:
        """Other batches than in the epoch before, the same in every run."""
        self.order = self.material.train.order(self.batch, np.random.default_rng([self.seed, epoch]))

    def pieces(self, batch: int) -> Iterator[Piece]:
        """The loss of one batch."""
        which = self.order[batch]
        count = int(self.material.train.target_lengths[which].sum())
        yield Piece(self._loss(self.material.train, which), count, count)

    def _loss(self, bitext: Bitext, which: np.ndarray) -> Tensor:
        return self.model.loss(*to_device(bitext.batch(which), self.device))

    def evaluate(self, tick: Callable[[int, int], None]) -> Mapping[str, float]:
        """The loss of the held-out part, and how good some translations of it are."""
        return self._measures(tick, WRITTEN)

    def evaluate_exactly(self, tick: Callable[[int, int], None]) -> Mapping[str, float]:
        """The same, of more translations."""
        return self._measures(tick, WRITTEN_AT_LAST)

    @torch.inference_mode()
    def _measures(self, tick: Callable[[int, int], None], written: int) -> Mapping[str, float]:
        total, done = 0.0, 0
        for which in self.held_out.order(self.batch):
            total += float(self._loss(self.held_out, which))
            done += len(which)
            tick(done, len(self.held_out))
        some = self.material.held_out[:: max(len(self.material.held_out) // written, 1)][:written]
        scores, texts = self.translator.score_translations(some, tick=tick)
        self.example = f"“{_short(some[0].source)}” → “{_short(texts[0])}”"
        return {
            "held_out": total / self.held_out_size,
            "bleu": scores.bleu,
            "chrf": scores.chrf,
            "exact": scores.exact,
            "written": len(some),
        }

    def score(self, measures: Mapping[str, float]) -> float:
        """The loss: it changes with every symbol, and few translations would decide by chance."""
        return measures["held_out"]

    def describe(self, measures: Mapping[str, float]) -> str:
        """Loss, translations, and one of them."""
        perplexity = exp(measures["held_out"]) if measures["held_out"] < 700 else inf
        scores = f"BLEU {measures['bleu']:.1f}, exact {measures['exact']:.2%} of {measures['written']:,.0f}"
        return f"loss {measures['held_out']:.4f} (perplexity {perplexity:.3f}), {scores}; {self.example}"

    def remarks(self, measures: Mapping[str, float], best: float | None) -> tuple[str, ...]:
        """None."""
        return ()

    def state_dict(self) -> dict[str, Tensor]:
        """Nothing is carried from batch to batch."""
        return {}

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Nothing."""


def _short(text: str) -> str:
    return shorten(text, SHOWN, placeholder="…")
