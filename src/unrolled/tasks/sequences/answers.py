"""What a network says of sequences, for programs and people: as JSON or in the format of their file, and measures of it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO, TypeVar

from unrolled.data.examples import Example, Prediction
from unrolled.data.formats import read_examples, require_used, resolve_format, write_predictions
from unrolled.data.formats.fasta import RESIDUES
from unrolled.data.formats.files import named
from unrolled.data.formats.regions import spans
from unrolled.errors import ConfigError
from unrolled.options import option
from unrolled.tasks.places import PICTURES
from unrolled.tasks.recipe import Answering, Writing
from unrolled.tasks.sequences.ahead import readable
from unrolled.tasks.sequences.trained import AT_ONCE, Scores, TrainedPredictor
from unrolled.tasks.trained import Progress

T = TypeVar("T")


@dataclass(frozen=True)
class ConfusionOptions:
    """The picture of what was taken for what."""

    confusion: str | None = option(
        None, "Draw the confusion matrix, which labels were taken for which, into this PNG, SVG or PDF file.", written=PICTURES
    )


@dataclass(frozen=True)
class CalibrationOptions:
    """The picture of how far probabilities can be believed."""

    calibration: str | None = option(
        None,
        "Draw the reliability curve, how often answers of each probability are right, into this PNG, SVG or PDF file.",
        written=PICTURES,
    )


@dataclass(frozen=True)
class ChoiceOptions:
    """Which labels are said."""

    top: int | None = option(None, "Say the K most probable labels, each with its probability.  [default: the one, or those that hold]")
    threshold: float | None = option(
        None,
        "Say only labels of at least this probability, none if there is none; of several that may hold all of these.  [default: 0.5 of several]",
    )

    def __post_init__(self) -> None:
        if self.top is not None and self.top < 1:
            raise ConfigError(f"`top` must be at least 1, got {self.top}.")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ConfigError(f"`threshold` must be a probability from 0 to 1, got {self.threshold}.")


def measured(
    trained: TrainedPredictor[Any],
    data: Sequence[str],
    reading: Mapping[str, Any],
    windows: Mapping[str, Any],
    files: Mapping[str, str],
    progress: Progress,
) -> Scores:
    """How good what a network says of files is; of the `files` that are named `errors` gets what is wrong, `calibration` a reliability curve, and any
    other the picture of the measures."""
    pictures = {name: file for name, file in files.items() if name != "errors"}
    resolved = resolve_format(data, trained.reading_of(data, **reading), trained.wanted)
    require_used(data, resolved, reading)
    found: Scores = trained.evaluate(data, reading=resolved, errors=files.get("errors"), progress=progress, **windows)
    for name, file in pictures.items():
        if name == "calibration":
            found.draw_calibration(Path(file))
        else:
            found.draw(Path(file))
    return found


def answer(
    trained: TrainedPredictor[Any],
    file: str,
    reading: Mapping[str, Any],
    windows: Mapping[str, Any],
    how: Answering,
    choice: Mapping[str, Any] | None = None,
) -> Writing:
    """What a network says of a file, written in its own format with the predictions added, or as an object for each sequence."""
    resolved = trained.reading_of(file, labels=False, **reading)
    table = resolved.case or resolved.series or resolved.channels
    reads_text = trained.codecs.inputs.tokens is not None
    if file == "-" and not reading.get("format") and not table and reads_text:
        resolved = replace(resolved, format="lines")
    if how.typed:
        how.say(f"Type {'the rows of a table, with their header' if table else 'a text and press Enter'}; end with Ctrl-D.")
    resolved = resolve_format(file, resolved, trained.wanted)
    require_used(file, resolved, reading)
    examples = _noticing(file, readable(read_examples(file, resolved, trained.wanted, blank=True), resolved.bad_rows), how.say)
    at_once = 1 if how.typed else AT_ONCE
    found = trained.predict_stream(examples, at_once, **windows)
    if choice:
        found = ((example, prediction.chosen(**choice)) for example, prediction in found)

    def write(target: TextIO) -> None:
        written = _flushing(found, target, at_once) if file == "-" else found
        if how.as_json:
            target.writelines(f"{line}\n" for line in _json_lines(written, regions=resolved.format in RESIDUES))
        else:
            write_predictions(written, target, resolved)

    return write


def _flushing(found: Iterable[T], target: TextIO, at_once: int) -> Iterator[T]:
    """What is found, so that what has been written of so many at once is seen while those that are next are still to be read."""
    for number, answer in enumerate(found, 1):
        yield answer
        if number % at_once == 0:
            target.flush()


def _noticing(file: str, examples: Iterable[Example], say: Callable[[str], None]) -> Iterator[Example]:
    """The examples; of the first that has targets it is said that they are ignored."""
    noticed = False
    for example in examples:
        if not noticed and (example.labels or example.tags or example.values is not None):
            say(f"{named(Path(file))} has targets, which are ignored here; `unrolled evaluate` compares with them.")
            noticed = True
        yield example


def _json_lines(found: Iterable[tuple[Example, Prediction]], *, regions: bool) -> Iterator[str]:
    for example, prediction in found:
        known: dict[str, Any] = {"id": example.name, "text": example.text, "tokens": example.tokens}
        if regions and prediction.tags is not None:
            known["regions"] = spans(prediction.tags)
        yield json.dumps({**{k: v for k, v in known.items() if v is not None}, **prediction.to_json()}, ensure_ascii=False)
