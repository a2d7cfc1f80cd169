"""Derivatives beside differences along random directions of all inputs at once: each evaluation sees every number, and a wrong one shows."""

import pytest
import torch

STEP = 1e-6


def weighted(*results):
    """A random linear function of all results, the same at every call."""
    generator = torch.Generator().manual_seed(5)
    return sum((r * torch.randn(r.shape, dtype=r.dtype, generator=generator)).sum() for r in results)


def assert_slopes(function, inputs, order=1):
    """The derivatives of a function, up to an order, are central differences in float64.

    `function` takes nothing and gives a scalar of `inputs`, which are leaves and are written to in between. Each order is that of a random
    linear function of all derivatives of the order below.
    """
    generator, inputs = torch.Generator().manual_seed(4), list(inputs)
    for _ in range(order):
        slopes = torch.autograd.grad(function(), inputs, allow_unused=True, materialize_grads=True)
        for direction in (_drawn(inputs, generator), _drawn(inputs, generator)):
            found, expected = _sum(slopes, direction).item(), _difference(function, inputs, direction)
            assert found == pytest.approx(expected, rel=1e-6, abs=1e-6), f"{found}, not {expected}"
        function = _slope(function, inputs, _drawn(inputs, generator))


def _drawn(inputs, generator):
    return [torch.randn(i.shape, dtype=i.dtype, generator=generator) for i in inputs]


def _sum(numbers, weights):
    return sum((n * w).sum() for n, w in zip(numbers, weights, strict=True))


def _slope(function, inputs, weights):
    def slope():
        return _sum(torch.autograd.grad(function(), inputs, create_graph=True, allow_unused=True, materialize_grads=True), weights)

    return slope


def _difference(function, inputs, direction):
    before, ends = [i.detach().clone() for i in inputs], []
    for step in (STEP, -STEP, 0.0):
        with torch.no_grad():
            for i, at, d in zip(inputs, before, direction, strict=True):
                i.copy_(at + step * d)
        if step:
            ends.append(function().item())
    return (ends[0] - ends[1]) / (2 * STEP)
