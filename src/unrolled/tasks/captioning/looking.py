"""Where a network looked at each word: as pictures in files, and as a page."""

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from unrolled import inspect
from unrolled.data.codecs.text import FORMULA, WORD
from unrolled.data.examples import Example
from unrolled.data.pictures.pixels import Pixels
from unrolled.errors import ConfigError
from unrolled.extras import extra
from unrolled.options import option
from unrolled.tasks.captioning.caption import Caption
from unrolled.tasks.captioning.cutting import cutter
from unrolled.tasks.captioning.trained import TrainedCaptioner
from unrolled.tasks.pictures import save_picture
from unrolled.tasks.translation.alignment import NO_ATTENTION
from unrolled.training.checkpoint import save_text

MOST_DRAWN = 500
"""Most pictures that are drawn, or stand on a page."""


@dataclass(frozen=True)
class LookingOptions:
    """How it is shown what was looked at."""

    attention: str | None = option(
        None, f"Draw where the network looked at each word into this folder: a PNG for each of at most {MOST_DRAWN} pictures."
    )
    page: str | None = option(
        None,
        "Write an HTML page, one file, with the pictures, what is written and was written about them, and where was looked at each word.",
        written=(".html", ".htm"),
    )


def require_looking(trained: TrainedCaptioner, looking: LookingOptions) -> None:
    """`ConfigError` if what was asked for cannot be drawn."""
    if looking.attention is None and looking.page is None:
        return
    extra("PIL")
    if looking.attention is not None:
        if trained.model.decoder.attention is None:
            raise ConfigError(NO_ATTENTION)
        extra("matplotlib")
        try:
            Path(looking.attention).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"`attention` must be a folder, and {looking.attention} cannot be one: {error.strerror}. Name another one."
            ) from None


def draw_looking(frames: Pixels | None, caption: Caption, path: Path) -> None:
    """Draw a picture, or a video, with where was looked at each symbol."""
    if caption.weights is None:
        raise ConfigError(NO_ATTENTION)
    rows, columns = caption.grid
    if frames is None:
        frames = np.full((1, 8 * rows, 8 * columns, 1), 255, np.uint8)
    if len(frames) > 1:
        figure = inspect.draw.watching(as_bytes(frames), caption.written, caption.weights)
    else:
        figure = inspect.draw.attending(as_bytes(frames)[0], caption.written, caption.weights.reshape(-1, rows, columns))
    save_picture(figure, path)


class Page:
    """A page of pictures that grows one by one."""

    def __init__(self, trained: TrainedCaptioner) -> None:
        self.trained, self.parts, self.referred = trained, list[str](), False

    def add(self, example: Example, frames: Pixels | None, caption: Caption) -> None:
        """One more picture, with what is written about it."""
        if len(self.parts) >= MOST_DRAWN:
            return
        rows, columns = caption.grid
        learnt = self.trained.codecs.remembered.learnt(cutter(self.trained.codecs.target)(caption.text))
        weights = np.zeros((len(caption.written), 0)) if caption.weights is None else caption.weights
        *said, end = (_word(symbol, some) for symbol, some in zip(caption.written, weights, strict=True))
        # Characters and subwords have the blanks between words in them.
        between = " " if self.trained.codecs.target.text.level in (WORD, FORMULA) else ""
        words = f"{between.join(said)} {end}"
        self.referred = self.referred or bool(example.texts)
        references = "".join(f"<li>{escape(text)}</li>" for text in example.texts or ())
        picture = f'<img alt="" src="{_png(as_bytes(frames))}">' if frames is not None else ""
        room = "" if picture else f' style="aspect-ratio: {columns} / {rows}"'
        wide = " wide" if self.trained.codecs.moving else ""
        look = f'<div class="look{wide}" data-size="{rows},{columns}"{room}>{picture}<i></i></div>'
        mark = " <small>(learnt as it is)</small>" if learnt else ""
        self.parts.append(
            f"<figure>{look}<figcaption><p>{words}{mark}</p><ul>{references}</ul><small>{escape(example.name or '')}</small></figcaption></figure>"
        )

    def save(self, path: Path) -> None:
        """Write it."""
        template = Template(files("unrolled.tasks.captioning").joinpath("page.html").read_text(encoding="utf-8"))
        save_text(path, template.substitute(told=" ".join(self._told()), pictures="\n".join(self.parts)))

    def _told(self) -> Iterator[str]:
        """What there is to see."""
        yield f"{len(self.parts):,} picture{'' if len(self.parts) == 1 else 's'}."
        if self.trained.model.decoder.attention is not None:
            yield "Point at a word to see where the network looked as it wrote it: it is light there."
        if self.referred:
            yield "Below stands what people wrote."


def _word(symbol: str, weights: np.ndarray) -> str:
    most = max(float(weights.max(initial=0)), np.finfo(np.float32).tiny)
    levels: list[Any] = (weights / most * 9).round().astype(int).tolist()
    return f'<b data-at="{escape(json.dumps(levels, separators=(",", ":")))}">{escape(symbol)}</b>'


def as_bytes(frames: Pixels) -> Pixels:
    """Frames as bytes: real numbers from the least to the largest."""
    if frames.dtype == np.uint8:
        return frames
    least, most = float(frames.min()), float(frames.max())
    scaled: Pixels = ((frames - least) / max(most - least, 1e-9) * 255).astype(np.uint8)
    return scaled


def _png(frames: Pixels) -> str:
    """A picture, or the frames of a video side by side, as an address that holds it."""
    strip = np.concatenate(list(frames), 1)
    image = extra("PIL.Image").fromarray(strip[..., 0] if strip.shape[2] == 1 else strip)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
