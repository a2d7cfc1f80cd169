"""What is measured of a network that writes, while it learns."""

from math import exp, inf, isfinite

import torch

from unrolled.data.bitext import Bitext
from unrolled.extras import extra
from unrolled.models import EncoderDecoder
from unrolled.tasks.translation.reading import PairData, shown
from unrolled.tasks.translation.trained import TrainedTranslator
from unrolled.training.criterion import LOSS, Criterion
from unrolled.training.task import Measures, Tick

WRITTEN = 200
"""Held-out sources that are translated on the way, to see how it goes."""

WRITTEN_AT_LAST = 2000
"""The same at the end of a run, to say how good it is."""


class TranslationMeasuring:
    """The loss of the held-out part, and how good some translations of it are."""

    unit = "nats per symbol"
    # The loss first: it changes with every symbol, and few translations would decide by chance.
    criteria = (LOSS, Criterion("BLEU"), Criterion("chrF"), Criterion("exact"))

    def __init__(self, model: EncoderDecoder, data: PairData, batch: int) -> None:
        self.translator, self.data, self.batch = TrainedTranslator(model, data.codecs), data, batch
        self.held_out = Bitext(data.held_out, data.codecs, copy=model.copies)
        self.size = int(self.held_out.target_lengths.sum())
        self.example = ""

    def require(self) -> None:
        """The library that scores texts."""
        extra("sacrebleu.metrics")

    @torch.inference_mode()
    def measure(self, tick: Tick, *, exactly: bool) -> Measures:
        """The loss of all, and scores of more translations at the end of a run."""
        loss, written = self.translator.loss_of(self.held_out, tick, self.batch), WRITTEN_AT_LAST if exactly else WRITTEN
        if not isfinite(loss):
            return {"held_out": loss}
        some = self.data.held_out[:: max(len(self.data.held_out) // written, 1)][:written]
        scores, texts = self.translator.score_translations(some, tick=tick)
        self.example = f"“{shown(some[0].text or '')}” → “{shown(texts[0])}”"
        return {"held_out": loss, "bleu": scores.bleu, "chrf": scores.chrf, "exact": scores.exact, "written": len(some)}

    def describe(self, measures: Measures) -> str:
        """Loss, translations, and one of them."""
        perplexity = exp(measures["held_out"]) if measures["held_out"] < 700 else inf
        scores = f"BLEU {measures['bleu']:.1f}, exact {measures['exact']:.2%} of {measures['written']:,.0f}"
        return f"loss {measures['held_out']:.4f} (perplexity {perplexity:.3f}), {scores}; {self.example}"

    def remarks(self, measures: Measures, best: float | None) -> tuple[str, ...]:
        """None."""
        return ()
