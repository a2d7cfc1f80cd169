"""A trained network that says something of sequences, or of their steps, ready to use."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Generic, Protocol

import numpy as np

from unrolled.data.codecs import Encoded, Senses
from unrolled.data.columns import Places
from unrolled.data.dataset import NUMBERS, gather
from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats import ReadingOptions, for_other_files, labelled_examples, read_examples, resolve_format
from unrolled.data.formats.numbers import complete
from unrolled.data.label_kinds import TEXT
from unrolled.data.memory import are_files, example_of, in_memory, labelled, sequences_in
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import MOST_READ, InspectionInput
from unrolled.models import EachStep, Whole
from unrolled.options import build
from unrolled.tasks.measures.flights import beside_flights
from unrolled.tasks.mistakes import TABLES, Mistake, save_mistakes
from unrolled.tasks.places import require_place
from unrolled.tasks.sequences.ahead import readable
from unrolled.tasks.sequences.errors import errors_of
from unrolled.tasks.sequences.frame_features import features_of
from unrolled.tasks.sequences.inspection_input import sequence_input
from unrolled.tasks.sequences.options import WindowOptions
from unrolled.tasks.sequences.predictor import TC, Predictor
from unrolled.tasks.sequences.reading import Part, SequenceCodecs, SequenceData
from unrolled.tasks.trained import Measured, Progress, Trained, not_finite

AT_ONCE = 2048
"""Sequences that are held in memory while they are answered."""


class Scores(Measured, Protocol):
    """Measures of predictions: `measures` are numbers for the log of a run."""

    @property
    def text(self) -> str:
        """All of them in words, as many lines as it takes."""

    @property
    def warning(self) -> str:
        """That what is said is no better than what one would say without reading, and what to try; nothing where it is."""

    def measures(self) -> dict[str, float]:
        """Numbers by name."""

    def draw_calibration(self, path: str | Path) -> None:
        """Draw how far probabilities can be believed into a picture."""

    def draw(self, path: str | Path) -> None:
        """Draw what was predicted beside what is true into a picture."""


Score = Callable[[Encoded, Places, list[Prediction]], Scores]
"""Makes measures of the predictions for some sequences."""


class TrainedPredictor(Trained[Whole | EachStep, SequenceCodecs[TC]], Generic[TC]):
    """A network with the codecs of what it reads and of what it says, as `load` gives it.

    `reading` says how the files were read that it learnt from; others are read as `reading_of` says.
    """

    def __init__(
        self,
        task: str,
        predictor: Predictor[TC],
        codecs: SequenceCodecs[TC],
        reading: ReadingOptions,
        score: Score,
        *,
        several: bool = False,
    ) -> None:
        super().__init__(task, predictor.model, codecs)
        self.predictor, self.reading, self.score, self.several = predictor, reading, score, several

    @property
    def wanted(self) -> Target:
        """What it says of sequences."""
        return self.codecs.target.target

    @property
    def labels(self) -> tuple[Any, ...]:
        """All labels, in the order of the network's scores and in the type that they were given in; none of a network of numbers."""
        return tuple(map(self._given, self._names))

    @property
    def _names(self) -> tuple[str, ...]:
        """The same as text."""
        return getattr(self.codecs.target, "labels", ())

    def _given(self, label: str) -> Any:
        """A label in the type that it was given in."""
        codec: Any = self.codecs.target
        return codec.given(label)

    def predict(self, sequences: Any, *, window: int | None = None, overlap: int = 0) -> list[Prediction]:
        """What the network says of each sequence: a text, a list of tokens, numbers `[T, C]`, frames `[T, H, W, C]`, the `Path` of a
        recording, picture or video, the `(samples, rate)` of a recording, or an `Example`. In the place of a list there may be a data frame, a mapping of columns or a data set, with
        columns of the same names as in training.

        `window` and `overlap` say in which pieces steps are answered, if not as in training. Where numbers are missing the last known ones
        stand for them, if the network learnt so. `DataError` names the index of something else, and of a sequence without steps, or with
        numbers that are missing otherwise or infinite.

        Labels and tags that were learnt from memory come in the type that they were given in, those of files as text.
        """
        given = sequences_in(sequences, self.reading, self.wanted)
        examples = [self._complete(example, f"`sequences[{number}]`") for number, example in enumerate(given)]
        found = (prediction for _, prediction in self.predict_stream(examples, window=window, overlap=overlap))
        typed = getattr(self.codecs.target, "kind", TEXT) != TEXT
        return [prediction.renamed(self._given) if typed else prediction for prediction in found]

    def predict_stream(
        self, examples: Iterable[Example], at_once: int | None = None, *, window: int | None = None, overlap: int = 0
    ) -> Iterator[tuple[Example, Prediction]]:
        """The same for any number of examples, in their order; so many are in memory at a time, or else about two thousand.

        Their numbers are as files are read: NaN stands for the mean. Where steps are answered, texts come with the tokens into which they
        were cut.
        """
        predictor = self._asked(window, overlap)
        examples = map(self._cut, examples) if self.wanted.each_step else iter(examples)
        chunks = iter(lambda: list(islice(examples, at_once or AT_ONCE)), [])
        return chain.from_iterable(self._said(predictor, chunk) for chunk in chunks)

    def _said(self, predictor: Predictor[TC], chunk: list[Example]) -> Iterator[tuple[Example, Prediction]]:
        some = [example for example in chunk if not example.blank]
        found, _, _ = predictor.predict_all(self.encoded(some), np.arange(len(some)))
        _require_finite(found, lambda number: some[number].place)
        if self.wanted.each_step:
            every = zip(some, found, strict=True)
            found = [replace(prediction, seconds=self.codecs.inputs.seconds(example.clip)) for example, prediction in every]
        if len(some) == len(chunk):
            return zip(chunk, found, strict=True)
        answers = iter(found)
        return ((example, Prediction() if example.blank else next(answers)) for example in chunk)

    def predict_proba(self, sequences: Any) -> np.ndarray:
        """The probability of each of the `labels` of each sequence, `[N, K]`; of a tagger use `predict`, which has that of each tag."""
        if self.wanted is not Target.LABELS:
            raise ConfigError(
                "`predict_proba` gives probabilities of labels of whole sequences, which this network has none of. Use `predict`."
            )
        return np.array([prediction.scores for prediction in self.predict(sequences)], np.float64).reshape(-1, len(self.labels))

    def evaluate(
        self,
        sources: Any,
        targets: Any = None,
        *,
        reading: ReadingOptions | None = None,
        errors: str | Path | None = None,
        progress: Progress | None = None,
        window: int | None = None,
        overlap: int = 0,
    ) -> Any:
        """How good what it says of other files is, read as `reading_of` says unless a `reading` is given, in pieces as `predict` makes them.

        In the place of files there may be what `unrolled.data.memory.in_memory` takes: sequences with their `targets`, a data frame, a data set.
        The table `errors` gets a row for each wrong answer, the surest first.

        Labels that it never saw count as wrong, and are an `UnrolledWarning`.
        """
        if errors is not None:
            require_place(Path(errors), TABLES, "errors")
        predictor = self._asked(window, overlap)
        examples = list[Example]()

        def noted() -> Iterator[Example]:
            for example in self._labelled(sources, targets, reading):
                example = self._cut(example) if self.wanted.each_step else example
                examples.append(replace(example, numbers=None))
                yield example

        encoded = self.encoded(noted())
        which = np.arange(len(encoded))
        if not len(which):
            raise DataError("There is no sequence to measure. Pass a file with at least one.")
        self.codecs.target.notice_unknown(encoded.dataset, which)
        numbers, mistakes = encoded.dataset.columns.get(NUMBERS), list[Mistake]()

        def note(number: int, said: Prediction) -> None:
            taken = None if numbers is None else numbers.take(which[number : number + 1])
            mistakes.extend(errors_of(replace(examples[number], numbers=taken), said, self._names))

        tick = None if progress is None else partial(progress, "measuring")
        found, _, _ = predictor.predict_all(encoded, which, tick, show=None if errors is None else note)
        _require_finite(found, lambda number: f"sequence {number + 1}")
        if errors is not None:
            save_mistakes(Path(errors), mistakes)
        return beside_flights(self.score(encoded, which, found), zip(examples, found, strict=True))

    def _labelled(self, sources: Any, targets: Any, reading: ReadingOptions | None) -> Iterable[Example]:
        """Examples with what is to be said of them, of files or of what is in memory."""
        if are_files(sources, targets):
            reading = reading or self.reading_of(sources)
            return readable(labelled_examples(sources, reading, self.wanted, several=self.several), reading.bad_rows)
        return labelled(in_memory(sources, targets, reading or self.reading, self.wanted), self.wanted, several=self.several)

    def reading_of(self, sources: Source | Sequence[Source], *, labels: bool = True, **options: Any) -> ReadingOptions:
        """How other files are read: as those that the network learnt from, but for the `options`; without `labels` as `to_predict` has it.

        Regions, labels and digits belong to the sequences that they came with, and are named anew. That each file has a label is remembered for files whose
        names do not say what they are.
        """
        known = for_other_files(self.reading, sources, labels=labels)
        reading = replace(known, **{"regions": (), "labels": None, "digits": None, "copies": 1, **options})
        return reading if labels else replace(reading, tags=self._names if self.wanted is Target.TAGS else ()).to_predict()

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """See `Trained`. Targets that are not known are supposed to be what the network says."""
        if isinstance(given, str):
            return sequence_input(self.predictor, Part(self.encoded([example_of(given, "the input")]), np.arange(1)), "", most, self._names)
        reading = resolve_format(given, self.reading_of(given, labels=False), self.wanted)
        encoded = self.encoded(islice(read_examples(given, reading, self.wanted), MOST_READ))
        return sequence_input(self.predictor, Part(encoded, np.arange(len(encoded))), f"of {given.name}", most, self._names)

    def held_out(self, data: SequenceData[TC], most: int = 1000) -> InspectionInput | None:
        """See `Trained`."""
        if not len(data.held_out):
            return None
        return sequence_input(self.predictor, data.held_out, "held out in training", most, self._names)

    def _asked(self, window: int | None, overlap: int) -> Predictor[TC]:
        """How the network is asked: as in training, or in pieces of so many steps."""
        asked = build(WindowOptions, {"window": window, "overlap": overlap})
        if asked.window is None:
            return self.predictor
        if not self.wanted.each_step:
            raise ConfigError("`window` divides sequences whose steps are answered, and this network answers whole ones. Leave it out.")
        return Predictor(self.model, self.codecs.target, self.predictor.say, asked.window, asked.overlap)

    def _complete(self, example: Example, place: str) -> Example:
        """With numbers such as files give, without gaps that the network has not learnt to do with."""
        numbers = example.numbers
        if numbers is None:
            return example
        known = self.codecs.inputs.channels
        channels = known if len(known) == numbers.shape[1] else [f"channel {channel + 1}" for channel in range(numbers.shape[1])]
        cure = "Fill it in, or train with `impute=True`."
        whole = complete(numbers, lambda step: f"{place}, step {step + 1}", channels, impute=self.reading.impute, cure=cure)
        return replace(example, numbers=whole)

    def encoded(self, examples: Iterable[Example]) -> Encoded:
        """Examples as the network reads them."""
        inputs = self.codecs.inputs
        senses = Senses.of(inputs.sound, inputs.frames, features_of)
        dataset = gather(examples, "both" if inputs.tokens is None else inputs.tokens.cut, perceive=senses, fingerprint=False)
        senses.report()
        dataset = dataset if inputs.sound is None else inputs.sound.level(dataset)
        return Encoded(dataset, self.codecs.inputs, self.codecs.target)

    def _cut(self, example: Example) -> Example:
        """With its text cut into tokens, if it comes without."""
        tokens = self.codecs.inputs.tokens
        if example.tokens is not None or example.text is None or tokens is None:
            return example
        return replace(example, tokens=tokens.cut(example.text))


def _require_finite(found: Iterable[Prediction], place: Callable[[int], str]) -> None:
    for number, prediction in enumerate(found):
        if not prediction.finite:
            raise not_finite(place(number))
