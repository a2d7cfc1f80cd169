"""A picture of a recording with what was said in it, where it was said."""

from pathlib import Path

import numpy as np

from unrolled import inspect
from unrolled.tasks.pictures import many_scripts, save_picture
from unrolled.tasks.transcription.transcript import Timed, Transcript


def draw_spoken(frames: np.ndarray, step: float, said: Transcript, moved: np.ndarray, path: Path) -> None:
    """Draw log energies `[T, M]`, a frame every `step` seconds, with words and symbols under them, and how much each frame `moved` each symbol, `[S, T]`.

    The end of `path` names the kind of picture.
    """
    with many_scripts():
        figure = inspect.draw.spoken(frames, step, [*map(_plain, said.words)], [*map(_plain, said.symbols)], moved)
        save_picture(figure, path)


def _plain(said: Timed) -> tuple[str, float, float]:
    return said.text, said.begin, said.end
