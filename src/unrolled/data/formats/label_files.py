"""Labels that stand in a table of their own, a row for each series or case."""

from pathlib import Path

from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.files import named
from unrolled.data.formats.guesses import TARGETS, find_named
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.rows import Table, open_table
from unrolled.errors import ConfigError, DataError


def read_labels(key: str | None, options: ReadingOptions) -> dict[str, tuple[str, ...]]:
    """The targets of each series by its name, from `options.labels`: the name stands in the column `key`, or else in the first one.

    Where two rows name one series, and where nothing says which column has the label, it is a `DataError` or a `ConfigError`.
    """
    path = Path(options.labels or "")
    with open_table(path, options.encoding) as table:
        name = table.columns.index(key) if key in table.columns else 0
        targets = _targets(table, name, options)
        found: dict[str, tuple[str, ...]] = {}
        for line, row in decided(table.rows, options.bad_rows):
            series = row[name].strip()
            if series in found:
                raise DataError(f"{named(path)}, line {line}: {series!r} has a label already. Take one of the rows out.")
            found[series] = tuple(row[at].strip() for at in targets)
    return found


def _targets(table: Table, name: int, options: ReadingOptions) -> list[int]:
    if options.target is not None:
        asked = (options.target,) if options.target in table.columns else tuple(map(str.strip, options.target.split(",")))
        return [table.find(each, "target") for each in asked]
    free = [at for at in range(len(table.columns)) if at != name]
    usual = find_named(table.columns, TARGETS, free)
    if usual is None and len(free) != 1:
        raise ConfigError(
            f"{named(table.path)}: which column has the label is not clear. Pass one of {', '.join(table.columns)} as `target`."
        )
    return [free[0] if usual is None else usual]
