"""Pieces as parallel streams, handed out window by window."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from unrolled.data.batches import Batch
from unrolled.data.codecs.music import MusicCodec, Steps
from unrolled.errors import DataError


class PieceStreams:
    """Pieces one after the other, in another order in each epoch, cut into `batch` streams, which are read in windows of at most `window` steps.

    Each is moved by up to `transpose` semitones up or down, drawn anew in each epoch; the same in every run with this `seed`. The steps left over at
    the end, fewer than `batch`, are dropped. Where there are too few steps for so many streams of one window there are fewer, and too few for one is
    a `DataError`. `field` is what the network reads.
    """

    def __init__(self, codec: MusicCodec, pieces: Sequence[Steps], batch: int, window: int, seed: int, transpose: int = 0) -> None:
        total = sum(map(len, pieces))
        if total < 1:
            raise DataError("The pieces have no steps to learn from. Pass some that have notes.")
        self.codec, self.pieces, self.seed, self.transpose = codec, pieces, seed, transpose
        self.window = min(window, total)
        self.batch = max(min(batch, total // self.window), 1)
        self.length = total // self.batch
        self.windows = -(-self.length // self.window)
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Another order, and other keys, than in the epoch before."""
        chance = np.random.default_rng([self.seed, epoch])
        order = chance.permutation(len(self.pieces))
        moves = chance.integers(-self.transpose, self.transpose + 1, len(self.pieces))
        moved = [self.codec.transposed(self.pieces[i], int(by)) for i, by in zip(order, moves, strict=True)]
        self.targets = np.concatenate(moved)
        self.inputs = np.concatenate([self.codec.inputs(steps) for steps in moved])

    def get(self, index: int) -> Batch:
        """Window `index`: what is read `[T, B, …]`, and the targets."""
        start, stop = self._span(index)
        places = np.arange(self.batch) * self.length + np.arange(start, stop)[:, None]
        return batch_of(self.inputs[places], self.targets[places])

    def size(self, index: int) -> int:
        """The number of targets in window `index`."""
        start, stop = self._span(index)
        return (stop - start) * self.batch

    def _span(self, index: int) -> tuple[int, int]:
        return index * self.window, min((index + 1) * self.window, self.length)


def batch_of(inputs: Steps, targets: Steps) -> Batch:
    """A batch of frames, which are read as numbers, or of events."""
    frames = inputs.ndim == 3
    x = torch.from_numpy(inputs)
    field = {"numbers": x.to(torch.get_default_dtype())} if frames else {"words": x.long()}
    return Batch(field, targets=torch.from_numpy(targets) if frames else torch.from_numpy(targets).long())


def side_by_side(codec: MusicCodec, pieces: Sequence[Steps], rows: int, window: int) -> Iterator[tuple[Batch, np.ndarray]]:
    """Whole pieces in at most so many rows of about the same length, window by window; and for each step the number of its piece, -1 past the end of a row."""
    filled: list[list[int]] = [[] for _ in range(max(min(rows, len(pieces)), 1))]
    lengths = np.zeros(len(filled), np.int64)
    for piece in sorted(range(len(pieces)), key=lambda i: -len(pieces[i])):
        row = int(lengths.argmin())
        filled[row].append(piece)
        lengths[row] += len(pieces[piece])
    parts = [_row(codec, pieces, row) for row in filled]
    for start in range(0, int(lengths.max()), window):
        stop = min(start + window, int(lengths.max()))
        inputs, targets, which = (
            np.stack([_padded(part[of], start, stop, fill) for part in parts], 1) for of, fill in ((0, 0), (1, 0), (2, -1))
        )
        yield batch_of(inputs, targets), which


def _row(codec: MusicCodec, pieces: Sequence[Steps], row: Sequence[int]) -> tuple[Steps, Steps, Steps]:
    """What is read, what should come, and which piece it is, of pieces one after the other."""
    which = np.repeat(np.array(row, np.int64), [len(pieces[i]) for i in row])
    return np.concatenate([codec.inputs(pieces[i]) for i in row]), np.concatenate([pieces[i] for i in row]), which


def _padded(steps: Steps, start: int, stop: int, fill: int) -> Steps:
    found = steps[start:stop]
    missing = stop - start - len(found)
    return found if not missing else np.concatenate([found, np.full((missing, *steps.shape[1:]), fill, steps.dtype)])
