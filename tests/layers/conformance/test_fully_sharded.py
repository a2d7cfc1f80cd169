"""Parameters in two parts (FSDP2), and as DTensors: ours trains as torch.nn's layer does, or refuses as it does."""

import multiprocessing
from unittest.mock import Mock

import pytest
import torch

import rank_tasks
import ranks as joined
from pairs import assert_same
from ranks import Failed

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without torch.distributed")

EVEN, UNEVEN, EMPTY = [2, 2], [3, 1], [4, 0]


def check(ranks, kind, engine, rows, options=None, far=0.0, **more):
    """Both layers in both processes: equal losses and parameters, and those that one process has; or an error of the same type."""
    found, wanted = (
        ranks.run(rank_tasks.fully_sharded, side, kind, engine, rows, dict(options or {}), more if side == "ours" else {})
        for side in ("ours", "theirs")
    )
    for ours, theirs in zip(found, wanted, strict=True):
        if isinstance(theirs, Failed):
            assert isinstance(ours, Failed)
            assert ours.kind == theirs.kind
            continue
        assert not isinstance(ours, Failed), ours.text
        if far:
            torch.testing.assert_close(ours, theirs, atol=far, rtol=far)
        else:
            assert_same(ours, theirs)
            assert_same(ours[1], rank_tasks.whole(kind))


@pytest.mark.parametrize(("kind", "rows"), [("LSTM", UNEVEN), ("GRU", EMPTY), ("tanh", EMPTY)])
def test_parameters_in_parts_train_as_whole_ones_do(ranks, kind, engine, rows):
    check(ranks, kind, engine, rows)


def test_parameters_that_stay_together_after_the_forward_pass(ranks, engine):
    check(ranks, "LSTM", engine, EVEN, {"reshard_after_forward": False})


@pytest.mark.parametrize("kind", ["GRU"])
def test_segments_that_are_run_again_on_the_way_back(ranks, kind, engine):
    check(ranks, kind, engine, EVEN, checkpoint_steps=2)


@pytest.mark.parametrize("engine", ["auto", "torch", "eager"])
@pytest.mark.parametrize("kind", ["LSTM"])
def test_parameters_that_are_sent_in_half_precision(ranks, kind, engine):
    check(ranks, kind, engine, EVEN, {"narrow": True}, far=0.02)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("kind", ["LSTM"])
def test_distributed_tensors_are_computed_with_or_refused(ranks, kind, engine, gradients):
    pair = rank_tasks.drawn(kind, "auto")
    wanted = rank_tasks.outputs_and_gradients(pair.theirs, pair.x, rank_tasks.begin(pair.x), gradients)
    for found in ranks.run(rank_tasks.of_distributed_tensors, "ours", kind, engine, gradients):
        assert not isinstance(found, Failed), found.text
        if not isinstance(found, str):
            assert_same(found, [t.detach() for t in wanted])


def test_silence_of_both_processes_says_nothing_of_a_layer(monkeypatch, tmp_path):
    both = joined.Ranks(tmp_path)
    both._processes, ends = [Mock(), Mock()], [multiprocessing.Pipe(), multiprocessing.Pipe()]
    both._pipes = [end for end, _ in ends]
    monkeypatch.setattr(joined, "LIMIT", 0)
    with pytest.raises(TimeoutError, match="whole: no answer in time"):
        both.run(rank_tasks.whole)
