"""A trained translator, ready to use."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, tee
from math import exp, inf
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import by_length, padded
from unrolled.data.bitext import Bitext
from unrolled.data.codecs import PairCodec, TextCodec
from unrolled.data.examples import Example
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import read_pairs
from unrolled.data.parts import Tally, together, usable
from unrolled.data.text import Source
from unrolled.data.vocabulary import END, Ids
from unrolled.data.words import split_words
from unrolled.decoding import Hypothesis, beam_search, draw
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import MOST_READ, InspectionInput
from unrolled.models import EncoderDecoder
from unrolled.models.decoder import DecoderState, Memory, State
from unrolled.tasks.measures.texts import TextScores, score_texts
from unrolled.tasks.trained import Progress, Trained, computing, require_finite
from unrolled.tasks.translation.conversation import Conversation
from unrolled.tasks.translation.inspection_input import source_input
from unrolled.tasks.translation.options import SearchOptions
from unrolled.tasks.translation.reading import PairData
from unrolled.tasks.translation.results import NOTHING, Translation, TranslationScores

AT_ONCE, BATCH = 2048, 64
"""Sources that are held in memory while they are translated, and that are translated side by side."""

SHOWN = 40
"""Characters of a text that a message shows."""

Tick = Callable[[int, int], None]


class TrainedTranslator(Trained[EncoderDecoder, PairCodec]):
    """A network with the codecs of both sides, as `load` gives it.

    `reading` says how the pairs were read that it learnt from, and is what others are read with unless something else is said.
    """

    def __init__(self, model: EncoderDecoder, codecs: PairCodec, reading: PairOptions | None = None) -> None:
        super().__init__("translate", model, codecs)
        self.reading = (reading or PairOptions()).of_others()

    def translate(self, sources: Sequence[str], search: SearchOptions | None = None) -> list[list[Translation]]:
        """The best translations of each source, best first. `DataError` for a single text, which would be a list of characters."""
        if isinstance(sources, str):
            raise DataError(f"`sources` must be a list of texts, got the text {sources[:30]!r}. Pass [{sources[:30]!r}].")
        return list(self.translate_stream(sources, search))

    def translate_pairs(
        self, pairs: Iterable[Example], search: SearchOptions | None = None, *, at_once: int | None = None
    ) -> Iterator[tuple[Example, list[Translation]]]:
        """The same beside the pairs that they are of, whose targets are not looked at."""
        ahead, read = tee(pairs)
        yield from zip(ahead, self.translate_stream((pair.text or "" for pair in read), search, at_once=at_once), strict=True)

    def translate_stream(
        self,
        sources: Iterable[str],
        search: SearchOptions | None = None,
        *,
        at_once: int | None = None,
        tick: Callable[[int], None] | None = None,
    ) -> Iterator[list[Translation]]:
        """The same for any number of sources, in their order; so many are in memory at a time, or else a few thousand.

        An empty source has an empty translation. `tick` is told how many are done.
        """
        sources, done = iter(sources), 0
        while chunk := list(islice(sources, at_once or AT_ONCE)):
            lengths = np.array([len(ids) for ids in self.codecs.sources(chunk)])
            found = {i: [NOTHING] for i, source in enumerate(chunk) if not source.strip()}
            some = np.array([i for i in range(len(chunk)) if i not in found], np.int64)
            for which in by_length(lengths, some, BATCH):
                texts = [chunk[i] for i in which]
                found.update(zip(which.tolist(), self.answer(texts, self.encode(texts), search or SearchOptions()), strict=True))
                if tick:
                    tick(done + len(found))
            done += len(chunk)
            yield from (found[i] for i in range(len(chunk)))

    def sample(
        self,
        source: str,
        count: int = 1,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        seed: int | None = None,
        length: int | None = None,
    ) -> list[str]:
        """Texts drawn from P(target | source), or from what `unrolled.decoding.narrowed` makes of it; the same `seed` draws the same."""
        if count < 1:
            raise ConfigError(f"`count` must be at least 1, got {count}.")
        generator = torch.Generator(device=self.device)
        generator = generator.manual_seed(generator.seed() if seed is None else seed)
        if not source.strip():
            return [""] * count
        memory = self.encode([source] * count)
        drawing: dict[str, Any] = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "repetition_penalty": repetition_penalty}
        return self.drawn(source, memory, length=length, generator=generator, **drawing)

    def sample_stream(
        self,
        prompt: str | Sequence[str] = "",
        length: int | None = None,
        *,
        count: int = 1,
        seed: int | None = None,
        lines: int | None = None,
        stop: str | None = None,
        **drawing: Any,
    ) -> Iterator[list[str]]:
        """`count` texts drawn for each source, all at once for each, as `TrainedLanguageModel.sample_stream` gives them; they end where the network ends
        them. `ConfigError` for `lines`."""
        if lines is not None:
            raise ConfigError("`lines` is for language models; a translator ends its texts itself. Leave it out, or give `stop`.")
        if length is not None and length < 1:
            raise ConfigError(f"`length` must be at least 1, got {length}.")
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        texts = list[str]()
        for number, source in enumerate(prompts):
            own = None if seed is None else seed + number
            texts += self.sample(source, count, seed=own, length=length, **drawing)
        yield [text if stop is None else text.partition(stop)[0] for text in texts]

    def missing(self, text: str) -> list[str]:
        """The symbols of a source that it does not know."""
        return self.codecs.source.missing(text)

    @torch.inference_mode()
    def drawn(
        self, source: str, memory: Memory, search: SearchOptions | None = None, *, length: int | None = None, **options: Any
    ) -> list[str]:
        """A text for each copy of a source that has been read, drawn as the `options` of `unrolled.decoding.draw` say, up to the limit."""
        count = memory.real.shape[1]
        ends = torch.full((count,), TextCodec.end, device=self.device)
        first, state, _ = self.model.step(ends, self.model.begin(memory), memory)

        def step(symbols: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
            logs, state, _ = self.model.step(symbols, state, memory)
            return logs, state

        most = (search or SearchOptions()).most(len(memory.real))
        most = most if length is None else min(most, length)
        written = []
        with computing(repr(source[:SHOWN])):
            for symbols in draw(step, first, state, most, forbidden=(TextCodec.unknown,), **options):
                written.append(symbols)
                if bool((torch.stack(written) == TextCodec.end).any(0).all()):
                    break
        return [self.codecs.write(column, source) for column in torch.stack(written, 1).tolist()]

    @torch.inference_mode()
    def score(self, source: str, target: str) -> float:
        """The natural log P(target, end | source). `DataError` for an empty side."""
        if not source.strip() or not target.strip():
            raise DataError(f"Both sides must have a text, got {source!r} and {target!r}. Pass two texts.")
        pair = Bitext([Example("", text=source.strip(), texts=(target.strip(),))], self.codecs, copy=self.model.copies)
        found = float(self.model.log_probabilities(pair.batch(np.arange(1)).to(self.device)).double().sum())
        require_finite(found, repr(target[:SHOWN]))
        return found

    def evaluate(
        self,
        sources: Source | Sequence[Source],
        *,
        reading: PairOptions | None = None,
        search: SearchOptions | None = None,
        progress: Progress | None = None,
    ) -> TranslationScores:
        """How good translations of other pairs are; each source is translated once and stands beside all its references."""
        reading, tally = reading or self.reading_of(), Tally()
        pairs = together(usable(read_pairs(sources, reading), reading, self.codecs.source.level, tally))
        if not pairs:
            raise DataError(f"There is no pair to measure: {tally}. Pass others, or raise `longest`.")

        def tick(name: str) -> Tick | None:
            return None if progress is None else lambda done, total: progress(name, done, total)

        loss = self.loss_of(Bitext(pairs, self.codecs, copy=self.model.copies), tick("measuring"))
        require_finite(loss, "these pairs")
        scores, _ = self.score_translations(pairs, search, tick=tick("translating"))
        copied = self._score([pair.text or "" for pair in pairs], pairs)
        return TranslationScores(scores, copied, exp(loss) if loss < 700 else inf, tally)

    def reading_of(self, **options: Any) -> PairOptions:
        """How other pairs are read: as those that the network learnt from, but for the `options`. Files and their format are named anew."""
        anew = {"source": None, "target": (), "format": None, **({"input": None} if "source" in options else {})}
        return replace(self.reading, **{**anew, **options})

    def score_translations(
        self, pairs: Sequence[Example], search: SearchOptions | None = None, *, tick: Tick | None = None
    ) -> tuple[TextScores, list[str]]:
        """The measures of the best translation of each pair's source, and the translations."""
        texts = [
            best[0].text
            for best in self.translate_stream([p.text or "" for p in pairs], search, tick=tick and (lambda done: tick(done, len(pairs))))
        ]
        return self._score(texts, pairs), texts

    def _score(self, texts: Sequence[str], pairs: Sequence[Example]) -> TextScores:
        """Measures of some texts beside the references of pairs."""
        cut = list if self.codecs.target.level == "char" else split_words
        return score_texts(texts, [pair.texts or () for pair in pairs], cut=cut)

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What `unrolled.inspect` looks at: a source, or the first one of a file and some of the others, with what is written after it."""
        if isinstance(given, str):
            return self._inspection_input([given], "", most)
        pairs = islice(read_pairs(given, self.reading_of().to_predict()), MOST_READ)
        return self._inspection_input([pair.text or "" for pair in pairs], f"of {given.name}", most)

    def held_out(self, data: PairData, most: int = 1000) -> InspectionInput | None:
        """The same of the sources that were held out when `data` was learnt; None where none were."""
        sources = [pair.text or "" for pair in data.held_out]
        return self._inspection_input(sources, "held out in training", most) if sources else None

    def _inspection_input(self, sources: Sequence[str], whence: str, most: int) -> InspectionInput:
        source = sources[0].strip()
        if not source:
            raise DataError(f"There is nothing to read in {sources[0]!r}{whence and f', the first source {whence}'}. Pass a text.")
        return source_input(self.model, self.codecs, sources, self.translate([source])[0][0].text, whence, most)

    def converse(self, search: SearchOptions | None = None, *, temperature: float | None = None, seed: int | None = None) -> Conversation:
        """A talk in which each text is answered: with the best reply, or with one drawn at a `temperature`."""
        return Conversation(self, search or SearchOptions(), temperature, seed)

    @torch.inference_mode()
    def encode(self, sources: Sequence[str], state: State | None = None) -> Memory:
        """What the network knows of sources once it has read them, after those that left the `state`."""
        source, lengths = _together(self.codecs.sources(sources), self.device)
        copies = _together(self.codecs.copies(sources), self.device)[0] if self.model.copies else None
        return self.model.encode(source, lengths, copies, state)

    @torch.inference_mode()
    def answer(self, sources: Sequence[str], memory: Memory, search: SearchOptions) -> list[list[Translation]]:
        """The best translations of sources that have been read."""
        lengths = memory.real.sum(0)
        limits = [search.most(n) for n in lengths.tolist()]
        prefix = self.codecs.target.split(search.prefix)
        same = [search.prefix] * len(sources)
        begins = self.codecs.copying_targets(same, sources) if self.model.copies else self.codecs.targets(same)
        with computing(f"{'one of ' if len(sources) > 1 else ''}{', '.join(repr(source[:SHOWN]) for source in sources[:3])}"):
            found = beam_search(
                self.model.step,
                self.model.begin(memory),
                memory,
                limits,
                search.beam_options(),
                lengths=lengths,
                prefixes=[ids[:-1].tolist() for ids in begins],
            )
        return [[self._translation(source, said, prefix) for said in best] for source, best in zip(sources, found, strict=True)]

    def _translation(self, source: str, said: Hypothesis, prefix: Sequence[str]) -> Translation:
        codecs = self.codecs
        (read,) = codecs.read([source])
        # A prefix is written as it was given, also where the network knows parts of it as <UNK>.
        symbols = [*prefix, *codecs.written(said.symbols[len(prefix) :].tolist(), source)]
        return Translation(
            codecs.target.join(symbols),
            said.score,
            said.log_probability,
            (*codecs.source.shown(read), END),
            (*codecs.target.shown(symbols), END),
            None if said.weights is None else said.weights[:, : len(read) + 1].float().cpu().numpy(),
        )

    @torch.inference_mode()
    def loss_of(self, bitext: Bitext, tick: Tick | None, batch: int = BATCH) -> float:
        """The mean negative log-likelihood of a symbol of the references."""
        total, done = 0.0, 0
        for which in bitext.order(batch):
            total += float(self.model.loss(bitext.batch(which).to(self.device))[0])
            done += len(which)
            if tick:
                tick(done, len(bitext))
        return total / int(bitext.target_lengths.sum())


def _together(sequences: Iterable[Ids], device: torch.device) -> tuple[Tensor, Tensor]:
    """Sequences of ids as one padded batch, and their lengths."""
    found = list(sequences)
    lengths = np.array([len(ids) for ids in found])
    return padded(np.concatenate(found), lengths).to(device), torch.from_numpy(lengths).to(device)
