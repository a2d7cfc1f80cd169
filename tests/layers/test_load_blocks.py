"""Weights brought over by their names in the equations."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.utils.prune

import unrolled as un
from unrolled.errors import ConfigError, ShapeError

PAGE = Path(__file__).parents[2] / "docs" / "layers.md"


def keras_gru(x, kernel, recurrent, bias):
    """Keras' GRU with `reset_after=False`: gates z, r, h side by side, of which z keeps the old state."""
    sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    units = recurrent.shape[0]
    h, outputs = np.zeros((x.shape[1], units)), []
    for x_t in x:
        z, r, n = np.split(x_t @ kernel + bias, 3, -1)
        z, r = (sigmoid(a + h @ recurrent[:, at : at + units]) for a, at in ((z, 0), (r, units)))
        h = z * h + (1 - z) * np.tanh(n + (r * h) @ recurrent[:, 2 * units :])
        outputs.append(h)
    return np.stack(outputs)


def test_a_gate_whose_sign_is_turned_is_that_of_keras():
    rng = np.random.default_rng(0)
    kernel, recurrent, bias = rng.normal(size=(3, 12)), rng.normal(size=(4, 12)), rng.normal(size=12)
    layer = un.Recurrent("gru-reset-before", 3, 4, dtype=torch.float64)
    parts = {"W": np.split(kernel.T, 3), "R": np.split(recurrent.T, 3), "b": np.split(bias, 3)}
    layer.load_blocks(
        {f"{letter}_{gate}": p for letter, three in parts.items() for gate, p in zip("urn", three, strict=True)}, negative="u"
    )
    x = rng.normal(size=(5, 2, 3))
    np.testing.assert_allclose(layer(torch.tensor(x))[0].numpy(force=True), keras_gru(x, kernel, recurrent, bias), rtol=1e-9)


@pytest.mark.parametrize("reverse", [False, True])
def test_blocks_go_where_they_belong_and_sums_have_all_in_the_first(reverse):
    layer = un.LSTM(3, 4, 2, bidirectional=True)
    given = {"W_f": torch.randn(4, 8), "b_z": np.arange(4.0), "R_o": torch.randn(4, 4).tolist()}
    before = {name: p.clone() for name, p in layer.named_parameters()}
    layer.load_blocks(given, layer=1, reverse=reverse)
    for name, value in given.items():
        assert layer.block(name, 1, reverse).allclose(torch.as_tensor(value, dtype=torch.float32))
    suffix = "_l1_reverse" if reverse else "_l1"
    assert layer.get_parameter(f"bias_hh{suffix}")[8:12].eq(0).all()
    assert {name for name, p in layer.named_parameters() if not torch.equal(p, before[name])} <= {
        f"{part}{suffix}" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }


@pytest.mark.parametrize(
    ("blocks", "options", "error", "message"),
    [
        ({"W_f": torch.zeros(4, 3), "W_q": torch.zeros(4, 3)}, {}, ConfigError, "no stored block 'W_q'"),
        ({"W_f": torch.zeros(3, 4)}, {}, ShapeError, r"'W_f' must have shape \[4, 3\], got \[3, 4\]"),
        ({"W_f": torch.zeros(4, 3)}, {"negative": "o"}, ConfigError, "`negative` must name gates of what is loaded, got 'o'"),
        ({"W_f": torch.zeros(4, 3)}, {"layer": 2}, ConfigError, "no layer 2"),
    ],
)
def test_what_does_not_fit_changes_nothing(blocks, options, error, message):
    layer = un.Recurrent("lstm", 3, 4)
    before = [p.clone() for p in layer.parameters()]
    with pytest.raises(error, match=message):
        layer.load_blocks(blocks, **options)
    assert all(map(torch.equal, layer.parameters(), before))


def test_what_is_pruned_is_refused():
    layer = un.Recurrent("lstm", 3, 4)
    torch.nn.utils.prune.random_unstructured(layer, "R_f_l0", 0.5)
    with pytest.raises(ConfigError, match="'R_f' is computed from a parameter that is parametrised or pruned"):
        layer.load_blocks({"R_f": torch.zeros(4, 4)})


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S))
def test_the_python_of_the_page_works(block):
    exec(block, {})
