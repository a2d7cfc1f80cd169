"""What stands beside every number of a column and is no part of it: a percent sign, a currency, a unit of measurement."""

from collections.abc import Iterable

import regex

from unrolled.data.formats.numbers import MISSING

Unit = tuple[str, str]
"""What stands before numbers, and what stands after them."""

_BLANK = "[ \u00a0\u2009\u202f]"
_MEASURED = regex.compile(
    rf"([-+−]?)(\p{{Sc}}?){_BLANK}?([-+−]?[.,]?\d(?:[\d.,'’\u00a0\u2009\u202f]*\d)?[.,]?(?:[eE][-+]?\d+)?){_BLANK}?((?:[%‰°\p{{Sc}}]|\p{{L}}[\p{{L}}²³]*)[\p{{L}}²³/·]*)?"
)

_NUMBERS = MISSING - {""} | {"inf", "infinity"}
"""Words that are numbers, or stand for some, and so are no units of those before them."""


def unit_of(cells: Iterable[str]) -> Unit | None:
    """The unit that all numbers among cells have, of which none is anything else, and several are there; None if there is none."""
    units = list[Unit]()
    for cell in cells:
        if cell.strip().lower() not in MISSING:
            found = _MEASURED.fullmatch(cell.strip())
            units.append((found[2], found[4] or "") if found else ("", ""))
            if not any(units[-1]) or units[-1] != units[0] or units[-1][1].lower() in _NUMBERS:
                return None
    return units[0] if len(units) > 1 else None


def without_unit(cell: str, unit: Unit) -> str:
    """The number of a cell that has a unit; another text as it is."""
    found = _MEASURED.fullmatch(cell.strip())
    return found[1] + found[3] if found and (found[2], found[4] or "") == unit else cell
