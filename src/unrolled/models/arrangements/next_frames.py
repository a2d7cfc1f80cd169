"""The next frames of a clip, from the frames before them."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.cells import Cell
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.layers import Lines, Recurrent, every_line
from unrolled.models.arrangements.arrangement import Arrangement
from unrolled.models.inputs import FRAMES
from unrolled.models.options import NextFramesOptions

DEPTH = 4
"""Convolutions of a network without recurrence before its last one."""

FRAME_LOSSES: dict[str, Callable[..., Tensor]] = {
    "mse": functional.mse_loss,
    "mae": functional.l1_loss,
    "cross-entropy": functional.binary_cross_entropy,
}
"""What is made smaller, by name; the last one takes the brightness of a pixel for a probability."""


class NextFrames(Arrangement):
    """Convolutional recurrent layers of any cell, which read a clip frame by frame and say after each what the next one is (Shi et al. 2015,
    "Convolutional LSTM Network"); what comes after the past is said from frames that were said before.

    With `layers=0` there is no recurrence: a convolutional network reads all frames of the past side by side, and says all that are to come.

    Of each pixel they say a new value, and how much of it takes the place of the last one, so that what stands still stays as it is. Frames are
    `[T, B, C, H, W]`, from 0 to 1 if they are `bounded`. Squares of `patch` × `patch` pixels are read as channels of one place.

    Args:
        shape: `(C, H, W)` of a frame.
        past, future: how many frames are read, and said.
        options: the layers.
        cell: taken in the place of the one that the options name.
        bounded: whether frames have values from 0 to 1 alone.
        loss: one of `FRAME_LOSSES`.
        teacher_forcing: the part of the clips of which, in training, each next frame is said from true ones.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        past: int,
        future: int,
        options: NextFramesOptions,
        cell: Cell,
        *,
        bounded: bool,
        loss: str,
        teacher_forcing: float = 0.0,
    ) -> None:
        super().__init__()
        if loss == "cross-entropy" and not bounded:
            raise ConfigError("`loss='cross-entropy'` is for pixels from 0 to 1, and these frames have other values. Use mse or mae.")
        self.shape, self.past, self.future, self.patch = shape, past, future, options.patch
        self.bounded, self.loss_name, self.teacher_forcing = bounded, loss, teacher_forcing
        channels, hidden, kernel = shape[0] * options.patch**2, options.hidden, options.kernel_size
        self.layers: Recurrent | None = None
        if options.layers:
            self.layers = Recurrent(
                cell,
                channels,
                hidden,
                options.layers,
                kernel_size=kernel,
                dropout=options.dropout,
                recurrent_dropout=options.recurrent_dropout,
                initial_state=options.initial_state,
                residual=options.residual,
                engine=options.engine,
            )
            self.last = nn.Conv2d(hidden, 2 * channels, 1)
        else:
            sizes = [past * channels, *[hidden] * DEPTH]
            self.stack = nn.Sequential(
                *(part for before, after in pairwise(sizes) for part in (nn.Conv2d(before, after, kernel, padding="same"), nn.ReLU()))
            )
            self.last = nn.Conv2d(hidden, 2 * future * channels, 1)

    @property
    def recurrent(self) -> Recurrent | None:
        """The recurrent layers; None of a network without them."""
        return self.layers

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The summed loss of all pixels that are said of clips of `past + future` frames, and how many these are."""
        frames = batch[FRAMES]
        before, after = frames[: self.past], frames[self.past :]
        forced = torch.rand(frames.shape[1], device=frames.device) < self.teacher_forcing
        seen, said = self._run(before, len(after), after, forced)
        targets, found = (after, said) if seen is None else (frames[1:], torch.cat([seen, said]))
        return self._loss(found, targets), targets.numel()

    def _loss(self, said: Tensor, targets: Tensor) -> Tensor:
        return FRAME_LOSSES[self.loss_name](said, targets, reduction="sum")

    def forward(self, past: Tensor, future: int | None = None, truth: Tensor | None = None) -> Tensor:
        """The frames `[F, B, C, H, W]` that follow the `past` `[P, B, C, H, W]`, as many as in training if nothing is said.

        With the `truth` `[F, …]` each is said from the true ones before it (teacher forcing). `ConfigError` where a network without recurrence
        is asked for another number of either.
        """
        future = self.future if future is None else future
        forced = torch.full(past.shape[1:2], truth is not None, device=past.device)
        return self._run(past, future, truth, forced)[1]

    def lines(self, past: Tensor) -> list[Lines]:
        """What every line of the cell's text gives, in every layer, while the `past` `[P, B, C, H, W]` is read; nothing of a network without recurrence."""
        return [] if self.layers is None else every_line(self.layers, self._folded(past))

    def _run(self, past: Tensor, future: int, truth: Tensor | None, forced: Tensor) -> tuple[Tensor | None, Tensor]:
        """What was said of the past but for its first frame, and of the future."""
        if self.layers is None:
            return None, self._stacked(past, future)
        outputs, state = self.layers(self._folded(past))
        said = self._said(self.last(outputs.flatten(0, 1)).unflatten(0, outputs.shape[:2]), past)
        found = [said[-1]]
        for step in range(1, future):
            read = found[-1]
            if truth is not None:
                read = torch.where(forced[:, None, None, None], truth[step - 1], read)
            output, state = self.layers(self._folded(read[None]), state)
            found.append(self._said(self.last(output[0]), read))
        return said[:-1], torch.stack(found)

    def _stacked(self, past: Tensor, future: int) -> Tensor:
        if (len(past), future) != (self.past, self.future):
            raise ConfigError(
                f"A network without recurrence says {self.future} frames from {self.past}, got {len(past)} and `future={future}`. Train another one, "
                "or one with `layers`."
            )
        read = self._folded(past).transpose(0, 1).flatten(1, 2)
        said = self.last(self.stack(read)).unflatten(1, (future, -1)).transpose(0, 1)
        return self._said(said, past[-1])

    def _folded(self, frames: Tensor) -> Tensor:
        """`[T, B, C · patch², H / patch, W / patch]`, with the edge filled up with 0."""
        patch, (_, height, width) = self.patch, self.shape
        frames = functional.pad(frames, (0, -width % patch, 0, -height % patch))
        return functional.pixel_unshuffle(frames, patch)

    def _said(self, planes: Tensor, last: Tensor) -> Tensor:
        """The frames `[…, C, H, W]` that planes say after the `last` ones."""
        _, height, width = self.shape
        found = functional.pixel_shuffle(planes, self.patch)[..., :height, :width]
        new, part = found.chunk(2, -3)
        return last + part.sigmoid() * ((new.sigmoid() if self.bounded else new) - last)
