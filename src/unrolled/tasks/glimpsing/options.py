"""What one can ask of a network that labels pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from torch import nn

from unrolled.data.pictures.images import GLIMPSES
from unrolled.errors import ConfigError
from unrolled.models import GlimpseOptions, Glimpses, WholeOptions
from unrolled.options import option
from unrolled.tasks.places import PICTURES

_OF_STEPS = ("convolution", "subsampling", "input_window")
"""Options about the steps around a step, which for a glimpse are still to be chosen."""

_OF_FRAMES = ("filters", "frame_features", "frame_pooling")
"""Options of the network that reads whole pictures."""


@dataclass(frozen=True)
class PictureOptions(GlimpseOptions, WholeOptions):
    """The network that gives one answer to a sequence, or to a picture that it looks at in glimpses."""

    rivals: bool = option(
        True,
        "After a network that looks in glimpses also train, for as long each, the same with random glimpses and a convolutional network as large.",
        rare=True,
    )

    def __post_init__(self) -> None:
        GlimpseOptions.__post_init__(self)
        WholeOptions.__post_init__(self)


def resolved_model(options: PictureOptions, image: str) -> PictureOptions:
    """The options with what follows from how an `image` is read. `ConfigError` for those that say nothing then."""
    usual = {field.name: field.default for field in fields(PictureOptions)}
    if image != GLIMPSES:
        of_glimpses = (*(field.name for field in fields(GlimpseOptions)), "rivals")
        if changed := [name for name in of_glimpses if getattr(options, name) != usual[name]]:
            raise ConfigError(f"`{changed[0]}` is for pictures that are looked at in glimpses. Give `image='glimpses'`, or leave it out.")
        return options
    if changed := [name for name in _OF_STEPS if getattr(options, name) != usual[name]]:
        raise ConfigError(f"`{changed[0]}` reads steps together, and a glimpse is chosen by what those before it showed. Leave it out.")
    if changed := [name for name in _OF_FRAMES if getattr(options, name) != usual[name]]:
        raise ConfigError(
            f"`{changed[0]}` is for networks that read whole pictures, and `image='glimpses'` is read in parts. Leave it out."
        )
    if not options.layers:
        raise ConfigError("`layers=0` remembers nothing, and glimpses are read one after the other. Take at least one layer.")
    return replace(options, bidirectional=False)


@dataclass(frozen=True)
class LookingOptions:
    """In how many ways a trained network looks at each picture."""

    test_samples: int | None = option(
        None,
        "Ways of looking at each picture that are drawn, and whose scores are averaged; 0: one, exactly where it says.  [default: as in training]",
        rare=True,
    )

    def __post_init__(self) -> None:
        if self.test_samples is not None and self.test_samples < 0:
            raise ConfigError(f"`test_samples` must be at least 0, got {self.test_samples}.")


@dataclass(frozen=True)
class PathOptions(LookingOptions):
    """The same, and a picture of it."""

    path: str | None = option(
        None,
        "Draw where the network looked, glimpse by glimpse, into this file (.png, .svg, .pdf); of FILE the first pictures.",
        written=PICTURES,
    )


def require_glimpses(model: nn.Module, asked: Mapping[str, Any]) -> Glimpses | None:
    """The network if it looks at pictures in glimpses, None if not. `ConfigError` if something was `asked` then that only one of glimpses can do."""
    if isinstance(model, Glimpses):
        return model
    if asked:
        raise ConfigError(f"`{next(iter(asked))}` is for networks that look at pictures in glimpses (`image='glimpses'`). Leave it out.")
    return None
