"""Standardised channels, against NumPy on all steps at once."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.codecs import NumberCodec
from unrolled.errors import DataError, RunError


@given(st.lists(st.integers(0, 7), min_size=1, max_size=6).filter(any), st.integers(0, 2**32 - 1))
def test_parts_add_up_to_the_whole(lengths: list[int], seed: int) -> None:
    generator = np.random.default_rng(seed)
    parts = [(generator.normal(size=(n, 3)) * [1, 50, 0.1] + [1e6, -3, 0]).astype(np.float32) for n in lengths]
    whole = np.concatenate(parts).astype(np.float64)
    learnt = NumberCodec.learn(parts)
    size = np.abs(whole).mean(axis=0)  # a mean near 0 is as exact as what it is made of
    np.testing.assert_allclose(learnt.mean / size, whole.mean(axis=0) / size, rtol=0, atol=1e-13)
    deviation = whole.std(axis=0)
    np.testing.assert_allclose(learnt.deviation, np.where(deviation > 0, deviation, 1), rtol=1e-9)


def test_missing_values_say_nothing_and_become_the_mean() -> None:
    nan = float("nan")
    parts = [np.array(rows, np.float32) for rows in ([[nan, 1.0], [nan, 4.0]], [[3.0, nan]], [[5.0, nan], [nan, 7.0]])]
    learnt = NumberCodec.learn(parts)
    np.testing.assert_allclose(learnt.mean, [4, 4])
    np.testing.assert_allclose(learnt.deviation, [1, np.sqrt(6)])
    np.testing.assert_allclose(learnt.apply(parts[2]), [[1, 0], [0, 3 / np.sqrt(6)]], rtol=1e-6)


def test_a_constant_channel_and_an_unknown_one_are_only_moved() -> None:
    parts = [np.full((n, 2), [0.1, float("nan")], np.float32) for n in (3, 7, 11)]
    learnt = NumberCodec.learn(parts)
    assert learnt.deviation.tolist() == [1, 1]
    shown = learnt.apply(parts[0] + np.float32(2))
    assert shown.dtype == np.float32
    np.testing.assert_allclose(shown, np.full((3, 2), [2, 0]), rtol=1e-6)


def test_json_keeps_every_digit() -> None:
    learnt = NumberCodec.learn([np.array([[0.1, 3.0], [0.7, -1.0], [1e-30, 8.0]], np.float32)])
    again = NumberCodec.from_json(json.loads(json.dumps(learnt.to_json())))
    np.testing.assert_array_equal(again.mean, learnt.mean)
    np.testing.assert_array_equal(again.deviation, learnt.deviation)


def test_other_channels_and_no_steps_are_refused() -> None:
    learnt = NumberCodec.learn([np.ones((2, 3), np.float32)])
    with pytest.raises(DataError, match=r"must have 3 channels .* got shape \[4, 2\]"):
        learnt.apply(np.ones((4, 2), np.float32))
    with pytest.raises(DataError, match="3 channels"):
        NumberCodec.learn([np.ones((2, 3), np.float32), np.ones((2, 1), np.float32)])
    with pytest.raises(DataError, match="no step with numbers"):
        NumberCodec.learn([np.ones((0, 3), np.float32)])


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"mean": [1.0]},
        {"mean": [1.0], "deviation": [0.0]},
        {"mean": ["x"], "deviation": [1.0]},
        {"mean": [1.0], "deviation": [1.0, 2.0]},
        {"mean": [[1.0]], "deviation": [[1.0]]},
        {"mean": [float("nan")], "deviation": [1.0]},
        {"mean": [1.0], "deviation": [float("inf")]},
        [1.0],
        3,
    ],
)
def test_damaged_figures_are_told(stored: Any) -> None:
    with pytest.raises(RunError, match="damaged"):
        NumberCodec.from_json(stored)
