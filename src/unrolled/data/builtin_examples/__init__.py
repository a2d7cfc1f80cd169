"""Small sources of examples for trying things out: made up by rules, or taken from Python itself; the same at every call."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from unrolled.data.builtin_examples.adding import additions_of_marked
from unrolled.data.builtin_examples.balls import bouncing_balls
from unrolled.data.builtin_examples.dates import dates
from unrolled.data.builtin_examples.digits import cluttered_digits, translated_digits
from unrolled.data.builtin_examples.intents import intents
from unrolled.data.builtin_examples.movement import ball, ball_test, balls, balls_test, moving_digits
from unrolled.data.builtin_examples.numbers import numbers
from unrolled.data.builtin_examples.promoters import promoters
from unrolled.data.builtin_examples.python_tokens import python_tokens
from unrolled.data.builtin_examples.strings import additions, reversed_strings
from unrolled.data.examples import Example, Target
from unrolled.errors import ConfigError, DataError

__all__ = ["BUILTIN_EXAMPLES", "OF_DIGITS", "BuiltinExamples", "OfDigits", "builtin_examples"]


@dataclass(frozen=True)
class BuiltinExamples:
    """A built-in source: `make` gives its examples, and `has` says what they say of a sequence."""

    make: Callable[[], Iterator[Example]]
    has: tuple[Target, ...]


@dataclass(frozen=True)
class OfDigits:
    """A built-in source whose examples are made of pictures of digits, so many of each."""

    make: Callable[[Iterable[Example], int], Iterator[Example]]
    has: tuple[Target, ...]


BUILTIN_EXAMPLES: dict[str, BuiltinExamples | OfDigits] = {
    "builtin:intents": BuiltinExamples(intents, (Target.LABELS,)),
    "builtin:python-tokens": BuiltinExamples(python_tokens, (Target.TAGS,)),
    "builtin:promoters": BuiltinExamples(promoters, (Target.TAGS,)),
    "builtin:bouncing-ball": BuiltinExamples(bouncing_balls, (Target.LABELS, Target.TAGS)),
    "builtin:ball": BuiltinExamples(ball, (Target.VALUES, Target.STEP_VALUES)),
    "builtin:balls": BuiltinExamples(balls, (Target.VALUES, Target.STEP_VALUES)),
    "builtin:ball-test": BuiltinExamples(ball_test, (Target.VALUES, Target.STEP_VALUES)),
    "builtin:balls-test": BuiltinExamples(balls_test, (Target.VALUES, Target.STEP_VALUES)),
    "builtin:moving-digits": OfDigits(moving_digits, (Target.LABELS,)),
    "builtin:adding": BuiltinExamples(additions_of_marked, (Target.VALUES,)),
    "builtin:translated-digits": OfDigits(translated_digits, (Target.LABELS,)),
    "builtin:cluttered-digits": OfDigits(cluttered_digits, (Target.LABELS,)),
    "builtin:dates": BuiltinExamples(dates, (Target.TEXTS,)),
    "builtin:numbers": BuiltinExamples(numbers, (Target.TEXTS,)),
    "builtin:reversed": BuiltinExamples(reversed_strings, (Target.TEXTS,)),
    "builtin:additions": BuiltinExamples(additions, (Target.TEXTS,)),
}
"""The built-in sources by name."""

OF_DIGITS = tuple(name for name, source in BUILTIN_EXAMPLES.items() if isinstance(source, OfDigits))
"""Those that are made of digits."""

_TRAIN = {Target.LABELS: "classify", Target.TAGS: "tag", Target.VALUES: "regress", Target.STEP_VALUES: "regress", Target.TEXTS: "translate"}
_SAID = {
    Target.LABELS: "labels for whole sequences",
    Target.TAGS: "tags for steps",
    Target.VALUES: "numbers for whole sequences",
    Target.STEP_VALUES: "numbers for steps",
    Target.TEXTS: "texts to write",
}


def _of_the_last_step(example: Example) -> Example:
    """With the numbers of its last step, where there are some for each."""
    assert example.values is not None
    return replace(example, values=example.values[-1]) if example.values.ndim == 2 else example


def builtin_examples(
    name: str, wanted: Target, digits: Callable[[], Iterable[Example]] | None = None, copies: int = 1
) -> Iterator[Example]:
    """The examples of a built-in source, with what is wanted of them; `digits` gives those that some sources are made of, so many `copies` of each.

    A name that does not exist is a `DataError`; a source that has nothing of what is wanted, or lacks digits, a `ConfigError`.
    """
    if name not in BUILTIN_EXAMPLES:
        names = ", ".join(known for known, source in BUILTIN_EXAMPLES.items() if wanted in source.has)
        raise DataError(f"There are no built-in examples {name!r}. Pass {f'one of {names}, or ' if names else ''}the path of a file.")
    source = BUILTIN_EXAMPLES[name]
    if wanted not in source.has:
        has, use = " and ".join(_SAID[target] for target in source.has), " or ".join(f"`{_TRAIN[target]}`" for target in source.has)
        raise ConfigError(f"{name} has only {has}. Train {use} on it.")
    if isinstance(source, BuiltinExamples):
        return map(_of_the_last_step, source.make()) if wanted is Target.VALUES else source.make()
    if digits is None:
        raise ConfigError(f"{name} is made of digits. Name an idx file with some as `digits`, such as train-images-idx3-ubyte.gz of MNIST.")
    return source.make(digits(), copies)
