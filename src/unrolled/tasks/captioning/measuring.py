"""What is measured of a network that writes about pictures, while it learns."""

from math import exp, inf, isfinite

import numpy as np

from unrolled.extras import extra
from unrolled.models import Captioner
from unrolled.tasks.captioning.options import CaptioningOptions, WritingOptions
from unrolled.tasks.captioning.reading import CaptionData
from unrolled.tasks.captioning.trained import TrainedCaptioner
from unrolled.training.criterion import LOSS, Criterion
from unrolled.training.task import Measures, Tick

WRITTEN = 100
"""Held-out pictures about which sentences are written on the way."""

_SHOWN = 60


class CaptionMeasuring:
    """The loss of the held-out part, and how good some sentences about it are; at the end beside rivals."""

    unit = "nats per symbol"
    criteria = (LOSS, Criterion("BLEU"), Criterion("CIDEr"), Criterion("exact"))

    def __init__(self, model: Captioner, data: CaptionData, options: CaptioningOptions) -> None:
        self.captioner, self.data = TrainedCaptioner(model, data.codecs, options), data
        self.size = int(data.measured.lengths[data.measured.pairs_of(data.held)].sum()) if len(data.held) else 0
        self.example, self.doubts = "", list[str]()

    def require(self) -> None:
        """The library that scores texts."""
        extra("sacrebleu.metrics")

    def measure(self, tick: Tick, *, exactly: bool) -> Measures:
        """Loss and scores; of all pictures, with the rivals, at the end of a run."""
        captions, held = self.data.measured, self.data.held
        loss = self.captioner.loss_of(self.captioner.model, captions, held, tick)
        if not isfinite(loss):
            return {"held_out": loss}
        some = held if exactly else held[:: max(len(held) // WRITTEN, 1)]
        writing = WritingOptions() if exactly else WritingOptions(beam=1)
        texts = [best[0].text for best in self.captioner.write(captions, some[:1] if exactly else some, writing)]
        self.example = f"{captions.names[int(some[0])]} → “{texts[0][:_SHOWN]}”"
        if not exactly:
            scores = self.captioner.score(captions, some, texts)
            return {"held_out": loss, "bleu": scores.bleu[-1], "cider": scores.cider, "exact": scores.exact, "written": len(some)}
        found = self.captioner.scores(captions, np.asarray(some), writing, tick)
        self.doubts = found.doubts()
        rivals = {f"{name}_{what}": value for name, r in found.rivals.items() for what, value in (("bleu", r.bleu[-1]), ("cider", r.cider))}
        main = found.scores
        return {"held_out": loss, "bleu": main.bleu[-1], "cider": main.cider, "exact": main.exact, "written": len(some), **rivals}

    def describe(self, measures: Measures) -> str:
        """Loss, scores, and one sentence."""
        perplexity = exp(measures["held_out"]) if measures["held_out"] < 700 else inf
        told = f"loss {measures['held_out']:.4f} (perplexity {perplexity:.2f})"
        if "bleu" not in measures:
            return told
        told += f", BLEU {measures['bleu']:.1f}, CIDEr {measures['cider']:.3f}, exact {measures['exact']:.1%} of {measures['written']:,.0f}"
        rivals = [name for name in ("constant", "nearest", "blind") if f"{name}_bleu" in measures]
        beside = ", ".join(f"{name} {measures[f'{name}_bleu']:.1f} and {measures[f'{name}_cider']:.3f}" for name in rivals)
        return f"{told}{f' ({beside})' if beside else ''}; {self.example}"

    def remarks(self, measures: Measures, best: float | None) -> tuple[str, ...]:
        """That a rival is as good."""
        return tuple(self.doubts)
