import numpy as np
import torch

from unrolled.models.copying import SURE, copied, mixed, mixture

SYMBOLS, STEPS = 4, 3


def given():
    torch.manual_seed(0)
    generated = torch.randn(2, 5, SYMBOLS, dtype=torch.float64).log_softmax(-1)
    weights = torch.rand(2, 5, STEPS, dtype=torch.float64)
    weights[:, 2:, 2:] = 0
    weights /= weights.sum(-1, keepdim=True)
    copies = torch.tensor([[2, 1, 4, 3, 0], [2, 5, 4, 3, 5], [6, 1, 0, 0, 0]])
    return generated, weights, copies, torch.randn(2, 5, dtype=torch.float64)


def by_hand(generated, weights, copies, gate):
    result = np.zeros((2, 5, SYMBOLS + STEPS))
    for t in range(2):
        for row in range(5):
            write = 1 / (1 + np.exp(-gate[t, row].item()))
            result[t, row, :SYMBOLS] = write * generated[t, row].exp()
            for s in range(STEPS):
                result[t, row, copies[s, row]] += (1 - write) * weights[t, row, s]
    return result


def test_the_mixture_by_hand():
    generated, weights, copies, gate = given()
    expected = by_hand(generated, weights, copies, gate)
    found = mixture(generated, weights, copies.T.expand(weights.shape), gate)
    np.testing.assert_allclose(found.exp(), expected, rtol=1e-12)
    np.testing.assert_allclose(expected.sum(-1), 1)
    assert torch.equal(found == -torch.inf, torch.from_numpy(expected == 0))


def test_single_targets_have_what_the_mixture_says():
    generated, weights, copies, gate = given()
    expected = mixture(generated, weights, copies.T.expand(weights.shape), gate)
    for symbol in range(SYMBOLS + STEPS):
        targets = torch.full(gate.shape, symbol)
        log = generated[..., symbol] if symbol < SYMBOLS else torch.full(gate.shape, -1e30, dtype=torch.float64)
        found = mixed(log, copied(weights, copies, targets), gate)
        np.testing.assert_allclose(found.exp(), expected[..., symbol].exp(), rtol=1e-12)


def test_derivatives_are_numbers_where_nothing_can_be_copied():
    generated, weights, copies, gate = (part.requires_grad_() if part.is_floating_point() else part for part in given())
    found = mixture(generated, weights.masked_fill(weights == 0, 0), copies.T.expand(weights.shape), gate)
    gradients = torch.autograd.grad(found.clamp(min=-100).sum(), [generated, weights, gate])
    assert all(g.isfinite().all() for g in gradients)
    sure = mixture(generated, torch.zeros_like(weights), copies.T.expand(weights.shape), torch.full_like(gate, SURE))
    torch.testing.assert_close(sure[..., :SYMBOLS], generated)
