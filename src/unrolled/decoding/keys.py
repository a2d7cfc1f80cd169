"""Keys of a keyboard drawn from the lowest to the highest, each knowing those below it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from unrolled.decoding.sampling import narrowed

Logits = Callable[[Tensor], Tensor]
"""`keys [B, K] of 0 and 1 -> the log-odds [B, K] of each, given those below it`."""


@dataclass(frozen=True)
class Given:
    """Keys that must be drawn, and keys that may be, both `[K]`; what must be may be, too."""

    must: Tensor
    may: Tensor


def draw_keys(
    logits: Logits,
    nothing: Tensor,
    *,
    temperature: float = 1.0,
    top_p: float = 1.0,
    given: Given | None = None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Some keys for each row, `[B, K]` of the type of `nothing`, which has no key yet; and log-weights `[B]`.

    One draw says which key is the next above the last one, or that there is none; `temperature` and `top_p` narrow it (`narrowed`). With `given`
    keys the draws are among what can still lead to them, and a row's weight is the probability of that: the product over its draws of what such choices
    had in all, before they were narrowed. Without, all weights are 0.
    """
    keys, rows, size = nothing, *nothing.shape
    places = torch.arange(size + 1, device=nothing.device)
    last, weights = torch.full((rows,), -1, device=nothing.device), torch.zeros(rows, device=nothing.device)
    while bool((last < size).any()):
        chances = _next(logits(keys), last)
        if given is not None:
            allowed = _allowed(given, last, places)
            kept = chances.masked_fill(~allowed, -torch.inf)
            weights = weights + torch.where(last < size, kept.logsumexp(-1), 0)
            chances = torch.where((last < size)[:, None], kept, chances)
        drawn = torch.multinomial(narrowed(chances, temperature, 0, top_p).softmax(-1), 1, generator=generator)[:, 0]
        last = torch.where(last < size, drawn, last)
        keys = keys + (places[:size] == last[:, None]).to(keys)
    return keys, weights


def _next(logits: Tensor, last: Tensor) -> Tensor:
    """The log-probability `[B, K + 1]` that each key is the next one above the last, and, in the last column, that none is."""
    above = torch.arange(logits.shape[-1], device=logits.device) > last[:, None]
    off = logsigmoid(-logits).masked_fill(~above, 0).cumsum(-1)
    before = torch.cat([torch.zeros_like(off[:, :1]), off[:, :-1]], -1)
    found = (logsigmoid(logits) + before).masked_fill(~above, -torch.inf)
    return torch.cat([found, off[:, -1:]], -1)


def _allowed(given: Given, last: Tensor, places: Tensor) -> Tensor:
    """Which choices can still lead to all keys that must be drawn, `[B, K + 1]`."""
    size = len(places) - 1
    due = given.must[None] & (places[:size] > last[:, None])
    first = torch.where(due, places[:size], size).amin(-1)
    may = torch.cat([given.may | given.must, given.may.new_ones(1)])
    return may & (places <= first[:, None])


def resampled(weights: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Which rows go on, and how often, so that all weigh the same again: systematic resampling (Kitagawa 1996, "Monte Carlo Filter and Smoother")."""
    rows = len(weights)
    shares = weights.double().softmax(0).cumsum(0)
    marks = (torch.arange(rows, device=weights.device) + torch.rand(1, generator=generator, device=weights.device)) / rows
    return torch.searchsorted(shares, marks.double()).clamp(max=rows - 1)
