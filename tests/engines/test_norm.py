"""`norm` against torch's layer norm, alone and within a cell."""

import pytest
import torch
from torch.nn.functional import layer_norm, linear

import unrolled as un

DOUBLE = torch.float64


def layer_of(text, inputs=3, units=5, **options):
    torch.manual_seed(0)
    layer = un.Recurrent(un.Cell("mine", text), inputs, units, engine="eager", dtype=DOUBLE, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return layer


@pytest.mark.parametrize("spread", [1e-4, 1.0, 1e3])
def test_norm_is_torchs_layer_norm(spread):
    layer = layer_of("h[t] = norm(x[t]) + 0 * h[t-1]", 6, 6)
    x = torch.randn(4, 2, 6, dtype=DOUBLE) * spread + 7
    torch.testing.assert_close(layer(x)[0], layer_norm(x, (6,)), atol=1e-12, rtol=1e-9)


def test_a_cell_with_norms_is_what_layer_norm_makes_of_it_with_its_derivatives():
    layer = layer_of("h[t] = tanh(k * norm(W @ x[t]) + g * norm(R @ h[t-1]) + b + V @ norm(x[t]) - norm(b))")
    w = dict(layer.named_parameters())

    def by_layer_norm(x):
        h, outputs = x.new_zeros(2, 5), []
        for x_t in x:
            read = layer_norm(linear(x_t, w["W_l0"]), (5,), w["k_l0"], w["b_l0"]) + linear(layer_norm(x_t, (3,)), w["V_l0"])
            h = torch.tanh(read + layer_norm(linear(h, w["R_l0"]), (5,), w["g_l0"]) - layer_norm(w["b_l0"], (5,)))
            outputs.append(h)
        return torch.stack(outputs)

    x = torch.randn(4, 2, 3, dtype=DOUBLE, requires_grad=True)
    cotangent, direction = torch.randn(4, 2, 5, dtype=DOUBLE), torch.randn(4, 2, 3, dtype=DOUBLE)
    results = []
    for y in (layer(x)[0], by_layer_norm(x)):
        first = torch.autograd.grad((y * cotangent).sum(), [x, *w.values()], create_graph=True)
        second = torch.autograd.grad((first[0] * direction).sum(), list(w.values()))
        results.append((y, *first, *second))
    for got, wanted in zip(*results, strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-10, rtol=1e-9)


def test_recurrent_dropout_masks_what_a_map_reads_and_not_what_a_mean_reads():
    layer = layer_of("h[t] = norm(h[t-1]) + x[t]", 4, 4, recurrent_dropout=0.5)
    x, h = torch.randn(3, 2, 4, dtype=DOUBLE), torch.randn(1, 2, 4, dtype=DOUBLE)
    dropped = layer(x, h)[0]
    torch.testing.assert_close(dropped, layer.eval()(x, h)[0], atol=0, rtol=0)
    layer = layer_of("h[t] = norm(h[t-1]) + R @ h[t-1]", 4, 4, recurrent_dropout=0.5)
    product = layer(x[:1], h)[0][0] - layer_norm(h[0], (4,))
    mask = torch.linalg.solve(layer.block("R"), product.T).T / h[0]
    torch.testing.assert_close(mask, 2 * mask.gt(1).to(DOUBLE))
    assert 0 < mask.gt(1).sum() < mask.numel()


@pytest.mark.parametrize("text", ["h[t] = norm(tanh(W @ x[t]) + h[t-1] + b)", "k[t] = 2\nh[t] = norm(k[t]) + norm(b) + W @ x[t] + h[t-1]"])
@pytest.mark.parametrize("shape", [(0, 2), (3, 0), (3, 2), (1, 1)])
def test_any_number_of_steps_sequences_and_units(text, shape):
    for units in (1, 4):
        layer = layer_of(text, 3, units, bidirectional=True)
        x = torch.randn(*shape, 3, dtype=DOUBLE)
        y, (h,) = layer(x, lengths=[min(shape[0], n) for n in (2, 0)][: shape[1]])
        assert y.shape == (*shape, 2 * units)
        assert y.isfinite().all()
        if y.requires_grad:
            gradients = torch.autograd.grad(y.sum() + h.sum(), list(layer.parameters()), materialize_grads=True)
            assert all(g.isfinite().all() for g in gradients)


def test_whole_numbers_are_the_one_hot_vectors_that_they_stand_for():
    layer = layer_of("h[t] = norm(W @ x[t]) + norm(R @ h[t-1])")
    index = torch.randint(3, (4, 2))
    torch.testing.assert_close(layer(index)[0], layer(torch.nn.functional.one_hot(index, 3).to(DOUBLE))[0])
