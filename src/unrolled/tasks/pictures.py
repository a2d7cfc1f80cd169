"""Pictures that tasks write: the fonts of their words, and how they are put in place."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unrolled.extras import extra
from unrolled.tasks.places import PICTURES, require_place
from unrolled.training.checkpoint import save_whole

FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei", "Hiragino Sans", "Yu Gothic")
"""Those of them that are installed are tried in turn for each character."""


def save_picture(figure: Any, path: str | Path) -> None:
    """Write a figure of matplotlib in one step; the end of `path`, one of `PICTURES`, names the kind of picture."""
    path = Path(path)
    require_place(path, PICTURES)
    save_whole(path, lambda file: figure.savefig(file, format=path.suffix[1:].lower(), dpi=160, facecolor="white"))


@contextmanager
def many_scripts() -> Iterator[None]:
    """In this context figures are drawn and saved in fonts for as many scripts as are installed; characters that none has are boxes."""
    known = {font.name for font in extra("matplotlib.font_manager").fontManager.ttflist}
    with extra("matplotlib").rc_context({"font.family": [font for font in FONTS if font in known]}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        yield
