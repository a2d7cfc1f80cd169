"""An optimizer of torch.nn's layer goes on with ours, and the other way round: the same parameters in the same order."""

import io

import pytest
import torch

from pairs import assert_same, gradients

MAKES = {
    "Adam": lambda p: torch.optim.Adam(p, 0.02, amsgrad=True, weight_decay=0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9),
}


def step(layer, optimiser, x):
    gradients(layer, x)
    optimiser.step()


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
@pytest.mark.parametrize("ours_begins", [True, False])
def test_training_goes_on_as_if_the_layer_were_the_same(pair, make, ours_begins):
    first, second = pair.both if ours_begins else pair.both[::-1]
    begun = make(first.parameters())
    for _ in range(3):
        step(first, begun, pair.x)
    file = io.BytesIO()
    torch.save({"layer": first.state_dict(), "optimiser": begun.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    going_on = make(second.parameters())
    second.load_state_dict(saved["layer"])
    going_on.load_state_dict(saved["optimiser"])
    for _ in range(5):
        for layer, optimiser in ((first, begun), (second, going_on)):
            step(layer, optimiser, pair.x)
    assert_same(dict(second.named_parameters()), dict(first.named_parameters()))


def test_training_from_the_same_weights_gives_the_same_weights(pair):
    for layer in pair.both:
        optimiser = torch.optim.Adam(layer.parameters(), 0.02)
        for _ in range(5):
            step(layer, optimiser, pair.x)
    assert_same(dict(pair.ours.named_parameters()), dict(pair.theirs.named_parameters()))


def test_both_optimizers_say_the_same(pair):
    states = []
    for layer in pair.both:
        optimiser = torch.optim.Adam([{"params": [p]} for p in layer.parameters()], 0.02)
        step(layer, optimiser, pair.x)
        states.append(optimiser.state_dict())
    found, wanted = states
    assert found["param_groups"] == wanted["param_groups"]
    assert list(found["state"]) == list(wanted["state"])
    for got, expected in zip(found["state"].values(), wanted["state"].values(), strict=True):
        assert_same(got, expected)
