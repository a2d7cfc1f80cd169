"""A picture of what a network looked at while it wrote."""

import warnings
from pathlib import Path

from unrolled import inspect
from unrolled.errors import ConfigError
from unrolled.extras import extra
from unrolled.tasks.translation.trained import TrainedTranslator, Translation
from unrolled.training.checkpoint import save_whole

KINDS = (".png", ".svg", ".pdf")
"""How names of pictures may end."""

FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei", "Hiragino Sans", "Yu Gothic")
"""Those of them that are installed are tried in turn for each character."""

NO_ATTENTION = "This network has no attention, so there is nothing to draw. Train one with `attention='general'`."


def require_drawable(translator: TrainedTranslator, path: Path) -> None:
    """Raise a `ConfigError` if what a network looks at cannot be drawn into a file."""
    if translator.model.decoder.attention is None:
        raise ConfigError(NO_ATTENTION)
    extra("matplotlib")
    if path.suffix.lower() not in KINDS:
        raise ConfigError(f"The name of a picture must end in {', '.join(KINDS)}, got {path}. Give it one of these ends.")
    if not path.parent.is_dir():
        raise ConfigError(f"The folder of a picture must exist, got {path}. Make {path.parent} first.")


def draw_alignment(said: Translation, path: Path) -> None:
    """Draw the weights of a translation: a column for each symbol that was read, a row for each that was written; dark is much.

    The end of `path` names the kind of picture, one of `KINDS`. `ConfigError` for a network without attention.
    """
    if said.weights is None:
        raise ConfigError(NO_ATTENTION)
    known = {font.name for font in extra("matplotlib.font_manager").fontManager.ttflist}
    with extra("matplotlib").rc_context({"font.family": [font for font in FONTS if font in known]}), warnings.catch_warnings():
        # Characters that no font here has are drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph")
        figure = inspect.draw.attention(said.weights, said.read, said.written)
        save_whole(path, lambda file: figure.savefig(file, format=path.suffix[1:].lower(), dpi=160, facecolor="white"))
