"""What one can ask of the reading of labelled files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from unrolled.data.examples import Target
from unrolled.data.formats.bad_rows import ERROR, HELP, require_known
from unrolled.data.pictures.arrays import AXES
from unrolled.data.pictures.images import IMAGES, ROWS
from unrolled.data.pictures.sensors import read_shape
from unrolled.errors import ConfigError
from unrolled.options import option

STEPS = ("characters", "parts")
"""What the tags of a table may belong to: each character of its input, or each of its parts between blanks."""


STRANDS = ("ignore", "tag")
"""What tags may say of the strand of a region: nothing, or + or - after its type."""


@dataclass(frozen=True)
class ReadingOptions:
    """How labelled files are read; what is left open is found out from the files.

    `labels_needed` says whether a label or tag that was asked for and is not there is an error. `learnt` are the columns, or keys, from
    which a run took its sequences and what is said of them: other files are read from those that have these names. `left` are the columns that it left out. `whole` says that a sequence of
    text is a whole file, as in folders of classes. `unnamed` is the format of the files that a run learnt from, where their names did not say
    it: so are others read whose names do not. `group` is the column or key that says which sequences belong together; it may be missing.
    `tags` are those that a run gives: short files without a name that says it are known by them. These have no flags.
    """

    labels_needed: ClassVar[bool] = True
    group_needed: ClassVar[bool] = False

    format: str | None = option(
        None, "Format of the files; `unrolled formats` lists them with their own options.  [default: by their names]"
    )
    input: str | None = option(None, "Column of a table, by name or by number from 0, or key of a JSON object, with the sequence.")
    target: str | None = option(None, "Column or key with the target: a label, as many tags as there are steps, or numbers.")
    header: bool | None = option(None, "Whether a table begins with the names of its columns.  [default: found out]", rare=True)
    steps: str | None = option(
        None,
        f"What the tags of a table belong to: {' or '.join(STEPS)} between blanks.  [default: found out, and kept by the run]",
        rare=True,
    )
    column: str | None = option(
        None, "Column with the tags of a file with one step a line: a number from 0, or upos, xpos, … of CoNLL-U.", rare=True
    )
    scheme: str | None = option(
        None, "How tags mark spans: bio, iob1, bioes (or BILOU), or none if they do not.  [default: found out]", rare=True
    )
    separator: str | None = option(None, "What lies between several labels of one sequence, such as ';'.  [default: one label]", rare=True)
    regions: tuple[str, ...] = option((), "BED or GFF files with the named regions of FASTA sequences, as tags.", rare=True)
    region_types: tuple[str, ...] = option(
        (), "Types of the regions to read, such as CDS,exon; where several overlap, the first one wins.  [default: all]", rare=True
    )
    strand: str | None = option(
        None, f"What tags say of the strand of a region: {' or '.join(STRANDS)}, as in exon-.  [default: ignore]", rare=True
    )
    series: str | None = option(
        None, "Column that says to which series a row of numbers belongs.  [default: each file is one series]", rare=True
    )
    channels: tuple[str, ...] = option((), "Columns with the numbers of series.  [default: all that are not named otherwise]", rare=True)
    labels: str | None = option(
        None,
        "Table with the labels of series or cases, a row for each, in columns called as `series` or `case` and as `target`.",
        rare=True,
    )
    case: str | None = option(None, "Column of an event log that says to which case an event belongs.", rare=True)
    activity: str | None = option(None, "Column of an event log that says what happened.", rare=True)
    time: str | None = option(
        None, "Column with the time of an event or a row of numbers, in seconds or as ISO dates.  [default: in order]", rare=True
    )
    pattern: str | None = option(
        None,
        "What names of files of sound say, such as '{label}_{speaker}_{take}.wav'.  [default: their folders are the labels]",
        rare=True,
    )
    day_first: bool | None = option(
        None, "Whether 01/02/2024 is the first of February.  [default: as AM, PM and numbers above 12 say]", rare=True
    )
    image: str = option(
        ROWS,
        "How an image is read: rows, one a step; whole, all its numbers in one step; frame, as pictures and videos are; or glimpses of it.",
        rare=True,
    )
    digits: str | None = option(
        None,
        "Idx file with the digits that builtin:translated-digits, builtin:cluttered-digits and builtin:moving-digits are made of.",
        rare=True,
    )
    shape: str | None = option(
        None, "Height and width of frames that stand in tables, a frame a row, as 24x32, or 24x32x3 with 3 channels.", rare=True
    )
    copies: int = option(1, "Pictures that these are to have of each digit; all of one digit are learnt, or all held out.", rare=True)
    axes: str | None = option(
        None, f"Order of the axes of an array of clips: {', '.join(AXES)}; colours come last without a C.  [default: found out]", rare=True
    )
    impute: bool = option(
        False, "Put the last known value of a channel, or the mean of the training part before it, where one is missing.", rare=True
    )
    bad_rows: str = option(ERROR, HELP, rare=True)
    encoding: str = option("utf-8", "Encoding of the files.", rare=True)
    learnt: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    whole: bool = False
    unnamed: str | None = None
    tags: tuple[str, ...] = ()
    group: str | None = None

    def __post_init__(self) -> None:
        if self.steps not in (None, *STEPS):
            raise ConfigError(f"`steps` must be one of {', '.join(STEPS)}, got {self.steps!r}.")
        require_known(self.bad_rows)
        if self.shape is not None:
            read_shape(self.shape)
        if self.image not in IMAGES:
            raise ConfigError(f"`image` must be one of {', '.join(IMAGES)}, got {self.image!r}.")
        if self.copies < 1:
            raise ConfigError(f"`copies` must be at least 1, got {self.copies}.")
        if self.axes not in (None, *AXES):
            raise ConfigError(f"`axes` must be one of {', '.join(AXES)}, got {self.axes!r}.")
        if self.strand not in (None, *STRANDS):
            raise ConfigError(f"`strand` must be one of {', '.join(STRANDS)}, got {self.strand!r}.")

    @property
    def learnt_targets(self) -> tuple[str, ...]:
        """The columns from which targets were learnt, if these are known."""
        return self.learnt[1:]

    @property
    def between(self) -> str:
        """What is written between several labels."""
        return self.separator or ";"

    def of_others(self) -> "ReadingOptions":
        """The same for files that are not divided, in which groups may be missing."""
        return ReadingOptions(**{field.name: getattr(self, field.name) for field in fields(ReadingOptions)})

    def to_predict(self) -> "ReadingOptions":
        """The same for files whose labels may be missing, and are not looked at: no `DataError` is about them."""
        return WithoutLabels(**{field.name: getattr(self, field.name) for field in fields(ReadingOptions)})


@dataclass(frozen=True)
class DividedReadingOptions(ReadingOptions):
    """How files are read of which a part is learnt and a part held out."""

    group_needed: ClassVar[bool] = True

    group: str | None = option(
        None,
        "Column or key with groups, such as speakers or patients, each of which is learnt or held out as a whole.",
        rare=True,
        also="split_by",
    )


class WithoutLabels(ReadingOptions):
    """How files are read in which labels may be missing."""

    labels_needed: ClassVar[bool] = False


def target_names(target: str | None, columns: Sequence[str], wanted: Target) -> tuple[str, ...]:
    """The columns or keys that an option names: one, or, of numbers, several with commas between them."""
    if target is None:
        return ()
    names = tuple(name.strip() for name in target.split(",")) if wanted.numbers and target not in columns else (target,)
    if len(names) != len({*names}):
        raise ConfigError(f"`target` must name each column once, got {target!r}. Take out the second one.")
    return names


def group_of(value: Any) -> str | None:
    """The group that a value of an object names, if it names one: a text or a number, of which a whole one is the same however it is written."""
    if isinstance(value, float):
        return None if math.isnan(value) else str(int(value) if value.is_integer() else value)
    return (str(value).strip() or None) if isinstance(value, str | int) else None


def require_apart(place: str, group: str | None, inputs: Sequence[str], targets: Sequence[str]) -> None:
    """`ConfigError` if the column or key with groups is also that of inputs or targets."""
    if group in targets:
        raise ConfigError(
            f"{place}: `group` names {group!r}, which has the target, so that what is held out would never be learnt. Name another column or key."
        )
    if group in inputs:
        raise ConfigError(
            f"{place}: `group` names {group!r}, which is taken for the input. Name another one as `group`, or say which is the input as `input`."
        )


def columns_named(names: Sequence[str]) -> str:
    """Columns or keys as they are told: by their names, or those without one by their numbers."""
    return ", ".join(f"column {name}" if name.isdecimal() else repr(name) for name in names)
