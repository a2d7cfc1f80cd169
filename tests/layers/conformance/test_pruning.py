"""`torch.nn.utils.prune`."""

import copy

import pytest
import torch
from torch.func import functional_call
from torch.nn.utils import prune

from pairs import assert_same, error_of, flat, gradients, loss_of

WAYS = {
    "l1": lambda layer, name: prune.l1_unstructured(layer, name, 0.4),
    "random": lambda layer, name: prune.random_unstructured(layer, name, 0.4),
    "rows": lambda layer, name: prune.ln_structured(layer, name, 0.4, n=2, dim=0),
    "columns": lambda layer, name: prune.random_structured(layer, name, 0.4, dim=1),
    "own": lambda layer, name: prune.custom_from_mask(layer, name, torch.ones_like(getattr(layer, name)).triu()),
    "nothing": prune.identity,
}
NAMES = ("weight_hh_l0", "weight_ih_l0")
every_way = pytest.mark.parametrize("way", WAYS)


def pruned(pair, way, names=NAMES):
    """Both layers pruned alike, and torch.nn's as it was before."""
    plain = copy.deepcopy(pair.theirs)
    for layer in pair.both:
        torch.manual_seed(6)
        for name in names:
            WAYS[way](layer, name)
    return plain


def wanted_of(plain, theirs, x, names=NAMES):
    """What the layer is to give with its masks, and the gradients by the names of a pruned layer."""
    x = x.clone().requires_grad_()
    plain.zero_grad()
    theirs.zero_grad()
    weights = {name: getattr(theirs, f"{name}_orig") * getattr(theirs, f"{name}_mask") for name in names}
    result = functional_call(plain, weights, (x,))
    loss_of(result).backward()
    moved = {f"{name}_orig": getattr(theirs, f"{name}_orig").grad for name in names}
    rest = {name: p.grad for name, p in plain.named_parameters() if name not in names}
    return [t.detach() for t in flat(result)], x.grad, dict(sorted({**moved, **rest}.items()))


def sorted_by_name(found):
    return found[0], found[1], dict(sorted(found[2].items()))


def check(pair, way):
    before = pair.ours(pair.x)
    plain = pruned(pair, way)
    got = sorted_by_name(gradients(pair.ours, pair.x))
    assert_same(got, wanted_of(plain, pair.theirs, pair.x))
    assert torch.allclose(got[0][0], before[0]) is (way == "nothing")
    assert not got[2]["weight_hh_l0_orig"][pair.ours.weight_hh_l0_mask == 0].any()


def test_values_and_gradients(pair):
    check(pair, "l1")


@every_way
def test_values_and_gradients_in_every_way(one_pair, way):
    check(one_pair, way)


@every_way
def test_names_order_and_keys_are_torchs(one_pair, way):
    pruned(one_pair, way)
    for what in ("named_parameters", "named_buffers"):
        assert_same(dict(getattr(one_pair.ours, what)()), dict(getattr(one_pair.theirs, what)()))
        assert [n for n, _ in getattr(one_pair.ours, what)()] == [n for n, _ in getattr(one_pair.theirs, what)()]
    assert list(one_pair.ours.state_dict()) == list(one_pair.theirs.state_dict())
    assert prune.is_pruned(one_pair.ours)


@every_way
def test_made_permanent(one_pair, way):
    pruned(one_pair, way)
    for layer in one_pair.both:
        for name in NAMES:
            prune.remove(layer, name)
    assert [n for n, _ in one_pair.ours.named_parameters()] == [n for n, _ in one_pair.theirs.named_parameters()]
    assert not prune.is_pruned(one_pair.ours)
    assert_same(gradients(one_pair.ours, one_pair.x), gradients(one_pair.theirs, one_pair.x))
    assert one_pair.ours.weight_hh_l0.is_leaf and one_pair.ours.weight_hh_l0.requires_grad


def test_learning_keeps_the_mask(pair):
    plain = pruned(pair, "l1")
    rest = [p for name, p in plain.named_parameters() if name not in NAMES]
    moved = [getattr(pair.theirs, f"{name}_orig") for name in NAMES]
    descents = torch.optim.SGD(pair.ours.parameters(), 0.05), torch.optim.SGD([*moved, *rest], 0.05)
    for _ in range(3):
        got = sorted_by_name(gradients(pair.ours, pair.x))
        assert_same(got, wanted_of(plain, pair.theirs, pair.x))
        for descent in descents:
            descent.step()
    pair.ours(pair.x)
    assert not pair.ours.weight_hh_l0[pair.ours.weight_hh_l0_mask == 0].any()


def test_twice_the_same_weight(one_pair):
    plain = copy.deepcopy(one_pair.theirs)
    for layer in one_pair.both:
        prune.l1_unstructured(layer, "weight_hh_l0", 0.3)
        layer(one_pair.x)
        prune.ln_structured(layer, "weight_hh_l0", 0.3, n=1, dim=0)
    assert_same(sorted_by_name(gradients(one_pair.ours, one_pair.x)), wanted_of(plain, one_pair.theirs, one_pair.x, ("weight_hh_l0",)))


def test_all_parameters_together(one_pair):
    plain, names = copy.deepcopy(one_pair.theirs), [name for name, _ in one_pair.theirs.named_parameters()]
    for layer in one_pair.both:
        prune.global_unstructured([(layer, name) for name in names], prune.L1Unstructured, amount=0.5)
    masks = [{name: getattr(layer, f"{name}_mask") for name in names} for layer in one_pair.both]
    assert_same(*masks)
    assert sum(float(m.sum()) for m in masks[0].values()) == pytest.approx(sum(m.numel() for m in masks[0].values()) / 2, abs=1)
    assert_same(sorted_by_name(gradients(one_pair.ours, one_pair.x)), wanted_of(plain, one_pair.theirs, one_pair.x, names))


def test_a_mask_that_is_changed_is_read_at_the_next_call(pair):
    plain = pruned(pair, "l1")
    pair.ours(pair.x)
    for layer in pair.both:
        layer.weight_hh_l0_mask.zero_()
    assert_same(sorted_by_name(gradients(pair.ours, pair.x)), wanted_of(plain, pair.theirs, pair.x))


def test_a_state_with_masks_goes_from_one_to_the_other(one_pair):
    plain = pruned(one_pair, "l1")
    state = {name: t.clone() for name, t in one_pair.theirs.state_dict().items()}
    state["weight_hh_l0_mask"] = 1 - state["weight_hh_l0_mask"]
    for layer in one_pair.both:
        layer.load_state_dict(state)
    assert_same(sorted_by_name(gradients(one_pair.ours, one_pair.x)), wanted_of(plain, one_pair.theirs, one_pair.x))


@pytest.mark.parametrize("with_gradients", [False, True])
def test_copies(one_pair, with_gradients):
    pruned(one_pair, "l1")
    copies = []
    for layer in one_pair.both:
        with torch.set_grad_enabled(with_gradients):
            layer(one_pair.x)
            copies.append(error_of(lambda layer=layer: copy.deepcopy(layer)) or copy.deepcopy(layer))
    assert isinstance(copies[0], type(copies[1]) if isinstance(copies[1], Exception) else type(one_pair.ours))
    if not isinstance(copies[0], Exception):
        assert_same(flat(copies[0](one_pair.x)), flat(one_pair.ours(one_pair.x)))
