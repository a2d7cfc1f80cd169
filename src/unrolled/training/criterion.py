"""What decides which weights of a run are kept, and when it stops early."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unrolled.errors import ConfigError
from unrolled.options import closest

LOSS_KEY = "held_out"
"""What the loss of the held-out part is called among its measures."""


@dataclass(frozen=True)
class Criterion:
    """A measure of the held-out part by which weights can be compared.

    `name` is what it is called in print, `key` what it is called among the measures, if that does not follow from the name; it is best where
    it is highest, or with `lowest` where it is lowest.
    """

    name: str
    key: str = ""
    lowest: bool = False

    @property
    def option(self) -> str:
        """What `best_by` calls it."""
        return _plain(self.name)

    @property
    def superlative(self) -> str:
        """What it is where it is best."""
        return "lowest" if self.lowest else "highest"

    def read(self, measures: Mapping[str, float]) -> float:
        """Its value among measures; NaN where they do not have it."""
        return measures.get(self.key or self.option, math.nan)

    def better(self, value: float, loss: float, best: float | None, best_loss: float) -> bool:
        """Whether a value with a loss is better than the best one with its loss, if there is one.

        What is no number is never better. Of equal values that with the lower loss is, and of those that are equal in both the first.
        """
        sign = -1 if self.lowest else 1
        return math.isfinite(value) and (best is None or (sign * value, -loss) > (sign * best, -best_loss))


LOSS = Criterion("loss", LOSS_KEY, lowest=True)


def choose(criteria: Sequence[Criterion], asked: str | None) -> Criterion:
    """The first of some criteria, or that which `asked` names. `ConfigError` if it names none."""
    if asked is None:
        return criteria[0]
    found = next((each for each in criteria if each.option == _plain(asked)), None)
    if found is None:
        names = [each.option for each in criteria]
        raise ConfigError(f"`best_by` must be one of {', '.join(names)}, got {asked!r}.{closest(_plain(asked), names)}")
    return found


def _plain(name: str) -> str:
    """A name as it is typed: `macro_f1` for macro F1 and macro-f1, `r2` for R²."""
    return name.lower().replace("²", "2").replace(" ", "_").replace("-", "_")
