"""Tensors whose memory is not what it seems: views that are negated, tensors without any, saved tensors that hooks give back otherwise."""

import numpy as np
import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._pytree import tree_map

from pairs import BATCH, STEPS, UNITS, assert_same, loss_of, make_pair


class Wrapped(torch.Tensor):
    """A tensor without memory of its own, which knows one that has some."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype, strides=inner.stride())

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), options=None):
        found = function(*tree_map(plain, arguments), **tree_map(plain, options or {}))
        return tree_map(lambda t: cls(t) if isinstance(t, torch.Tensor) else t, found)


def plain(value):
    return value.inner if isinstance(value, Wrapped) else value


def back(layer, x, flow):
    x = x.clone().requires_grad_()
    return [plain(found) for found in torch.autograd.grad(layer(x)[0], [x, *layer.parameters()], flow)]


@pytest.mark.parametrize("made", [torch._neg_view, Wrapped, lambda t: torch._efficientzerotensor(t.shape, dtype=t.dtype)])
def test_flows(kind, made):
    pair = make_pair(kind)
    flow = made(torch.linspace(-1, 1, STEPS * BATCH * UNITS, dtype=pair.x.dtype).view(STEPS, BATCH, UNITS))
    ours, theirs = (back(layer, pair.x, flow) for layer in pair.both)
    assert_same(ours, theirs)


def test_inputs_of_zeros_that_lie_nowhere(one_pair):
    x = torch._efficientzerotensor(one_pair.x.shape, dtype=one_pair.x.dtype)
    ours, theirs = (layer(x)[0] for layer in one_pair.both)
    assert_same(ours, theirs)


def apart(tensor):
    return tensor.repeat_interleave(2, -1)[..., ::2] if tensor.dim() else tensor.clone()


def negated(tensor):
    return torch._neg_view(-tensor) if tensor.is_floating_point() else tensor.clone()


def read_only(tensor):
    values = tensor.detach().numpy().copy()
    values.flags.writeable = False
    return values


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("pack", [apart, negated, read_only])
def test_saved_tensors_that_come_back_in_another_form(one_pair, pack):
    found = []
    for layer in one_pair.both:
        x = one_pair.x.clone().requires_grad_()
        kept = []
        with saved_tensors_hooks(
            lambda t, kept=kept: kept.append(pack(t.detach())) or len(kept) - 1, lambda at, kept=kept: unpacked(kept[at])
        ):
            loss = loss_of(layer(x))
        before = [unpacked(value).clone() for value in kept]
        found.append(torch.autograd.grad(loss, [x, *layer.parameters()]))
        for value, was in zip(kept, before, strict=True):
            torch.testing.assert_close(unpacked(value), was, rtol=0, atol=0, equal_nan=True)
    assert_same(*found)


def unpacked(value):
    return torch.from_numpy(value) if isinstance(value, np.ndarray) else value


def test_a_default_device_is_not_where_a_layer_computes(one_pair):
    ours, x = one_pair.ours, one_pair.x.repeat(60, 20, 1)
    with torch.no_grad():
        few, many = ours(x[:2])[0], ours(x)[0]
    with torch.device("meta"), torch.no_grad():
        assert_same([ours(x[:2])[0], ours(x)[0]], [few, many])
    torch.set_default_device("meta")
    try:
        found = ours(x)[0]
    finally:
        torch.set_default_device(None)
    assert_same(found.detach(), many)
