"""Dates as people write them in many languages, and the same as ISO 8601 has them."""

import re
from collections.abc import Iterator
from datetime import date
from random import Random
from typing import TYPE_CHECKING

from unrolled.data.examples import Example
from unrolled.extras import extra

if TYPE_CHECKING:
    from babel import Locale

LOCALES = (
    *("cs", "da", "de", "el", "en_GB", "en_US", "es", "fi", "fr", "hu"),
    *("it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "uk", "zh"),
)
"""Languages and countries, of which no two call different months by the same name."""

_FIRST, _LAST = date(1950, 1, 1), date(2049, 12, 31)
_MONTH_FIRST = re.compile(r"M{1,2}(?!M)")


def dates(number: int = 40_000, seed: int = 31) -> Iterator[Example]:
    """`number` dates of a hundred years such as "Sonntag, 3. Mai 1998" and "1998-05-03", each in one of the ways usual in one of the `LOCALES`.

    No source can be read in two ways: years have four digits, and a number of a month never stands before that of a day unless the year
    comes first. A day belongs to one group however it is written, so that one held out is a new one. Babel has the forms.
    """
    random = Random(seed)
    styles = [(locale, pattern) for locale in map(extra("babel").Locale.parse, LOCALES) for pattern in _patterns(locale)]
    seen: set[str] = set()
    while len(seen) < number:
        day = date.fromordinal(random.randint(_FIRST.toordinal(), _LAST.toordinal()))
        locale, pattern = random.choice(styles)
        text = extra("babel.dates").format_date(day, pattern, locale=locale)
        if text not in seen:
            seen.add(text)
            yield Example(f"builtin:dates, {len(seen)}", text=text, texts=(day.isoformat(),), group=day.isoformat())


def _patterns(locale: "Locale") -> list[str]:
    """The different forms of a date, from that with the day of the week to that in numbers alone."""
    found = (re.sub("y+", "y", locale.date_formats[width].pattern) for width in ("full", "long", "medium", "short"))
    return [pattern for pattern in dict.fromkeys(found) if not _MONTH_FIRST.match(pattern)]
