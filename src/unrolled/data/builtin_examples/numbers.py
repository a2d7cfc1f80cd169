"""Numbers in words, from one language to another."""

from collections.abc import Iterator
from functools import cache
from random import Random

from unrolled.data.examples import Example
from unrolled.extras import extra

LANGUAGES = ("de", "en", "es", "fr", "it", "pl", "pt", "ru")
"""The languages, each of which is translated into each other one."""

_DIGITS = 6


def numbers(number: int = 20_000, seed: int = 32) -> Iterator[Example]:
    """`number` numbers below a million in words, as in "fr: forty-two" and "quarante-deux": the source says which language is wanted.

    Short numbers are as frequent as long ones. A number belongs to one group in all languages, so that one held out is a new one.
    """
    random = Random(seed)
    spell = cache(extra("num2words").num2words)
    seen: set[str] = set()
    while len(seen) < number:
        value = random.randrange(10 ** random.randint(1, _DIGITS))
        source, target = random.sample(LANGUAGES, 2)
        text = f"{target}: {spell(value, lang=source)}"
        if text not in seen:
            seen.add(text)
            yield Example(f"builtin:numbers, {len(seen)}", text=text, texts=(spell(value, lang=target),), group=str(value))
