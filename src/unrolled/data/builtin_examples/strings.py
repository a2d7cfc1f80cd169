"""Strings to be turned round, and sums."""

from collections.abc import Iterator
from random import Random
from string import ascii_lowercase

from unrolled.data.examples import Example


def reversed_strings(number: int = 10_000, longest: int = 20, seed: int = 33) -> Iterator[Example]:
    """`number` different strings of 1 to `longest` letters, and the same from back to front."""
    random = Random(seed)
    seen: set[str] = set()
    while len(seen) < number:
        text = "".join(random.choices(ascii_lowercase, k=random.randint(1, longest)))
        if text not in seen:
            seen.add(text)
            yield Example(f"builtin:reversed, {len(seen)}", text=text, texts=(text[::-1],))


def additions(number: int = 50_000, digits: int = 3, seed: int = 34) -> Iterator[Example]:
    """`number` sums such as "535+61" of two numbers with 1 to `digits` digits each, and what they make.

    No two have the same numbers, in whatever order, so that a sum held out is a new one. Long numbers are as frequent as short ones.
    """
    random = Random(seed)
    seen: set[tuple[int, int]] = set()
    while len(seen) < number:
        one, other = (random.randrange(10 ** random.randint(1, digits)) for _ in range(2))
        key = min(one, other), max(one, other)
        if key not in seen:
            seen.add(key)
            yield Example(f"builtin:additions, {len(seen)}", text=f"{one}+{other}", texts=(str(one + other),))
