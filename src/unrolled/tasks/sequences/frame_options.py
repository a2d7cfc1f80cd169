"""What one can ask of the pictures and videos that a network sees."""

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from unrolled.data.codecs.frames import ENCODERS, MOST_SIDE, FrameCodec
from unrolled.data.dataset import NO_TAG
from unrolled.data.pictures.ink import INK
from unrolled.data.pictures.pixels import CENTRE, require_crop
from unrolled.data.pictures.seeing import OUTSIDE, Seen
from unrolled.errors import ConfigError
from unrolled.options import option

IGNORED = "ignore"
"""What `outside` says where nothing is learnt of frames that lie in no interval."""

MOST_RATE = 1000.0
"""Frames a second that can be asked for."""


@dataclass(frozen=True)
class FrameOptions:
    """How frames are seen, where sequences are pictures or videos; `encoders` are what `encoder` may be."""

    encoders: ClassVar[tuple[str | None, ...]] = (None, *ENCODERS)

    size: str | None = option(
        None,
        f"Size that frames are scaled to: 32, or WIDTHxHEIGHT as 64x48.  [default: that of the first, scaled down to {MOST_SIDE} pixels]",
        rare=True,
    )
    crop: str | None = option(
        None,
        f"Part of frames that is kept: {CENTRE}, of the proportions of `size`, {INK} or {INK}/2 (what is written on an even ground, made smaller by 2), "
        "or left, top, width and height, as 8,0,64,48.  [default: all]",
        rare=True,
    )
    grey: bool = option(False, "See frames in grey.", rare=True)
    fps: float | None = option(
        None, "Frames a second at which videos are seen.  [default: as the first has them; folders of frames have no times]", rare=True
    )

    encoder: str | None = option(
        None, f"Read frames as the features of a network that was trained on photographs: {', '.join(ENCODERS)}.", rare=True
    )
    outside: str = option(OUTSIDE, f"Tag of frames that lie in no interval; {IGNORED}: nothing is learnt or measured of them.", rare=True)

    def require_visible(self) -> None:
        """`ConfigError` for values that no frames can have."""
        self.frame_size()
        require_crop(self.crop)
        if self.encoder not in self.encoders:
            raise ConfigError(f"`encoder` must be one of {', '.join(filter(None, self.encoders))}, got {self.encoder!r}.")
        if self.fps is not None and not 0 < self.fps <= MOST_RATE:
            raise ConfigError(f"`fps` must be above 0 and at most {MOST_RATE:g}, got {self.fps}.")

    def frame_size(self) -> tuple[int, int] | None:
        """Width and height, if they are asked for."""
        if self.size is None:
            return None
        found = re.fullmatch(r"(\d{1,4})(?:x(\d{1,4}))?", self.size.strip())
        if found is None or not int(found[1]) or (found[2] and not int(found[2])):
            raise ConfigError(f"`size` must be a number of pixels, or a width and a height as in 64x48, got {self.size!r}.")
        return int(found[1]), int(found[2] or found[1])

    def frame_codec(self, first: Seen) -> FrameCodec:
        """How clips are seen of which the `first` is so."""
        outside = NO_TAG if self.outside == IGNORED else self.outside
        frozen = self.encoder if self.encoder in ENCODERS else None
        return FrameCodec.choose(
            first, size=self.frame_size(), crop=self.crop, grey=self.grey, fps=self.fps, outside=outside, encoder=frozen
        )


@dataclass(frozen=True)
class ClipOptions(FrameOptions):
    """How frames are seen by what says something of them, and not what they look like."""

    moving: bool = option(
        False, "Take away what stands still: the median of each pixel over its clip. For cameras that do not move.", rare=True
    )

    def require_visible(self) -> None:
        """`ConfigError` for values that no frames can have."""
        super().require_visible()
        if self.moving and self.encoder is not None:
            raise ConfigError(
                f"`encoder={self.encoder!r}` reads pictures as they are, so that `moving` cannot change them. Leave one of both out."
            )

    def frame_codec(self, first: Seen) -> FrameCodec:
        """How clips are seen of which the `first` is so."""
        return replace(super().frame_codec(first), moving=self.moving)
