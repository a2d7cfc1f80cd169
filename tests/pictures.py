"""Pictures and videos that tests make."""

from pathlib import Path

import av
import numpy as np
from PIL import Image


def squares(frames: int, side: int = 16, step: int = 1) -> np.ndarray:
    """A bright square of 4 × 4 that moves to the right, as `[T, side, side, 3]`."""
    found = np.zeros((frames, side, side, 3), np.uint8)
    for number, frame in enumerate(found):
        left = min(number * step, side - 4)
        frame[2:6, left : left + 4] = (250, 120, 10)
    return found


def save(path: Path, frame: np.ndarray, mode: str | None = None) -> Path:
    """A frame as a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(frame[..., 0] if frame.ndim == 3 and frame.shape[-1] == 1 else frame)
    (image if mode is None else image.convert(mode)).save(path)
    return path


def save_gif(path: Path, frames: np.ndarray, milliseconds: int | list[int] = 100) -> Path:
    """Frames as a GIF."""
    first, *others = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=others, duration=milliseconds, loop=0)
    return path


def save_video(path: Path, frames: np.ndarray, rate: int = 10, times: list[int] | None = None) -> Path:
    """Frames as a video; `times` are those of the frames in parts of a second as `rate` says, in the place of 0, 1, 2 …"""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx" if path.suffix == ".webm" else "mpeg4", rate=rate)
        stream.width, stream.height = frames.shape[2], frames.shape[1]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 8_000_000
        for number, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            frame.pts = number if times is None else times[number]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
