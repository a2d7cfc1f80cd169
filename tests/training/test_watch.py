"""What is recorded of an update, against the same computed from tensors that the test holds itself."""

import math

import pytest
import torch

import unrolled as un
from unrolled.errors import ConfigError
from unrolled.models import NextStepOptions, language_model
from unrolled.training import TrainingOptions, watch
from unrolled.training.history import History
from unrolled.training.state import Position
from unrolled.training.watch import Watch

SHUT, OPEN = -20.0, 20.0


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "watch.jsonl")


def model_of(cell="lstm"):
    torch.manual_seed(3)
    return language_model(11, NextStepOptions(cell=cell, hidden=5, layers=2, embedding=4, dropout=0.5))


def update(model, watching, at, symbols):
    """One update of plain gradient descent; gives gradients and weights before, and weights after it."""
    watching.begin(at.updates)
    model(symbols)[0].square().sum().backward()
    watching.before_step()
    before = {name: (p.grad.clone(), p.detach().clone()) for name, p in model.named_parameters()}
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.01 * p.grad
    at.updates += 1
    watching.after_step(at, {"loss": 1.25})
    model.zero_grad()
    return before, dict(model.named_parameters())


def test_norms_are_those_of_gradients_weights_and_what_changed(history):
    model, at = model_of(), Position(clipped=4, peak=7.0)
    before, after = update(model, Watch(model, history, enabled=True, every=1), at, torch.tensor([[1, 2], [3, 3], [7, 2]]))
    (record,) = history.records()
    assert record.items() >= {"update": 1, "loss": 1.25, "clipped": 4, "peak": 7.0, "rows": {"encoder.inputs.words.weight": 0.3636}}.items()
    assert at.peak == 0
    for name, (gradient, weight) in before.items():
        wanted = {"gradient": gradient, "weight": weight, "step": after[name].detach() - weight}
        for kind, tensor in wanted.items():
            assert record[kind][name] == pytest.approx(float(tensor.norm()), rel=1e-3), (kind, name)


def test_gates_at_their_ends_are_counted(history):
    model = model_of()
    with torch.no_grad():
        model.encoder.inputs.words.weight /= 4  # No gate is at an end but those that are put there.
        model.recurrent.b_f_l0 += torch.tensor([OPEN, OPEN, OPEN, SHUT, 0.0])
        model.recurrent.b_z_l1 += SHUT
    update(model, Watch(model, history, enabled=True, every=1), Position(), torch.tensor([[1, 2], [3, 3], [7, 2]]))
    gates = history.records()[0]["gates"]
    assert gates.keys() == {f"encoder.recurrent.{gate}_l{layer}" for gate in "ifoz" for layer in range(2)}
    assert gates["encoder.recurrent.f_l0"] == [0.2, 0.6]
    assert gates["encoder.recurrent.z_l1"] == [1.0, 0.0]
    assert gates["encoder.recurrent.i_l0"] == [0.0, 0.0]


def test_states_that_ran_away_are_counted(history):
    model = model_of()
    with torch.no_grad():
        for gate in "fiz":
            getattr(model.recurrent, f"b_{gate}_l1").copy_(torch.tensor([OPEN, 0.0, 0.0, 0.0, 0.0]))
    # The first cell of the second layer adds 1 at every step: at 101, 102 and 103 of 103 steps it is beyond 100.
    update(model, Watch(model, history, enabled=True, every=1), Position(), torch.randint(8, (103, 2)))
    states = history.records()[0]["states"]
    assert states.keys() == {f"encoder.recurrent.{state}_l{layer}" for state in "hc" for layer in range(2)}
    assert states["encoder.recurrent.c_l1"] == pytest.approx([103, 3 / 103 / 5], rel=1e-3)
    assert states["encoder.recurrent.c_l0"][1] == states["encoder.recurrent.h_l1"][1] == 0
    assert 0.5 < states["encoder.recurrent.h_l1"][0] <= 1


def test_a_unit_that_gives_nothing_is_at_the_lower_end_of_relu_and_none_is_at_an_upper_one(history):
    model = model_of("elman-relu")
    with torch.no_grad():
        model.recurrent.b_h_l0 += torch.tensor([SHUT, SHUT, OPEN, OPEN, OPEN])
    update(model, Watch(model, history, enabled=True, every=1), Position(), torch.tensor([[1, 2]]))
    assert history.records()[0]["gates"]["encoder.recurrent.h_l0"] == [0.4, 0.0]


def test_padding_is_not_counted(history):
    layer = un.Recurrent("gru", 3, 4)
    with torch.no_grad():
        layer.b_z_l0.fill_(OPEN)
    model = torch.nn.ModuleDict({"r": layer})
    watching = Watch(model, history, enabled=True, every=1)
    watching.begin(0)
    x = torch.randn(6, 3, 3)
    y, _ = layer(x, lengths=torch.tensor([6, 0, 1]))
    y.sum().backward()
    watching.before_step()
    watching.after_step(Position(), {})
    assert history.records()[0]["gates"]["r.z_l0"] == [0.0, 1.0]


def test_looking_leaves_random_numbers_and_the_model_as_they_were(history):
    model = model_of()
    watching = Watch(model, history, enabled=True, every=1)
    symbols = torch.tensor([[1, 2], [3, 3]])
    watching.begin(0)
    model(symbols)[0].sum().backward()
    state = torch.get_rng_state()
    watching.before_step()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training and not module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("cost", [0.001, 1.0])
def test_looking_takes_its_share_of_the_time_and_no_more(history, monkeypatch, cost):
    """With a clock by which an update takes 0.01 and looking `cost`: never more often than that, and not much less."""
    now = [100.0]
    monkeypatch.setattr(watch.time, "perf_counter", lambda: now[0])
    original = watch._norms

    def norms(tensors):
        now[0] += cost / 3
        return original(tensors)

    monkeypatch.setattr(watch, "_norms", norms)
    model, at = model_of(), Position()
    watching = Watch(model, history, enabled=True, every=None)
    for _ in range(3000):
        watching.begin(at.updates)
        for p in model.parameters():
            p.grad = torch.zeros_like(p)
        watching.before_step()
        at.updates, now[0] = at.updates + 1, now[0] + 0.01
        watching.after_step(at, {})
    share = len(history.records()) * cost / (now[0] - 100.0)
    assert share <= 0.03 + cost / (now[0] - 100.0)
    assert len(history.records()) == pytest.approx((now[0] - 100.0) / (cost / 0.03 + 0.01), rel=0.4)


def test_a_long_run_is_looked_at_less_and_less_often(history, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(watch.time, "perf_counter", lambda: now[0])
    model, at = torch.nn.Linear(2, 1), Position()
    watching = Watch(model, history, enabled=True, every=None)
    for _ in range(5000):
        watching.begin(at.updates)
        model.weight.grad = torch.ones_like(model.weight)
        watching.before_step()
        at.updates, now[0] = at.updates + 1, now[0] + 10.0
        at.seconds = now[0]
        watching.after_step(at, {})
    assert 300 < len(history.records()) < 300 + math.log(25) / 0.005


def test_nothing_is_recorded_where_nobody_asked(history):
    model = model_of()
    update(model, Watch(model, history, enabled=False, every=None), Position(), torch.tensor([[1]]))
    assert not history.path.exists()


@pytest.mark.parametrize(("options", "said"), [({"watch_every": 5}, "`watch_every` says how often `watch` records"),
                                               ({"watch": True, "watch_every": 0}, "`watch_every` must be at least 1, got 0")])  # fmt: skip
def test_options_of_watching_that_cannot_be_are_refused(options, said):
    with pytest.raises(ConfigError) as caught:
        TrainingOptions(**options)
    assert said in str(caught.value)
