"""Balls and digits that move."""

from itertools import islice

import numpy as np
import pytest

from unrolled.data.builtin_examples.movement import RADIUS, SIDE, ball, balls, bouncing, hidden, moving_digits
from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.errors import ConfigError, DataError


def test_what_bounces_flies_straight_on_and_turns_back_at_walls():
    paths = bouncing(np.random.default_rng(0), 200, 50, 2.0, 10.0, (0.5, 1.5))
    assert paths.min() >= 2 and paths.max() <= 10
    steps = np.diff(paths, axis=0)
    same = np.abs(np.abs(steps[1:]) - np.abs(steps[:-1])) < 1e-9
    at_wall = (np.minimum(paths - 2, 10 - paths) < 1.5)[1:-1]
    assert (same | at_wall).all(), "each coordinate keeps its speed but where it turns"
    speeds = np.hypot(*np.moveaxis(steps, -1, 0))
    assert speeds.max() <= 1.5 + 1e-9 and np.median(speeds, 0).min() > 0.4


def test_three_tenths_are_hidden_in_stretches_and_never_the_first_two():
    chance = np.random.default_rng(0)
    found = np.stack([hidden(chance, 20, 3) for _ in range(50)])
    assert (found.sum(1) == 6).all() and not found[:, :2].any()
    runs = np.diff(np.pad(found, ((0, 0), (1, 1), (0, 0))).astype(int), axis=1)
    assert ((runs == 1).sum(1) <= 4).all()


@pytest.mark.parametrize(("make", "count"), [(ball, 1), (balls, 3)])
def test_frames_show_where_balls_are_and_numbers_where_they_are_next(make, count):
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    for example in islice(make(), 5):
        assert example.frames.shape == (20, SIDE, SIDE, count) and example.values.shape == (20, 2 * count)
        paths, seen = example.origin
        bright = example.frames.astype(float)
        for which in range(count):
            mass = bright[..., which].sum((1, 2))
            assert ((mass > 0) == seen[:, which]).all()
            middle = np.stack([(bright[..., which] * axis).sum((1, 2)) for axis in (rows, columns)], -1)
            apart = middle[seen[:, which]] / mass[seen[:, which], None] - paths[seen[:, which], which]
            assert np.abs(apart).max() < 0.15
        np.testing.assert_array_equal(example.values[:-1].reshape(19, count, 2), paths[1:])
        assert (np.minimum(paths, SIDE - paths) >= RADIUS - 1e-9).all()


def test_one_number_of_all_is_that_of_the_last_frame():
    whole, steps = (next(read_examples("builtin:balls", ReadingOptions(), wanted)) for wanted in (Target.VALUES, Target.STEP_VALUES))
    np.testing.assert_array_equal(whole.values, steps.values[-1])


def digits(count=3):
    chance = np.random.default_rng(4)
    return [Example(str(i), frames=chance.integers(40, 256, (1, 28, 28, 1), np.uint8), labels=(str(i),)) for i in range(count)]


def test_two_digits_move_through_each_other():
    for example in islice(moving_digits(digits(), 1), 10):
        assert example.frames.shape == (20, 32, 32, 1) and 1 <= len(example.labels) <= 2
        lit = (example.frames > 0).sum((1, 2, 3))
        assert (lit <= 2 * 14 * 14).all() and (lit >= 14 * 14).all()
        assert len({frame.tobytes() for frame in example.frames}) > 15
    assert next(moving_digits(digits(), 1)).frames.tobytes() == next(moving_digits(digits(), 1)).frames.tobytes()


def test_digits_must_be_named():
    with pytest.raises(ConfigError, match="builtin:moving-digits is made of digits"):
        next(read_examples("builtin:moving-digits", ReadingOptions(), Target.LABELS))
    with pytest.raises(DataError, match="There is no digit to move"):
        next(moving_digits([], 1))
