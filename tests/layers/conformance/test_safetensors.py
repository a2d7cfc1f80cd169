"""safetensors: `save_model`, `load_model`, and files of state dicts."""

import copy

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import nn

from pairs import assert_same, error_of, gradients, make_pair, parameters_of


def scaled(layer, factor=0.5):
    """The layer itself, with other weights."""
    with torch.no_grad():
        for p in layer.parameters():
            p.mul_(factor)
    return layer


def test_a_model_goes_from_one_to_the_other(pair, tmp_path):
    for source, target in (pair.both, pair.both[::-1]):
        source(pair.x)
        save_model(scaled(source), tmp_path / "layer.safetensors")
        assert load_model(target, tmp_path / "layer.safetensors") == (set(), [])
        assert_same(parameters_of(target), parameters_of(source))
        assert_same(gradients(target, pair.x), gradients(source, pair.x))


def test_both_write_the_same_file(pair, tmp_path):
    for name, layer in zip(("ours", "theirs"), pair.both, strict=True):
        save_model(layer, tmp_path / name)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    with safe_open(tmp_path / "ours", "pt") as file:
        assert sorted(file.keys()) == sorted(pair.theirs.state_dict())


def test_state_dicts_as_files(pair, tmp_path):
    save_file(scaled(pair.ours).state_dict(), tmp_path / "state")
    pair.theirs.load_state_dict(load_file(tmp_path / "state"))
    assert_same(gradients(pair.ours, pair.x), gradients(pair.theirs, pair.x))


def test_a_loaded_file_can_be_assigned(pair, tmp_path):
    save_file(scaled(pair.theirs).state_dict(), tmp_path / "state")
    pair.ours.load_state_dict(load_file(tmp_path / "state"), assign=True)
    assert_same(gradients(pair.ours, pair.x), gradients(pair.theirs, pair.x))


def test_inside_a_model(pair, tmp_path):
    models = [nn.ModuleDict({"encoder": layer, "head": nn.Linear(5, 2, dtype=pair.x.dtype)}) for layer in pair.both]
    save_model(models[0], tmp_path / "model", metadata={"kind": "both"})
    scaled(pair.theirs)
    load_model(models[1], tmp_path / "model")
    assert_same(*map(parameters_of, models))


def test_layers_that_share_their_parameters(pair, tmp_path):
    for source, target in (pair.both, pair.both[::-1]):
        save_model(nn.ModuleDict({"one": scaled(source), "two": source}), tmp_path / "model")
        load_model(nn.ModuleDict({"one": target, "two": target}), tmp_path / "model")
        assert_same(parameters_of(target), parameters_of(source))


def test_copies_and_learnt_layers_are_saved(pair, tmp_path):
    gradients(pair.ours, pair.x)
    save_model(scaled(copy.deepcopy(pair.ours)), tmp_path / "layer")
    load_model(pair.theirs, tmp_path / "layer")
    assert_same(gradients(scaled(pair.ours), pair.x), gradients(pair.theirs, pair.x))


@pytest.mark.parametrize("change", ["missing", "unexpected", "shape"])
def test_files_that_do_not_fit_raise_the_same_type_of_error(kind, engine, change, tmp_path):
    pair = make_pair(kind, engine, 2, True)
    state = {name: t.clone() for name, t in pair.theirs.state_dict().items()}
    if change == "missing":
        del state["bias_hh_l0"]
    elif change == "unexpected":
        state["bias_l0"] = state["bias_hh_l0"].clone()
    else:
        state["bias_hh_l0"] = state["bias_hh_l0"][:-1].clone()
    save_file(state, tmp_path / "state")
    wanted, got = (error_of(lambda layer=layer: load_model(layer, tmp_path / "state")) for layer in pair.both[::-1])
    assert wanted is not None
    assert type(got) is type(wanted)
    assert str(got) == str(wanted)
    if change != "shape":
        assert load_model(pair.ours, tmp_path / "state", strict=False) == load_model(pair.theirs, tmp_path / "state", strict=False)
