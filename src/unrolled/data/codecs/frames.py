"""Pictures and videos as pixels: the size, the colours and the rate of frames, and the scale of their values."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.codecs.numbers import NumberCodec
from unrolled.data.columns import Elements, Places
from unrolled.data.pictures.ink import ink_factor
from unrolled.data.pictures.pixels import Pixels, Shape, read_crop, require_crop
from unrolled.data.pictures.seeing import OUTSIDE, Seen
from unrolled.data.vocabulary import damaged, switch
from unrolled.errors import ConfigError, DataError

ENCODERS = ("efficientnet-lite0",)
"""Networks that were trained on photographs, of which frames may be read as the features."""

MOST_SIDE = 64
"""The longer side that frames are scaled down to if nothing is said."""

_AT_ONCE = 1 << 22
"""Values that are looked at together."""


@dataclass(frozen=True)
class FrameCodec:
    """How clips become frames `[T, H, W, C]` of a `shape`, at a `rate` of frames a second (None: as they come), and how their values are scaled.

    `asked` says whether that rate was asked for, so that clips without times have it, too; else their times count frames. `outside` is the tag of
    frames that lie in no interval, or nothing if they are not looked at. With an `encoder` frames are read as the
    features that it makes of them, which are numbers. With `moving` what stands still is taken away: the median of each pixel over its clip.
    """

    shape: Shape
    rate: float | None = None
    scale: NumberCodec | None = None
    outside: str = OUTSIDE
    encoder: str | None = None
    moving: bool = False
    asked: bool = False

    @classmethod
    def choose(
        cls,
        first: Seen,
        *,
        size: tuple[int, int] | None = None,
        crop: str | None = None,
        grey: bool = False,
        fps: float | None = None,
        outside: str = OUTSIDE,
        encoder: str | None = None,
    ) -> "FrameCodec":
        """For clips of which the `first` is one; `size` is `(width, height)`."""
        width, height = size or _fitting(first, crop)
        return cls(
            Shape(height, width, 1 if grey else first.channels, crop), fps or first.rate, None, outside, encoder, asked=fps is not None
        )

    def rate_for(self, own: float | None) -> float | None:
        """Frames a second of what is seen of a clip that has some of its `own`, or none; None where frames are counted."""
        return (self.rate if self.asked else None) if own is None else self.rate or own

    def without_background(self, frames: Pixels, place: str) -> Pixels:
        """Frames `[T, H, W, C]` as they are, or less what stands still. `DataError` for a single one, of which nothing would be left."""
        if not self.moving:
            return frames
        if len(frames) == 1:
            raise DataError(f"{place} has one frame, so that `moving` would leave nothing of it. Leave it out, or pass videos.")
        return frames - np.median(frames, 0).astype(np.float32)

    def learn(self, elements: Elements, which: Places) -> "FrameCodec":
        """With the mean and the deviation of each channel, from some frames."""
        some = max(_AT_ONCE // (self.shape.height * self.shape.width * self.shape.channels), 1)
        parts = (elements.take(which[at : at + some]) for at in range(0, len(which), some))
        return replace(self, scale=NumberCodec.learn(part.reshape(-1, self.shape.channels) for part in parts))

    def apply(self, frames: Pixels) -> NDArray[np.float32]:
        """Frames `[S, H, W, C]` standardised, `[S, C, H, W]`."""
        assert self.scale is not None
        if frames.shape[1:] != (*self.size[1:], self.size[0]):
            raise DataError(f"Frames must be of {self.describe()}, got shape {list(frames.shape)} for [T, H, W, C].")
        mean, deviation = self.scale.mean.astype(np.float32), self.scale.deviation.astype(np.float32)
        return np.ascontiguousarray(((frames - mean) / deviation).transpose(0, 3, 1, 2), np.float32)

    def restore(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """What `apply` was given, from standardised planes `[…, C, H, W]`, as real numbers `[…, H, W, C]`."""
        assert self.scale is not None
        found: NDArray[np.float32] = np.moveaxis(planes, -3, -1) * self.scale.deviation.astype(np.float32) + self.scale.mean.astype(
            np.float32
        )
        return found

    def require_alike(self, other: "FrameCodec") -> None:
        """`ConfigError` for frames of an `other` size, rate or kind, which a network that reads these cannot go on with."""
        rates = {self.rate, other.rate} - {None}
        if (self.shape, self.encoder, self.moving) != (other.shape, other.encoder, other.moving) or len(rates) > 1:
            told = f"`from_run` names a run that sees {self.describe()}, and here {other.describe()} would be seen"
            size = f"{self.shape.width}x{self.shape.height}"
            raise ConfigError(f"{told}. Give `size={size!r}`, and `crop`, `grey`, `fps` and what else is said of frames as there.")

    @property
    def size(self) -> tuple[int, int, int]:
        """`(C, H, W)`."""
        return self.shape.channels, self.shape.height, self.shape.width

    def describe(self) -> str:
        """What is seen, in a few words."""
        colours = {1: "grey", 3: "colour"}.get(self.shape.channels, f"{self.shape.channels}-channel")
        rate = "" if self.rate is None else f", {self.rate:g} a second"
        features = "" if self.encoder is None else f", as the features of {self.encoder}"
        moving = ", less what stands still" if self.moving else ""
        return f"{colours} frames of {self.shape.width}x{self.shape.height} pixels{rate}{features}{moving}"

    def to_json(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            **asdict(self.shape),
            "rate": self.rate,
            "scale": self.scale and self.scale.to_json(),
            "outside": self.outside,
            "encoder": self.encoder,
            "moving": self.moving,
            "asked": self.asked,
        }

    @classmethod
    def from_json(cls, found: object) -> "FrameCodec":
        """What `to_json` gave. `RunError` for something else."""
        try:
            assert isinstance(found, dict)
            height, width, channels = (int(found[name]) for name in ("height", "width", "channels"))
            crop, rate = found["crop"], found["rate"]
            assert min(height, width, channels) > 0
            require_crop(crop)
            encoder = found["encoder"]
            assert encoder in (None, *ENCODERS)
            scale = None if found["scale"] is None else NumberCodec.from_json(found["scale"])
            assert encoder is not None or (scale is not None and len(scale.mean) == channels)
            shape, rate = Shape(height, width, channels, crop), None if rate is None else float(rate)
            return cls(shape, rate, scale, str(found["outside"]), encoder, switch(found, "moving"), switch(found, "asked"))
        except (KeyError, AssertionError, TypeError, ValueError, OverflowError, ConfigError) as error:
            raise damaged(
                f"frames must have a height, a width, channels, a crop, a rate, a scale, a tag for those outside, `moving` and `asked` ({error!r})"
            ) from None


def _fitting(first: Seen, crop: str | None) -> tuple[int, int]:
    """Width and height of the first frame, or of what is kept of it, scaled down to at most `MOST_SIDE`; a centred part is square."""
    height, width = first.height, first.width
    if crop == "centre":
        height = width = min(height, width)
    elif ink_factor(crop) is not None:
        raise ConfigError(f"`crop={crop!r}` needs a `size`, in which all that is cut out has room, as in 512x64.")
    elif crop is not None:
        _, _, width, height = read_crop(crop)
    scale = min(MOST_SIDE / max(height, width), 1)
    return max(round(width * scale), 1), max(round(height * scale), 1)
