"""Frames in which something moves: balls between walls, and digits."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrolled.data.examples import Example
from unrolled.data.pictures.pixels import Shape, resized
from unrolled.errors import DataError

SIDE = 32
"""Rows and columns of a frame."""

RADIUS = 2.5
"""That of a ball, in pixels."""

_CLIPS, _TEST_CLIPS, _BALL_FRAMES = 6000, 500, 20
_SLOWEST, _FASTEST = 1.0, 3.0
_HIDDEN, _STRETCH = 0.3, (3, 7)
"""The part of the frames in which a ball is hidden, in stretches of so many frames."""

_DIGIT_CLIPS, _DIGIT_FRAMES, _DIGITS, _DIGIT_SIDE = 10_000, 20, 2, 14
_BRIGHTEST = 255

Paths = NDArray[np.float64]
"""Rows and columns of the middles of K things at each step, `[T, K, 2]`."""


class Flight(NamedTuple):
    """Where the middles of K balls are in each frame, in pixels, `[T, K, 2]`, and in which they are not hidden, `[T, K]`."""

    paths: Paths
    seen: NDArray[np.bool_]

    def last_position(self) -> Paths:
        """Where each ball was last seen, `[K, 2]`."""
        return np.stack([self.paths[np.flatnonzero(self.seen[:, ball])[-1], ball] for ball in range(self.paths.shape[1])])

    def straight_on(self) -> Paths:
        """Where each ball would be in the next frame if it had flown on as in the last two frames in a row in which it was seen, `[K, 2]`."""
        found = []
        for ball in range(self.paths.shape[1]):
            twice = np.flatnonzero(self.seen[1:, ball] & self.seen[:-1, ball])[-1] + 1
            way = self.paths[twice, ball] - self.paths[twice - 1, ball]
            found.append(self.paths[twice, ball] + way * (len(self.paths) - twice))
        return np.stack(found)


def ball() -> Iterator[Example]:
    """One ball in grey; else as `balls`."""
    return _filmed("builtin:ball", 1, 21, _CLIPS)


def ball_test() -> Iterator[Example]:
    """Other clips as those of `ball`."""
    return _filmed("builtin:ball-test", 1, 100, _TEST_CLIPS)


def balls_test() -> Iterator[Example]:
    """Other clips as those of `balls`."""
    return _filmed("builtin:balls-test", 3, 101, _TEST_CLIPS)


def balls() -> Iterator[Example]:
    """Three balls in red, green and blue, in 20 frames of 32 × 32 pixels, which fly straight on, turn back at the walls, and do not see each other.

    Each is hidden in stretches of frames, three tenths of all. To be said after each frame is where all are in the next one: row and
    column of the first, the second and the third.
    """
    return _filmed("builtin:balls", 3, 22, _CLIPS)


def _filmed(name: str, count: int, seed: int, clips: int) -> Iterator[Example]:
    chance = np.random.default_rng(seed)
    for number in range(1, clips + 1):
        paths = bouncing(chance, _BALL_FRAMES + 1, count, RADIUS, SIDE - RADIUS, (_SLOWEST, _FASTEST))
        seen = ~hidden(chance, _BALL_FRAMES, count)
        following = paths[1:].reshape(_BALL_FRAMES, -1)
        yield Example(f"{name}, {number}", frames=drawn_balls(paths[:-1], seen), values=following, origin=Flight(paths[:-1], seen))


def bouncing(chance: np.random.Generator, steps: int, count: int, low: float, high: float, speeds: tuple[float, float]) -> Paths:
    """What flies straight on between walls at `low` and `high`, with a speed between two, in a direction drawn at random."""
    begin, angles = chance.uniform(low, high, (count, 2)), chance.uniform(0, 2 * np.pi, count)
    ways = np.stack([np.sin(angles), np.cos(angles)], -1) * chance.uniform(*speeds, count)[:, None]
    # Behind a wall lies what is before it, in a mirror.
    free = begin - low + np.arange(steps)[:, None, None] * ways
    folded = np.abs((free + (high - low)) % (2 * (high - low)) - (high - low))
    return low + folded


def hidden(chance: np.random.Generator, steps: int, count: int) -> NDArray[np.bool_]:
    """In which frames each of several balls is hidden, `[T, K]`; never in the first two."""
    found = np.zeros((steps, count), np.bool_)
    for one in range(count):
        while found[:, one].mean() < _HIDDEN:
            begin, length = int(chance.integers(2, steps)), int(chance.integers(*_STRETCH))
            found[begin : begin + length, one] = True
        over = int(found[:, one].sum() - round(_HIDDEN * steps))
        found[np.flatnonzero(found[:, one])[:over], one] = False
    return found


def drawn_balls(paths: Paths, seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Balls with soft edges, each in a channel of its own, `[T, H, W, K]`."""
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    apart = np.hypot(rows[..., None] - paths[:, None, None, :, 0], columns[..., None] - paths[:, None, None, :, 1])
    bright = (RADIUS + 0.5 - apart).clip(0, 1) * seen[:, None, None]
    return (bright * _BRIGHTEST).round().astype(np.uint8)


def moving_digits(digits: Iterable[Example], copies: int) -> Iterator[Example]:
    """Clips of 20 frames of 32 × 32 pixels in which two digits of 14 × 14 fly straight on and turn back at the walls, each behind or before the other
    (as Moving MNIST, Srivastava et al. 2015). The labels are the digits. There are as many times more clips as there are `copies`."""
    known = list(digits)
    if not known:
        raise DataError("There is no digit to move. Name an idx file that has some as `digits`.")
    small = [_small(digit) for digit in known]
    chance = np.random.default_rng(23)
    for number in range(1, copies * _DIGIT_CLIPS + 1):
        which = chance.integers(len(known), size=_DIGITS)
        paths = bouncing(chance, _DIGIT_FRAMES, _DIGITS, 0, SIDE - _DIGIT_SIDE, (_SLOWEST, _FASTEST)).round().astype(int)
        frames = np.zeros((_DIGIT_FRAMES, SIDE, SIDE, 1), np.uint8)
        for digit, path in zip(which, paths.swapaxes(0, 1), strict=True):
            for frame, (top, left) in zip(frames, path.tolist(), strict=True):
                there = frame[top : top + _DIGIT_SIDE, left : left + _DIGIT_SIDE]
                np.maximum(there, small[digit], out=there)
        labels = tuple(sorted({label for digit in which for label in known[digit].labels or ()}))
        yield Example(f"builtin:moving-digits, {number}", frames=frames, labels=labels or None)


def _small(digit: Example) -> NDArray[np.uint8]:
    assert digit.frames is not None
    return resized(digit.frames, Shape(_DIGIT_SIDE, _DIGIT_SIDE, 1))[0]
