"""A trained labeller, ready to use."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.examples import Example, Prediction
from unrolled.data.formats import ReadingOptions, for_other_files, labelled_examples, read_examples, resolve_format
from unrolled.data.formats.numbers import complete
from unrolled.data.sequences import gather
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import MOST_READ, InspectionInput
from unrolled.options import build
from unrolled.tasks.labelling.batches import Encoded
from unrolled.tasks.labelling.codec import Codec
from unrolled.tasks.labelling.inspection_input import labelled_input
from unrolled.tasks.labelling.material import Labelled, Part
from unrolled.tasks.labelling.options import WindowOptions
from unrolled.tasks.labelling.predictor import Predictor, Steps, predict_all
from unrolled.tasks.labelling.scores import Scores
from unrolled.tasks.recipe import Progress

AT_ONCE = 512
"""Sequences that are held in memory while they are labelled."""


class TrainedLabeller:
    """A network with what it knows of its data, as `load` gives it.

    `model` is the network, in evaluation mode; `labels` are the labels or tags that it can give; `reading` says how the files were read
    that it learnt from; others are read as `reading_of` says.
    """

    def __init__(self, predictor: Predictor, codec: Codec, reading: ReadingOptions) -> None:
        self.predictor, self.codec, self.reading = predictor, codec, reading

    @property
    def model(self) -> Any:
        """The network."""
        return self.predictor.model

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, in the order of the network's scores."""
        return self.codec.labels

    @property
    def tagged(self) -> bool:
        """Whether labels are those of steps."""
        return self.predictor.tagged

    def predict(
        self, sequences: Sequence[str | Sequence[str] | np.ndarray | Example], *, window: int | None = None, overlap: int = 0
    ) -> list[Prediction]:
        """What the network says of each sequence: a text, a list of tokens, numbers `[T, C]`, or an `Example`.

        `window` and `overlap` say in which pieces steps are tagged, if not as in training. Where numbers are missing the last known ones
        stand for them, if the network learnt so. `DataError` names the index of something else, and of a sequence without steps, or with
        numbers that are missing otherwise or infinite.
        """
        if isinstance(sequences, str):
            raise DataError(f"`sequences` must be a list, got the text {sequences[:30]!r}. Pass [{sequences[:30]!r}].")
        places = [f"`sequences[{i}]`" for i in range(len(sequences))]
        given = zip(sequences, places, strict=True)
        examples = [self._complete(s if isinstance(s, Example) else _example(s, place), place) for s, place in given]
        return [prediction for _, prediction in self.predict_stream(examples, window=window, overlap=overlap)]

    def predict_stream(
        self, examples: Iterable[Example], at_once: int | None = None, *, window: int | None = None, overlap: int = 0
    ) -> Iterator[tuple[Example, Prediction]]:
        """The same for any number of examples, in their order; so many are in memory at a time, or else a few hundred.

        Their numbers are as files are read: NaN stands for the mean. Where steps are tagged, texts come with the tokens into which they
        were cut.
        """
        predictor = self._asked(window, overlap)
        examples = map(self._cut, examples) if self.tagged else iter(examples)
        chunks = iter(lambda: list(islice(examples, at_once or AT_ONCE)), [])
        return (pair for chunk in chunks for pair in self._said(predictor, chunk))

    def _said(self, predictor: Predictor, chunk: list[Example]) -> Iterator[tuple[Example, Prediction]]:
        found, _, _ = predict_all(predictor, self._encoded(chunk), np.arange(len(chunk)))
        return zip(chunk, found, strict=True)

    def evaluate(
        self,
        sources: Source | Sequence[Source],
        *,
        reading: ReadingOptions | None = None,
        progress: Progress | None = None,
        window: int | None = None,
        overlap: int = 0,
    ) -> Scores:
        """How well it labels other files, read as `reading_of` says unless a `reading` is given, in pieces as `predict` makes them.

        Labels that it never saw count as wrong, and are an `UnrolledWarning`.
        """
        predictor = self._asked(window, overlap)
        reading = reading or self.reading_of(sources)
        encoded = self._encoded(labelled_examples(sources, reading, tagged=self.tagged, several=self.predictor.several))
        which = np.arange(len(encoded.sequences))
        if not len(which):
            raise DataError("There is no sequence to measure. Pass a file with at least one.")
        encoded.notice_unseen(which)
        found, _, _ = predict_all(predictor, encoded, which, progress and (lambda done, total: progress("measuring", done, total)))
        return predictor.score(encoded, which, found)

    def reading_of(self, sources: Source | Sequence[Source], *, labels: bool = True, **options: Any) -> ReadingOptions:
        """How other files are read: as those that the network learnt from, but for the `options`; without `labels` as `to_predict` has it.

        Regions belong to the sequences that they came with, and are named anew. That each file has a label is remembered for files whose
        names do not say what they are.
        """
        known = for_other_files(self.reading, sources, labels=labels)
        reading = replace(known, **{"regions": (), **options})
        return reading if labels else reading.to_predict()

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What `unrolled.inspect` looks at: a text, or the first sequence of a file and some of the others; `most` steps of each.

        Labels that are not known are supposed to be those that the network gives.
        """
        if isinstance(given, str):
            return labelled_input(self.predictor, Part(self._encoded([_example(given, "the input")]), np.arange(1)), "", most)
        reading = resolve_format(given, self.reading_of(given, labels=False), tagged=self.tagged)
        encoded = self._encoded(islice(read_examples(given, reading, tagged=self.tagged), MOST_READ))
        return labelled_input(self.predictor, Part(encoded, np.arange(len(encoded.sequences))), f"of {given.name}", most)

    def held_out(self, material: Labelled, most: int = 1000) -> InspectionInput | None:
        """The same of what was held out when `material` was learnt; None where nothing was."""
        return labelled_input(self.predictor, material.held_out, "held out in training", most) if len(material.held_out) else None

    def _asked(self, window: int | None, overlap: int) -> Predictor:
        """How the network is asked: as in training, or in pieces of so many steps."""
        asked = build(WindowOptions, {"window": window, "overlap": overlap})
        if asked.window is None:
            return self.predictor
        if not self.tagged:
            raise ConfigError("`--window` divides sequences whose steps are tagged, and this network labels whole ones. Leave it out.")
        return Steps(self.model, asked.window, asked.overlap)

    def _complete(self, example: Example, place: str) -> Example:
        """With numbers such as files give, without gaps that the network has not learnt to do with."""
        numbers = example.numbers
        if numbers is None:
            return example
        known = self.codec.channels
        channels = known if len(known) == numbers.shape[1] else [f"channel {channel + 1}" for channel in range(numbers.shape[1])]
        cure = "Fill it in, or train with `impute=True`."
        return replace(
            example,
            numbers=complete(numbers, lambda step: f"{place}, step {step + 1}", channels, impute=self.reading.impute, cure=cure),
        )

    def _encoded(self, examples: Iterable[Example]) -> Encoded:
        return Encoded(gather(map(self._cut, examples), self.codec.level), self.codec, tagged=self.tagged, several=self.predictor.several)

    def _cut(self, example: Example) -> Example:
        """With its text cut into tokens, if it comes without."""
        if example.tokens is not None or example.text is None:
            return example
        return replace(example, tokens=self.codec.cut(example.text))


def _example(sequence: str | Sequence[str] | np.ndarray, place: str) -> Example:
    if isinstance(sequence, str):
        return Example(place, text=sequence)
    if isinstance(sequence, np.ndarray) and sequence.ndim == 2 and sequence.dtype.kind in "fiub":
        with np.errstate(over="ignore"):
            return Example(place, numbers=sequence.astype(np.float32))
    if isinstance(sequence, list | tuple) and all(isinstance(token, str) for token in sequence):
        return Example(place, tokens=tuple(sequence))
    raise DataError(
        f"{place} must be a text, a list of tokens, an array of numbers [T, C] or an Example, got {_told(sequence)}. "
        "Pass one of these, or take it out."
    )


def _told(sequence: object) -> str:
    """What something is that is no sequence, in a few words."""
    if isinstance(sequence, np.ndarray):
        return f"an array of {sequence.dtype} of shape {list(sequence.shape)}"
    if isinstance(sequence, list | tuple):
        return f"{repr(next(token for token in sequence if not isinstance(token, str)))[:30]} among its tokens"
    return type(sequence).__name__
