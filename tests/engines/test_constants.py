"""Lines that are constants: nothing says how many units they have but what reads them, if anything does."""

import pytest
import torch

import unrolled as un
from backward import results
from engines_here import HERE

X = torch.randn(4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
CELLS = {
    "nothing reads it": "g[t] = 3\nh[t] = tanh(W @ x[t] + R @ h[t-1] + b)",
    "a line reads it that nothing reads": "g[t] = 3\nk[t] = 2 * g[t]\nh[t] = tanh(W @ x[t] + R @ h[t-1] + b)",
    "a matrix reads it": "g[t] = 0.5\nh[t] = tanh(W @ x[t] + R @ h[t-1] + Q @ g[t] + b)",
    "a line of another size reads it": "g[t] = 3\nk[t] = V @ h[t-1]\nh[t] = tanh(W @ x[t] + R @ (g[t] * k[t]) + b)",
    "its state is constant": "g[t] = 2\nh[t] = tanh(W @ x[t] + R @ h[t-1] + b) * g[t-1]",
}


def by_hand(cell, p):
    """The outputs of the cells above, written a second time."""
    h, g, found = torch.zeros(3, 6, dtype=torch.float64), 0.0, []
    for x in X:
        read = x @ p["W"].T + p["b"]
        if cell == "a matrix reads it":
            h = torch.tanh(read + h @ p["R"].T + p["Q"].sum(1) / 2)
        elif cell == "a line of another size reads it":
            h = torch.tanh(read + 3 * h @ p["V"].T @ p["R"].T)
        else:
            h = torch.tanh(read + h @ p["R"].T) * (g if "state" in cell else 1)
        g = 2.0
        found.append(h)
    return torch.stack(found)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("engine", [e for e in HERE if e != "torch"])
def test_constants_have_the_size_that_what_reads_them_needs(cell, engine):
    torch.manual_seed(1)
    layer = un.Recurrent(un.Cell("constant", CELLS[cell]), 5, 6, engine=engine, dtype=torch.float64)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    p = {q.name: layer.block(q.name) for q in layer.cell.recurrence.parameters}
    torch.testing.assert_close(layer(X)[0].detach(), by_hand(cell, p))
    reference = un.Recurrent(layer.cell, 5, 6, engine="eager", dtype=torch.float64)
    reference.load_state_dict(layer.state_dict())
    for got, wanted in zip(results(layer, X), results(reference, X), strict=True):
        torch.testing.assert_close(got, wanted)


def test_what_nothing_says_the_size_of_is_as_large_as_the_output():
    for name, text in CELLS.items():
        recurrence = un.Cell("constant", text).recurrence
        assert (recurrence.size_of("g") == recurrence.size_of("h")) == (name != "a line of another size reads it")
