"""A sliding window of the input: each step reads the inputs of the steps around it, or before it."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class InputWindow(nn.Module):
    """The inputs of `size` steps side by side, `[T, B, size * I]` for `[T, B, I]`, 0 where there is no step.

    With `ahead` they are those around each step, of an even number one more before it than after it. Without it they are the step's own and
    those before it, which a stream carries on: the last `size - 1` of them are its `tail`.

    It is the classical alternative to recurrence: what a network without a state can know of the past (time-delay networks, Waibel et al.
    1989, "Phoneme recognition using time-delay neural networks").
    """

    def __init__(self, size: int, columns: int, ahead: bool) -> None:
        super().__init__()
        self.size, self.columns, self.ahead = size, columns, ahead
        self.width = size * columns

    def begin(self, batch: int, like: Tensor) -> Tensor:
        """The tail `[size - 1, B, I]` before the first step: nothing."""
        return like.new_zeros(self.size - 1, batch, self.columns)

    def forward(
        self, x: Tensor, tail: Tensor | None = None, lengths: Tensor | None = None, resets: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The windows and, for a stream, the tail to go on with.

        `x` is 0 past the end of each row, which has `lengths` `[B]` real steps. No window reaches over one of the `resets` `[T, B]`.
        """
        if self.ahead:
            before = self.size // 2
            along = functional.pad(x, (0, 0, 0, 0, before, self.size - 1 - before))
            parts = [along[k : k + len(x)] for k in range(self.size)]
            if resets is not None:
                number = resets.cumsum(0)
                beside = functional.pad(number, (0, 0, before, self.size - 1 - before))
                parts = [part.masked_fill((beside[k : k + len(x)] != number)[..., None], 0) for k, part in enumerate(parts)]
            return torch.cat(parts, -1), self.begin(x.shape[1], x)[:0]
        along = torch.cat([self.begin(x.shape[1], x) if tail is None else tail.to(x), x])
        parts = [along[k : k + len(x)] for k in range(self.size)]
        if resets is not None:
            since = _since(resets, self.size)
            parts = [part.masked_fill((since < self.size - 1 - k)[..., None], 0) for k, part in enumerate(parts)]
        return torch.cat(parts, -1), self._tail(along, x, lengths, resets)

    def _tail(self, along: Tensor, x: Tensor, lengths: Tensor | None, resets: Tensor | None) -> Tensor:
        """The last inputs of each row; 0 before a reset."""
        ends = torch.full(x.shape[1:2], len(x), device=x.device) if lengths is None else lengths.to(x.device)
        places = ends + torch.arange(self.size - 1, device=x.device)[:, None]
        tail = along.gather(0, places[..., None].expand(-1, -1, x.shape[2]))
        if resets is None or not len(x):
            return tail
        since = _since(resets, self.size).gather(0, (ends - 1).clamp(min=0)[None])[0]
        ago = torch.arange(self.size - 2, -1, -1, device=x.device)[:, None]
        return tail.masked_fill(((ago > since) & (ends > 0))[..., None], 0)


def _since(resets: Tensor, size: int) -> Tensor:
    """The number of steps since the last reset, `[T, B]`; at least `size` where there was none."""
    steps = torch.arange(len(resets), device=resets.device)[:, None].expand_as(resets)
    last = torch.where(resets, steps, -size).cummax(0).values if len(resets) else steps
    return steps - last
