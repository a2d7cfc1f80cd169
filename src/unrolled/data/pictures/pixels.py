"""Frames as pixels of one size: `[H, W, C]`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.pictures.ink import INK, cut_to_ink, ink_factor
from unrolled.errors import ConfigError, DataError
from unrolled.extras import extra

Pixels = NDArray[Any]
"""Frames `[T, H, W, C]` of whole numbers from 0 to 255, or of real ones as sensors give them."""

CENTRE = "centre"
"""The crop that keeps as much of the middle as has the proportions of the size."""

_MODES = {1: "L", 3: "RGB"}
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I")
"""Modes of Pillow for whole numbers of more than 8 bits."""

_WHITE = (255, 255, 255, 255)

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Shape:
    """What frames are brought to: H, W and C, which is 1 for grey and 3 for colours; and the part that is kept before, all of it if None."""

    height: int
    width: int
    channels: int
    crop: str | None = None

    def box(self, height: int, width: int) -> Box | None:
        """Left, top, right and bottom of what is kept of a frame of that size. `DataError` for a part that does not lie in it."""
        if self.crop is None or ink_factor(self.crop) is not None:
            return None
        if self.crop == CENTRE:
            scale = min(height / self.height, width / self.width)
            tall, wide = max(round(self.height * scale), 1), max(round(self.width * scale), 1)
            return (width - wide) // 2, (height - tall) // 2, (width - wide) // 2 + wide, (height - tall) // 2 + tall
        left, top, wide, tall = read_crop(self.crop)
        if left + wide > width or top + tall > height:
            raise DataError(
                f"`crop={self.crop!r}` goes over the edge of a frame of {width}x{height}. Choose a part that lies in all frames."
            )
        return left, top, left + wide, top + tall


def require_crop(crop: str | None) -> None:
    """`ConfigError` for what is no crop."""
    if crop not in (None, CENTRE) and ink_factor(crop) is None:
        read_crop(crop or "")


def read_crop(crop: str) -> tuple[int, int, int, int]:
    """Left, top, width and height, as in `8,0,64,48`. `ConfigError` for something else."""
    parts = crop.split(",")
    if len(parts) != 4 or not all(part.strip().isdecimal() for part in parts) or 0 in map(int, parts[2:]):
        told = f"{CENTRE}, {INK}, {INK}/2 or the like, or left, top, width and height in pixels, as in 8,0,64,48"
        raise ConfigError(f"`crop` must be {told}, got {crop!r}.")
    left, top, width, height = map(int, parts)
    return left, top, width, height


def channels_of(image: Any) -> int:
    """1 for an image in grey, 3 for one that may have colours."""
    return 1 if image.mode in ("1", "L", "LA", *_DEEP) else 3


def brightest(image: Any) -> int | None:
    """The largest value of an image of whole numbers of more than 8 bits; None for another one."""
    return int(np.asarray(image).max()) if image.mode in _DEEP else None


def pixels_of(image: Any, shape: Shape) -> NDArray[np.uint8]:
    """An image of Pillow as `[H, W, C]` from 0 to 255; what is transparent lies on white."""
    kept = _plain(image)
    if (factor := ink_factor(shape.crop)) is not None:
        plain = np.asarray(kept.convert(_MODES[shape.channels]), np.uint8).reshape(kept.height, kept.width, shape.channels)
        return cut_to_ink(plain, shape.height, shape.width, factor)
    box = shape.box(kept.height, kept.width)
    kept = (kept if box is None else kept.crop(box)).convert(_MODES[shape.channels])
    if kept.size != (shape.width, shape.height):
        kept = kept.resize((shape.width, shape.height), extra("PIL.Image").Resampling.BILINEAR)
    return np.asarray(kept, np.uint8).reshape(shape.height, shape.width, shape.channels)


def _plain(image: Any) -> Any:
    """Without a palette, transparency or more than 8 bits."""
    if image.mode in _DEEP:
        return extra("PIL.Image").fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode == "P" and "transparency" not in image.info:
        image = image.convert("RGB")
    if image.mode in ("P", "PA", "LA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        over = image.convert("RGBA")
        return extra("PIL.Image").alpha_composite(extra("PIL.Image").new("RGBA", over.size, _WHITE), over).convert("RGB")
    return image


def resized(frames: Pixels, shape: Shape) -> Pixels:
    """Frames `[T, h, w, c]` in an array, in whole numbers from 0 to 255 or real ones, as `[T, H, W, C]`."""
    if ink_factor(shape.crop) is not None:
        raise ConfigError(f"`crop={shape.crop!r}` is for files of pictures, and these are arrays. Cut them before, or leave it out.")
    box = shape.box(*frames.shape[1:3])
    if box is not None:
        frames = frames[:, box[1] : box[3], box[0] : box[2]]
    if frames.shape[3] != shape.channels:
        frames = _in_channels(frames, shape.channels)
    if frames.shape[1:3] == (shape.height, shape.width):
        return frames
    image = extra("PIL.Image")
    size = (shape.width, shape.height)
    planes = [
        [
            np.asarray(image.fromarray(plane.astype(np.float32)).resize(size, image.Resampling.BILINEAR))
            for plane in frame.transpose(2, 0, 1)
        ]
        for frame in frames
    ]
    found = np.array(planes, np.float32).transpose(0, 2, 3, 1)
    return found.round().clip(0, 255).astype(np.uint8) if frames.dtype == np.uint8 else found


def _in_channels(frames: Pixels, channels: int) -> Pixels:
    """Grey as three equal colours, or colours as grey (ITU-R BT.601)."""
    if channels == 3:
        return np.repeat(frames, 3, axis=3)
    grey = frames.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return (grey.round().astype(np.uint8) if frames.dtype == np.uint8 else grey)[..., None]
