"""A trained network that says what is in pictures and videos, ready to use."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib import import_module
from itertools import islice
from math import exp, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import by_length
from unrolled.data.builtin import paths_of
from unrolled.data.codecs.text import TextCodec, until_end
from unrolled.data.columns import Places
from unrolled.data.examples import Example
from unrolled.data.formats.bad_rows import ERROR
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.captions import read_captions
from unrolled.data.pictures.clips import Clip
from unrolled.data.text import Source
from unrolled.data.vocabulary import END
from unrolled.decoding import Hypothesis, beam_search, draw
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.models import Captioner, EncoderDecoder, blinded
from unrolled.models.decoder import DecoderState, Memory
from unrolled.models.grid import GridNetwork
from unrolled.options import build
from unrolled.tasks.captioning.caption import Caption
from unrolled.tasks.captioning.captions import CaptionCodecs, Captions
from unrolled.tasks.captioning.cutting import cutter
from unrolled.tasks.captioning.options import FEATURES, CaptioningOptions, WritingOptions
from unrolled.tasks.captioning.reading import CaptionData, gather_captions
from unrolled.tasks.captioning.rivals import looks
from unrolled.tasks.captioning.scores import CaptioningScores, counted, told_cut
from unrolled.tasks.captioning.seeing import Eyes
from unrolled.tasks.measures.captions import CaptionScores, score_captions
from unrolled.tasks.trained import Progress, Trained, computing, require_finite

if TYPE_CHECKING:
    from unrolled.inspect.report import Section

AT_ONCE, BATCH = 256, 32
"""Pictures that are held in memory while sentences are written about them, and that are looked at side by side."""

Tick = Callable[[int, int], None]
Grids = Sequence[tuple[int, int]]


class TrainedCaptioner(Trained[Captioner, CaptionCodecs]):
    """A network with the codecs of what it sees and of what it writes, as `load` gives it."""

    looks_itself = True

    def __init__(self, model: Captioner, codecs: CaptionCodecs, options: CaptioningOptions) -> None:
        super().__init__("caption", model, codecs)
        self.options = options

    def caption(self, pictures: Sequence[str | Path], **writing: Any) -> list[list[Caption]]:
        """The best sentences about each picture, video or file of features, best first. `writing` are those of `WritingOptions`: `beam`, `nbest`, `prefix`, …"""
        if isinstance(pictures, str | Path):
            raise DataError(f"`pictures` must be a list, got the path {str(pictures)!r}. Pass [{str(pictures)!r}].")
        examples = [Example(path, clip=Clip(Path(path)), name=path) for path in paths_of(pictures)]
        return [best for _, best in self.caption_stream(examples, build(WritingOptions, writing), bad_rows=None)]

    def caption_stream(
        self, examples: Iterable[Example], writing: WritingOptions | None = None, *, bad_rows: str | None = ERROR
    ) -> Iterator[tuple[Example, list[Caption]]]:
        """The same for any number of examples, in their order, beside each. An `UnrolledWarning` counts the sentences that may be cut. `bad_rows` is as in
        `seen`."""
        writing, rest, counts = writing or WritingOptions(), iter(examples), list[int]()
        while chunk := list(islice(rest, AT_ONCE)):
            captions = self.seen(chunk, bad_rows)
            found = self.write(captions, np.arange(len(captions)), writing)
            counts.append(self.cut_short(found, writing))
            yield from zip(chunk, found, strict=True)
        if sum(counts):
            warnings.warn(told_cut(sum(counts), self.longest(writing)), UnrolledWarning, stacklevel=2)

    def longest(self, writing: WritingOptions) -> int:
        """The most symbols of a sentence, of which more than its beginning must fit. `ConfigError` for a `longest` in which that does not."""
        begun, most = len(self._begun(writing)), self.codecs.remembered.longest
        if writing.longest is not None and begun > writing.longest:
            told = f"`prefix` has {counted(begun)}, and `longest` allows {counted(writing.longest)}"
            raise ConfigError(f"{told}. Raise `longest`, or shorten `prefix`.")
        return writing.longest or (begun + most if begun > most else most * 5 // 4 + 1)

    def _begun(self, writing: WritingOptions) -> list[int]:
        """What every sentence begins with, as ids."""
        return list(map(int, self.codecs.target.ids(self.codecs.target.plain(writing.prefix))))

    def cut_short(self, found: Sequence[Sequence[Caption]], writing: WritingOptions) -> int:
        """How many of the best sentences about some pictures have as many symbols as they may have, so that each may have been cut."""
        return sum(len(best[0].ids) > self.longest(writing) for best in found)

    def read(self, sources: Sequence[str], reading: CaptionOptions) -> Iterator[Example]:
        """The pictures of some files."""
        features = self.codecs.view.encoder == FEATURES
        return read_captions(sources, reading, features=features, moving=self.codecs.moving and not features)

    def reading_of(self, **options: Any) -> CaptionOptions:
        """How other pictures are read: as those that were learnt, but for the `options`; where they lie, and which part of them, is said anew."""
        learnt = self.options.reading
        return CaptionOptions(**{"input": learnt.input, "target": learnt.target, "encoding": learnt.encoding, **options})

    def seen(self, examples: Iterable[Example], bad_rows: str | None = ERROR, progress: Progress | None = None) -> Captions:
        """What the network sees of some pictures. Without `bad_rows` the error about one that cannot be read says nothing of leaving it out."""
        eyes = self.eyes()
        found = gather_captions(examples, eyes, bad_rows, progress)
        eyes.report()
        return found.captions(self.codecs)

    def eyes(self) -> Eyes:
        """What sees other pictures as those that were learnt."""
        return Eyes(self.codecs.view, self.codecs.inputs.frames, self.codecs.moving)

    def write(
        self, captions: Captions, which: Places, writing: WritingOptions | None = None, tick: Tick | None = None
    ) -> list[list[Caption]]:
        """The best sentences about some pictures."""
        return self._write(self.model, captions, which, writing or WritingOptions(), tick)

    def _write(
        self, model: EncoderDecoder, captions: Captions, which: Places, writing: WritingOptions, tick: Tick | None = None
    ) -> list[list[Caption]]:
        found: dict[int, list[Caption]] = {}
        for part in by_length(captions.encoded.dataset.lengths, which, BATCH):
            names = [captions.names[i] for i in part.tolist()]
            batch = captions.seen(part).to(self.device)
            with torch.inference_mode(), computing(f"{'one of ' if len(names) > 1 else ''}{', '.join(names[:3])}"):
                memory = model.read(batch if model is self.model else blinded(batch))
                search = self._searched if writing.sampled is None else self._drawn
                best = search(model, memory, writing, [self._grid(captions.grids[i]) for i in part.tolist()])
            found.update(zip(part.tolist(), best, strict=True))
            if tick:
                tick(len(found), len(which))
        return [found[place] for place in which.tolist()]

    def _grid(self, seen: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the places of a picture of which so many are seen: those of the network that makes them, if one does."""
        eyes = self.model.encoder.inputs.frames
        return eyes.size if isinstance(eyes, GridNetwork) else seen

    def _searched(self, model: EncoderDecoder, memory: Memory, writing: WritingOptions, grids: Grids) -> list[list[Caption]]:
        count, target = memory.real.shape[1], self.codecs.target
        known = [self._begun(writing)] * count
        symbols = target.text.split(target.plain(writing.prefix))
        limits = [self.longest(writing)] * count
        found = beam_search(model.step, model.begin(memory), memory, limits, writing.beam_options(), prefixes=known)
        return [[self._caption(said, symbols, grid) for said in best] for best, grid in zip(found, grids, strict=True)]

    def _caption(self, said: Hypothesis, prefix: Sequence[str], grid: tuple[int, int]) -> Caption:
        text, ids = self.codecs.target.text, said.symbols.tolist()
        # A prefix is written as it was given, also where the network knows parts of it as <UNK>.
        symbols = [*prefix, *text.strings(ids[len(prefix) :])]
        weights = None if said.weights is None else said.weights[:, : grid[0] * grid[1]].float().cpu().numpy()
        written = (*text.shown(symbols), END)
        return Caption(text.join(symbols), said.score, said.log_probability, written, (*ids, TextCodec.end), weights, grid)

    def _drawn(self, model: EncoderDecoder, memory: Memory, writing: WritingOptions, grids: Grids) -> list[list[Caption]]:
        """`nbest` sentences for each picture, drawn one after the other."""
        generator = torch.Generator(self.device).manual_seed(writing.draw_seed)
        several = [self._draw(model, memory, writing, generator) for _ in range(writing.nbest)]
        begun = self.codecs.target.text.split(self.codecs.target.plain(writing.prefix))
        return [[self._caption(said, begun, grid) for said in some] for *some, grid in zip(*several, grids, strict=True)]

    def _draw(self, model: EncoderDecoder, memory: Memory, writing: WritingOptions, generator: torch.Generator) -> list[Hypothesis]:
        """A sentence for each picture; one that has as many symbols as it may have ends with what the end costs there."""
        ends = torch.full((memory.real.shape[1],), TextCodec.end, device=self.device)
        first, state, looked = model.step(ends, model.begin(memory), memory)
        weights, logs, rows = [looked], [first], list[Tensor]()

        def step(symbols: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
            log, state, looked = model.step(symbols, state, memory)
            weights.append(looked)
            logs.append(log)
            return log, state

        begun = self._begun(writing)
        for symbol in begun:
            rows.append(torch.full_like(ends, symbol))
            first, state = step(rows[-1], state)
        assert writing.sampled is not None
        options: dict[str, Any] = {"temperature": writing.sampled, "forbidden": (TextCodec.unknown,), "generator": generator}
        for symbols in draw(step, first, state, self.longest(writing) - len(begun), **options):
            rows.append(symbols)
            if bool((torch.stack(rows) == TextCodec.end).any(0).all()):
                break
        found = []
        for row, ids in enumerate(torch.stack(rows, 1).tolist()):
            written = until_end(ids).tolist()
            log = float(sum(logs[at][row, symbol] for at, symbol in enumerate((*written, TextCodec.end))))
            seen = None if looked is None else torch.stack([w[row] for w in weights[: len(written) + 1] if w is not None])
            found.append(Hypothesis(torch.tensor(written, dtype=torch.long), log, log, seen))
        return found

    def evaluate(
        self,
        sources: Source | Sequence[Source],
        *,
        reading: CaptionOptions | None = None,
        writing: WritingOptions | None = None,
        progress: Progress | None = None,
    ) -> CaptioningScores:
        """How close what it writes about other pictures is to their sentences, beside its rivals."""
        names = paths_of(sources)
        reading = reading or self.reading_of()
        captions = self.seen(self.read(names, reading), reading.bad_rows, progress)
        self._notice_learnt(captions)
        return self.scores(captions, np.arange(len(captions)), writing or WritingOptions(), progress and partial(progress, "writing"))

    def _notice_learnt(self, captions: Captions) -> None:
        """Say it if pictures that are measured were learnt."""
        learnt = self.codecs.remembered.seen(captions.encoded.dataset)
        if len(learnt):
            told = f"{len(learnt):,} of the {len(captions):,} pictures that are measured were learnt, such as {captions.names[learnt[0]]}"
            warnings.warn(f"{told}. Pass others, to see what it says of pictures that it does not know.", UnrolledWarning, stacklevel=3)

    def scores(self, captions: Captions, which: Places, writing: WritingOptions, tick: Tick | None = None) -> CaptioningScores:
        """The measures of the best sentence about each of some pictures, and those of its rivals."""
        found = self.write(captions, which, writing, tick)
        loss = self.loss_of(self.model, captions, which)
        require_finite(loss, "these pictures")
        perplexities = {}
        if self.model.blind is not None:
            perplexities["blind"] = _perplexity(self.loss_of(self.model.blind, captions, which))
        said = self.rivals(captions, which, writing)
        rivals = {name: self.score(captions, which, some) for name, some in said.items()}
        return CaptioningScores(
            self.score(captions, which, [best[0].text for best in found]),
            rivals,
            _perplexity(loss),
            perplexities,
            self.codecs.target.text.level,
            self.cut_short(found, writing),
            self.longest(writing),
        )

    def rivals(self, captions: Captions, which: Places, writing: WritingOptions) -> dict[str, list[str]]:
        """What rivals say about each of some pictures: `constant`, `nearest`, and `blind` if there is one."""
        remembered = self.codecs.remembered
        said = {
            "constant": [remembered.constant] * len(which),
            "nearest": remembered.nearest(looks(captions.encoded.dataset, which)),
        }
        if self.model.blind is not None:
            said["blind"] = [best[0].text for best in self._write(self.model.blind, captions, which, writing)]
        return said

    def score(self, captions: Captions, which: Places, texts: Sequence[str]) -> CaptionScores:
        """The measures of a sentence about each of some pictures."""
        references = [captions.sentences[i] for i in which.tolist()]
        return score_captions(texts, references, cut=cutter(self.codecs.target), learnt=self.codecs.remembered.learnt)

    @torch.inference_mode()
    def loss_of(self, model: EncoderDecoder, captions: Captions, which: Places, tick: Tick | None = None) -> float:
        """The mean negative log-likelihood of a symbol of the sentences of some pictures."""
        pairs = captions.pairs_of(which)
        total, done = 0.0, 0
        for part in captions.order(pairs, BATCH):
            batch = captions.batch(part).to(self.device)
            total += float(EncoderDecoder.loss(model, batch if model is self.model else blinded(batch))[0])
            done += len(part)
            if tick:
                tick(done, len(pairs))
        return total / max(int(captions.lengths[pairs].sum()), 1)

    def sections(self, given: str | Path | None, data: Any) -> "Sequence[Section] | None":
        """See `Trained`: about the first picture of a file, or the first one that was held out. `ConfigError` for a text."""
        own = import_module("unrolled.tasks.captioning.inspecting")
        if isinstance(given, str):
            raise ConfigError(f"This network looks at pictures, got the text {given[:40]!r}. Pass a file.")
        if given is None and (data is None or not len(data.held)):
            return None
        if given is None:
            captions, first = data.measured, int(data.held[0])
            example = Example(captions.names[first], clip=captions.clips[first], name=captions.names[first])
        else:
            example = next(self.read([str(given)], self.reading_of().to_predict()))
            captions, first = self.seen([example]), 0
        found: Sequence[Section] = own.sections_of(self, own.look_into(self, captions, first, self.eyes().shown(example)))
        return found

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What it sees is no sequence of symbols: it has `sections` of its own."""
        raise ConfigError("A network that writes about pictures is looked into by its own sections. Call `unrolled.inspect` on its run.")

    def held_out(self, data: CaptionData, most: int = 1000) -> InspectionInput | None:
        """See `inspection_input`."""
        return None


def _perplexity(loss: float) -> float:
    return exp(loss) if loss < 700 else inf
