"""`torch.func.functional_call`: a call with other weights than the layer's own."""

import pytest
import torch
from torch.func import functional_call

from pairs import assert_same, error_of, loss_of, parameters_of, state_for


def scaled(tensors, factor=0.5):
    return {name: t.detach() * factor for name, t in tensors.items()}


@pytest.mark.parametrize(("names", "strict"), [("named_parameters", False), ("state_dict", False), ("state_dict", True)])
def test_other_weights_are_computed_with(pair, names, strict):
    results = []
    for layer in pair.both:
        weights = scaled(dict(getattr(layer, names)()))
        before = layer(pair.x)
        results.append(functional_call(layer, weights, (pair.x,), strict=strict))
        assert not torch.equal(results[-1][0], before[0])
        assert_same(layer(pair.x), before)
    assert_same(*results)


def test_gradients_flow_to_the_weights_that_were_lent_alone(pair):
    found = []
    for layer in pair.both:
        weights = {name: w.requires_grad_() for name, w in scaled(layer.state_dict()).items()}
        loss_of(functional_call(layer, weights, (pair.x,))).backward()
        found.append({name: w.grad for name, w in weights.items()})
        assert all(p.grad is None for p in layer.parameters())
    assert_same(*found)


def test_weights_that_are_computed_pass_gradients_on(pair):
    found = []
    for layer in pair.both:
        factor = torch.tensor(0.7, dtype=pair.x.dtype, requires_grad=True)
        loss_of(functional_call(layer, {name: p * factor for name, p in layer.named_parameters()}, (pair.x,))).backward()
        found.append([factor.grad, *(p.grad for p in layer.parameters())])
    assert_same(*found)


def test_one_weight_can_be_lent_and_all_others_stay(pair):
    own = pair.ours(pair.x)[0]
    for name, weight in parameters_of(pair.ours).items():
        results = [functional_call(layer, {name: weight * 3}, (pair.x,)) for layer in pair.both]
        assert_same(*results)
        assert not torch.allclose(results[0][0], own), name


def test_states_go_by_position_and_by_name(pair):
    state, weights = state_for(pair), scaled(pair.theirs.state_dict())
    wanted = functional_call(pair.theirs, weights, (pair.x, state))
    assert_same(functional_call(pair.ours, weights, (pair.x, state)), wanted)
    assert_same(functional_call(pair.ours, weights, (pair.x,), {"hx": state}), wanted)


def test_the_layer_keeps_its_own_parameters(pair):
    own = dict(pair.ours.named_parameters())
    functional_call(pair.ours, scaled(own), (pair.x,))
    after = dict(pair.ours.named_parameters())
    assert list(own) == list(after)
    assert all(after[name] is p for name, p in own.items())


def test_two_calls_with_different_weights_and_one_way_back(pair):
    found = []
    for layer in pair.both:
        raw = {name: w.requires_grad_() for name, w in parameters_of(layer).items()}
        results = [functional_call(layer, {name: w * keep for name, w in raw.items()}, (pair.x,)) for keep in (0.2, 0.9)]
        sum(map(loss_of, results)).backward()
        found.append({name: w.grad for name, w in raw.items()})
    assert_same(*found)


@pytest.mark.parametrize("change", ["missing", "unexpected"])
def test_strict_refuses_names_that_do_not_fit(pair, change):
    def call(layer):
        weights = scaled(layer.state_dict())
        if change == "missing":
            del weights["bias_hh_l0"]
        else:
            weights["bias_l0"] = weights["bias_hh_l0"]
        return functional_call(layer, weights, (pair.x,), strict=True)

    wanted = error_of(lambda: call(pair.theirs))
    assert wanted is not None
    with pytest.raises(type(wanted), match=r"bias_hh_l0|bias_l0"):
        call(pair.ours)


def test_inside_a_model_by_the_models_names(pair):
    results = []
    for layer in pair.both:
        model = torch.nn.ModuleDict({"encoder": layer})
        model.forward = lambda x, inner=layer: inner(x)
        results.append(functional_call(model, {f"encoder.{name}": w for name, w in scaled(layer.state_dict()).items()}, (pair.x,)))
    assert_same(*results)
    assert not torch.allclose(results[0][0], pair.ours(pair.x)[0])


def test_an_error_inside_gives_the_own_weights_back(pair):
    before = pair.ours(pair.x)
    for layer in pair.both:
        with pytest.raises(RuntimeError):
            functional_call(layer, scaled(layer.state_dict()), (pair.x[..., :-1],))
    assert_same(pair.ours(pair.x), before)
