"""Forgetting curves, against closed forms."""

import numpy as np
import pytest
import torch

import unrolled as un
from unrolled.inspect.curves import Forgetting

DOUBLE = torch.float64


@pytest.mark.parametrize(("factor", "verdict"), [
    (0.9, "What is left of an input halves every 6.6 steps."),
    (1.0, "What is left of an input is kept within a factor of 2 over 60 steps: 1 per step."),
    (1.1, "What is left of an input explodes: 1.1 per step."),
    (0.97, "What is left of an input halves every 23 steps."),
    (0.4, "What is left of an input vanishes: 0.4 per step."),
])  # fmt: skip
def test_a_turning_map_forgets_at_its_rate(factor, verdict):
    layer = un.Recurrent("elman", 3, 5, dtype=DOUBLE)
    layer.block("R_h").mul_(factor)
    found = un.inspect.forgetting(layer, torch.randn(60, 4, 3, dtype=DOUBLE) * 1e-9, [60, 40, 0, 1])
    assert found.rate == pytest.approx(factor, rel=1e-9)
    assert found.half_life == pytest.approx(np.log(0.5) / np.log(factor)) if factor < 1 else found.half_life > 1e9
    assert found.verdict == verdict
    np.testing.assert_allclose(found.quartiles / factor**found.distance, np.linalg.norm(layer.block("W_h").numpy()), rtol=1e-9)
    assert found.sampled == "at most 8 steps t of each sequence"


def curve_of(values):
    return Forgetting(np.arange(len(values)), np.tile(values, (3, 1)), np.ones(len(values)), "")


@pytest.mark.parametrize(("tail", "told"), [
    (0.5 ** (1 / 12), " What is left after that, below 0.1%, halves every 12 steps."),
    (0.65, ""),
    (1.0, " What is left after that, below 0.1%, is kept within a factor of 2 over 40 steps: 1 per step."),
])  # fmt: skip
def test_a_tail_that_nobody_sees_says_nothing_of_how_fast_it_forgets(tail, told):
    found = curve_of(np.concatenate([0.65 ** np.arange(16.0), 1e-6 * tail ** np.arange(40.0)]))
    assert found.rate == pytest.approx(0.65)
    assert found.half_life == pytest.approx(np.log(0.5) / np.log(0.65))
    assert found.verdict == f"What is left of an input halves every 1.6 steps.{told}"


def test_a_curve_with_gaps_is_fitted_as_far_as_it_matters():
    delayed = np.where(np.arange(60) % 5, 0, 0.9 ** np.arange(60))
    assert curve_of(delayed).rate == pytest.approx(0.9)
    assert curve_of(1e-4 ** np.arange(30.0)).rate == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("factor", "said"), [(1.13, "explodes: 1.13 per step"), (0.8, "halves every 3.1 steps"), (0.4, "vanishes: 0.4 per step")]
)
def test_few_steps_are_told(factor, said):
    assert curve_of(factor ** np.arange(19.0)).verdict == f"What is left of an input {said}, seen over only 19 steps."
    assert curve_of(factor ** np.arange(20.0)).verdict == f"What is left of an input {said}."


def test_quartiles_are_over_sequences_and_steps():
    torch.manual_seed(0)
    layer, x = un.Recurrent("gru", 3, 4, dtype=DOUBLE), torch.randn(6, 3, 3, dtype=DOUBLE)
    lengths = [6, 5, 1]
    found, whole = un.inspect.forgetting(layer, x, lengths), un.inspect.memory(layer, x, lengths=lengths)
    chosen = [(t, row) for row, n in enumerate(lengths) for t in range(n // 2, n)]
    assert found.count.tolist() == [sum(t >= d for t, _ in chosen) for d in range(6)]
    for d in range(6):
        values = [whole.state[t, t - d, row] for t, row in chosen if t >= d]
        np.testing.assert_allclose(found.quartiles[:, d], np.percentile(values, [25, 50, 75]))
    assert found.sampled == ""


def test_what_was_estimated_is_told_too():
    layer = un.Recurrent("gru", 3, 9)
    found = un.inspect.forgetting(layer, torch.randn(30, 1, 3), steps=2, probes=3)
    assert found.sampled == "at most 2 steps t of each sequence; 3 random combinations of 9 units, standard error at most 41%"


def test_an_lstm_whose_gate_is_shut_forgets_at_once():
    layer = un.Recurrent(un.Cell("now", "h[t] = tanh(W @ x[t])\nc[t] = h[t] + 0 * c[t-1]", output="c"), 3, 4)
    found = un.inspect.forgetting(layer, torch.randn(9, 2, 3))
    assert found.verdict == "What is left of an input is gone after one step."
    assert found.half_life == 0
    assert un.inspect.forgetting(layer, torch.randn(1, 2, 3)).verdict == "What is left of an input cannot be told: there are too few steps."
