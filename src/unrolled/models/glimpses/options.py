"""What one can ask of a network that looks at pictures in glimpses."""

from dataclasses import dataclass
from math import inf

from unrolled.errors import ConfigError
from unrolled.options import option

LEARNED, RANDOM = "learned", "random"
LOCATIONS = (LEARNED, RANDOM)
"""How the places are found at which a network looks: it says so itself, or they are drawn anywhere."""

MOST_SCALES = 8


@dataclass(frozen=True)
class GlimpseOptions:
    """How pictures are looked at, with `image='glimpses'`. `ConfigError` for a value that an option cannot have."""

    glimpses: int = option(6, "Glimpses of each picture, with `image='glimpses'`.")
    glimpse_size: int = option(8, "Pixels of a glimpse in each direction.", rare=True)
    scales: int = option(
        1, "Scales of a glimpse: patches around the same place, each twice as wide as the one before, and as coarse.", rare=True
    )
    glimpse_units: int = option(128, "Units that read what a glimpse shows, and as many that read where it is.", rare=True)
    locations: str = option(
        LEARNED,
        f"Where the network looks: {LEARNED}; or {RANDOM}, a rival that shows what choosing is worth.",
        rare=True,
    )
    location_deviation: float = option(
        0.15, "Standard deviation of the places drawn in training, as a part of half a side of the picture.", rare=True
    )
    samples: int = option(10, "Ways of looking at each picture that are drawn in training (Monte Carlo).", rare=True)
    test_samples: int = option(
        0,
        "Ways of looking at each picture that are drawn when it is not trained, and whose scores are averaged; 0: one, exactly where it says.",
        rare=True,
    )
    stop_action: bool = option(False, "Let the network say after each glimpse whether it has seen enough.", rare=True)
    glimpse_cost: float = option(0.01, "What a glimpse costs a network that may stop, where a right answer gives 1.", rare=True)

    def __post_init__(self) -> None:
        for name in ("glimpses", "glimpse_size", "scales", "glimpse_units", "samples", "test_samples"):
            least = int(name != "test_samples")
            if (value := getattr(self, name)) < least:
                raise ConfigError(f"`{name}` must be at least {least}, got {value}.")
        if self.scales > MOST_SCALES:
            widest = 2 ** (MOST_SCALES - 1)
            raise ConfigError(f"`scales` must be at most {MOST_SCALES}, the last {widest} times as wide as the first, got {self.scales}.")
        if self.locations not in LOCATIONS:
            raise ConfigError(f"`locations` must be one of {', '.join(LOCATIONS)}, got {self.locations!r}.")
        if not 0 < self.location_deviation < inf:
            raise ConfigError(f"`location_deviation` must be a number above 0, got {self.location_deviation}.")
        if not 0 <= self.glimpse_cost < inf:
            raise ConfigError(f"`glimpse_cost` must be a number of at least 0, got {self.glimpse_cost}.")
