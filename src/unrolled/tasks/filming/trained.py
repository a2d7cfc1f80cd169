"""A trained network of next frames, ready to use."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.codecs import Senses
from unrolled.data.columns import Elements
from unrolled.data.dataset import FRAMES, Dataset, gather
from unrolled.data.examples import Example
from unrolled.data.formats import ReadingOptions
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.models import NextFrames
from unrolled.tasks.filming.drawing import save_gif
from unrolled.tasks.filming.reading import BRIGHTEST, FilmCodecs, FilmData, extent, read_clips
from unrolled.tasks.filming.scoring import score_windows
from unrolled.tasks.filming.windows import Windows, begins_in
from unrolled.tasks.measures.frames import FrameScores
from unrolled.tasks.trained import Progress, Trained, require_finite

if TYPE_CHECKING:
    from unrolled.inspect.report import Section

DRAWN = 4
"""Clips of a drawing."""


@dataclass(frozen=True)
class SaidFrames:
    """The last frames of clips and those that follow: `past` and `said`, `[T, B, H, W, C]` in the units of the clips, and those that did, if they are known."""

    past: NDArray[Any]
    said: NDArray[Any]
    true: NDArray[Any] | None
    places: tuple[str, ...]
    bounds: tuple[float, float] | None

    def draw(self, path: str | Path) -> None:
        """The first clips as a GIF, true frames on the left."""
        shown = [None if part is None else self._shown(part[:, :DRAWN]) for part in (self.past, self.said, self.true)]
        assert shown[0] is not None and shown[1] is not None
        save_gif(path, shown[0], shown[1], shown[2])

    def _shown(self, frames: NDArray[Any]) -> NDArray[np.uint8]:
        """From 0 to 255; what has no bounds by the smallest and the largest value of the past."""
        low, high = self.bounds or (float(self.past.min()), float(self.past.max()))
        return ((frames - low) / max(high - low, 1e-9) * 255).round().clip(0, 255).astype(np.uint8)


class TrainedFilmmaker(Trained[NextFrames, FilmCodecs]):
    """A network of next frames, as `load` gives it."""

    looks_itself = True

    def __init__(self, model: NextFrames, codecs: FilmCodecs, reading: ReadingOptions) -> None:
        super().__init__("frames", model, codecs)
        self.reading = reading

    def predict(self, data: Any, future: int | None = None) -> SaidFrames:
        """The frames that follow the last ones of each clip of some files, or of arrays `[T, H, W, C]`; a network with recurrence says as many
        as are asked for. `DataError` for a clip that is too short."""
        clips = self._read(data)
        past = self.codecs.past
        if int(clips.lengths.min()) < past:
            raise DataError(f"A clip must have {past} frames, which are read, got one of {int(clips.lengths.min())}. Pass longer ones.")
        return self._said(Windows(clips, self.codecs.frames, clips.starts[1:] - past, past), future, None)

    def show(self, data: Any, most: int = DRAWN) -> SaidFrames:
        """The same of the first clips of some files, with the frames that did follow."""
        clips, size = self._read(data), self.codecs.past + self.codecs.future
        windows = self._windows(clips, size, int(clips.lengths.max()))
        return self._said(replace(windows, begins=windows.begins[:most]), None, self.codecs.past)

    def _windows(self, clips: Dataset, size: int, stride: int | None = None) -> Windows:
        """Windows of `size` frames, each so many after the one before, or as many as are said."""
        begins = begins_in(clips, np.arange(len(clips)), size, stride or min(size, self.codecs.future))
        if not len(begins):
            raise DataError(f"No clip has {size} frames, those that are read and those that follow. Pass longer ones.")
        return Windows(clips, self.codecs.frames, begins, size)

    @torch.inference_mode()
    def _said(self, windows: Windows, future: int | None, cut: int | None) -> SaidFrames:
        frames = windows.frames(np.arange(len(windows)))
        past, true = (frames, None) if cut is None else (frames[:cut], frames[cut:])
        said = self.model(past.to(self.device), future).cpu()
        require_finite(float(said.sum()), "these clips")
        restored = [None if part is None else self.codecs.frames.restore(part.numpy()) for part in (past, said, true)]
        assert restored[0] is not None and restored[1] is not None
        places = tuple(f"clip {number + 1}" for number in range(len(windows)))
        return SaidFrames(restored[0], restored[1], restored[2], places, (0.0, brightest) if (brightest := self.codecs.brightest) else None)

    def evaluate(self, data: Any, progress: Progress | None = None) -> FrameScores:
        """The measures of all windows of some files, beside rivals."""
        windows = self._windows(self._read(data), self.codecs.past + self.codecs.future)
        tick = None if progress is None else (lambda done, total: progress("measuring", done, total))
        return score_windows(self.model, self.codecs, windows, np.arange(len(windows)), tick=tick)

    def sections(self, given: str | Path | None, data: Any) -> "Sequence[Section] | None":
        """See `Trained`: about the first window of a file, or of what was held out. `ConfigError` for a text."""
        own = import_module("unrolled.tasks.filming.inspecting")
        if isinstance(given, str):
            raise ConfigError(f"This network looks at clips, got the text {given[:40]!r}. Pass a file.")
        if given is None and (data is None or not len(data.held_out)):
            return None
        windows = data.held_out if given is None else self._windows(self._read(given), self.codecs.past)
        past = windows.frames(np.zeros(1, np.int64))[: self.codecs.past]
        found: Sequence[Section] = own.sections_of(self.model, past.to(self.device))
        return found

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What it reads is no sequence of symbols: it has `sections` of its own."""
        raise ConfigError("A network of next frames is looked into by its own sections. Call `unrolled.inspect` on its run.")

    def held_out(self, data: FilmData, most: int = 1000) -> InspectionInput | None:
        """None: see `inspection_input`."""
        return None

    def _read(self, data: Any) -> Dataset:
        senses = Senses.of(None, self.codecs.frames)
        arrays = isinstance(data, Sequence) and not isinstance(data, str) and all(isinstance(part, np.ndarray) for part in data)
        clips = gather_arrays(data, senses) if arrays else read_clips(data, self.reading, senses)
        senses.report()
        elements, brightest = clips.columns[FRAMES].elements, self.codecs.brightest
        if brightest == BRIGHTEST and elements.dtype != np.uint8:
            raise DataError("The network learnt from pixels in bytes, from 0 to 255, and these are other numbers. Convert them to uint8.")
        if brightest == 1 and not _are_parts(elements, int(clips.starts[-1])):
            raise DataError(
                "The network learnt from numbers from 0 to 1, and these are others. Divide them by the largest that there can be."
            )
        return clips


def _are_parts(elements: Elements, count: int) -> bool:
    """Whether all of so many frames lie between 0 and 1, and are no bytes."""
    if elements.dtype == np.uint8:
        return False
    low, high = extent(elements, np.arange(count))
    return low >= 0 and high <= 1


def gather_arrays(clips: Sequence[NDArray[Any]], senses: Senses) -> Dataset:
    """Clips `[T, H, W, C]` in arrays."""
    return gather((Example(f"`data[{i}]`", frames=clip) for i, clip in enumerate(clips)), "word", perceive=senses, fingerprint=False)
