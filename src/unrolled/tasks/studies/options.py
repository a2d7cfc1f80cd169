"""What one can ask of several runs."""

from dataclasses import dataclass

from unrolled.errors import ConfigError
from unrolled.options import option

MATCHED = ("parameters",)


@dataclass(frozen=True)
class StudyOptions:
    """Which runs there are, beside one for each cell. `ConfigError` for a value that an option cannot have."""

    folds: int | None = option(
        None,
        "Cross-validation: divide the examples into so many parts, train as many runs, each of which holds out another part, and give the mean.",
        rare=True,
    )
    seeds: int | None = option(None, "Train with so many seeds, from `seed` on, and give the mean.", rare=True)
    match: str | None = option(
        None, "parameters: give each of several cells the hidden size with which it has about the parameters of the first.", rare=True
    )

    def __post_init__(self) -> None:
        if self.folds is not None and self.folds < 2:
            raise ConfigError(f"`folds` must be at least 2, as each part is learnt from the others, got {self.folds}.")
        if self.seeds is not None and self.seeds < 1:
            raise ConfigError(f"`seeds` must be at least 1, got {self.seeds}.")
        if self.match not in (None, *MATCHED):
            raise ConfigError(f"`match` must be one of {', '.join(MATCHED)}, got {self.match!r}.")
