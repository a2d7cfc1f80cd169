"""What one can ask of the reading of pairs: a source, and a text to be written after it."""

from dataclasses import dataclass, fields
from typing import ClassVar

from unrolled.errors import ConfigError
from unrolled.options import option

TOO_LONG = ("drop", "cut")


@dataclass(frozen=True)
class PairOptions:
    """How pairs are read; what is left open is found out from the files.

    `targets_needed` says whether a target that is not there is an error.
    """

    targets_needed: ClassVar[bool] = True

    source: str | None = option(None, "A file with a source a line, beside `target` instead of PAIRS.")
    target: tuple[str, ...] = option((), "A file with the targets, line by line as in `source`; each further one has more references.")
    format: str | None = option(None, "Format of PAIRS: tsv, jsonl, scan or lines: see docs/data.md.  [default: by their names]")
    header: bool = option(False, "Whether a table begins with the names of its columns.", rare=True)
    references: bool = option(
        False, "Whether the columns of a table after the second have more references; else they are left out.", rare=True
    )
    longest: int | None = option(None, "Most words and marks of a side, or characters at the level char.  [default: 250, or 1000]")
    too_long: str = option("drop", "What becomes of a pair with a longer side: drop or cut.", rare=True)
    encoding: str = option("utf-8", "Encoding of the files.", rare=True)

    def __post_init__(self) -> None:
        if self.longest is not None and self.longest < 1:
            raise ConfigError(f"`longest` must be at least 1, got {self.longest}.")
        if self.too_long not in TOO_LONG:
            raise ConfigError(f"`too_long` must be one of {', '.join(TOO_LONG)}, got {self.too_long!r}.")

    def most(self, level: str) -> int:
        """Characters at the level char, else words and marks, that a side may have."""
        return self.longest or (1000 if level == "char" else 250)

    def to_predict(self) -> "PairOptions":
        """The same for sources whose targets may be missing: a file whose name says nothing else has a source a line, empty ones too."""
        return WithoutTargets(**{field.name: getattr(self, field.name) for field in fields(self)})


class WithoutTargets(PairOptions):
    """How sources are read that may have no targets."""

    targets_needed: ClassVar[bool] = False
