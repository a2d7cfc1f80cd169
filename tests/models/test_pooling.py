import math

import pytest
import torch
from torch.autograd import gradcheck

from unrolled.errors import ConfigError
from unrolled.models import POOLINGS, Pooling

LENGTHS = (4, 0, 1, 3)


def outputs_of(width=6, lengths=LENGTHS, padding=math.nan):
    torch.manual_seed(0)
    outputs = torch.randn(max(lengths), len(lengths), width, dtype=torch.float64)
    for row, length in enumerate(lengths):
        outputs[length:, row] = padding
    return outputs, torch.tensor(lengths)


def pooling_of(how, directions=1):
    torch.manual_seed(1)
    return Pooling(how, 6, directions).double()


def by_hand(pooling, steps):
    """One sequence `[T, width]` without padding."""
    if not len(steps):
        return steps.sum(0)
    if pooling.how == "mean":
        return steps.mean(0)
    if pooling.how == "max":
        return steps.max(0).values
    if pooling.how == "last":
        return steps[-1] if pooling.directions == 1 else torch.cat([steps[-1, :3], steps[0, 3:]])
    key, query = pooling.attention.key, pooling.attention.query.weight[0]
    energies = torch.stack([query @ torch.tanh(key.weight @ y + key.bias) for y in steps])
    return torch.softmax(energies, 0) @ steps


@pytest.mark.parametrize("how", POOLINGS)
@pytest.mark.parametrize("directions", [1, 2])
def test_each_sequence_as_if_it_were_alone_and_padding_reaches_nothing(how, directions):
    pooling, (outputs, lengths) = pooling_of(how, directions), outputs_of()
    found = pooling(outputs.requires_grad_(), lengths)
    expected = torch.stack([by_hand(pooling, outputs[:length, row]) for row, length in enumerate(LENGTHS)])
    torch.testing.assert_close(found, expected)
    cotangent = torch.randn_like(found)
    gradient, *others = torch.autograd.grad(found, [outputs, *pooling.parameters()], cotangent, retain_graph=True)
    wanted, *like = torch.autograd.grad(expected, [outputs, *pooling.parameters()], cotangent)
    torch.testing.assert_close([gradient, *others], [wanted, *like])
    assert all(not gradient[length:, row].any() for row, length in enumerate(LENGTHS))


@pytest.mark.parametrize("how", POOLINGS)
def test_derivatives(how):
    pooling, (outputs, lengths) = pooling_of(how), outputs_of(padding=0.5)
    assert gradcheck(lambda *_: pooling(outputs, lengths), (outputs.requires_grad_(), *pooling.parameters()))


@pytest.mark.parametrize("how", POOLINGS)
@pytest.mark.parametrize("steps", [0, 2])
def test_empty_sequences_give_zeros(how, steps):
    found = pooling_of(how)(torch.full((steps, 3, 6), math.nan, dtype=torch.float64), torch.zeros(3, dtype=torch.long))
    assert torch.equal(found, torch.zeros(3, 6, dtype=torch.float64))


def test_attention_is_given_to_real_steps_alone():
    pooling, (outputs, lengths) = pooling_of("attention"), outputs_of(padding=0.5)
    real = torch.arange(4)[:, None] < lengths
    weights = pooling.attention(outputs, real)[..., 0]
    assert torch.equal(weights > 0, real)
    torch.testing.assert_close(weights.sum(0), (lengths > 0).double())


def test_a_pooling_that_does_not_exist():
    with pytest.raises(ConfigError, match="last, mean, max, attention, got 'first'"):
        Pooling("first", 6)
