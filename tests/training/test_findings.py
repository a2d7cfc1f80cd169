"""What the training doctor says of readings that are made up, and of real runs."""

import dataclasses
import re

import numpy as np
import pytest

from unrolled.errors import ConfigError, RunError
from unrolled.training import Readings, diagnose, diagnose_losses, read_watch, report
from unrolled.training.history import History
from unrolled.training.readings import Watched

RECORDS = 20
NAMES = ("embedding.weight", "recurrent.R_f_l0", "recurrent.W_f_l0", "recurrent.R_f_l1", "output.weight")


def healthy(**changes):
    """A run that learns: 20 records of 200 updates."""
    flat = lambda value: np.full(RECORDS, value)  # noqa: E731
    table = lambda values: np.tile(values, (RECORDS, 1))  # noqa: E731
    update = np.arange(1, RECORDS + 1) * 10.0
    readings = Readings(
        update=update,
        seconds=update / 7,
        loss=np.geomspace(4, 1, RECORDS),
        learning_rate=np.linspace(3e-3, 3e-5, RECORDS),
        gradient_norm=flat(0.5),
        peak=flat(0.9),
        clip_rate=flat(0.1),
        parameters=tuple(Watched.named(name) for name in NAMES),
        gradient=table([0.05, 0.3, 0.4, 0.12, 0.6]),
        weight=table([20.0, 3.0, 4.0, 5.0, 10.0]),
        step=table([0.02, 0.006, 0.008, 0.01, 0.01]),
        rows={"embedding.weight": flat(0.3)},
        gates={"recurrent.f_l0": table([0.1, 0.5])},
        states={"recurrent.c_l0": table([30.0, 0.0])},
        held_out=np.stack([update[4::5], np.linspace(3, 1.2, 4)], 1),
        kept=1.2,
        starts=(0, 64),
    )
    return dataclasses.replace(readings, **changes)


def with_late(values, factor, which=None):
    """The same with the later half multiplied."""
    changed = np.array(values)
    changed[RECORDS // 2 :, which] *= factor
    return changed


def held_out(losses):
    return np.stack([np.array([50.0, 100.0, 150.0, 200.0]), np.array(losses)], 1)


BASE = healthy()
SICK = {
    "exploding": ({"peak": np.where(np.arange(RECORDS) == 7, 55.0, 0.9)}, "by update 80 its norm was 55, 110 times the median", 110, "clip"),
    "clipped": ({"clip_rate": np.linspace(0.0, 0.9, RECORDS)}, "clipped: 69% of the updates", 0.687, "clip"),
    "vanishing": ({"gradient": with_late(BASE.gradient, 1e-3, 3)}, "vanishes on its way to `recurrent.l1`: it has 0.0002", 2e-4, "residual"),
    "updates too large": ({"step": BASE.step * [1, 1, 1, 1, 80]}, "each changes `output` by 0.08", 0.08, "learning_rate"),
    "updates too small": ({"step": BASE.step / 50}, "every layer by 4e-05", 4e-5, "learning_rate"),
    "saturated": ({"gates": {"recurrent.f_l0": np.tile([0.75, 0.2], (RECORDS, 1))}}, "`recurrent.f_l0` (75% at the lower end", 0.95, "weight_decay"),
    "runaway cells": ({"states": {"recurrent.c_l0": np.tile([630.0, 0.004], (RECORDS, 1))}}, "0.004 of the values of `recurrent.c_l0` are beyond 100, the largest is 630", 0.004, "reset_probability"),
    "starts that never recover": ({"starts": (9, 64)}, "9 of 64 parts", 9 / 64, "reset_probability"),
    "not learning": ({"loss": np.linspace(4, 3.98, RECORDS)}, "the loss was 4 at first and is 3.982", 0.9955, "learning_rate"),
    "loss rising": ({"loss": np.concatenate([np.linspace(4, 1, 15), np.full(5, 1.9)])}, "it was 1.3", 1.43, "warmup"),
    "overfitting": ({"held_out": held_out([3, 2, 2.1, 2.2])}, "since update 100 the held-out loss rose from 2 to 2.2", 1.1, "dropout"),
    "held-out loss far above": ({"kept": 2.3}, "its loss is 2.3 with the weights that were kept, where the training loss was 4 at first and 1.116", 2.3, "validation"),
    "embedding starving": ({"rows": {"embedding.weight": np.full(RECORDS, 0.004)}}, "reaches 0.004 of them", 0.004, "vocabulary"),
}  # fmt: skip


@pytest.mark.parametrize("name", SICK)
def test_what_is_wrong_is_named_with_its_figure_and_what_to_change(name):
    changes, said, figure, option = SICK[name]
    (finding,) = diagnose(healthy(**changes))
    assert finding.name == name
    assert said in finding.says
    assert finding.figure == pytest.approx(figure, rel=0.01)
    assert option in finding.options
    assert all(re.search(f"`{o}(=[^`]+)?`", finding.cure) for o in finding.options)
    assert str(finding) in report(healthy(**changes))


NEARLY = {
    "a high peak": {"peak": np.where(np.arange(RECORDS) == 7, 49.0, 0.9)},
    "clipped at first": {"clip_rate": np.where(np.arange(RECORDS) < 10, 1.0, 0.3)},
    "a smaller gradient below": {"gradient": BASE.gradient * [1, 1, 1, 1e-2, 1]},
    "a small gradient of what is not recurrent": {"gradient": BASE.gradient * [1e-5, 1, 1, 1, 1]},
    "small updates at the end, when the rate is low": {"step": with_late(BASE.step, 1e-4, slice(None))},
    "large updates of a vector that begins at 0": {"step": BASE.step * [1, 1, 1, 1, 1], "weight": BASE.weight * [1, 0.01, 1, 1, 1]},
    "a single cell that is mended by others": {"states": {"recurrent.c_l0": np.tile([180.0, 0.0009], (RECORDS, 1))}},
    "cells that ran away at first": {"states": {"recurrent.c_l0": np.where(np.arange(RECORDS)[:, None] < 10, [180.0, 0.1], [20.0, 0.0])}},
    "no part that is better than guessing, where others say that nothing was learnt": {"starts": (7, 7)},
    "an open gate": {"gates": {"recurrent.f_l0": np.tile([0.0, 0.85], (RECORDS, 1))}},
    "noise near a loss of 0": {"loss": np.concatenate([np.geomspace(4, 1e-3, 15), np.full(5, 0.01)]), "kept": 0.02},
    "a held-out loss that moves a little": {"held_out": held_out([3, 2, 2.06, 2.05])},
    "a held-out loss that rises with that of training": {
        "held_out": held_out([3, 2, 2.1, 2.2]),
        "loss": np.concatenate([np.linspace(4, 1.0, 10), np.full(10, 1.8)]),
    },
    "a held-out loss of less than twice that of training": {"kept": 2.2},
    "a held-out loss many times above one near 0": {"loss": np.geomspace(4, 1e-3, RECORDS), "kept": 0.45},
    "nothing held out, no input vectors, no gates": {"held_out": np.zeros((0, 2)), "kept": np.nan, "rows": {}, "gates": {}, "states": {}},
    "what was not recorded": {"gates": {"recurrent.f_l0": np.full((RECORDS, 2), np.nan)}},
}


@pytest.mark.parametrize("name", [*NEARLY, ""])
def test_nothing_is_said_of_what_is_healthy(name):
    assert diagnose(healthy(**NEARLY.get(name, {}))) == []
    assert report(healthy(**NEARLY.get(name, {}))).endswith("Nothing looks wrong.")


def test_a_held_out_loss_above_that_of_the_first_update_is_no_success():
    (finding,) = diagnose(healthy(loss=np.geomspace(4.2, 2.8, RECORDS), kept=4.3))
    assert (finding.name, finding.figure, finding.limit) == ("held-out loss far above", 4.3, pytest.approx(4.2))
    assert diagnose(healthy(loss=np.geomspace(4.2, 2.8, RECORDS), kept=4.1)) == []


def test_a_few_records_and_a_run_that_was_not_watched_say_what_the_losses_say(tmp_path):
    few = {name: value[:3] for name, value in vars(healthy()).items() if isinstance(value, np.ndarray)}
    told = report(healthy(**few, kept=9.0))
    assert "- What is learnt does not hold" in told and "too few to say more" in told
    history = History(tmp_path / "metrics.jsonl")
    assert diagnose_losses(history) == []
    for update, loss in enumerate((4.19, 3.1, 2.9, 2.8)):
        history.add({"update": update, "loss": loss})
    history.add({"update": 4, "held_out": 3.0})
    assert diagnose_losses(history) == []
    history.add({"update": 4, "held_out": 3.4, "lost": 9, "parts": 64})
    history.add({"update": 4, "held_out": 2.9, "lost": 0, "parts": 64})
    assert diagnose_losses(history) == []
    history.add({"update": 4, "held_out": 2.8, "lost": 2, "parts": 64})
    history.add({"update": 4, "held_out": 3.8, "lost": 7, "parts": 64})
    (starts,) = diagnose_losses(history)
    assert (starts.name, starts.figure) == ("starts that never recover", 2 / 64)
    history.add({"update": 4, "final_held_out": 7.17})
    _, finding = diagnose_losses(history)
    assert (finding.figure, finding.limit) == (7.17, pytest.approx(4.19))


def test_parameters_are_grouped_by_layer_gate_and_name():
    readings = healthy()
    ratios = readings.ratios("gate")
    assert list(ratios) == ["embedding", "recurrent.f_l0", "recurrent.f_l1", "output"]
    assert ratios["recurrent.f_l0"][0] == pytest.approx(np.hypot(0.006, 0.008) / 5)
    assert list(readings.gradients()) == ["embedding", "recurrent.l0", "recurrent.l1", "output"]
    assert readings.gradients("layer")["recurrent.l0"][3] == pytest.approx(0.5)
    assert list(readings.gradients("name")) == list(NAMES)
    with pytest.raises(ConfigError, match="`by` must be 'layer', 'gate' or 'name', got 'unit'"):
        readings.ratios("unit")


@pytest.mark.parametrize(
    ("name", "layer", "gate"),
    [
        ("encoder.inputs.spelling.recurrent.p_i_l1_reverse", "encoder.inputs.spelling.recurrent.l1_reverse", "encoder.inputs.spelling.recurrent.i_l1_reverse"),
        ("recurrent.h_0_l2", "recurrent.l2", "recurrent.h_0_l2"),
        ("recurrent.U_l0", "recurrent.l0", "recurrent.U_l0"),
        ("linear.bias", "linear", "linear"),
    ],
)  # fmt: skip
def test_a_parameter_says_where_it_belongs(name, layer, gate):
    assert Watched.named(name) == Watched(name, layer, gate)


WATCHED = {"watch": True, "watch_every": 2, "hidden": 16, "layers": 2, "embedding": 8, "epochs": 4, "warmup": 5}


def test_a_healthy_run_is_found_healthy(train):
    assert diagnose(read_watch(train(**WATCHED, learning_rate=0.01))) == []


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"learning_rate": 10.0}, "updates too large"),
        ({"learning_rate": 10.0}, "saturated"),
        ({"learning_rate": 1e-7}, "updates too small"),
        ({"learning_rate": 1e-7, "dropout": 0.0, "batch": 12}, "not learning"),
        ({"clip": 1e-3}, "clipped"),
    ],
)
def test_a_run_with_an_absurd_option_is_found_out(train, options, name):
    assert name in [finding.name for finding in diagnose(read_watch(train(**{**WATCHED, "epochs": 2, **options})))]


def test_a_network_without_recurrent_layers_is_watched_as_far_as_there_is_something(train):
    readings = read_watch(train(**{**WATCHED, "layers": 0, "input_window": 3}))
    assert list(readings.gradients()) == ["encoder.inputs.words", "encoder.feed_forward", "linear"]
    assert list(readings.rows) == ["encoder.inputs.words.weight"]
    assert readings.gates == readings.states == {}
    assert {finding.name for finding in diagnose(readings)}.isdisjoint({"vanishing", "saturated", "runaway cells"})


def test_a_run_that_was_not_watched_has_nothing_to_read(train):
    folder = train()
    with pytest.raises(RunError, match=r"was not watched: it has no watch\.jsonl\. Train with `watch`"):
        read_watch(folder)
    assert "These are too few to say more" in report(read_watch(train("short", watch=True, watch_every=99, epochs=1)))
