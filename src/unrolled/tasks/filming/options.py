"""What one can ask of a network that says the next frames of clips."""

from dataclasses import dataclass, replace

from unrolled.data.builtin import absolute
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError
from unrolled.models import FRAME_LOSSES, NextFramesOptions
from unrolled.options import option
from unrolled.tasks.configuration import Options
from unrolled.tasks.sequences.frame_options import FrameOptions
from unrolled.training import TrainingOptions


@dataclass(frozen=True)
class FilmDataOptions(FrameOptions):
    """What is learnt from which clips."""

    sources: tuple[str, ...] = option(
        (), "Videos, folders of them or of frames, arrays of clips, or builtin:moving-digits and builtin:balls."
    )
    validation: tuple[str, ...] = option((), "Clips to measure on, instead of a part of FILES.")
    held_out: float = option(
        0.1, "Held-out part of the clips, drawn at random, which is measured on and not learnt, or of one clip its end; 0: none."
    )
    past: int = option(10, "Frames that are read.")
    future: int = option(10, "Frames after them that are said.")
    stride: int | None = option(None, "Frames from one window of a clip to the next.  [default: as many as are said]", rare=True)
    loss: str = option("mse", f"Loss of pixels: {', '.join(FRAME_LOSSES)} (which takes brightness for a probability).")
    teacher_forcing: float = option(
        0.0, "Part of the clips of which each next frame is said from true ones in training, and not from those said before.", rare=True
    )

    def __post_init__(self) -> None:
        self.require_visible()
        for name in ("past", "future", "stride"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")
        for name, most in (("held_out", 1.0), ("teacher_forcing", 1.0 + 1e-9)):
            if not 0 <= getattr(self, name) < most:
                raise ConfigError(f"`{name}` must be a part from 0 to 1, got {getattr(self, name)}.")
        if self.loss not in FRAME_LOSSES:
            raise ConfigError(f"`loss` must be one of {', '.join(FRAME_LOSSES)}, got {self.loss!r}.")

    def resolved(self) -> "FilmDataOptions":
        """The same with paths that hold wherever one stands."""
        return replace(self, sources=absolute(self.sources), validation=absolute(self.validation))


@dataclass(frozen=True)
class FilmReading(ReadingOptions):
    """How clips are read; nothing has to be said of them."""

    labels_needed = False

    def resolved(self) -> "FilmReading":
        """The same with paths that hold wherever one stands."""
        digits = None if self.digits is None else absolute((self.digits,))[0]
        return replace(self, digits=digits)


@dataclass(frozen=True)
class FilmBatchOptions:
    """How windows of clips come together."""

    batch: int = option(16, "Batch size: windows of clips in a batch.")

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ConfigError(f"`batch` must be at least 1, got {self.batch}.")

    def resolved(self) -> "FilmBatchOptions":
        """The same: nothing is open."""
        return self


@dataclass(frozen=True)
class FilmTrainingOptions(TrainingOptions):
    """How to train, with what is usual for frames where nothing is said."""

    clip: float = option(5.0, "Gradient clipping: largest norm of the whole gradient (global-norm clipping); 0: none.")


@dataclass(frozen=True)
class FilmOptions(Options):
    """All options of the task."""

    data: FilmDataOptions
    reading: FilmReading
    model: NextFramesOptions
    batches: FilmBatchOptions
    training: FilmTrainingOptions


@dataclass(frozen=True)
class DrawOptions:
    """The picture of what was said."""

    gif: str | None = option(None, "Draw the first clips, true frames beside those said, into this GIF.", written=(".gif",))


@dataclass(frozen=True)
class SayOptions(DrawOptions):
    """What is said of a file."""

    future: int | None = option(None, "Frames to say.  [default: as many as in training]")
    npy: str | None = option(
        None, "Write the frames that are said into this .npy file, [clips, frames, height, width, channels].", written=(".npy",)
    )
