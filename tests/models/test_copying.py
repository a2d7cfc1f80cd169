import numpy as np
import torch
from torch.autograd import gradcheck

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


def test_derivatives():
    generated, weights, copies, gate = given()
    generated, weights, gate = (part.requires_grad_() for part in (generated, weights + 0.1, gate))
    copies = copies.T.expand(weights.shape)

    def run(*parts):
        return mixture(parts[0], parts[1], copies, parts[2]).exp()

    assert gradcheck(run, (generated, weights, gate))
    assert all(g.isfinite().all() for g in torch.autograd.grad(run(generated, weights * 0, gate).sum(), [generated, weights, gate]))


def test_a_sure_gate_leaves_the_vocabulary_as_it_is():
    generated, weights, copies, gate = given()
    found = mixture(generated, torch.zeros_like(weights), copies.T.expand(weights.shape), torch.full_like(gate, SURE))
    torch.testing.assert_close(found[..., :SYMBOLS], generated)
    assert (found[..., SYMBOLS:] == -torch.inf).all()
