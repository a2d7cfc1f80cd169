"""Sequences drawn from a model: each draw is fed back in."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from unrolled.decoding.checks import CAUSE
from unrolled.errors import ConfigError, NotFiniteError, ShapeError

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]
"""`(symbols [B], state) -> (logits [B, V], state)`."""


def narrowed(logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> Tensor:
    """Logits `[B, V]` of the distribution to draw from.

    `temperature` divides them (below 1: safer, 0: only the most likely); `top_k` keeps the k most likely symbols (0: all); `top_p` keeps
    the fewest most likely symbols whose probabilities, after `top_k`, together reach p (Holtzman et al. 2020). Of equally likely symbols
    the first ones are kept.

    Raises `ConfigError` for other values, `NotFiniteError` for logits with NaN or infinity, and `ShapeError` for -inf for every symbol.
    """
    if not temperature >= 0 or temperature == float("inf"):
        raise ConfigError(f"`temperature` must be a number of at least 0, got {temperature}.")
    if top_k < 0:
        raise ConfigError(f"`top_k` must be at least 0 (0 keeps all), got {top_k}.")
    if not 0 < top_p <= 1:
        raise ConfigError(f"`top_p` must lie above 0 and at most at 1, got {top_p}.")
    _require_drawable(logits)
    # Too small a divisor is no number any more in this precision.
    if temperature < torch.finfo(logits.dtype).tiny:
        temperature, top_k = 1.0, 1
    if temperature != 1:
        logits = (logits - logits.amax(-1, keepdim=True)) / temperature
    if not 0 < top_k < logits.shape[-1] and top_p == 1:
        return logits
    ordered, order = logits.sort(descending=True, stable=True)
    dropped = torch.zeros_like(logits, dtype=torch.bool)
    if top_k:
        dropped[..., top_k:] = True
    if top_p < 1:
        probabilities = ordered.masked_fill(dropped, -torch.inf).softmax(-1)
        dropped |= probabilities.cumsum(-1) - probabilities >= top_p
    return logits.masked_fill(dropped.gather(-1, order.argsort(-1)), -torch.inf)


def draw(
    step: Step,
    logits: Tensor,
    state: Any,
    length: int,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    forbidden: tuple[int, ...] = (),
    repetition_penalty: float = 1.0,
    seen: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Up to `length` draws, `[B]` symbols each, beginning with one from `logits` `[B, V]`. `forbidden` symbols are never drawn.

    With a `repetition_penalty` above 1 what was drawn, or is in `seen` `[B, V]`, becomes less likely: its logits are divided by it where they are above 0,
    and else multiplied with it (Keskar et al. 2019, "CTRL"); below 1 more likely.

    Raises what `narrowed` raises, as soon as a step gives such logits, and `ConfigError` for a `length` or a forbidden symbol that there cannot be.
    """
    if length < 0:
        raise ConfigError(f"`length` must be at least 0, got {length}.")
    if not 0 < repetition_penalty < float("inf"):
        raise ConfigError(f"`repetition_penalty` must be a number above 0, got {repetition_penalty}.")
    seen = torch.zeros_like(logits, dtype=torch.bool) if seen is None else seen.clone()
    for _ in range(length):
        logits = logits.float()
        if repetition_penalty != 1:
            logits = torch.where(seen, torch.where(logits > 0, logits / repetition_penalty, logits * repetition_penalty), logits)
        if forbidden:
            logits = _without(logits, forbidden)
        chances = narrowed(logits, temperature, top_k, top_p).softmax(-1)
        symbols = torch.multinomial(chances, 1, generator=generator)[:, 0]
        seen.scatter_(1, symbols[:, None], True)
        yield symbols
        logits, state = step(symbols, state)


def _without(logits: Tensor, forbidden: tuple[int, ...]) -> Tensor:
    """The logits with -inf for what is forbidden."""
    if min(forbidden) < 0 or max(forbidden) >= logits.shape[-1]:
        raise ConfigError(f"`forbidden` must be symbols from 0 to {logits.shape[-1] - 1}, got {forbidden}.")
    return logits.index_fill(-1, torch.tensor(forbidden, device=logits.device), -torch.inf)


def _require_drawable(logits: Tensor) -> None:
    """`ShapeError` if there is a row with no distribution to draw from."""
    if logits.dim() != 2 or not logits.shape[1]:
        raise ShapeError(f"`logits` must be [B, V] with a symbol to draw, got shape {list(logits.shape)}.")
    largest = logits.amax(-1)
    for row in (~largest.isfinite()).nonzero()[:1, 0].tolist():
        value = float(largest[row])
        told = f"`logits` must have a finite largest number in each row, got {value} in row {row}."
        if value == -torch.inf:
            raise ShapeError(f"{told} Forbid fewer symbols.")
        raise NotFiniteError(f"{told} {CAUSE}")
