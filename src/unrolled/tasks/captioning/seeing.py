"""What is seen of pictures and videos: pixels for a network that learns to see, numbers of a frozen one, or files of such numbers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.cache import cached
from unrolled.data.codecs import Senses
from unrolled.data.codecs.frames import FrameCodec
from unrolled.data.examples import Example
from unrolled.data.formats.bad_rows import decided, tried
from unrolled.data.pictures.pixels import Pixels, Shape
from unrolled.data.pictures.seeing import Seeing, Seen
from unrolled.data.vocabulary import damaged
from unrolled.errors import DataError
from unrolled.models.pretrained import EFFICIENTNET, SIDE, frozen_encoder
from unrolled.tasks.captioning.options import CNN, ENCODERS, FEATURES

_SUFFIX = ".npy"
_MOST_AXES = 3


@dataclass(frozen=True)
class View:
    """How pictures are looked at: by which of `ENCODERS`, and, by the frozen one, which part of them and how many frames a second."""

    encoder: str
    crop: str | None = None
    fps: float | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {"encoder": self.encoder, "crop": self.crop, "fps": self.fps}

    @classmethod
    def from_json(cls, found: Any) -> "View":
        """What `to_json` gave. `RunError` for something else."""
        if not isinstance(found, dict) or {*found} != {"encoder", "crop", "fps"} or found["encoder"] not in ENCODERS:
            raise damaged(f"a view must have an encoder, one of {', '.join(ENCODERS)}, a crop and frames a second")
        return cls(**found)


class Eyes:
    """Makes frames or numbers of the clips of examples, as a `view` has it; `choose` makes the codec of frames of the first clip, unless `codec` is known."""

    def __init__(self, view: View, codec: FrameCodec | None = None, choose: Callable[[Seen], FrameCodec] | None = None) -> None:
        self.view = view
        if view.encoder == EFFICIENTNET:
            choose = self._for_frozen
        self.senses = Senses(None, Seeing(codec, choose))

    @property
    def frames(self) -> FrameCodec | None:
        """How frames are seen that a network learns to read, once one was."""
        return self.senses.frames if self.view.encoder == CNN else None

    def __call__(self, example: Example) -> Example:
        """The example with what is seen. `DataError` for what cannot be read."""
        if self.view.encoder == CNN:
            return self.senses(example)
        if self.view.encoder == EFFICIENTNET:
            seen = self.senses(example).frames
            assert seen is not None
            return replace(example, clip=None, frames=None, numbers=self._found(seen))
        assert example.clip is not None
        return replace(example, clip=None, numbers=read_features(example.clip.path))

    def shown(self, example: Example) -> Pixels | None:
        """The frames of a clip as the network sees them, for people; None where there are but features."""
        return None if self.view.encoder == FEATURES else self.senses(example).frames

    def each(self, examples: Iterable[Example], bad_rows: str) -> Iterator[Example]:
        """All of some examples, without those that cannot be read if `bad_rows` says so."""
        return decided(tried(examples, self), bad_rows)

    def report(self) -> None:
        """Say, each as an `UnrolledWarning`, what was odd about the pictures; that they are of several sizes is told where their size was not fixed."""
        if self.view.encoder == CNN:
            self.senses.report()

    def _for_frozen(self, first: Seen) -> FrameCodec:
        return FrameCodec(Shape(SIDE, SIDE, 3, self.view.crop), self.view.fps or first.rate)

    def _found(self, frames: Pixels) -> NDArray[np.float32]:
        """Of a picture the numbers of each place, `[49, 1280]`; of a video the means over places of each frame, `[T, 1280]`. They are kept in the cache."""
        key = blake2b(EFFICIENTNET.encode() + np.ascontiguousarray(frames).tobytes(), digest_size=16).hexdigest()

        def write(folder: Path) -> None:
            np.save(folder / f"features{_SUFFIX}", self._numbers(frames).astype(np.float16))

        def load(folder: Path) -> NDArray[np.float32] | None:
            try:
                return np.load(folder / f"features{_SUFFIX}", allow_pickle=False).astype(np.float32)
            except (OSError, ValueError, EOFError):
                return None

        return cached(f"features-{key}", write, load)

    @torch.inference_mode()
    def _numbers(self, frames: Pixels) -> NDArray[np.float32]:
        network = frozen_encoder()
        planes = [network(torch.from_numpy(frame).permute(2, 0, 1)[None].float())[0] for frame in frames]
        found = planes[0].flatten(1).T if len(planes) == 1 else torch.stack([plane.mean((1, 2)) for plane in planes])
        numbers: NDArray[np.float32] = found.numpy()
        return numbers


def read_features(path: Path) -> NDArray[np.float32]:
    """The numbers of a file of NumPy, `[D]`, `[P, D]` or `[h, w, D]`, as `[P, D]`. `DataError` for something else."""
    try:
        found = np.load(path, allow_pickle=False)
        found = found[found.files[0]] if hasattr(found, "files") else found
    except (OSError, ValueError, EOFError, IndexError) as error:
        raise DataError(f"{path} cannot be read as an array of NumPy: {error}. Pass .npy, or .npz with one array.") from None
    if not 1 <= found.ndim <= _MOST_AXES or not found.size or not np.issubdtype(found.dtype, np.number) or np.iscomplexobj(found):
        told = f"{path} must have numbers [D], [P, D] or [h, w, D], got an array {found.dtype} of shape {list(found.shape)}"
        raise DataError(f"{told}. Save the features of one picture so.")
    return np.ascontiguousarray(found.reshape(-1, found.shape[-1]), np.float32)
