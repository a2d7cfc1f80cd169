"""What is measured of a network that writes down what is said, while it learns, and what usually goes wrong."""

from collections.abc import Mapping
from math import isfinite

import numpy as np
import torch

from unrolled.data.batches import side_by_side
from unrolled.tasks.measures.edits import score_speech
from unrolled.tasks.transcription.options import DecodingOptions, TranscribeOptions
from unrolled.tasks.transcription.reading import TranscriptData
from unrolled.tasks.transcription.trained import TrainedTranscriber
from unrolled.tasks.transcription.ways import Network
from unrolled.training.criterion import LOSS, Criterion
from unrolled.training.task import Measures, Tick

WRITTEN = 500
"""Held-out recordings that are written down on the way."""

ENOUGH = 3
"""Measurements after which a network that says nothing is told what to try."""

_SHOWN = 60
"""Characters of a text that are shown."""

SAME = "It writes the same for all recordings, so that it does not hear them. Look whether each has its own text, and take a lower `learning_rate`."


class TranscriptMeasuring:
    """The loss of the held-out part, and its word and character errors, greedily decoded."""

    unit = "nats per symbol"
    criteria = (Criterion("CER", lowest=True), Criterion("WER", lowest=True), LOSS)

    def __init__(self, model: Network, data: TranscriptData, options: TranscribeOptions) -> None:
        self.transcriber, self.data = TrainedTranscriber(model, data.codecs, options), data
        self.size = int(data.measured.transcripts.lengths[data.held].sum()) if len(data.held) else 0
        self.example, self.oddity, self.silent, self.same = "", "", 0, False

    def require(self) -> None:
        """Nothing is needed."""

    def measure(self, tick: Tick, *, exactly: bool) -> Measures:
        """Loss and errors: of all at the end of a run, and of some on the way."""
        held, measured = self.data.held, self.data.measured
        some = held if exactly else held[:: max(len(held) // WRITTEN, 1)]
        loss = self._loss(some)
        if loss is not None and not isfinite(loss):
            return {"held_out": loss}
        texts = self.transcriber.texts(measured, some, DecodingOptions(), tick)
        references = self.transcriber.references(measured, some)
        scores = score_speech(references, texts)
        self.example = f"“{references[0][:_SHOWN]}” → “{texts[0][:_SHOWN]}”"
        self.silent = self.silent + 1 if not any(texts) else 0
        same = len(texts) > 2 and len({*texts}) == 1 < len({*references})
        self.same = same and any(texts)
        # At the end it is a remark.
        self.oddity = "" if exactly else self.transcriber.way.silent if self.silent >= ENOUGH else SAME if self.same else ""
        return {**({} if loss is None else {"held_out": loss}), **scores.measures(), "empty": scores.empty / max(len(texts), 1)}

    @torch.inference_mode()
    def _loss(self, which: np.ndarray) -> float | None:
        """The mean loss of a symbol of those texts that were learnt and fit; None without any."""
        utterances, way = self.data.measured, self.transcriber.way
        which = which[way.fits(utterances, which)]
        total, count = 0.0, 0
        for part in side_by_side(utterances.lengths, which):
            loss, symbols = way.model.loss(way.batch(utterances, part).to(way.device))
            total, count = total + float(loss), count + symbols
        return total / count if count else None

    def describe(self, measures: Measures) -> str:
        """Loss, errors, and a text beside what it should be."""
        loss = f"loss {measures['held_out']:.4f}, " if "held_out" in measures else ""
        if "cer" not in measures:
            return loss.rstrip(", ")
        empty = f", {measures['empty']:.0%} say nothing" if measures["empty"] else ""
        told = f"{loss}CER {measures['cer']:.2%}, WER {measures['wer']:.2%}, exact {measures['exact']:.2%}{empty}; {self.example}"
        return f"{told}. {self.oddity}" if self.oddity else told

    def remarks(self, measures: Mapping[str, float], best: float | None) -> tuple[str, ...]:
        """What went wrong, if all texts are empty or the same."""
        if measures.get("empty") == 1:
            return (self.transcriber.way.silent,)
        return (SAME,) if self.same else ()
