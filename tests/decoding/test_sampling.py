import math

import numpy as np
import pytest
import torch

from unrolled.decoding import draw, narrowed
from unrolled.errors import ConfigError, ShapeError


def by_hand(logits, temperature, top_k, top_p):
    """Probabilities of one row; symbols in order of probability, the first of equals first."""
    logits = logits.astype(np.float64) / temperature
    p = np.exp(logits - logits.max())
    p /= p.sum()
    order = sorted(range(len(p)), key=lambda v: (-p[v], v))
    if top_k:
        order = order[:top_k]
    mass, kept = sum(p[v] for v in order), []
    for v in order:
        kept.append(v)
        if sum(p[u] for u in kept) / mass >= top_p:
            break
    result = np.zeros_like(p)
    result[kept] = p[kept]
    return result / result.sum()


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("top_k", [0, 1, 3, 11, 50])
@pytest.mark.parametrize("top_p", [1e-6, 0.35, 0.9, 1.0])
def test_narrowed_equals_the_definition(temperature, top_k, top_p):
    logits = torch.randn(6, 11, generator=torch.Generator().manual_seed(3)) * 2
    given = logits.clone()
    got = narrowed(logits, temperature, top_k, top_p).softmax(-1)
    for row in range(6):
        np.testing.assert_allclose(got[row], by_hand(logits[row].numpy(), temperature, top_k, top_p), atol=1e-6)
    assert torch.equal(logits, given)


def test_the_fewest_symbols_that_reach_p_are_kept():
    logits = torch.tensor([[0.125, 0.5, 0.25, 0.125]], dtype=torch.float64).log()
    kept = lambda p: narrowed(logits, top_p=p).isfinite()[0].nonzero()[:, 0].tolist()  # noqa: E731
    assert kept(0.4) == kept(0.49) == [1]
    assert kept(0.51) == kept(0.74) == [1, 2]
    assert kept(0.76) == [0, 1, 2]
    assert kept(0.99) == [0, 1, 2, 3]


def test_of_equals_the_first_are_kept():
    logits = torch.tensor([[0.0, 2.0, 2.0, 2.0, 1.0]])
    assert narrowed(logits, top_k=2).isfinite()[0].tolist() == [False, True, True, False, False]
    assert narrowed(logits, temperature=0).isfinite()[0].tolist() == [False, True, False, False, False]
    assert narrowed(torch.zeros(1, 100), top_p=0.105).isfinite()[0].nonzero()[:, 0].tolist() == list(range(11))


@pytest.mark.parametrize("temperature", [0.0, 1e-320, 1e-30, 1e-6])
@pytest.mark.parametrize("more", [{}, {"top_k": 3}, {"top_p": 0.9}])
def test_no_temperature_is_the_most_likely_symbol(temperature, more):
    logits = torch.randn(20, 9) * 5
    symbols = next(draw(lambda y, s: (logits, s), logits, None, 1, temperature=temperature, **more))
    assert torch.equal(symbols, logits.argmax(-1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": -0.1}, "`temperature`"),
        ({"temperature": float("nan")}, "`temperature`"),
        ({"temperature": float("inf")}, "`temperature`"),
        ({"top_k": -1}, "`top_k`"),
        ({"top_p": 0.0}, "`top_p`"),
        ({"top_p": 1.1}, "`top_p`"),
        ({"top_p": float("nan")}, "`top_p`"),
    ],
)
def test_values_that_cannot_be(options, said):
    with pytest.raises(ConfigError, match=said):
        narrowed(torch.zeros(1, 3), **options)


@pytest.mark.parametrize("options", [{}, {"temperature": 0.0}, {"top_k": 2}, {"top_p": 0.5}])
def test_a_forbidden_symbol_is_never_drawn(options):
    logits = torch.tensor([[9.0, 1.0, 8.0, 0.5]]).expand(50, -1)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack(list(draw(lambda y, s: (logits, s), logits, None, 20, forbidden=(0, 2), generator=generator, **options)))
    assert set(drawn.unique().tolist()) <= {1, 3}


def test_the_seed_decides_and_each_draw_is_fed_back():
    table = torch.randn(7, 7, generator=torch.Generator().manual_seed(1))
    fed = []

    def step(symbols, count):
        fed.append(symbols)
        return table[symbols], count + 1

    runs = [torch.stack(list(draw(step, table[:3], 0, 12, generator=torch.Generator().manual_seed(seed)))) for seed in (5, 5, 6)]
    assert runs[0].shape == (12, 3)
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert torch.equal(torch.stack(fed[:11]), runs[0][:11])


def test_draws_follow_the_distribution():
    logits = torch.tensor([[0.2, 0.5, 0.3]]).log().expand(20000, -1)
    drawn = next(draw(lambda y, s: (logits, s), logits, None, 1, generator=torch.Generator().manual_seed(0)))
    np.testing.assert_allclose(drawn.bincount() / 20000, [0.2, 0.5, 0.3], atol=0.015)


BROKEN = {
    "nan": (lambda logits: logits.index_fill(1, torch.tensor(1), math.nan), "got nan in row 0"),
    "nan in a row": (lambda logits: torch.cat([logits[:2], logits[2:] * math.nan]), "got nan in row 2"),
    "infinity": (lambda logits: logits.index_fill(1, torch.tensor(0), math.inf), "got inf in row 0"),
    "too large": (lambda logits: logits.double() + 1e300, "got inf in row 0"),
    "nothing": (lambda logits: logits * 0 - math.inf, "got -inf in row 0. Forbid fewer"),
    "no symbols": (lambda logits: logits[:, :0], r"got shape \[3, 0\]"),
    "one row": (lambda logits: logits[0], r"got shape \[4\]"),
}


@pytest.mark.parametrize("options", [{}, {"temperature": 0.0}, {"temperature": 0.5}, {"top_k": 2}, {"top_p": 0.5}])
@pytest.mark.parametrize("kind", BROKEN)
def test_logits_of_which_nothing_can_be_drawn_are_refused_when_they_come(kind, options):
    change, message = BROKEN[kind]
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    draws = draw(lambda symbols, state: (change(logits), state), logits, None, 9, **options)
    assert next(draws).shape == (3,)
    with pytest.raises(ShapeError, match=message):
        next(draws)


def test_some_symbols_must_be_left_to_draw():
    logits = torch.zeros(2, 3)
    with pytest.raises(ShapeError, match="Forbid fewer"):
        next(draw(lambda *_: (logits, None), logits, None, 1, forbidden=(0, 1, 2)))
    assert next(draw(lambda *_: (logits, None), logits.long(), None, 1, forbidden=(0, 1))).tolist() == [2, 2]
    for forbidden in ((3,), (-1,)):
        with pytest.raises(ConfigError, match="`forbidden` must be symbols from 0 to 2"):
            next(draw(lambda *_: (logits, None), logits, None, 1, forbidden=forbidden))
    with pytest.raises(ConfigError, match="`length`"):
        next(draw(lambda *_: (logits, None), logits, None, -1))
    assert list(draw(lambda *_: (logits, None), logits, None, 0)) == []
