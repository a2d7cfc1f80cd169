"""A picture of a recording with what was said in it, where it was said."""

import warnings
from pathlib import Path

import numpy as np

from unrolled import inspect
from unrolled.errors import ConfigError
from unrolled.extras import extra
from unrolled.tasks.transcription.transcript import Timed, Transcript
from unrolled.tasks.translation.alignment import FONTS, KINDS
from unrolled.training.checkpoint import save_whole


def require_drawable(path: Path) -> None:
    """`ConfigError` for a path that no picture can have."""
    extra("matplotlib")
    if path.suffix.lower() not in KINDS:
        raise ConfigError(f"The name of a picture must end in {', '.join(KINDS)}, got {path}. Give it one of these ends.")
    if not path.parent.is_dir():
        raise ConfigError(f"The folder of a picture must exist, got {path}. Make {path.parent} first.")


def draw_spoken(frames: np.ndarray, step: float, said: Transcript, moved: np.ndarray, path: Path) -> None:
    """Draw log energies `[T, M]`, a frame every `step` seconds, with words and symbols under them, and how much each frame `moved` each symbol, `[S, T]`.

    The end of `path` names the kind of picture.
    """
    known = {font.name for font in extra("matplotlib.font_manager").fontManager.ttflist}
    with extra("matplotlib").rc_context({"font.family": [font for font in FONTS if font in known]}), warnings.catch_warnings():
        # Characters that no font here has are drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph")
        figure = inspect.draw.spoken(frames, step, [*map(_plain, said.words)], [*map(_plain, said.symbols)], moved)
        save_whole(path, lambda file: figure.savefig(file, format=path.suffix[1:].lower(), dpi=160, facecolor="white"))


def _plain(said: Timed) -> tuple[str, float, float]:
    return said.text, said.begin, said.end
