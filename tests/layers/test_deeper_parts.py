"""Layers above the first of cells that name parts of their input: the output below is the first part, the others are as they were given."""

import pytest
import torch

import unrolled as un
from engines_here import needs_native
from unrolled.errors import ConfigError

ENGINES = ["eager", pytest.param("native", marks=needs_native)]
TIMED = un.Cell(
    "timed",
    "k[t] = exp(-relu(G @ dt[t]))\nh[t] = tanh(W @ (mask[t] * dt[t]) + V @ x[t] + R @ (k[t] * h[t-1]))",
    inputs=["x", "dt", "mask"],
    size={"dt": 1},
)
SIZES = (3, 1, 1)


def two_layers(**options):
    torch.manual_seed(0)
    layer = un.Recurrent(TIMED, SIZES, 4, 2, dtype=torch.float64, **options)
    return layer, torch.randn(6, 3, 5, dtype=torch.float64)


def one_by_one(layer, x, **call):
    """What two layers of one give, with the parameters of both."""
    ways = ("", "_reverse") if layer.bidirectional else ("",)
    below, state = x[..., :3], []
    for number in (0, 1):
        alone = un.Recurrent(TIMED, (below.shape[-1], 1, 1), 4, bidirectional=layer.bidirectional, dtype=torch.float64, engine=layer.engine)
        theirs = {f"{p}_l0{way}": f"{p}_l{number}{way}" for p in "GWVR" for way in ways}
        with torch.no_grad():
            for ours, name in theirs.items():
                alone.get_parameter(ours).copy_(layer.get_parameter(name))
        y, after = alone(torch.cat([below, x[..., 3:]], -1), **call)
        below = y + below if layer.residual and number else y
        state.append(after[0])
    return below, torch.cat(state)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "residual": True}])
def test_two_layers_are_one_after_the_other(engine, options):
    layer, x = two_layers(engine=engine, **options)
    call = {"lengths": [6, 0, 4], "resets": torch.rand(6, 3) < 0.3}
    y, state = layer(x, **call)
    wanted, after = one_by_one(layer, x, **call)
    torch.testing.assert_close(y, wanted)
    torch.testing.assert_close(state[0], after)
    torch.testing.assert_close(layer(x.split(SIZES, -1))[0], layer(x)[0])


def test_steps_streams_and_lines_read_the_same():
    layer, x = two_layers()
    with torch.no_grad():
        y, state, stream = layer(x)[0], None, layer.stream(3)
        for t in range(6):
            y_t, state = layer.step(x[t], state)
            torch.testing.assert_close(y_t, y[t])
            torch.testing.assert_close(stream.step(x[t]), y[t])
    below, above = un.layers.every_line(layer, x)
    torch.testing.assert_close(above.values["h"], y)
    torch.testing.assert_close(above.x, torch.cat([below.values["h"], x[..., 3:]], -1))


def test_planes_are_joined_by_their_channels():
    layer = un.Recurrent(TIMED, SIZES, 4, 2, kernel_size=1, dtype=torch.float64)
    plain, x = two_layers()
    with torch.no_grad():
        for ours, theirs in zip(layer.parameters(), plain.parameters(), strict=True):
            ours.copy_(theirs.view(ours.shape))
    torch.testing.assert_close(layer(x[..., None, None])[0][..., 0, 0], plain(x)[0])


def test_parts_that_must_be_as_wide_as_the_first_stay_in_one_layer():
    with pytest.raises(
        ConfigError, match=r"do not fit its equations, got 4, 3, 3\. A deeper layer reads the output of the one below as the first"
    ):
        un.Recurrent("gru-d", (3, 3, 3), 4, 2)
    assert un.Recurrent("gru-d", (4, 4, 4), 4, 2).num_layers == 2
    with pytest.raises(ConfigError, match="inputs of all layers must have as many columns, got 3 and 6 in layer 1"):
        un.Recurrent(un.Cell("kept", "h[t] = W @ x[t] + R @ x[t-1] + V @ dt[t] + h[t-1]", inputs=["x", "dt"], size={"dt": 1}), (2, 1), 5, 2)
