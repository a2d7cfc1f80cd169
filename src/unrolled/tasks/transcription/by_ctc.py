"""What is said, by a network that gives a symbol or a blank at each of its outputs (CTC)."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.data.batches import Batch, side_by_side
from unrolled.data.codecs import TextCodec
from unrolled.data.columns import Places
from unrolled.decoding import prefixes
from unrolled.decoding.alignment import Logs, align, greedy
from unrolled.decoding.prefixes import prefix_search
from unrolled.errors import UnrolledWarning
from unrolled.models import NUMBERS, Unaligned
from unrolled.tasks.recipes.lm import LanguageModelling
from unrolled.tasks.runs import load_run
from unrolled.tasks.sequences.pieces import pieces
from unrolled.tasks.texts.trained import TrainedLanguageModel
from unrolled.tasks.trained import not_finite
from unrolled.tasks.transcription.language import LanguageModelScorer, words_of
from unrolled.tasks.transcription.options import DecodingOptions
from unrolled.tasks.transcription.reading import Utterances
from unrolled.tasks.transcription.ways import Find, Found, Way
from unrolled.training import RunFolder

WINDOW, OVERLAP = 6000, 192
"""Steps of the pieces in which long recordings are heard, and those that each also hears of its neighbours."""


class ByCTC(Way[Unaligned]):
    """Texts are found among the outputs, where each symbol has its place."""

    silent = (
        "It still says nothing but blanks, as networks do at first. If that stays so: learn more `epochs`, take a higher `learning_rate` or less "
        "`dropout` and `noise`, let more `short_first` epochs begin with short recordings, or more outputs by a smaller `subsampling`; of few "
        "recordings a network without recurrence learns sooner, `layers=0` and `input_window=11`. Look whether each recording has its own text."
    )

    def batch(self, utterances: Utterances, which: Places) -> Batch:
        """See `Way`."""
        return utterances.batch(which)

    def fits(self, utterances: Utterances, which: Places) -> NDArray[np.bool_]:
        """Those without unknown symbols that need no more outputs than there are."""
        outputs = self.model.encoder.output_lengths(torch.from_numpy(utterances.lengths[which])).numpy()
        fits: NDArray[np.bool_] = utterances.transcripts.known(which) & (utterances.needed[which] <= outputs)
        return fits

    def find(self, decoding: DecodingOptions) -> Find:
        """Those of the most probable symbol at each output, or of a beam."""
        decode = self._decoder(decoding)

        def find(utterances: Utterances, which: Places) -> Iterator[list[Found]]:
            for logs in self.logs(utterances, which):
                yield [self._found(logs, one) for one in decode(logs)]

        return find

    def _found(self, logs: Logs, found: prefixes.Found) -> Found:
        return Found(found.symbols, found.score, found.log_probability, partial(align, logs, found.symbols, self.codecs.target.blank))

    def _decoder(self, decoding: DecodingOptions) -> Callable[[Logs], list[prefixes.Found]]:
        """What finds the best texts of log-probabilities `[T, K]`."""
        blank = self.codecs.target.blank
        if decoding.beam == 1:
            return lambda logs: [prefixes.Found(tuple(greedy(logs, blank)), float(logs.max(1).sum()), float(logs.max(1).sum()))]
        scorer = None if decoding.language_model is None else LanguageModelScorer(_language_model(decoding), self.codecs.target)
        words = words_of(decoding.words, self.codecs.target)
        options = decoding.search((TextCodec.unknown,))
        return lambda logs: prefix_search(logs, blank, options, scorer, words)

    @torch.inference_mode()
    def logs(self, utterances: Utterances, which: Places) -> list[Logs]:
        """The log-probabilities `[T, K]` of every symbol at each output, for each of some utterances."""
        found: dict[int, Logs] = {}
        lengths = utterances.lengths
        for part in side_by_side(lengths, which):
            scores = self._scores(utterances, part).double().log_softmax(-1)
            outputs = self.model.encoder.output_lengths(torch.from_numpy(lengths[part])).tolist()
            for row, (place, count) in enumerate(zip(part.tolist(), outputs, strict=True)):
                found[place] = scores[:count, row].cpu().numpy()
                if not np.isfinite(found[place]).all():
                    raise not_finite(utterances.places[place])
        return [found[place] for place in which.tolist()]

    def _scores(self, utterances: Utterances, which: Places) -> Tensor:
        """`[T, B, K]`, in pieces where there are many steps."""
        steps = int(utterances.lengths[which].max())
        if steps <= WINDOW:
            return self.model(utterances.batch(which).to(self.device))[0]
        factor = self.options.model.subsampling
        carries, state, parts = self.model.encoder.streams, None, list[Tensor]()
        if not carries:
            place = utterances.places[int(which[utterances.lengths[which].argmax()])]
            told = f"{place} has {steps:,} steps, and is heard in pieces of {WINDOW:,} that each overlap by {OVERLAP} with the next."
            warnings.warn(told, UnrolledWarning, stacklevel=6)
        for span, decided in pieces(steps, WINDOW, 0 if carries else OVERLAP):
            scores, after = self.model(utterances.batch(which, span).to(self.device), state)
            state = after if carries else None
            parts.append(scores[decided.start // factor : -(-decided.stop // factor)])
        return torch.cat(parts)

    def moved(self, utterances: Utterances, found: Found) -> NDArray[np.float32]:
        """The gradient of each symbol's surest log-probability with regard to the standardised bands, times these bands, in absolute value and summed
        over bands."""
        batch = utterances.batch(np.arange(1)).to(self.device)
        bands = batch[NUMBERS].clone().requires_grad_()
        with torch.enable_grad():
            scores, _ = self.model(replace(batch, fields={**batch.fields, NUMBERS: bands}))
            logs = scores[:, 0].log_softmax(-1)
            surest = [logs[one.begin : one.end, one.symbol].max() for one in found.place()]
            gradients = [torch.autograd.grad(log, bands, retain_graph=True)[0] for log in surest]
        rows = [(gradient * bands.detach())[:, 0].abs().sum(-1) for gradient in gradients]
        rows = [(row / row.max().clamp(min=torch.finfo(row.dtype).tiny)) for row in rows]
        return np.stack([row.cpu().numpy() for row in rows]) if rows else np.zeros((0, len(bands)), np.float32)


def _language_model(decoding: DecodingOptions) -> TrainedLanguageModel:
    """The language model that was named. `RunError` for a run of another task."""
    return load_run(LanguageModelling(), RunFolder(str(decoding.language_model)))
