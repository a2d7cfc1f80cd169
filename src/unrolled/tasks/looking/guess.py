"""For which task files are, as their first sequences show it."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from unrolled.data.builtin import BUILTIN, PREFIX
from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, labelled_examples
from unrolled.data.formats.bad_rows import SKIP
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.captions import first_captions
from unrolled.data.formats.contents import tokens_a_line
from unrolled.data.formats.decimals import pointed
from unrolled.data.formats.files import HEAD, head_lines
from unrolled.data.formats.known import FORMATS, files_of, find_format
from unrolled.data.formats.options import DividedReadingOptions
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import read_pairs
from unrolled.data.formats.tmx import is_tmx
from unrolled.data.music.reading import is_certainly_music
from unrolled.data.numerals import as_number, is_number
from unrolled.data.pictures.clips import is_filmed
from unrolled.errors import UnrolledError, UnrolledWarning
from unrolled.options import build, options_of
from unrolled.tasks.looking.over_time import forecast_options

_CLASSES = 20
"""Different whole numbers up to which labels are classes, and not numbers to predict."""

_DISTINCT = ((0.8, 8), (0.2, 100))
"""Shares of different labels, and how many of them, from which on labels are texts of their own."""


_MOST = 0.75
"""Share of the sequences with labels from which on these are tags, and the others bad."""


@dataclass(frozen=True)
class Guess:
    """A task by its name, why it is this one, as the end of a sentence, and the options that it takes beside those that were given."""

    task: str
    why: str
    options: Mapping[str, Any] = field(default_factory=dict)


def guess_task(sources: Sequence[str], options: Mapping[str, Any]) -> Guess:
    """The task that some sources, read with some options, are for. What cannot be read for any task is the error of the first that was tried."""
    if options.get("source") or not sources:
        return Guess("translate", "as sources stand beside targets")
    if all(name in BUILTIN for name in sources):
        return Guess("lm", "as it is plain text")
    if all(is_certainly_music(Path(name)) for name in sources):
        return Guess("music", "as the names of the files say")
    if all(map(is_tmx, map(Path, sources))):
        return Guess("translate", "as it is a translation memory")
    if _captions(sources, options):
        return Guess("caption", "as pictures have sentences")
    reading = reading_of(options)
    known = None if any(name.startswith(PREFIX) for name in sources) else find_format([*map(Path, sources)], reading, Target.LABELS)
    if known and (known.about.task == "tag" or reading.regions or (known.name == "tsv" and _tokens(sources, reading))):
        return Guess("tag", "as each step has a tag")
    if known and not known.about.task:
        return _of_text(sources, reading, options)
    if known and known.name in ("events", "xes") and reading.target is None:
        return Guess("lm", "as no `target` is named, so that the next event is learnt")
    if known and known.name == "csv" and (needed := forecast_options(sources, options)) is not None:
        return Guess("forecast", "as there are numbers whose times rise", needed)
    return _of_labels(sources, replace(reading, format=known.name) if known else reading, options)


def _tokens(sources: Sequence[str], reading: ReadingOptions) -> bool:
    """Whether files that are called tables have a token a line."""
    asked = (reading.format, reading.input, reading.target)
    return asked == (None, None, None) and tokens_a_line(files_of([*map(Path, sources)], FORMATS["tsv"])[0], reading)


def _captions(sources: Sequence[str], options: Mapping[str, Any]) -> bool:
    """Whether the first rows or objects have pictures that are there, and most of them sentences of several words."""
    known = {option.name for option in options_of(CaptionOptions)}
    if not {"target", "input"}.isdisjoint(name for name, value in options.items() if not isinstance(value, str | None)):
        return False
    try:
        reading = build(CaptionOptions, {name: value for name, value in options.items() if name in known})
        some = first_captions(sources, reading, HEAD)
    except UnrolledError:
        return False
    seen = all(example.clip is not None and is_filmed(example.clip.path.name) for example in some)
    return seen and 2 * sum(" " in text for example in some for text in example.texts or ()) > len(some)


def reading_of(options: Mapping[str, Any]) -> ReadingOptions:
    """How files of sequences are read with some options, of which others may be for other tasks."""
    known = {option.name for option in options_of(DividedReadingOptions)}
    values = {name: value for name, value in options.items() if name in known}
    if not isinstance(values.get("target") or "", str):
        values["target"] = ",".join(values["target"]) or None
    return build(DividedReadingOptions, values)


def _of_text(sources: Sequence[str], reading: ReadingOptions, options: Mapping[str, Any]) -> Guess:
    """Plain text: tokens with their tags if empty lines divide them, pairs if its lines have two sides, or else one long text."""
    as_steps = find_format([*map(Path, sources)], reading, Target.TAGS)
    lines = head_lines(files_of([*map(Path, sources)], as_steps)[0], reading.encoding)
    if as_steps.about.task == "tag" and not all(map(str.strip, lines[:-1])) and len(_readable(sources, reading, Target.TAGS)) > 1:
        return Guess("tag", "as each step has a tag")
    if _pairs(sources, options):
        return Guess("translate", "as each line has two sides")
    return Guess("lm", "as it is plain text")


def _of_labels(sources: Sequence[str], reading: ReadingOptions, options: Mapping[str, Any]) -> Guess:
    """What the targets are: of steps if there are as many in each sequence, else those of sequences."""
    try:
        first = _first(sources, reading, Target.LABELS)
    except UnrolledError:
        return _of_others(sources, reading, options)
    # What is left out as tags, and is a label, says that it is a label; a few of many say that they are bad.
    places = {example.place for example in first}
    tagged = [found for found in _readable(sources, replace(reading, bad_rows=SKIP), Target.TAGS) if found.place in places]
    if _MOST * len(first) <= len(tagged) and _are_tagged(tagged):
        return _of_steps(tagged)
    labels = list(chain.from_iterable(example.labels or () for example in first))
    if _are_numbers(labels):
        return Guess("regress", "as the targets are numbers")
    different = len({*labels})
    if any(different > share * len(labels) and different >= least for share, least in _DISTINCT) and _pairs(sources, options, words=1):
        return Guess("translate", "as nearly every target is a text of its own")
    if any(len(example.labels or ()) != 1 for example in first):
        return Guess("classify", "as sequences have several labels", {"output": "multi-label"})
    return Guess("classify", "as each sequence has a label")


def _of_others(sources: Sequence[str], reading: ReadingOptions, options: Mapping[str, Any]) -> Guess:
    """What can be read of sequences that have no labels. If nothing can, the error is that of reading their labels."""
    if tagged := _readable(sources, reading, Target.TAGS):
        return _of_steps(tagged)
    if _readable(sources, reading, Target.VALUES):
        return Guess("regress", "as each sequence has numbers to predict")
    if _readable(sources, reading, Target.STEP_VALUES):
        return Guess("regress", "as each step has numbers to predict", {"each_step": True})
    if _pairs(sources, options):
        return Guess("translate", "as there are sources with targets")
    return Guess("classify", "as nothing says another task")


def _of_steps(tagged: Sequence[Example]) -> Guess:
    if _are_numbers([*chain.from_iterable(example.tags or () for example in tagged)]):
        return Guess("regress", "as each step has a number", {"each_step": True})
    return Guess("tag", "as each step has a tag")


def _are_tagged(examples: Sequence[Example]) -> bool:
    """Whether most examples have several tags, of which there are fewer than tokens: else they may be texts of as many words."""
    several = sum(len(example.tags or ()) > 1 for example in examples)
    tokens, tags = {*chain.from_iterable(e.tokens or () for e in examples)}, {*chain.from_iterable(e.tags or () for e in examples)}
    return 2 * several > len(examples) and (not tokens or 2 * len(tags) <= len(tokens))


def _are_numbers(labels: Sequence[str]) -> bool:
    """Whether labels are numbers to predict: most are numbers, and some are no whole ones, or there are many. The others are bad, which training says."""
    numbers = [*filter(is_number, pointed(labels))]
    if 2 * len(numbers) <= len(labels):
        return False
    return len({*numbers}) > _CLASSES or not all(as_number(number).is_integer() for number in numbers)


def _readable(sources: Sequence[str], reading: ReadingOptions, wanted: Target) -> list[Example]:
    """The first sequences with what is wanted; none where it cannot be read."""
    try:
        return _first(sources, reading, wanted)
    except UnrolledError:
        return []


def _first(sources: Sequence[str], reading: ReadingOptions, wanted: Target) -> list[Example]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnrolledWarning)
        return list(islice(labelled_examples(sources, reading, wanted, several=wanted is Target.LABELS), HEAD))


def _pairs(sources: Sequence[str], options: Mapping[str, Any], words: int = 2) -> bool:
    """Whether sources are read as pairs of texts, most of both sides of so many `words` at least."""
    known = {option.name for option in options_of(PairOptions)}
    if not options.keys() <= known:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnrolledWarning)
            pairs = list(islice(read_pairs(sources, build(PairOptions, options)), HEAD))
    except UnrolledError:
        return False
    sides = [(pair.text or "", *(pair.texts or ())) for pair in pairs]
    return all(name.startswith(PREFIX) for name in sources) or 2 * sum(
        all(len(side.split()) >= words for side in both) for both in sides
    ) > len(sides)
