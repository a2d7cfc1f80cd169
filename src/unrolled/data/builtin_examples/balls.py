"""A ball that bounces between two walls, as frames of pixels, and where it is going."""

from collections.abc import Iterator

import numpy as np

from unrolled.data.examples import Example

_NUMBER, _SIDE = 800, 7
_NOISE = 0.1
_WAYS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}
_BACK = {"left": "right", "right": "left", "up": "down", "down": "up"}


def bouncing_balls() -> Iterator[Example]:
    """Balls in 8 to 24 frames of 7 × 7 pixels with noise, `[T, 49]`; each moves one pixel a frame and turns back at the wall.

    A frame's tag says which way the ball came into it (in the first: which way it starts), the label which way it came into the last.
    """
    generator = np.random.default_rng(20)
    for number in range(1, _NUMBER + 1):
        length = int(generator.integers(8, 25))
        way = str(generator.choice(list(_WAYS)))
        spot = generator.integers(0, _SIDE, 2)
        pixels = generator.normal(0, _NOISE, (length, _SIDE, _SIDE))
        tags = []
        for frame in pixels:
            frame[tuple(spot)] += 1
            following = spot + _WAYS[way]
            if not ((following >= 0) & (following < _SIDE)).all():
                way = _BACK[way]
                following = spot + _WAYS[way]
            tags.append(way)
            spot = following
        came = (tags[0], *tags[:-1])
        numbers = pixels.reshape(length, -1).astype(np.float32)
        yield Example(f"builtin:bouncing-ball, {number}", numbers=numbers, labels=came[-1:], tags=came)
