"""The values of a cell's lines against the same lines written out in NumPy, step by step."""

import numpy as np
import pytest
import torch

import unrolled as un
from by_hand import CELLS
from unrolled.layers import every_line
from unrolled.layers.parameters import parameter_name

pytestmark = pytest.mark.usefixtures("each_engine")

STEPS, ROWS = 7, 4
LENGTHS = torch.tensor([5, 7, 0, 3])
TEXT = """
    g[t] = sigmoid(W_g @ x[t] + R_g @ h[t-1] + b_g)
    e[t] = tanh(W_e @ x[t] + b_e)
    m[t] = g[t] * m[t-1] + (1 - g[t]) * e[t]
    k[t] = 0.5
    h[t] = k[t] * tanh(m[t] + R_h @ h[t-1])
"""


def line_values(*args, **options):
    """All lines by their names and places: `f_l0`."""
    return {parameter_name(name, lines.place): v for lines in every_line(*args, **options) for name, v in lines.values.items()}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def by_hand(layer, place, x, h, m):
    """One step of `TEXT` for one row."""
    block = lambda name: layer.block(name, place[0], bool(place[1])).numpy()  # noqa: E731
    g = sigmoid(block("W_g") @ x + block("R_g") @ h + block("b_g"))
    e = np.tanh(block("W_e") @ x + block("b_e"))
    m = g * m + (1 - g) * e
    return {"g": g, "e": e, "m": m, "k": np.full(5, 0.5), "h": 0.5 * np.tanh(m + block("R_h") @ h)}


def expected(layer, x, state, lengths, resets):
    """All lines at all steps, layer by layer."""
    found, directions = {}, 1 + layer.bidirectional
    for number in range(layer.num_layers * directions):
        layer_number, direction = place = divmod(number, directions)
        suffix = f"_l{layer_number}{'_reverse' if direction else ''}"
        for row, length in enumerate(lengths):
            h, m = initial = [s[number, row].numpy() for s in state]
            for t in reversed(range(length)) if direction else range(length):
                crossed = t + 1 if direction else t
                if crossed < length and resets[crossed, row]:
                    h, m = initial
                values = by_hand(layer, place, x[t, row], h, m)
                h, m = values["h"], values["m"]
                for name, value in values.items():
                    found.setdefault(name + suffix, np.zeros((STEPS, ROWS, len(value))))[t, row] = value
        if direction == directions - 1:
            outputs = [found[name] for name in (f"h_l{layer_number}", f"h_l{layer_number}_reverse") if name in found]
            x = np.concatenate(outputs, -1) + (x if layer.residual and layer_number else 0)
    return found


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_lines_are_those_written_out(bidirectional, given):
    torch.manual_seed(1)
    options = {"bidirectional": bidirectional, "residual": True, "dropout": 0.5, "recurrent_dropout": 0.5, "dtype": torch.float64}
    layer = un.Recurrent(un.Cell("own", TEXT, output="h"), 3, 5, 3, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(STEPS, ROWS, 3, dtype=torch.float64)
    state = tuple(torch.randn(3 * (1 + bidirectional), ROWS, 5, dtype=torch.float64) for _ in range(2))
    resets = torch.rand(STEPS, ROWS) < 0.3
    if not given:
        found, state = line_values(layer, x), tuple(torch.zeros_like(s) for s in state)
        wanted = expected(layer, x.numpy(), state, [STEPS] * ROWS, torch.zeros_like(resets))
    else:
        found = line_values(layer, x, state, lengths=LENGTHS, resets=resets)
        wanted = expected(layer, x.numpy(), state, LENGTHS.tolist(), resets)
    assert layer.training
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name].numpy(), value, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("cell", ["lstm", "gru", "elman", "lstm-projected"])
def test_a_line_of_the_output_gives_the_output_from_whole_numbers_too(cell):
    if cell not in CELLS:
        pytest.skip("no such cell")
    layer = un.Recurrent(CELLS[cell], 6, 4)
    x = torch.randint(6, (STEPS, ROWS))
    y, _ = layer(x, lengths=LENGTHS)
    torch.testing.assert_close(line_values(layer, x, lengths=LENGTHS)["h_l0"], y.detach())


def test_what_steps_read_and_begin_with_leads_to_what_they_give():
    torch.manual_seed(2)
    layer = un.Recurrent("gru", 3, 5, 2, bidirectional=True, dtype=torch.float64)
    for lines in every_line(layer, torch.randn(STEPS, ROWS, 3, dtype=torch.float64), lengths=LENGTHS):
        for row, length in enumerate(LENGTHS.tolist()):
            alone = un.Recurrent("gru", lines.x.shape[2], 5, dtype=torch.float64)
            for name, parameter in alone.named_parameters():
                parameter.data.copy_(layer.block(name.removesuffix("_l0"), *lines.place))
            for t in range(length):
                y, _ = alone.step(lines.x[t, row : row + 1], lines.before[0][None, t, row : row + 1])
                torch.testing.assert_close(y[0].detach(), lines.values["h"][t, row])


def test_no_steps_give_no_values():
    found = line_values(un.Recurrent("lstm", 3, 4), torch.zeros(0, 2, 3))
    assert {name: list(value.shape) for name, value in found.items()} == {f"{n}_l0": [0, 2, 4] for n in "ifozch"}


def test_layers_above_read_all_outputs_that_are_joined():
    cell = un.Cell("two", "s[t] = 0.5 * s[t-1] + S @ x[t]\nh[t] = tanh(R @ s[t] + Q @ h[t-1])", output=["s", "h"], size={"s": 2})
    layer = un.Recurrent(cell, 3, 4, 2, bidirectional=True, dtype=torch.float64)
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    y, _ = layer(x)
    found = {lines.place: lines.values for lines in every_line(layer, x)}
    torch.testing.assert_close(torch.cat([found[1, d][name] for d in (0, 1) for name in ("s", "h")], -1), y)
