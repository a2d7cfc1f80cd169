"""Small labelled sources for trying things out: made up by rules, or taken from Python itself; the same at every call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from unrolled.data.builtin_examples.balls import bouncing_balls
from unrolled.data.builtin_examples.intents import intents
from unrolled.data.builtin_examples.promoters import promoters
from unrolled.data.builtin_examples.python_tokens import python_tokens
from unrolled.data.examples import Example
from unrolled.errors import ConfigError, DataError

__all__ = ["BUILTIN_EXAMPLES", "BuiltinExamples", "builtin_examples"]


@dataclass(frozen=True)
class BuiltinExamples:
    """A built-in source: `make` gives its examples; `labelled` and `tagged` say whether whole sequences have labels, and steps tags."""

    make: Callable[[], Iterator[Example]]
    labelled: bool
    tagged: bool


BUILTIN_EXAMPLES = {
    "builtin:intents": BuiltinExamples(intents, labelled=True, tagged=False),
    "builtin:python-tokens": BuiltinExamples(python_tokens, labelled=False, tagged=True),
    "builtin:promoters": BuiltinExamples(promoters, labelled=False, tagged=True),
    "builtin:bouncing-ball": BuiltinExamples(bouncing_balls, labelled=True, tagged=True),
}
"""The built-in labelled sources by name."""


def builtin_examples(name: str, tagged: bool) -> Iterator[Example]:
    """The examples of a built-in source, with tags for their steps or with labels.

    A name that does not exist is a `DataError`; a source that has none of what is asked for a `ConfigError`.
    """
    if name not in BUILTIN_EXAMPLES:
        raise DataError(f"There are no built-in examples {name!r}. Pass one of {', '.join(BUILTIN_EXAMPLES)}, or the path of a file.")
    source = BUILTIN_EXAMPLES[name]
    if not (source.tagged if tagged else source.labelled):
        has, use = ("labels for whole sequences", "classify") if tagged else ("tags for steps", "tag")
        raise ConfigError(f"{name} has only {has}. Use it to {use}.")
    return source.make()
