"""torch.distributed.checkpoint: what one layer saves the other loads, whole or in parts."""

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict

import rank_tasks
from pairs import assert_same, gradients
from ranks import Failed

pytestmark = [
    pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without torch.distributed"),
    pytest.mark.filterwarnings("ignore:torch.distributed is"),
]


def changed(layer):
    """The layer with other parameters."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(-0.5).add_(0.01)
    return layer


@pytest.mark.parametrize("ours_saves", [True, False])
def test_what_one_layer_saves_the_other_loads(one_pair, tmp_path, ours_saves):
    saving, loading = one_pair.both if ours_saves else one_pair.both[::-1]
    dcp.save({"model": changed(saving).state_dict()}, checkpoint_id=tmp_path)
    state = {"model": loading.state_dict()}
    dcp.load(state, checkpoint_id=tmp_path)
    loading.load_state_dict(state["model"])
    assert_same(gradients(one_pair.ours, one_pair.x), gradients(one_pair.theirs, one_pair.x))


@pytest.mark.parametrize("ours_saves", [True, False])
def test_an_optimizer_is_saved_with_its_layer(one_pair, tmp_path, ours_saves):
    saving, loading = one_pair.both if ours_saves else one_pair.both[::-1]
    optimisers = {layer: torch.optim.Adam(layer.parameters(), 0.01) for layer in one_pair.both}
    step = lambda layer: (gradients(layer, one_pair.x), optimisers[layer].step())  # noqa: E731
    step(saving)
    model, optimiser = get_state_dict(saving, optimisers[saving])
    dcp.save({"model": model, "optimiser": optimiser}, checkpoint_id=tmp_path)
    model, optimiser = get_state_dict(loading, optimisers[loading])
    state = {"model": model, "optimiser": optimiser}
    dcp.load(state, checkpoint_id=tmp_path)
    set_state_dict(loading, optimisers[loading], model_state_dict=state["model"], optim_state_dict=state["optimiser"])
    for _ in range(3):
        step(saving), step(loading)
    assert_same(dict(one_pair.ours.named_parameters()), dict(one_pair.theirs.named_parameters()))


def test_what_two_processes_save_in_parts_torch_s_layer_loads_whole(ranks, kind, tmp_path):
    found = ranks.run(rank_tasks.saved_in_parts, kind, "auto", str(tmp_path))
    theirs = rank_tasks.drawn(kind, "auto").theirs
    before = [p.detach().clone() for p in theirs.parameters()]
    state = {"model": theirs.state_dict()}
    dcp.load(state, checkpoint_id=tmp_path)
    theirs.load_state_dict(state["model"])
    for parameters in found:
        assert not isinstance(parameters, Failed), parameters.text
        assert_same(list(theirs.parameters()), parameters)
    assert not any(torch.equal(p, b) for p, b in zip(theirs.parameters(), before, strict=True))


def test_what_torch_s_layer_saves_two_processes_load_in_parts(ranks, kind, tmp_path):
    theirs = changed(rank_tasks.drawn(kind, "auto").theirs)
    dcp.save({"model": theirs.state_dict()}, checkpoint_id=tmp_path)
    for parameters in ranks.run(rank_tasks.loaded_in_parts, kind, "auto", str(tmp_path)):
        assert not isinstance(parameters, Failed), parameters.text
        assert_same(parameters, list(theirs.parameters()))
