"""A picture of what a network looked at while it wrote."""

from pathlib import Path

from unrolled import inspect
from unrolled.errors import ConfigError
from unrolled.tasks import pictures
from unrolled.tasks.translation.results import Translation
from unrolled.tasks.translation.trained import TrainedTranslator

NO_ATTENTION = "This network has no attention, so there is nothing to draw. Train one with `attention='general'`."


def require_attention(translator: TrainedTranslator) -> None:
    """`ConfigError` for a network that looks at nothing."""
    if translator.model.decoder.attention is None:
        raise ConfigError(NO_ATTENTION)


def draw_alignment(said: Translation, path: Path) -> None:
    """Draw the weights of a translation: a column for each symbol that was read, a row for each that was written; dark is much.

    The end of `path` names the kind of picture, one of `PICTURES`. `ConfigError` for a network without attention.
    """
    if said.weights is None:
        raise ConfigError(NO_ATTENTION)
    with pictures.many_scripts():
        pictures.save_picture(inspect.draw.attention(said.weights, said.read, said.written), path)
