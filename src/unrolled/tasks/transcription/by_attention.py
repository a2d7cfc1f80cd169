"""What is said, by a network that hears all of it and then writes one symbol after the other, looking at the sound (attention)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.data.batches import Batch, side_by_side
from unrolled.data.codecs import TextCodec
from unrolled.data.columns import Places
from unrolled.decoding import BeamOptions, Hypothesis, beam_search
from unrolled.decoding.alignment import Stretch, follow
from unrolled.errors import ConfigError, DataError
from unrolled.models import EncoderDecoder
from unrolled.tasks.trained import computing
from unrolled.tasks.transcription.options import DecodingOptions
from unrolled.tasks.transcription.reading import Utterances
from unrolled.tasks.transcription.ways import Find, Found, Way

LONGEST = 6000
"""Most steps of a recording: attention learns from short ones, and does not find its way in much longer ones."""

MORE = 10
"""Symbols that may be written beyond one for each output of the encoder."""


class ByAttention(Way[EncoderDecoder]):
    """Texts are written symbol by symbol; the symbol that is CTC's blank ends them here."""

    silent = (
        "It writes nothing: the first symbol is the end of the text. Learn more `epochs`, take a higher `learning_rate` or less `dropout` and "
        "`noise`, or learn shorter recordings, as attention must first find where it looks; without `attention` few recordings are learnt "
        "sooner. Look whether each recording has its own text."
    )

    def batch(self, utterances: Utterances, which: Places) -> Batch:
        """With the end of each text."""
        return _ended(utterances.batch(which), self.codecs.target.blank)

    def fits(self, utterances: Utterances, which: Places) -> NDArray[np.bool_]:
        """Those without unknown symbols."""
        return utterances.transcripts.known(which)

    def find(self, decoding: DecodingOptions) -> Find:
        """Beam search, of width 1 where nothing is said."""
        if decoding.searches:
            raise ConfigError(
                "`language_model` and `words` have their say in the beam of CTC, and this network writes by attention. Leave them out."
            )
        options = BeamOptions(decoding.beam, decoding.nbest, end=self.codecs.target.blank, forbidden=(TextCodec.unknown,))

        def find(utterances: Utterances, which: Places) -> Iterator[list[Found]]:
            found: dict[int, list[Found]] = {}
            for part in side_by_side(utterances.lengths, which):
                best = self._searched(utterances, part, options)
                found.update(zip(part.tolist(), best, strict=True))
            yield from (found[place] for place in which.tolist())

        return find

    @torch.inference_mode()
    def _searched(self, utterances: Utterances, which: Places, options: BeamOptions) -> list[list[Found]]:
        steps = utterances.lengths[which]
        place = utterances.places[int(which[steps.argmax()])]
        if steps.max() > LONGEST:
            told = f"{place} has {steps.max():,} steps, and a network with attention hears at most {LONGEST:,}"
            raise DataError(f"{told}. Cut it at pauses, or train without `attention`.")
        model = self.model
        with computing(place):
            memory = model.read(utterances.batch(which).to(self.device))
            outputs = memory.real.sum(0)
            found = beam_search(model.step, model.begin(memory), memory, (outputs + MORE).cpu(), options, lengths=outputs)
        sizes = zip(which.tolist(), outputs.tolist(), found, strict=True)
        return [[self._found(utterances, number, one, size) for one in best] for number, size, best in sizes]

    def _found(self, utterances: Utterances, number: int, said: Hypothesis, outputs: int) -> Found:
        assert said.weights is not None
        symbols, weights = tuple(said.symbols.tolist()), said.weights[:-1, :outputs].double().cpu().numpy()
        return Found(symbols, said.score, said.log_probability, partial(self._place, utterances, number, symbols, weights), weights)

    @torch.inference_mode()
    def _place(self, utterances: Utterances, number: int, symbols: tuple[int, ...], weights: NDArray[np.float64]) -> list[Stretch]:
        """Where symbols are that looked at the outputs with some `weights` `[S, T]`."""
        batch = utterances.batch(np.array([number]))
        given = replace(batch, targets=torch.tensor(symbols, dtype=torch.long).view(-1, 1), target_lengths=torch.tensor([len(symbols)]))
        logs = self.model.log_probabilities(_ended(given, self.codecs.target.blank).to(self.device))[:-1, 0].tolist()
        spans = follow(weights)
        return [Stretch(symbol, *span, log) for symbol, span, log in zip(symbols, spans, logs, strict=False)]

    def moved(self, utterances: Utterances, found: Found) -> NDArray[np.float32]:
        """How much was looked at each step."""
        assert found.weights is not None
        steps = int(utterances.lengths[0])
        wide: NDArray[np.float32] = np.repeat(found.weights, self.options.model.subsampling, axis=1)[:, :steps].astype(np.float32)
        return wide / np.maximum(wide.max(1, keepdims=True, initial=0), np.finfo(np.float32).tiny)


def _ended(batch: Batch, end: int) -> Batch:
    """A batch whose texts have the symbol that ends them."""
    assert batch.targets is not None and batch.target_lengths is not None
    lengths = batch.target_lengths
    longer: Tensor = torch.cat([batch.targets, batch.targets.new_full((1, len(lengths)), end)])
    return replace(batch, targets=longer.scatter(0, lengths[None].to(longer.device), end), target_lengths=lengths + 1)
