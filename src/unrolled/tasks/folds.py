"""Which part of the examples a run holds out, where they are divided into several."""

from dataclasses import dataclass

from unrolled.errors import ConfigError
from unrolled.options import option


@dataclass(frozen=True)
class FoldOptions:
    """`fold` is `(k, K)` for the k-th of K parts, from 1 on; a study of folds says it, and a run remembers it."""

    fold: tuple[int, ...] = option((), "")

    @property
    def divided_by(self) -> str:
        """The option that says how much is held out."""
        return "folds" if self.fold else "held_out"

    def __post_init__(self) -> None:
        if not self.fold:
            return
        if len(self.fold) != 2 or not 1 <= self.fold[0] <= self.fold[1] or self.fold[1] < 2:
            raise ConfigError(f"`fold` must be k and K, the k-th of K parts with K at least 2, got {list(self.fold)}.")
        if getattr(self, "validation", ()):
            raise ConfigError("`folds` holds out each part of DATA once, and `validation` names files instead. Leave one of them out.")
