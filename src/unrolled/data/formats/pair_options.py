"""What one can ask of the reading of pairs: a source, and a text to be written after it."""

from dataclasses import dataclass, fields
from typing import ClassVar

from unrolled.data.formats.bad_rows import ERROR, HELP, require_known
from unrolled.errors import ConfigError
from unrolled.options import option

TOO_LONG = ("drop", "cut")


@dataclass(frozen=True)
class PairOptions:
    """How pairs are read; what is left open is found out from the files.

    `targets_needed` says whether a target that is not there is an error. `learnt` are the columns, or keys, from which a run took sources
    and targets: other files are read from them if nothing else is said. `left` are those that it left out. `group` is the column or key that says
    which pairs belong together; it must be there if `group_needed`. These have no flags.
    """

    targets_needed: ClassVar[bool] = True
    group_needed: ClassVar[bool] = False

    source: str | None = option(
        None,
        "Column of a table of PAIRS, by name or by number from 0, or key of a JSON object, with the source; or instead of PAIRS a file with a "
        "source a line.  [default: found out]",
    )
    input: str | None = option(None, "As `source`, of a column or key.", rare=True)
    target: tuple[str, ...] = option(
        (), "The same with the target, or a file with the targets, line by line as in `source`; each further one has more references."
    )
    format: str | None = option(None, "Format of PAIRS: tsv, csv, jsonl, tmx, scan or lines: see docs/data.md.  [default: by their names]")
    header: bool | None = option(None, "Whether a table begins with the names of its columns.  [default: found out]", rare=True)
    references: bool = option(False, "Whether all columns of a table after the target have more references.", rare=True)
    longest: int | None = option(None, "Most words and marks of a side, or characters at the level char.  [default: 250, or 1000]")
    too_long: str = option("drop", "What becomes of a pair with a longer side: drop or cut.", rare=True)
    bad_rows: str = option(ERROR, HELP, rare=True)
    encoding: str = option("utf-8", "Encoding of the files.", rare=True)
    learnt: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    group: str | None = None

    def __post_init__(self) -> None:
        if self.longest is not None and self.longest < 1:
            raise ConfigError(f"`longest` must be at least 1, got {self.longest}.")
        require_known(self.bad_rows)
        if self.too_long not in TOO_LONG:
            raise ConfigError(f"`too_long` must be one of {', '.join(TOO_LONG)}, got {self.too_long!r}.")

    def most(self, level: str) -> int:
        """Characters at the level char, else words and marks, that a side may have."""
        return self.longest or (1000 if level == "char" else 250)

    def of_others(self) -> "PairOptions":
        """The same for files that are not divided, in which groups may be missing."""
        return PairOptions(**{field.name: getattr(self, field.name) for field in fields(self)})

    def to_predict(self) -> "PairOptions":
        """The same for sources whose targets may be missing: a file whose name says nothing else has a source a line, empty ones too."""
        return WithoutTargets(**{field.name: getattr(self, field.name) for field in fields(self)})


@dataclass(frozen=True)
class DividedPairOptions(PairOptions):
    """How pairs are read of which a part is learnt and a part held out."""

    group_needed: ClassVar[bool] = True

    group: str | None = option(
        None,
        "Column or key with groups, such as documents or speakers, each of which is learnt or held out as a whole.",
        rare=True,
        also="split_by",
    )


class WithoutTargets(PairOptions):
    """How sources are read that may have no targets."""

    targets_needed: ClassVar[bool] = False
