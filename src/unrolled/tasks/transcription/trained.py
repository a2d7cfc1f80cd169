"""A trained network that writes down what is said, ready to use."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import side_by_side
from unrolled.data.codecs import Senses, TextCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import gather
from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, for_other_files, labelled_examples, read_examples
from unrolled.data.sound.hearing import Hearing
from unrolled.data.sound.recordings import Recording
from unrolled.data.text import Source
from unrolled.decoding.alignment import Logs, align, greedy
from unrolled.decoding.prefixes import Found, prefix_search
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.inspect.inspection_input import MOST_READ, InspectionInput
from unrolled.models import NUMBERS, Unaligned
from unrolled.options import build
from unrolled.tasks.measures.edits import SpeechScores, score_speech
from unrolled.tasks.recipes.lm import LanguageModelling
from unrolled.tasks.runs import load_run
from unrolled.tasks.sequences.pieces import pieces
from unrolled.tasks.texts.trained import TrainedLanguageModel
from unrolled.tasks.trained import Progress, Trained, not_finite
from unrolled.tasks.transcription.inspection_input import utterance_input
from unrolled.tasks.transcription.language import LanguageModelScorer, read_words
from unrolled.tasks.transcription.options import DecodingOptions, TranscribeOptions
from unrolled.tasks.transcription.reading import Codecs, TranscriptData, Utterances
from unrolled.tasks.transcription.transcript import Transcript, timed
from unrolled.training import RunFolder

AT_ONCE = 256
"""Recordings that are held in memory while they are answered."""

WINDOW, OVERLAP = 6000, 192
"""Steps of the pieces in which long recordings are heard, and those that each also hears of its neighbours."""

Tick = Callable[[int, int], None]


class TrainedTranscriber(Trained[Unaligned, Codecs]):
    """A network with the codecs of what it hears and of what it writes, as `load` gives it."""

    def __init__(self, model: Unaligned, codecs: Codecs, options: TranscribeOptions) -> None:
        super().__init__("transcribe", model, codecs)
        self.options, self.reading = options, options.reading.of_others()

    @property
    def step(self) -> float:
        """The seconds from one output of the network to the next; 1 where steps are no sound."""
        sound = self.codecs.inputs.sound
        return (1.0 if sound is None else sound.mel.step) * self.options.model.subsampling

    def transcribe(self, recordings: Sequence[str | Path | np.ndarray | Example], **decoding: Any) -> list[list[Transcript]]:
        """The best texts of each recording, best first: a path of a file, numbers `[T, C]` if such were learnt, or an `Example`.

        `decoding` are those of `DecodingOptions`: `beam`, `nbest`, `language_model`, `weight`, `bonus`, `words`.
        """
        if isinstance(recordings, str | Path):
            raise DataError(f"`recordings` must be a list, got the path {str(recordings)!r}. Pass [{str(recordings)!r}].")
        examples = [_example(one, f"`recordings[{i}]`") for i, one in enumerate(recordings)]
        return [best for _, best in self.transcribe_stream(examples, build(DecodingOptions, decoding))]

    def transcribe_stream(
        self, examples: Iterable[Example], decoding: DecodingOptions | None = None
    ) -> Iterator[tuple[Example, list[Transcript]]]:
        """The same for any number of examples, in their order, beside each."""
        decode = self.decoder(decoding or DecodingOptions())
        rest = iter(examples)
        while chunk := list(islice(rest, AT_ONCE)):
            heard = self._heard(chunk)
            logs = self.logs(heard, np.arange(len(heard)))
            for number, example in enumerate(chunk):
                yield example, self._transcripts(logs[number], decode(logs[number]), int(heard.lengths[number]))

    def evaluate(
        self,
        sources: Source | Sequence[Source],
        *,
        reading: ReadingOptions | None = None,
        decoding: DecodingOptions | None = None,
        progress: Progress | None = None,
    ) -> SpeechScores:
        """How far what it writes of other recordings is from their texts."""
        heard = self._heard(labelled_examples(sources, reading or self.reading_of(sources), Target.TEXTS))
        which = np.arange(len(heard))
        self.codecs.target.notice_unknown(heard.encoded.dataset, which)
        texts = self.texts(
            heard, which, decoding or DecodingOptions(), progress and (lambda done, total: progress("measuring", done, total))
        )
        return score_speech(self.references(heard, which), texts)

    def reading_of(self, sources: Source | Sequence[Source], *, labels: bool = True, **options: Any) -> ReadingOptions:
        """How other files are read: as those that were learnt, but for the `options`, of which `audio` and `text` are `input` and `target`."""
        named = {{"audio": "input", "text": "target"}.get(name, name): value for name, value in options.items()}
        reading = replace(for_other_files(self.reading, sources, labels=labels), **named)
        return reading if labels else reading.to_predict()

    def read(self, source: str, reading: ReadingOptions) -> Iterator[Example]:
        """The recordings of a file whose texts are not looked at."""
        return read_examples(source, reading, Target.TEXTS)

    def references(self, utterances: Utterances, which: Places) -> list[str]:
        """The texts of some utterances as they are compared."""
        dataset, target = utterances.encoded.dataset, self.codecs.target
        sets = (*dataset.label_sets, ())
        return [target.plain(" ".join(dataset.names[n] for n in sets[place])) for place in dataset.labels[which].tolist()]

    def texts(self, utterances: Utterances, which: Places, decoding: DecodingOptions, tick: Tick | None = None) -> list[str]:
        """The best text of each of some utterances."""
        decode = self.decoder(decoding)
        found = list[str]()
        for part in np.array_split(which, max(-(-len(which) // AT_ONCE), 1)):
            for logs in self.logs(utterances, part):
                best = decode(logs)
                found.append(self.codecs.target.decode(np.array(best[0].symbols if best else (), np.int64)))
                if tick:
                    tick(len(found), len(which))
        return found

    def decoder(self, decoding: DecodingOptions) -> Callable[[Logs], list[Found]]:
        """What finds the best texts of log-probabilities `[T, K]`."""
        blank = self.codecs.target.blank
        if decoding.beam == 1:
            return lambda logs: [Found(tuple(greedy(logs, blank)), float(logs.max(1).sum()), float(logs.max(1).sum()))]
        scorer = None if decoding.language_model is None else LanguageModelScorer(_language_model(decoding), self.codecs.target)
        words = None if decoding.words is None else read_words(decoding.words, self.codecs.target)
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

    def influence(self, example: Example, text: str) -> np.ndarray:
        """How much each step of a recording moves each symbol of a text, `[S, T]`, the most 1: gradients of the symbol's surest log-probability with
        regard to the standardised bands, times these bands, in absolute value and summed over bands."""
        heard = self._heard([example])
        which, ids = np.arange(1), self.codecs.target.ids(text).tolist()
        stretches = align(self.logs(heard, which)[0], ids, self.codecs.target.blank)
        batch = heard.batch(which).to(self.device)
        bands = batch[NUMBERS].clone().requires_grad_()
        with torch.enable_grad():
            scores, _ = self.model(replace(batch, fields={**batch.fields, NUMBERS: bands}))
            logs = scores[:, 0].log_softmax(-1)
            surest = [logs[one.begin : one.end, one.symbol].max() for one in stretches]
            found = [torch.autograd.grad(log, bands, retain_graph=True)[0] for log in surest]
        moved = [(gradient * bands.detach())[:, 0].abs().sum(-1) for gradient in found]
        rows = [(row / row.max().clamp(min=torch.finfo(row.dtype).tiny)).cpu().numpy() for row in moved]
        return np.stack(rows) if rows else np.zeros((0, len(bands)), np.float32)

    def _transcripts(self, logs: Logs, best: list[Found], steps: int) -> list[Transcript]:
        sound = self.codecs.inputs.sound
        seconds = steps * (1.0 if sound is None else sound.mel.step)
        return [
            timed(logs, one.symbols, self.codecs.target, self.step, seconds, score=one.score, log_probability=one.log_probability)
            for one in best or [Found((), -np.inf, -np.inf)]
        ]

    def _heard(self, examples: Iterable[Example]) -> Utterances:
        places = list[str]()

        def noted() -> Iterator[Example]:
            for example in examples:
                places.append(example.place)
                yield example

        sound = self.codecs.inputs.sound
        hearing = None if sound is None else Hearing(sound)
        dataset = gather(noted(), "char", perceive=Senses(hearing), fingerprint=False)
        if hearing is not None and sound is not None:
            hearing.report()
            dataset = sound.level(dataset)
        return Utterances(dataset, self.codecs, places)

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """See `Trained`: the first recording of a file, and others with it. `ConfigError` for a text."""
        if isinstance(given, str):
            raise ConfigError(f"This network hears recordings, got the text {given[:40]!r}. Pass a file.")
        examples = self.read(str(given), self.reading_of(str(given), labels=False))
        heard = self._heard(islice(examples, MOST_READ))
        return utterance_input(self.model, heard, np.arange(len(heard)), f"of {given.name}", most)

    def held_out(self, data: TranscriptData, most: int = 1000) -> InspectionInput | None:
        """See `Trained`."""
        return utterance_input(self.model, data.measured, data.held, "held out in training", most) if len(data.held) else None


def _language_model(decoding: DecodingOptions) -> TrainedLanguageModel:
    """The language model that was named. `RunError` for a run of another task."""
    return load_run(LanguageModelling(), RunFolder(str(decoding.language_model)))


def _example(recording: str | Path | np.ndarray | Example, place: str) -> Example:
    if isinstance(recording, Example):
        return recording
    if isinstance(recording, np.ndarray):
        if recording.ndim != 2:
            raise DataError(f"{place} must be numbers [T, C] or the path of a file, got an array of shape {list(recording.shape)}.")
        return Example(place, numbers=recording.astype(np.float32))
    return Example(str(recording), sound=Recording(Path(recording)))
