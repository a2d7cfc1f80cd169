"""A trained network that writes down what is said, ready to use."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.codecs import Senses
from unrolled.data.columns import Places
from unrolled.data.dataset import gather
from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, for_other_files, labelled_examples, read_examples
from unrolled.data.memory import example_of
from unrolled.data.sound.hearing import Hearing
from unrolled.data.sound.recordings import Recording
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import MOST_READ, InspectionInput
from unrolled.models import Unaligned
from unrolled.options import build
from unrolled.tasks.measures.edits import SpeechScores, score_speech
from unrolled.tasks.sequences.ahead import readable
from unrolled.tasks.trained import Progress, Trained
from unrolled.tasks.transcription.inspection_input import utterance_input, written_input
from unrolled.tasks.transcription.options import DecodingOptions, TranscribeOptions
from unrolled.tasks.transcription.reading import Codecs, TranscriptData, Utterances
from unrolled.tasks.transcription.transcript import Transcript, timed
from unrolled.tasks.transcription.way import way_of
from unrolled.tasks.transcription.ways import NOTHING, Found, Network

AT_ONCE = 256
"""Recordings that are held in memory while they are answered."""

Tick = Callable[[int, int], None]


class TrainedTranscriber(Trained[Network, Codecs]):
    """A network with the codecs of what it hears and of what it writes, as `load` gives it."""

    def __init__(self, model: Network, codecs: Codecs, options: TranscribeOptions) -> None:
        super().__init__("transcribe", model, codecs)
        self.options, self.reading = options, options.reading.of_others()
        self.way = way_of(model, codecs, options)

    @property
    def step(self) -> float:
        """The seconds from one output of the network to the next; 1 where steps are no sound."""
        sound = self.codecs.inputs.sound
        return (1.0 if sound is None else sound.mel.step) * self.options.model.subsampling

    def transcribe(self, recordings: Sequence[Any], **decoding: Any) -> list[list[Transcript]]:
        """The best texts of each recording, best first: a path of a file, `(samples, rate)` or a mapping with `array` and `sampling_rate`, numbers
        `[T, C]` if such were learnt, or an `Example`.

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
        find = self.way.find(decoding or DecodingOptions())
        rest = iter(examples)
        while chunk := list(islice(rest, AT_ONCE)):
            heard = self._heard(chunk)
            for number, best in enumerate(find(heard, np.arange(len(heard)))):
                yield chunk[number], self._transcripts(best, int(heard.lengths[number]))

    def evaluate(
        self,
        sources: Source | Sequence[Source],
        *,
        reading: ReadingOptions | None = None,
        decoding: DecodingOptions | None = None,
        progress: Progress | None = None,
    ) -> SpeechScores:
        """How far what it writes of other recordings is from their texts."""
        reading = reading or self.reading_of(sources)
        heard = self._heard(readable(labelled_examples(sources, reading, Target.TEXTS), reading.bad_rows))
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
        find, found = self.way.find(decoding), list[str]()
        for part in np.array_split(which, max(-(-len(which) // AT_ONCE), 1)):
            for best in find(utterances, part):
                found.append(self.codecs.target.decode(np.array(best[0].symbols if best else (), np.int64)))
                if tick:
                    tick(len(found), len(which))
        return found

    def influence(self, example: Example, decoding: DecodingOptions | None = None) -> np.ndarray:
        """How much each step of a recording counts for each symbol of its best text, `[S, T]`, the most 1."""
        heard, which = self._heard([example]), np.arange(1)
        (best,) = self.way.find(decoding or DecodingOptions())(heard, which)
        return self.way.moved(heard, best[0] if best else NOTHING)

    def _transcripts(self, best: list[Found], steps: int) -> list[Transcript]:
        sound = self.codecs.inputs.sound
        seconds = steps * (1.0 if sound is None else sound.mel.step)
        return [
            timed(one.symbols, one.place(), self.codecs.target, self.step, seconds, score=one.score, log_probability=one.log_probability)
            for one in best or [NOTHING]
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
        return self._inspection_input(heard, np.arange(len(heard)), f"of {given.name}", most)

    def held_out(self, data: TranscriptData, most: int = 1000) -> InspectionInput | None:
        """See `Trained`."""
        return self._inspection_input(data.measured, data.held, "held out in training", most) if len(data.held) else None

    def _inspection_input(self, heard: Utterances, which: Places, whence: str, most: int) -> InspectionInput:
        if isinstance(self.model, Unaligned):
            return utterance_input(self.model, heard, which, whence, most)
        (best,) = self.way.find(DecodingOptions())(heard, which[:1])
        return written_input(self.model, best[0] if best else NOTHING, heard, which, whence, most)


def _example(recording: Any, place: str) -> Example:
    if isinstance(recording, str | Path):
        return Example(str(recording), sound=Recording(Path(recording)))
    return recording if isinstance(recording, Example) else example_of(recording, place)
