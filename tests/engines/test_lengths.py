"""Lengths as engines read them: right, computed when asked for, and checked with one look at the numbers."""

import numpy as np
import pytest
import torch

from unrolled.engines import read_lengths

CPU = torch.device("cpu")


@pytest.mark.parametrize("given", [[2, 0, 5, 3, 5, 2], [0, 0, 0], [4], []])
@pytest.mark.parametrize("ask", [["index", "counts", "back", "mask", "order"], ["order", "mask", "back", "counts", "index"]])
def test_what_is_derived_equals_a_plain_loop(given, ask):
    lengths = read_lengths(given, 5, len(given), CPU)
    got = {name: getattr(lengths, name) for name in ask}
    order = sorted(range(len(given)), key=lambda row: -given[row])
    assert got["order"].tolist() == order
    assert got["order"][got["back"]].tolist() == list(range(len(given)))
    np.testing.assert_array_equal(got["mask"], np.array([[t < n for n in given] for t in range(5)], dtype=bool).reshape(5, len(given)))
    assert got["counts"] == [sum(t < n for n in given) for t in range(5)]
    assert got["index"].tolist() == [t * len(given) + row for t in range(5) for row in order if t < given[row]]


def test_nothing_is_derived_before_it_is_asked_for():
    lengths = read_lengths([3, 1], 4, 2, CPU)
    assert set(vars(lengths)) == {"values", "steps", "batch"}
    assert lengths.mask is lengths.mask


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_right_lengths_are_looked_at_once(dtype):
    """Each number taken by itself would be one more wait for a GPU."""
    given = torch.tensor([3, 1, 4], dtype=dtype)
    with torch.profiler.profile() as profile:
        lengths = read_lengths(given, 4, 3, CPU)
    assert sum(e.count for e in profile.key_averages() if e.key == "aten::_local_scalar_dense") == 0
    assert lengths.values.dtype == torch.int64
