import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from unrolled.errors import ConfigError, ShapeError
from unrolled.models import ATTENTIONS, SourceAttention

LENGTHS, STEPS, QUERIES, WIDTH, MEMORY = (3, 0, 5, 1), 5, 2, 3, 4
KINDS = ATTENTIONS[1:]


def attention_of(how):
    torch.manual_seed(0)
    attention = SourceAttention(how, WIDTH, WIDTH if how == "dot" else MEMORY).double()
    for weight in attention.parameters():
        torch.nn.init.normal_(weight)
    return attention


def given(how, poison=0.0):
    torch.manual_seed(1)
    real = torch.arange(STEPS)[:, None] < torch.tensor(LENGTHS)
    query = torch.randn(QUERIES, len(LENGTHS), WIDTH, dtype=torch.float64)
    memory = torch.randn(STEPS, len(LENGTHS), WIDTH if how == "dot" else MEMORY, dtype=torch.float64)
    return query, memory.masked_fill(~real[..., None], poison), real


def run(attention, query, memory, real):
    return attention(query, *attention.prepare(memory, real), real)


def by_hand(attention, query, memory):
    """The mean and the weights for one query and one source without padding."""
    weight = {name: value.detach().numpy() for name, value in attention.named_parameters()}
    scores = []
    for m in memory:
        key = weight["key.weight"] @ m if "key.weight" in weight else m
        if attention.how == "additive":
            scores.append(weight["score.weight"][0] @ np.tanh(weight["query.weight"] @ query + key))
        else:
            scores.append(query @ key / (len(query) ** 0.25 if attention.how == "general" else 1))
    weights = np.exp(scores) / np.exp(scores).sum()
    return sum((w * m for w, m in zip(weights, memory, strict=True)), np.zeros(memory.shape[-1])), weights


@pytest.mark.parametrize("how", KINDS)
def test_means_and_weights_by_hand(how):
    attention = attention_of(how)
    query, memory, real = given(how)
    context, weights = run(attention, query, memory, real)
    assert weights.shape == (QUERIES, len(LENGTHS), STEPS)
    for t in range(QUERIES):
        for row, length in enumerate(LENGTHS):
            mean, expected = by_hand(attention, query[t, row].numpy(), memory[:length, row].numpy())
            np.testing.assert_allclose(context[t, row].detach(), mean, rtol=1e-12)
            np.testing.assert_allclose(weights[t, row, :length].detach(), expected, rtol=1e-12)
            assert not weights[t, row, length:].any()
    assert not context[:, 1].any()


@pytest.mark.parametrize("how", KINDS)
def test_single_steps_are_those_of_a_sequence(how):
    attention = attention_of(how)
    query, memory, real = given(how)
    context, weights = run(attention, query, memory, real)
    for t in range(QUERIES):
        torch.testing.assert_close(run(attention, query[t], memory, real), (context[t], weights[t]))


@pytest.mark.parametrize("how", KINDS)
def test_no_source_has_a_step(how):
    attention = attention_of(how)
    query, memory, real = given(how)
    context, weights = run(attention, query, memory[:0], real[:0])
    assert weights.shape == (QUERIES, len(LENGTHS), 0) and context.shape == (QUERIES, len(LENGTHS), memory.shape[-1])
    assert not context.any()


@pytest.mark.parametrize("how", KINDS)
def test_padding_reaches_nothing(how):
    attention, found = attention_of(how), []
    for poison in (0.0, math.nan):
        query, memory, real = given(how, poison)
        query.requires_grad_()
        memory.requires_grad_()
        context, weights = run(attention, query, memory, real)
        gradients = torch.autograd.grad((context * torch.arange(1, 3)[:, None, None]).sum(), [query, memory, *attention.parameters()])
        assert not gradients[1][~real].any()
        found.append((context, weights, *gradients))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)


@pytest.mark.parametrize("how", KINDS)
def test_derivatives(how):
    attention = attention_of(how)
    query, memory, real = given(how)
    query.requires_grad_()
    memory.requires_grad_()
    assert gradcheck(lambda q, m, *_: run(attention, q, m, real), (query, memory, *attention.parameters()), fast_mode=True)


@pytest.mark.parametrize("at_once", [1, 70])
def test_long_sequences_are_compared_in_parts(at_once, monkeypatch):
    attention, found = attention_of("additive"), []
    for most in (1 << 20, at_once):
        monkeypatch.setattr("unrolled.models.attention.MOST_AT_ONCE", most)
        query, memory, real = given("additive")
        query, memory = (part.repeat(4, 1, 1)[:5].requires_grad_() for part in (query, memory))
        context, weights = run(attention, query, memory, real)
        found.append((context, weights, *torch.autograd.grad(context.square().sum(), [query, memory, *attention.parameters()])))
    torch.testing.assert_close(found[0], found[1])


def test_what_cannot_be():
    with pytest.raises(ConfigError, match="`attention='general'`"):
        SourceAttention("dot", 3, 4)
    with pytest.raises(ConfigError, match="'loud'"):
        SourceAttention("loud", 3, 4)
    query, memory, real = given("dot")
    with pytest.raises(ShapeError, match="`real`"):
        run(attention_of("dot"), query, memory, real[1:])
