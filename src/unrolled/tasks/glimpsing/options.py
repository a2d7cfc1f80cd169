"""What one can ask of a network that labels pictures."""

from dataclasses import dataclass, fields, replace

from unrolled.data.formats.options import GLIMPSES
from unrolled.errors import ConfigError
from unrolled.models import GlimpseOptions, WholeOptions

_OF_STEPS = ("convolution", "subsampling", "input_window")
"""Options about the steps around a step, which for a glimpse is still to be chosen."""


@dataclass(frozen=True)
class PictureOptions(GlimpseOptions, WholeOptions):
    """The network that gives one answer to a sequence, or to a picture that it looks at in glimpses."""

    def __post_init__(self) -> None:
        GlimpseOptions.__post_init__(self)
        WholeOptions.__post_init__(self)


def resolved_model(options: PictureOptions, image: str) -> PictureOptions:
    """The options with what follows from how an `image` is read. `ConfigError` for those that say nothing then."""
    usual = {field.name: field.default for field in fields(PictureOptions)}
    if image != GLIMPSES:
        if changed := [field.name for field in fields(GlimpseOptions) if getattr(options, field.name) != usual[field.name]]:
            raise ConfigError(f"`{changed[0]}` is for pictures that are looked at in glimpses. Give `image='glimpses'`, or leave it out.")
        return options
    if changed := [name for name in _OF_STEPS if getattr(options, name) != usual[name]]:
        raise ConfigError(f"`{changed[0]}` reads steps together, and a glimpse is chosen by what those before it showed. Leave it out.")
    if not options.layers:
        raise ConfigError("`layers=0` remembers nothing, and glimpses are read one after the other. Take at least one layer.")
    return replace(options, bidirectional=False)
