"""The meta device: layers made without memory, given some, and filled."""

import copy

import pytest
import torch

from engines_here import HERE, needs_native
from pairs import INPUTS, UNITS, assert_same, classes, flat, gradients, make_pair
from unrolled.errors import EngineError

FREE = [*(engine for engine in HERE if engine != "native"), "auto"]


def on_meta(kind, engine):
    """Ours and torch's on the meta device."""
    ours, theirs, own = classes(kind)
    same = {**own, "num_layers": 2, "bidirectional": True, "dtype": torch.float64, "device": "meta"}
    return ours(INPUTS, UNITS, engine=engine, **same), theirs(INPUTS, UNITS, **same)


def test_a_layer_is_made_without_memory(kind, engine):
    ours, theirs = on_meta(kind, engine)
    look = lambda layer: [(n, p.device, p.shape, p.dtype, p.requires_grad) for n, p in layer.named_parameters()]  # noqa: E731
    assert look(ours) == look(theirs)


def test_weights_that_are_assigned_replace_those_without_memory(kind, engine):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    ours, theirs = on_meta(kind, engine)
    state = pair.theirs.state_dict()
    for layer in (ours, theirs):
        assert not any(layer.load_state_dict(state, assign=True))
        assert all(p.data_ptr() == state[n].data_ptr() and isinstance(p, torch.nn.Parameter) for n, p in layer.named_parameters())
        assert all(p.requires_grad for p in layer.parameters())
    assert_same(gradients(ours, pair.x), gradients(theirs, pair.x))


def test_memory_is_given_and_filled_with_the_numbers_of_a_new_layer(kind, engine):
    ours, theirs = (layer.to_empty(device="cpu") for layer in on_meta(kind, engine))
    torch.manual_seed(1)
    ours.reset_parameters("torch")
    torch.manual_seed(1)
    theirs.reset_parameters()
    assert_same(dict(ours.named_parameters()), dict(theirs.named_parameters()))
    x = make_pair(kind, engine).x
    assert_same(gradients(ours, x), gradients(theirs, x))
    torch.manual_seed(1)
    ours.reset_parameters()
    torch.manual_seed(1)
    again = classes(kind)[0](INPUTS, UNITS, 2, bidirectional=True, dtype=torch.float64, **classes(kind)[2])
    assert_same(dict(ours.named_parameters()), dict(again.named_parameters()))


def test_memory_is_given_and_a_state_dict_loaded(kind, engine):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    ours, _ = on_meta(kind, engine)
    ours.to_empty(device="cpu").load_state_dict(pair.theirs.state_dict())
    assert_same(gradients(ours, pair.x), gradients(pair.theirs, pair.x))


def test_a_layer_that_lost_its_memory_and_got_it_back(kind, engine):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    state = copy.deepcopy(pair.ours.state_dict())
    pair.ours(pair.x)
    pair.ours.to("meta").load_state_dict(state, assign=True)
    assert_same(gradients(pair.ours, pair.x), gradients(pair.theirs, pair.x))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("engine", FREE)
def test_shapes_are_computed_without_memory(kind, engine, gradients):
    results = []
    for layer in on_meta(kind, engine):
        with torch.set_grad_enabled(gradients):
            found = flat(layer(torch.empty(3, 4, INPUTS, dtype=torch.float64, device="meta")))
            if gradients:
                sum(t.sum() for t in found).backward()
                found += [p.grad for p in layer.parameters()]
        results.append([(t.shape, t.dtype, t.device.type) for t in found])
    assert results[0] == results[1]


@needs_native
def test_the_engine_native_refuses_tensors_without_memory(kind):
    with pytest.raises(EngineError, match="its kernels are for the CPU"):
        on_meta(kind, "native")[0](torch.empty(6, 4, INPUTS, dtype=torch.float64, device="meta"))


@pytest.mark.parametrize("which", ["input", "weights"])
def test_memory_that_only_one_side_has_is_an_error(kind, engine, which):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    x = pair.x.to("meta") if which == "input" else pair.x
    for layer in pair.both if which == "input" else on_meta(kind, engine):
        with pytest.raises(RuntimeError):
            layer(x)
