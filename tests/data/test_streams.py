"""Streams hand out every token once, after the token before it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unrolled.data.columns import InMemory, Mapped
from unrolled.data.streams import Streams, line_lengths
from unrolled.errors import ConfigError, DataError


def numbered(folder: Path, length: int) -> Mapped:
    """The tokens 100, 101, 102, ..."""
    ids = np.arange(100, 100 + length, dtype=np.uint16)
    ids.tofile(folder / f"{length}.bin")
    return Mapped(folder / f"{length}.bin", ids.dtype, length)


def sides(streams: Streams, index: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What is read in a window, and what is to be said."""
    batch = streams.get(index)
    assert batch.targets is not None
    return batch["words"], batch.targets


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(1, 200), st.integers(1, 12), st.integers(1, 30))
def test_every_token_is_a_target_once_and_the_input_of_the_next(tmp_path: Path, length: int, batch: int, window: int) -> None:
    if length < window:
        with pytest.raises(DataError, match=f"{length} tokens and one window takes {window}"):
            Streams(numbered(tmp_path, length), batch, window)
        return
    streams = Streams(numbered(tmp_path, length), batch, window)
    batches = [streams.get(i) for i in range(streams.windows)]
    assert all(batch.fields.keys() == {"words"} and batch.lengths is None and batch.resets is None for batch in batches)
    pairs = [sides(streams, i) for i in range(streams.windows)]
    assert all(x.shape == y.shape == (len(x), streams.batch) and x.dtype == y.dtype == torch.int64 for x, y in pairs)
    assert [len(x) for x, _ in pairs[:-1]] == [window] * (len(pairs) - 1) and 1 <= len(pairs[-1][0]) <= window
    inputs, targets = (torch.cat(side).T.reshape(-1).tolist() for side in zip(*pairs, strict=True))
    assert targets == list(range(100, 100 + streams.batch * streams.length))
    assert inputs == [1, *targets[:-1]]
    assert 0 <= length - len(targets) < streams.batch
    assert streams.length >= window and streams.batch <= batch
    assert streams.batch == batch or length // batch < window


def test_a_single_stream_drops_nothing(tmp_path: Path) -> None:
    streams = Streams(numbered(tmp_path, 11), 1, 4)
    assert (streams.batch, streams.length, streams.windows) == (1, 11, 3)
    assert [streams.get(i).shape for i in range(3)] == [(4, 1), (4, 1), (3, 1)]


def test_a_short_text_gets_fewer_streams(tmp_path: Path) -> None:
    streams = Streams(numbered(tmp_path, 50), 32, 20)
    assert (streams.batch, streams.length) == (2, 25)
    inputs, targets = sides(streams, 0)
    assert inputs[0].tolist() == [1, 124] and targets[0].tolist() == [100, 125]


@pytest.mark.parametrize(("batch", "window", "named"), [(0, 5, "batch"), (5, 0, "window"), (-1, 5, "batch")])
def test_impossible_sizes_are_refused(tmp_path: Path, batch: int, window: int, named: str) -> None:
    with pytest.raises(ConfigError, match=f"`{named}` must be at least 1"):
        Streams(numbered(tmp_path, 50), batch, window)


@pytest.mark.parametrize("index", [-1, 10])
def test_windows_that_are_not_there_are_refused(tmp_path: Path, index: int) -> None:
    with pytest.raises(DataError, match="Pass 0 to 9"):
        Streams(numbered(tmp_path, 50), 1, 5).get(index)


def test_an_empty_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="0 tokens"):
        Streams(numbered(tmp_path, 0), 1, 5)


def test_tokens_in_memory_are_streams_as_well(tmp_path: Path) -> None:
    mapped, held = Streams(numbered(tmp_path, 50), 3, 4), Streams(InMemory(np.arange(100, 150)), 3, 4)
    assert held.windows == mapped.windows == 4
    for window in range(4):
        for one, other in zip(sides(mapped, window), sides(held, window), strict=True):
            assert torch.equal(one, other)


def test_lines_are_counted_over_the_parts_of_a_text():
    first, second = (InMemory(np.array(ids)) for ids in ([5, 1, 1, 6], [7, 1, 8, 8, 8]))
    assert line_lengths(first, second).tolist() == [1, 0, 2, 3]
    assert line_lengths(first).tolist() == [1, 0, 1]
    assert line_lengths(InMemory(np.array([5, 1]))).tolist() == [1]
