"""Which columns of a table are what."""

from dataclasses import dataclass
from datetime import date

from unrolled.data.formats.bad_rows import ERROR, HELP, require_known
from unrolled.errors import ConfigError
from unrolled.options import option

LONG, COLUMNS, ROWS = "long", "columns", "rows"
LAYOUTS = (LONG, COLUMNS, ROWS)

MEAN, SUM, LAST = MERGES = ("mean", "sum", "last")
"""What several rows on one step can become."""


def several(names: str | None, columns: object = ()) -> tuple[str, ...]:
    """The columns that are named with commas between them; a column whose own name has commas can be named alone."""
    if names is None:
        return ()
    if isinstance(columns, (dict, tuple, list)) and names in columns:
        return (names,)
    return tuple(dict.fromkeys(part for name in names.split(",") if (part := name.strip())))


@dataclass(frozen=True)
class PanelOptions:
    """How tables of series are read. `commas` are the columns whose numbers had a decimal comma where they were learnt; it has no flag."""

    time: str | None = option(None, "Column with the times.  [default: the first column of dates; without one, rows are in order]")
    target: str | None = option(None, "Column with the numbers to forecast; several with commas between, which one network reads together.")
    series: str | None = option(None, "Column that says to which series a row belongs.  [default: all rows are one series]")
    known: str | None = option(None, "Columns that are known of the future, too, such as holidays or prices, with commas between.")
    past: str | None = option(None, "Columns that are known of the past alone, such as measurements, with commas between.")
    static: str | None = option(None, "Columns that are the same for all rows of a series, with commas between; the series may be one.")
    frequency: str | None = option(
        None, "Step from one row to the next: h, 30min, D, B (business days), W, MS, M, Q, Y, …  [default: found out from the times]"
    )
    zone: str | None = option(
        None,
        "Time zone whose calendar counts where times are UTC, such as Europe/Madrid.  [default: times are as clocks show them]",
        rare=True,
    )
    holidays: str | None = option(None, "Days that are holidays, as 2024-12-25, with commas between.", rare=True)
    layout: str | None = option(
        None,
        "long (a row for each time of each series), columns (a series in each column) or rows (a series in each row).  [default: found out]",
        rare=True,
    )
    missing: str | None = option(
        None, "Text of cells in which nothing is said, beside empty ones, NA, nan and null.  [default: none]", rare=True
    )
    time_format: str | None = option(
        None, "How dates are written, as Python's strptime has it, such as %d.%m.%Y.  [default: found out]", rare=True
    )
    merge: str | None = option(
        None,
        f"What becomes of several rows on one step of the frequency, as with irregular times: their {', '.join(MERGES)}.  [default: an error]",
        rare=True,
    )
    bad_rows: str = option(ERROR, HELP, rare=True)
    encoding: str = option("utf-8", "Encoding of the files.", rare=True)
    commas: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_known(self.bad_rows)
        if self.layout not in (None, *LAYOUTS):
            raise ConfigError(f"`layout` must be one of {', '.join(LAYOUTS)}, got {self.layout!r}.")
        if self.merge not in (None, *MERGES):
            raise ConfigError(f"`merge` must be one of {', '.join(MERGES)}, got {self.merge!r}.")
        for day in self.days:
            try:
                date.fromisoformat(day)
            except ValueError:
                raise ConfigError(f"`holidays` must be days such as 2024-12-25, with commas between, got {day!r}.") from None
        if self.layout == ROWS:
            for name in ("time", "target", "known", "past", "static"):
                if getattr(self, name) is not None:
                    raise ConfigError(f"`layout='rows'` has a series in each row, and `{name}` names a column. Leave one of them out.")
        if self.layout == COLUMNS:
            for name in ("series", "static"):
                if getattr(self, name) is not None:
                    raise ConfigError(f"`layout='columns'` has a series in each column, and `{name}` names one. Leave one of them out.")
        roles = [(role, name) for role in ("time", "target", "known", "past") for name in several(getattr(self, role))]
        for number, (role, name) in enumerate(roles):
            for other, same in roles[:number]:
                if same == name and other != role:
                    raise ConfigError(f"The column {name!r} is named as `{other}` and as `{role}`. Leave one of them out.")

    @property
    def days(self) -> tuple[str, ...]:
        """The holidays."""
        return several(self.holidays)

    def resolved(self) -> "PanelOptions":
        """The same: what is open is found out from the tables."""
        return self
