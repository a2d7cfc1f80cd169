"""Ours in two processes under DistributedDataParallel: what one process gives torch.nn's layer on the whole batch."""

import pytest
import torch

import rank_tasks
from pairs import assert_same
from ranks import Failed

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without torch.distributed")

UNEVEN, EMPTY = [3, 1], [4, 0]


def check(ranks, kind, engine, rows, no_sync=False, **options):
    wanted = rank_tasks.whole(kind)
    for found in ranks.run(rank_tasks.data_parallel, kind, engine, rows, no_sync, options):
        assert not isinstance(found, Failed), found.text
        assert_same(found, wanted)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("rows", [UNEVEN, EMPTY])
def test_shards_of_any_size_train_as_the_whole_batch_does(ranks, kind, engine, rows):
    check(ranks, kind, engine, rows)


@pytest.mark.parametrize("kind", ["GRU", "tanh"])
def test_gradients_that_are_not_sent_at_every_pass(ranks, kind, engine):
    check(ranks, kind, engine, EMPTY, no_sync=True)


@pytest.mark.parametrize("rows", [UNEVEN, EMPTY])
def test_a_static_graph(ranks, engine, rows):
    check(ranks, "LSTM", engine, rows, static_graph=True)


@pytest.mark.parametrize("options", [{"find_unused_parameters": True}, {"gradient_as_bucket_view": True}])
def test_other_options_change_nothing(ranks, options):
    check(ranks, "GRU", "auto", UNEVEN, **options)


def test_both_processes_begin_with_the_parameters_of_the_first(ranks, kind):
    assert ranks.run(rank_tasks.replicas_are_equal, kind, "auto") == [(True, False), (True, True)]
