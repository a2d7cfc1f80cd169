"""Memory of tapes, kept from one call to the next.

A tape is the largest thing that a call asks for, and lives until its gradients are known. What a system takes back it hands out again cleared,
page by page, when it is touched: 4 % of a training step of an LSTM with 512 units, and more on virtual machines. So what is no longer
used waits for a call that needs about as much.
"""

from collections import deque
from contextlib import suppress
from weakref import finalize

import torch
from torch import Tensor

LEAST = 1 << 18
"""Bytes of a tape that is worth keeping; the allocator keeps smaller ones itself."""

MOST = 1 << 29
"""Bytes that wait at most."""


class Tapes:
    """Memory that waits to be used again, the last that was used first. Many threads may ask and give back at once."""

    def __init__(self) -> None:
        self._waiting: deque[Tensor] = deque()

    def empty(self, count: int, like: Tensor) -> Tensor:
        """`like.new_empty(count)`, in memory that comes back when nothing reads it any more. `RuntimeError` where there is not so much."""
        size = count * like.element_size()
        if size < LEAST:
            return like.new_empty(count)
        memory = self._fitting(size)
        if memory is None:
            memory = torch.empty(size, dtype=torch.uint8, device="cpu")
        lent = memory.numpy()
        finalize(lent, self._take_back, memory).atexit = False
        return torch.from_numpy(lent)[:size].view(like.dtype)

    def _fitting(self, size: int) -> Tensor | None:
        """What waits and is large enough, but not more than twice as large."""
        for _ in range(len(self._waiting)):
            try:
                memory = self._waiting.popleft()
            except IndexError:
                return None
            if size <= memory.numel() <= 2 * size:
                return memory
            self._waiting.append(memory)
        return None

    def _take_back(self, memory: Tensor) -> None:
        self._waiting.appendleft(memory)
        while sum(waiting.numel() for waiting in tuple(self._waiting)) > MOST:
            with suppress(IndexError):
                self._waiting.pop()


tapes = Tapes()
"""Those of this process."""
