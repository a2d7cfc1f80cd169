"""The adding problem: two numbers to add up among many, however far apart they stand."""

from collections.abc import Iterator

import numpy as np

from unrolled.data.examples import Example

_NUMBER, _SHORTEST, _LONGEST = 2000, 20, 40


def additions_of_marked() -> Iterator[Example]:
    """Series of 20 to 40 numbers from 0 to 1, each with a mark that is 1 at two of them, and the sum of these two.

    One stands in the first ten steps and one in the second half (after Hochreiter & Schmidhuber 1997, "Long Short-Term Memory"): who
    always says 1, the mean, is off by 0.41 (root mean square).
    """
    generator = np.random.default_rng(40)
    for number in range(1, _NUMBER + 1):
        length = int(generator.integers(_SHORTEST, _LONGEST + 1))
        values, marks = generator.uniform(0, 1, length), np.zeros(length)
        marks[[generator.integers(0, 10), generator.integers(length // 2, length)]] = 1
        numbers = np.stack([values, marks], 1).astype(np.float32)
        total = np.array([float(numbers[:, 0] @ numbers[:, 1])])
        yield Example(f"builtin:adding, {number}", numbers=numbers, values=total, channels=("number", "mark"))
