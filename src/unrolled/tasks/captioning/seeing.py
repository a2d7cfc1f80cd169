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
from unrolled.data.examples import Example, told_at
from unrolled.data.formats.bad_rows import decided, tried
from unrolled.data.kinds import NUMPY, NUMPY_ARRAYS
from unrolled.data.opening import kind_in
from unrolled.data.pictures.clips import PICTURES, Clip, holds_picture, is_filmed, is_picture
from unrolled.data.pictures.pixels import Pixels, Shape
from unrolled.data.pictures.seeing import Seeing, Seen
from unrolled.data.vocabulary import damaged
from unrolled.errors import DataError
from unrolled.models.pretrained import EFFICIENTNET, PLACES, SIDE, frozen_encoder
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


@dataclass(frozen=True)
class Sight:
    """An example as it is seen; `grid` are the rows and columns of the places of a picture, or one row of frames. `moving` says whether it is a video; None
    where that cannot be known, of features in a file that is no picture's and no video's. `clip` is what was looked at."""

    example: Example
    grid: tuple[int, int]
    moving: bool | None
    clip: Clip | None = None


class Eyes:
    """Makes frames or numbers of the clips of examples, as a `view` has it; `choose` makes the codec of frames of the first clip, unless `codec` is known.
    `moving` says whether videos are wanted; None where it is not known yet."""

    def __init__(
        self,
        view: View,
        codec: FrameCodec | None = None,
        moving: bool | None = None,
        choose: Callable[[Seen], FrameCodec] | None = None,
    ) -> None:
        self.view, self.moving = view, moving
        if view.encoder == EFFICIENTNET:
            choose = self._for_frozen
        self.senses = Senses(None, Seeing(codec, choose))

    @property
    def frames(self) -> FrameCodec | None:
        """How frames are seen that a network learns to read, once one was."""
        return self.senses.frames if self.view.encoder == CNN else None

    def __call__(self, example: Example) -> Sight:
        """What is seen of an example. `DataError` for what cannot be read, and for a video where pictures are wanted."""
        sight = self._of_features(example) if self.view.encoder == FEATURES else self._of_frames(example)
        if self.moving is False and sight.moving:
            with told_at(example.place):
                raise DataError(
                    f"{example.name} is a video, and the network looks at pictures. Pass pictures, or train a network on videos."
                )
        return replace(sight, clip=example.clip)

    def _of_frames(self, example: Example) -> Sight:
        seen = self.senses(example)
        assert example.clip is not None and seen.frames is not None
        moving = len(seen.frames) > 1 or not holds_picture(example.clip.path)
        if self.view.encoder == CNN:
            return Sight(seen, (1, len(seen.frames)), moving)
        numbers = self._found(seen.frames, moving=moving or bool(self.moving))
        return Sight(replace(seen, frames=None, numbers=numbers), (1, len(numbers)) if moving or self.moving else (PLACES, PLACES), moving)

    def _of_features(self, example: Example) -> Sight:
        assert example.clip is not None
        found, name = read_features(example.clip.path), example.name or ""
        rows, columns = found.shape[:2] if found.ndim == _MOST_AXES else (1, found[..., 0].size)
        known = False if found.ndim == _MOST_AXES or is_picture(name) else True if is_filmed(name) else None
        numbers = np.ascontiguousarray(found.reshape(-1, found.shape[-1]), np.float32)
        return Sight(replace(example, clip=None, numbers=numbers), (rows, columns), known)

    def shown(self, example: Example) -> Pixels | None:
        """The frames of a clip as the network sees them, for people; of features the picture that lies beside them, None where there is none."""
        if self.view.encoder != FEATURES:
            return self.senses(example).frames
        assert example.clip is not None
        ends = dict.fromkeys((Path(example.name or "").suffix, *PICTURES))
        beside = next((path for end in ends if is_picture(end) and (path := example.clip.path.with_suffix(end)).is_file()), None)
        return None if beside is None else Seeing[FrameCodec](None, _for_people)(Clip(beside), example.place)[:1]

    def each(self, examples: Iterable[Example], bad_rows: str | None) -> Iterator[Sight]:
        """All of some examples, without those that cannot be read if `bad_rows` says so."""
        return map(self, examples) if bad_rows is None else decided(tried(examples, self), bad_rows)

    def report(self) -> None:
        """Say, each as an `UnrolledWarning`, what was odd about the pictures; that they are of several sizes is told where their size was not fixed."""
        if self.senses.seeing is not None:
            self.senses.seeing.report(sizes=self.view.encoder == CNN)

    def _for_frozen(self, first: Seen) -> FrameCodec:
        return FrameCodec(Shape(SIDE, SIDE, 3, self.view.crop), self.view.fps or first.rate)

    def _found(self, frames: Pixels, *, moving: bool) -> NDArray[np.float32]:
        """Of a picture the numbers of each place, `[49, 1280]`; of a video the means over places of each frame, `[T, 1280]`. They are kept in the cache."""
        kind = f"{EFFICIENTNET}{' in frames' if moving and len(frames) == 1 else ''}"
        key = blake2b(kind.encode() + np.ascontiguousarray(frames).tobytes(), digest_size=16).hexdigest()

        def write(folder: Path) -> None:
            np.save(folder / f"features{_SUFFIX}", frozen_numbers(frames, moving=moving).astype(np.float16))

        def load(folder: Path) -> NDArray[np.float32] | None:
            try:
                return np.load(folder / f"features{_SUFFIX}", allow_pickle=False).astype(np.float32)
            except (OSError, ValueError, EOFError):
                return None

        return cached(f"features-{key}", write, load)


@torch.inference_mode()
def frozen_numbers(frames: Pixels, *, moving: bool) -> NDArray[np.float32]:
    """What the frozen network makes of frames `[T, 224, 224, 3]`: of a picture each place, row by row, `[49, 1280]`; of a video, which is `moving`, the
    means over places of each frame, `[T, 1280]`."""
    network = frozen_encoder()
    planes = [network(torch.from_numpy(frame).permute(2, 0, 1)[None].float())[0] for frame in frames]
    found = torch.stack([plane.mean((1, 2)) for plane in planes]) if moving else planes[0].flatten(1).T
    numbers: NDArray[np.float32] = found.numpy()
    return numbers


def _for_people(first: Seen) -> FrameCodec:
    scale = min(SIDE / max(first.height, first.width), 1)
    return FrameCodec(Shape(max(round(first.height * scale), 1), max(round(first.width * scale), 1), first.channels, None))


def read_features(path: Path) -> NDArray[Any]:
    """The numbers of a file of NumPy, `[D]`, `[T, D]` or `[h, w, D]`. `DataError` for something else, for several arrays, and for what is not finite."""
    kind = kind_in(path)
    if path.is_file() and kind not in (NUMPY, NUMPY_ARRAYS):
        told = f"{path} is {'no file of NumPy' if kind is None else kind.name}, and the network reads features"
        raise DataError(f"{told}. Pass .npy, or .npz with one array.")
    try:
        found = np.load(path, allow_pickle=False)
        names = getattr(found, "files", [])
        found = found[names[0]] if hasattr(found, "files") else found
    except (OSError, ValueError, EOFError, IndexError) as error:
        pickled = "it has objects of Python, which could run programs" if "pickle" in str(error) else None
        why = pickled or getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read as an array of NumPy: {why}. Pass .npy, or .npz with one array of numbers.") from None
    if len(names) > 1:
        raise DataError(f"{path} has {len(names)} arrays: {', '.join(names)}. Save the features of one picture or video alone.")
    if not 1 <= found.ndim <= _MOST_AXES or not found.size or not np.issubdtype(found.dtype, np.number) or np.iscomplexobj(found):
        told = f"{path} must have numbers [D], [T, D] or [h, w, D], got an array {found.dtype} of shape {list(found.shape)}"
        raise DataError(f"{told}. Save the features of one picture or video so.")
    if not (known := np.isfinite(found)).all():
        told = f"{path} has {found.size - int(known.sum()):,} of {found.size:,} numbers that are NaN or infinite"
        raise DataError(f"{told}. Compute the features again, or take the picture or video out.")
    numbers: NDArray[Any] = found
    return numbers
