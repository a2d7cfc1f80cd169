"""A text as parallel streams, handed out window by window for truncated back-propagation through time."""

import numpy as np
import torch

from unrolled.data.batches import Batch
from unrolled.data.codecs.text import TextCodec
from unrolled.data.columns import Elements, Places
from unrolled.errors import ConfigError, DataError

_BLOCK = 1 << 24
"""Tokens that are looked at at a time."""


def line_lengths(*parts: Elements) -> Places:
    """How many tokens each line of a text has, which lies in several parts, without its end; a last line needs no end, and may be empty only with one."""
    ends, total = [np.array([-1])], 0
    for tokens in parts:
        for first in range(0, len(tokens), _BLOCK):
            ends.append(total + first + np.flatnonzero(tokens.read(first, min(first + _BLOCK, len(tokens))) == TextCodec.end))
        total += len(tokens)
    places = np.concatenate(ends)
    last = total - 1 - places[-1]
    return np.append(np.diff(places) - 1, last) if last else np.diff(places) - 1


class Streams:
    """A text cut into `batch` contiguous streams of `length` tokens each, read in `windows` windows of at most `window` tokens.

    Stream b holds the tokens `b * length` to `(b + 1) * length - 1`; the tokens left over at the end, fewer than `batch`, are dropped.
    A text too short for so many streams of at least one window gets fewer: the attribute `batch` is what it got. A text shorter than one
    window is a `DataError`; a `batch` or `window` below 1 a `ConfigError`.
    """

    def __init__(self, tokens: Elements, batch: int, window: int) -> None:
        for name, value in (("batch", batch), ("window", window)):
            if value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}. Pass a positive number.")
        if len(tokens) < window:
            raise DataError(
                f"The text has {len(tokens)} tokens and one window takes {window}. Pass a longer text, or `window={max(len(tokens), 1)}`."
            )
        self.tokens, self.window = tokens, window
        self.batch = batch if len(tokens) // batch >= window else len(tokens) // window
        self.length = len(tokens) // self.batch
        self.windows = -(-self.length // window)

    def begin(self, epoch: int) -> None:
        """The same in each epoch."""

    def get(self, index: int) -> Batch:
        """Window `index`: words and targets, each int64 `[T, B]`; the last window may be shorter.

        A target is the next token of its stream, and its input is the token before it in the text; before the first token of all stands
        `<EOS>`. An `index` outside 0..windows - 1 is a `DataError`.
        """
        if not 0 <= index < self.windows:
            raise DataError(f"Window {index} was asked of streams that have {self.windows}. Pass 0 to {self.windows - 1}.")
        start, stop = self._span(index)
        rows = [self._row(b * self.length + start, b * self.length + stop) for b in range(self.batch)]
        both = torch.from_numpy(np.stack(rows, axis=1))
        return Batch({"words": both[:-1]}, targets=both[1:])

    def size(self, index: int) -> int:
        """The number of targets in window `index`."""
        start, stop = self._span(index)
        return (stop - start) * self.batch

    def _span(self, index: int) -> tuple[int, int]:
        return index * self.window, min((index + 1) * self.window, self.length)

    def _row(self, start: int, stop: int) -> Places:
        """The tokens `start - 1` to `stop - 1`, with the `<EOS>` that stands before the first."""
        if start:
            return self.tokens.read(start - 1, stop).astype(np.int64)
        return np.concatenate(([TextCodec.end], self.tokens.read(0, stop)))
