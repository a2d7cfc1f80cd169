"""What is searched: ranges and choices of options, whose types are those of the option dataclasses."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.errors import ConfigError
from unrolled.options import LARGEST, Option, closest, options_of
from unrolled.tasks.configuration import groups_of
from unrolled.tasks.recipe import AnyRecipe

WIDE = 20.0
"""From which ratio of its ends on a range is searched by its logarithm."""

_USUAL = {"learning_rate": "0.0003..0.03", "hidden": "32..512", "dropout": "0..0.6"}
"""What is searched if nothing is said, as far as a task has it."""

_FIXED = {
    "sources",
    "validation",
    "seed",
    "fold",
    "epochs",
    "updates",
    "minutes",
    "from_run",
    "evaluations",
    "best_by",
    "held_out",
    "device",
}
"""Options whose trials could not be compared, or that are no part of a network."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, whole ones if both are; by their logarithm where they are far apart."""

    low: float
    high: float
    whole: bool

    @property
    def log(self) -> bool:
        """Whether small numbers are tried as often as large ones."""
        return self.low > 0 and self.high / self.low >= WIDE

    @property
    def values(self) -> tuple[Any, ...]:
        """Its ends, as a trial has them."""
        kind = int if self.whole else float
        return kind(self.low), kind(self.high)

    def suggest(self, trial: Any, name: str) -> Any:
        """A number for a trial of Optuna."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}{' (logarithmic)' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def suggest(self, trial: Any, name: str) -> Any:
        """A value for a trial of Optuna."""
        return trial.suggest_categorical(name, self.values)

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))


Space = Mapping[str, Range | Choice]


def usual_space(recipe: AnyRecipe) -> Space:
    """What is searched for a task if nothing is said."""
    known = _options(recipe)
    return parse_space(recipe, [f"{name}={text}" for name, text in _USUAL.items() if name in known])


def parse_space(recipe: AnyRecipe, texts: Sequence[str]) -> Space:
    """From texts such as `hidden=32..512`, `learning_rate=1e-4..1e-2`, `cell=lstm,gru`, `bidirectional=true,false`.

    `ConfigError` for an option that the task does not have or that cannot be searched, and for what is no value of it.
    """
    known, found = _options(recipe), dict[str, Range | Choice]()
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().lstrip("-").replace("-", "_")
        if not equals or not values.strip():
            raise ConfigError(f"`space` must be as hidden=32..512 or cell=lstm,gru, got {text!r}.")
        if name not in known:
            raise ConfigError(f"`space` names {name!r}, which is no option that can be searched.{closest(name, known)}")
        found[name] = _parse(known[name], values.strip())
    return found


def _options(recipe: AnyRecipe) -> dict[str, Option]:
    """The options of a task that can be searched."""
    every = [option for group in groups_of(recipe.options).values() for option in options_of(group)]
    return {option.name: option for option in every if option.help and option.name not in _FIXED and not option.several}


def _parse(option: Option, text: str) -> Range | Choice:
    low, dots, high = text.partition("..")
    if dots and option.kind in (int, float):
        ends = _value(option, low), _value(option, high)
        if not ends[0] < ends[1]:
            raise ConfigError(f"`space` must name a range of `{option.name}` from a lower to a higher number, got {text!r}.")
        return Range(*ends, option.kind is int)
    values = tuple(_value(option, part) for part in text.split(","))
    if len({*values}) < 2:
        raise ConfigError(f"`space` must name at least two values of `{option.name}`, got {text!r}. Give it as an option, if it is fixed.")
    return Choice(values)


def _value(option: Option, text: str) -> Any:
    text = text.strip()
    try:
        if option.kind is bool:
            return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
        value = option.kind(text)
    except (ValueError, KeyError):
        raise ConfigError(f"`space` must have values of `{option.name}`, of type {option.kind.__name__}, got {text!r}.") from None
    if isinstance(value, int | float) and not (math.isfinite(value) and abs(value) < LARGEST):
        raise ConfigError(f"`space` must have finite values of `{option.name}`, got {text!r}.")
    return value
