"""`all_weights`, `_flat_weights` and `flatten_parameters`, for code that knows torch.nn's modules."""

import copy

import pytest
import torch

from pairs import INPUTS, UNITS, assert_same, classes, gradients, make_pair

OPTIONS = [{}, {"bias": False}, {"num_layers": 3}, {"num_layers": 2, "bidirectional": True}]


@pytest.mark.parametrize("options", OPTIONS)
def test_lists_have_torch_s_weights_in_torch_s_order(kind, options):
    ours, theirs, own = classes(kind)
    reference = theirs(INPUTS, UNITS, **own, **options)
    layer = ours(INPUTS, UNITS, **own, **options)
    layer.load_state_dict(reference.state_dict())
    assert [[w.shape for w in ws] for ws in layer.all_weights] == [[w.shape for w in ws] for ws in reference.all_weights]
    for got, wanted in zip(layer.all_weights, reference.all_weights, strict=True):
        assert_same(list(got), list(wanted))
    assert_same(list(layer._flat_weights), list(reference._flat_weights))


def test_lists_hold_the_parameters_themselves(pair):
    for layer in pair.both:
        assert [id(w) for w in layer._flat_weights] == [id(p) for p in layer.parameters()]
        assert [id(w) for ws in layer.all_weights for w in ws] == [id(p) for p in layer.parameters()]
        assert all(isinstance(w, torch.nn.Parameter) for w in layer._flat_weights)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_lists_of_a_layer_with_projections():
    ours, theirs, _ = classes("LSTM")
    layer, reference = (c(INPUTS, UNITS, 2, bidirectional=True, proj_size=2) for c in (ours, theirs))
    assert [[w.shape for w in ws] for ws in layer.all_weights] == [[w.shape for w in ws] for ws in reference.all_weights]
    assert [w.shape for w in layer._flat_weights] == [w.shape for w in reference._flat_weights]


def test_parameters_that_are_replaced_are_in_the_lists(pair):
    new = torch.nn.Parameter(torch.zeros_like(pair.ours.weight_hh_l0))
    for layer in pair.both:
        layer.weight_hh_l0 = new
        assert layer.all_weights[0][1] is new
        assert layer._flat_weights[1] is new
    assert_same(gradients(pair.ours, pair.x), gradients(pair.theirs, pair.x))


def test_what_is_written_through_the_lists_is_the_layer_s(pair):
    with torch.no_grad():
        for layer in pair.both:
            for weight in layer._flat_weights:
                weight.mul_(0.5)
            for weights in layer.all_weights:
                weights[1].add_(0.1)
    assert_same(gradients(pair.ours, pair.x), gradients(pair.theirs, pair.x))


def test_lists_follow_copies_and_other_types_of_numbers(pair):
    for layer in pair.both:
        for other in (copy.deepcopy(layer), copy.deepcopy(layer).float(), copy.deepcopy(layer).to("meta")):
            assert [id(w) for w in other._flat_weights] == [id(p) for p in other.parameters()]


def test_flattening_parameters_changes_nothing(pair):
    before = gradients(pair.ours, pair.x)
    where = [p.data_ptr() for p in pair.ours.parameters()]
    assert pair.ours.flatten_parameters() is pair.theirs.flatten_parameters() is None
    assert [p.data_ptr() for p in pair.ours.parameters()] == where
    assert_same(gradients(pair.ours, pair.x), before)


def test_names_of_the_lists_are_torch_s():
    pair = make_pair("LSTM", layers=2, bidirectional=True)
    assert list(dict(pair.ours.named_parameters())) == pair.theirs._flat_weights_names
