"""Distribution functions that torch does not have, and their inverses. All is computed in double precision and without gradients."""

import torch
from torch import Tensor

_TERMS = 20_000
"""Most terms of a continued fraction. It needs some multiple of the root of the larger argument."""

_CLOSE = 1e-14
_TINY = 1e-300
_HALVINGS = 200


def beta_cdf(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """The regularised incomplete beta function I_x(a, b), for x in [0, 1], a and b above 0.

    By the continued fraction of the NIST Digital Library of Mathematical Functions, 8.17.22, with Lentz's algorithm.
    """
    x, a, b = torch.broadcast_tensors(x.double(), a.double(), b.double())
    swapped = x > (a + 1) / (a + b + 2)
    x, a, b = torch.where(swapped, 1 - x, x), torch.where(swapped, b, a), torch.where(swapped, a, b)
    front = (torch.lgamma(a + b) - torch.lgamma(a) - torch.lgamma(b) + torch.xlogy(a, x) + torch.special.xlog1py(b, -x)).exp() / a
    found = front / _fraction(x, a, b)
    return torch.where(swapped, 1 - found, found).clamp(0, 1)


def _fraction(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """1 + d1/(1 + d2/(1 + …)) of 8.17.22."""
    c, d, found = torch.ones_like(x), torch.zeros_like(x), torch.ones_like(x)
    for term in range(1, _TERMS):
        half = term // 2
        if term % 2:
            step = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            step = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        d = 1 + step * d
        d = torch.where(d.abs() < _TINY, _TINY, d).reciprocal()
        c = 1 + step / c
        c = torch.where(c.abs() < _TINY, _TINY, c)
        found = found * c * d
        if ((c * d - 1).abs() < _CLOSE).all():
            break
    return found


def student_quantile(levels: Tensor, freedom: Tensor) -> Tensor:
    """The standard Student t quantiles of `levels` for so many degrees of freedom, by halving an interval that holds them."""
    levels, freedom = torch.broadcast_tensors(levels.double(), freedom.double())
    tail = torch.minimum(levels, 1 - levels)
    # P(T < -t) = I_x(ν/2, 1/2) / 2 with x = ν/(ν + t²).
    low, high = torch.zeros_like(tail), torch.ones_like(tail)
    for _ in range(60):
        middle = (low + high) / 2
        below = beta_cdf(middle, freedom / 2, middle.new_tensor(0.5)) / 2 < tail
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    x = (low + high) / 2
    return torch.sign(levels - 0.5) * (freedom * (1 - x) / x).sqrt()


def smallest_count(levels: Tensor, mean: Tensor, deviation: Tensor, shape: Tensor) -> Tensor:
    """The smallest k with P(X ≤ k) ≥ level, of negative binomials with a mean, a standard deviation and a shape r: P(X ≤ k) = I_{r/(r+mean)}(r, k + 1)."""
    levels, mean, deviation, shape = torch.broadcast_tensors(levels.double(), mean.double(), deviation.double(), shape.double())
    success = shape / (shape + mean)

    def reaches(k: Tensor) -> Tensor:
        return beta_cdf(success, shape, k + 1) >= levels

    low, high = torch.full_like(mean, -1), (mean + deviation).ceil()
    for _ in range(_HALVINGS):
        done = reaches(high)
        if done.all():
            break
        low, high = torch.where(done, low, high), torch.where(done, high, high * 2 + 1)
    while bool((high - low > 1).any()):
        middle = ((low + high) / 2).ceil()
        up = reaches(middle)
        low, high = torch.where(up, low, middle), torch.where(up, middle, high)
    return high
