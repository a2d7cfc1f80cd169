"""Weights rounded to bfloat16: the same on every engine that takes them, and no more than the weights is rounded."""

import pytest
import torch

import unrolled as un
from backward import results
from engines_here import HERE, needs_native
from unrolled.errors import ConfigError, EngineError

CELLS = ["lstm", "gru-reset-before", "lstm-norm", "elman-relu"]


def layers(cell, *engines, units=21, **options):
    """One layer for each engine, with the same weights; not those of the text, which bfloat16 might hold exactly."""
    torch.manual_seed(0)
    made = [un.Recurrent(cell, 5, units, engine=engine, **options) for engine in engines]
    for parameter in made[0].parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    for layer in made[1:]:
        layer.load_state_dict(made[0].state_dict())
    return made


@needs_native
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("lengths", [None, [6, 0, 3]])
@pytest.mark.parametrize("numbers", [False, True])
def test_native_equals_eager(cell, lengths, numbers):
    native, eager = layers(cell, "native", "eager", bfloat16_weights=True, bidirectional=True)
    x = torch.randint(5, (6, 3)) if numbers else torch.randn(6, 3, 5)
    for got, wanted in zip(results(native, x, lengths), results(eager, x, lengths), strict=True):
        torch.testing.assert_close(got, wanted, atol=2e-5 * max(1.0, wanted.abs().max().item()), rtol=0)


@pytest.mark.parametrize("engine", [e for e in HERE if e != "torch"])
def test_what_is_rounded_is_the_weights_alone(engine):
    narrow, whole = layers("lstm", engine, engine)
    narrow.bfloat16_weights = True
    with torch.no_grad():
        for layer in (narrow, whole):
            for name, parameter in layer.named_parameters():
                if name.startswith(("W", "R")):
                    parameter.copy_(parameter.bfloat16().float())
    x = torch.randn(6, 3, 5)
    for got, wanted in zip(results(narrow, x), results(whole, x), strict=True):
        torch.testing.assert_close(got, wanted, atol=2e-6, rtol=0)


@pytest.mark.parametrize("engine", [e for e in HERE if e != "torch"])
def test_weights_that_bfloat16_does_not_hold_make_a_small_difference(engine):
    narrow, whole = layers("lstm", engine, engine)
    narrow.bfloat16_weights = True
    x = torch.randn(6, 3, 5)
    difference = (narrow(x)[0] - whole(x)[0]).abs().max()
    assert 1e-5 < difference < 2e-2


@pytest.mark.parametrize("engine", [e for e in HERE if e != "torch"])
def test_steps_are_narrow_too(engine):
    (layer,) = layers("gru-reset-before", engine, bfloat16_weights=True)
    x = torch.randn(5, 1, 5)
    with torch.inference_mode():
        whole, state = layer(x)[0], None
        for t in range(5):
            y, state = layer.step(x[t], state)
            torch.testing.assert_close(y, whole[t], atol=1e-6, rtol=0)


def test_what_cannot_be_narrow_says_so():
    with pytest.raises(EngineError, match="bfloat16"):
        un.LSTM(3, 4, engine="torch", bfloat16_weights=True)(torch.zeros(2, 1, 3))
    with pytest.raises(ConfigError, match="bfloat16_weights"):
        un.LSTM(3, 4, bfloat16_weights=1)


@needs_native
def test_kernels_are_narrow_in_single_precision_only():
    layer = un.LSTM(3, 4, engine="native", bfloat16_weights=True, dtype=torch.float64)
    with pytest.raises(EngineError, match="float32, not in float64"):
        layer(torch.zeros(2, 1, 3, dtype=torch.float64))
