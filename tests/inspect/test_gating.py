"""Gates and states, against loops by hand."""

import numpy as np
import pytest
import torch

import by_hand
import unrolled as un
from engines_here import HERE
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.models import NextStepOptions, language_model

DOUBLE = torch.float64


def layer_of(cell, *sizes, **options):
    torch.manual_seed(0)
    layer = un.Recurrent(cell, *sizes, dtype=DOUBLE, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer


def blocks(layer, number, reverse):
    return {p.name: layer.block(p.name, number, reverse).numpy() for p in layer.cell.recurrence.parameters}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", [*by_hand.CELLS])
def test_states_are_those_of_the_loop_by_hand(name, reverse):
    cell = by_hand.CELLS[name]
    layer, x, lengths = layer_of(cell, 3, 4, bidirectional=True), torch.randn(6, 3, 3, dtype=DOUBLE), [6, 0, 4]
    found = un.inspect.gates(layer, x, lengths, reverse=reverse)
    assert list(found) == [e.name for e in cell.recurrence.equations]
    assert found.states == cell.states
    wanted, _ = by_hand.run(name, blocks(layer, 0, reverse), x.numpy(), {s: np.zeros((3, 4)) for s in cell.states}, lengths, reverse)
    for state, values in wanted.items():
        np.testing.assert_allclose(found[state], values, atol=1e-12)


@pytest.mark.parametrize("engine", HERE)
def test_gates_are_those_of_the_loop_by_hand_in_every_layer(engine):
    layer, x, lengths = layer_of("lstm", 3, 4, 2, engine=engine, residual=True), torch.randn(6, 2, 3, dtype=DOUBLE), [6, 4]
    read = x.numpy()
    for number in range(2):
        found, p = un.inspect.gates(layer, x, lengths, layer=number), blocks(layer, number, False)
        h, real = np.zeros((2, 4)), np.arange(6)[:, None] < lengths
        for t in range(6):
            for gate, function in (("i", by_hand.sigmoid), ("f", by_hand.sigmoid), ("o", by_hand.sigmoid), ("z", np.tanh)):
                wanted = function(by_hand.affine(p, gate, read[t], h)) * real[t][:, None]
                np.testing.assert_allclose(found[gate][t], wanted, atol=1e-12)
            h = found["h"][t]
        assert not found["f"][4:, 1].any()
        read = found["h"]
        assert found.place == (number, 0)
    np.testing.assert_allclose(
        found["h"] + un.inspect.gates(layer, x, lengths, layer=0)["h"], layer(x, lengths=lengths)[0].detach().numpy()
    )


def test_values_that_only_the_input_makes_or_that_nothing_reads():
    cell = un.Cell("idle", "a[t] = tanh(W @ x[t])\nb[t] = 2 * a[t]\ne[t] = d\ng[t] = 3\nh[t] = b[t] + h[t-1]")
    layer, x = layer_of(cell, 3, 4, engine="eager"), torch.randn(2, 2, 3, dtype=DOUBLE)
    found = un.inspect.gates(layer, x)
    a = np.tanh(x.numpy() @ layer.block("W").numpy().T)
    np.testing.assert_allclose(found["a"], a)
    np.testing.assert_allclose(found["b"], 2 * a)
    np.testing.assert_allclose(found["e"], np.broadcast_to(layer.block("d").numpy(), (2, 2, 4)))
    np.testing.assert_allclose(found["g"], np.full((2, 2, 4), 3.0))


def test_lines_that_begin_anew():
    torch.manual_seed(0)
    model = language_model(5, NextStepOptions(cell="gru", hidden=4, embedding=3), line_end=1).double()
    found = un.inspect.gates(model, torch.tensor([2, 3, 1, 4, 2]))
    np.testing.assert_allclose(found["h"][2:], un.inspect.gates(model, torch.tensor([1, 4, 2]))["h"])
    vectors = model.encoder.inputs.words(torch.tensor([[2], [3], [1], [4], [2]]))
    states, _ = model.recurrent(vectors, resets=torch.tensor([[0], [0], [1], [0], [0]]).bool())
    np.testing.assert_allclose(found["h"], states.detach())


def test_lines_that_begin_anew_in_a_network_with_a_window():
    torch.manual_seed(0)
    model = language_model(5, NextStepOptions(cell="gru", hidden=4, embedding=3, input_window=3), line_end=1).double()
    found = un.inspect.gates(model, torch.tensor([2, 3, 1, 4, 2]))
    np.testing.assert_allclose(found["h"][2:], un.inspect.gates(model, torch.tensor([1, 4, 2]))["h"])
    np.testing.assert_allclose(found["h"][:2], un.inspect.gates(model, torch.tensor([2, 3]))["h"])
    outputs, _ = model.encoder(Batch({"words": torch.tensor([[2], [3], [1], [4], [2]])}, resets=torch.tensor([[0, 0, 1, 0, 0]]).T.bool()))
    np.testing.assert_allclose(found["h"], outputs.detach())


def test_saturation_counts_real_steps_alone():
    cell = un.Cell("open", "a[t] = sigmoid(9 * x[t])\nb[t] = tanh(9 * x[t])\nh[t] = a[t] * h[t-1] + b[t]")
    x = torch.tensor([[[-1.0, 0.0, 1.0]], [[1.0, 0.0, 1.0]], [[0.0, 0.0, -1.0]], [[-1.0, -1.0, -1.0]]])
    found = un.inspect.gates(un.Recurrent(cell, 3, 3), x, [3]).saturation
    third = 1 / 3
    for gate in "ab":
        np.testing.assert_allclose(found.left[gate], [third, 0, third])
        np.testing.assert_allclose(found.right[gate], [third, 0, 2 * third])
    assert list(found.left) == ["a", "b"]
    assert found.summary == "Saturated: a 22% left and 33% right; b 22% left and 33% right."


def test_nothing_is_saturated_without_steps():
    found = un.inspect.gates(un.Recurrent("gru", 3, 4), torch.randn(7, 2, 3), [0, 0]).saturation
    assert found.summary == "Saturated: r 0% left and 0% right; z 0% left and 0% right; n 0% left and 0% right."


def test_places_that_there_are_not():
    layer, x = un.Recurrent("gru", 3, 4, 2), torch.zeros(2, 1, 3)
    for options in ({"layer": 2}, {"layer": -3}, {"reverse": True}):
        with pytest.raises(ConfigError, match="There is no layer"):
            un.inspect.gates(layer, x, **options)
    assert un.inspect.gates(layer, x).place == (1, 0)


def test_states_that_ran_away_are_told_by_their_part():
    torch.manual_seed(0)
    layer = un.Recurrent("lstm", 3, 4)
    with torch.no_grad():
        for gate in "fiz":
            layer.block(f"b_{gate}").copy_(torch.tensor([20.0, 0.0, 0.0, 0.0]))
    # The first of four cells grows by 1 at every step: it is beyond 100 at the last 4 of 104 steps of the longer sequence.
    found = un.inspect.gates(layer, torch.randn(104, 2, 3), [104, 50])
    assert found.runaway == {"c": pytest.approx(4 / (154 * 4))}
    assert un.inspect.gates(layer, torch.randn(90, 1, 3)).runaway == {}
