"""Other processes, spawned and forked."""

import pickle

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from pairs import assert_same, descend, flat, gradients, made_here, make_pair, parameters_of, unpickled

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def test_a_spawned_process_computes_the_same(pair, spawned):
    wanted = gradients(pair.theirs, pair.x)
    assert_same(spawned(gradients, pair.ours, pair.x), wanted)
    assert_same(gradients(pair.ours, pair.x), wanted)


def test_a_pickled_layer_stands_alone_in_a_spawned_process(pair, spawned):
    wanted = gradients(pair.theirs, pair.x)
    gradients(pair.ours, pair.x)
    assert_same(spawned(unpickled, pickle.dumps(pair.ours), pair.x), wanted)


def test_a_layer_made_in_a_spawned_process(kind, engine, spawned):
    pair = make_pair(kind, engine, 2, True)
    assert_same(spawned(made_here, kind, engine, {"layers": 2, "bidirectional": True}), gradients(pair.theirs, pair.x))


def test_a_forked_process_computes_the_same(pair, forked):
    wanted = gradients(pair.theirs, pair.x)
    gradients(pair.ours, pair.x)
    assert_same(forked(gradients, pair.ours, pair.x), wanted)
    assert_same(gradients(pair.ours, pair.x), wanted)


def test_a_forked_process_before_any_call(one_pair, forked):
    assert_same(forked(gradients, one_pair.ours, one_pair.x), gradients(one_pair.theirs, one_pair.x))


def test_a_forked_process_that_learns_leaves_this_one_alone(one_pair, forked):
    before = parameters_of(one_pair.ours)
    forked(descend, pickle.loads(pickle.dumps(one_pair.ours)), one_pair.x)
    assert_same(parameters_of(one_pair.ours), before)
    assert_same(gradients(one_pair.ours, one_pair.x), gradients(one_pair.theirs, one_pair.x))


class Encoded(Dataset):
    def __init__(self, layer, x):
        self.layer, self.x = layer, x

    def __len__(self):
        return self.x.shape[1]

    def __getitem__(self, row):
        with torch.no_grad():
            return self.layer(self.x[:, row])[0]


def test_workers_of_a_data_loader(one_pair):
    with torch.no_grad():
        wanted = flat(one_pair.theirs(one_pair.x))[0].transpose(0, 1)
        one_pair.ours(one_pair.x)
    loader = DataLoader(Encoded(one_pair.ours, one_pair.x), batch_size=1, num_workers=2, multiprocessing_context="fork")
    assert_same(torch.cat(list(loader)), wanted)
