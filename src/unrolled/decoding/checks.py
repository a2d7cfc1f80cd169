"""Whether what a search is given fits together, so that it ends whatever that is."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError, NotFiniteError, ShapeError
from unrolled.shapes import expect_shape

CAUSE = "It comes of weights that are too large, or of inputs that are."

MOST = 0.01
"""What a logarithm of a probability may be at most: rounding may leave a little more than 0."""


def read_limits(limits: Tensor | Sequence[int]) -> Tensor:
    """Whole numbers `[B]`."""
    try:
        found = torch.as_tensor(limits) if len(limits) else torch.zeros(0, dtype=torch.long)
    except (TypeError, ValueError, RuntimeError):
        found = torch.zeros(())
    if found.dim() != 1 or found.is_floating_point() or bool((found < 0).any()):
        raise ShapeError(
            f"`limits` must be a whole number from 0 on for each source, [B], got {str(limits)[:60]}. Pass the most symbols of each."
        )
    return found.long()


def require_rows(what: str, tree: Any, rows: int) -> None:
    """`ShapeError` unless this is nested tuples of tensors with so many rows."""
    if isinstance(tree, Tensor):
        if tree.dim() < 2 or tree.shape[1] != rows:
            raise ShapeError(f"{what} must have a second dimension of {rows}, the batch, got a tensor of shape {list(tree.shape)}.")
    elif isinstance(tree, tuple | list):
        for part in tree:
            require_rows(what, part, rows)
    elif tree is not None:
        raise ShapeError(f"{what} must be tensors, nested tuples of them, or None, got {type(tree).__name__}.")


def checked_step(given: Any, rows: int, largest: int) -> tuple[Tensor, Any, Tensor | None]:
    """What a step gave for so many rows. `ShapeError` if no search can go on with it."""
    if not (isinstance(given, tuple) and len(given) == 3 and isinstance(given[0], Tensor)):
        raise ShapeError(f"`step` must give log-probabilities, the state and weights or None, got {type(given).__name__}. Give all three.")
    chances, state, weights = given
    if not chances.is_floating_point() or chances.dim() != 2 or len(chances) != rows or chances.shape[1] <= largest:
        raise ShapeError(
            f"`step` must give log-probabilities [N, V] of N = {rows} rows and the symbols up to {largest} at least, which are named in the "
            f"options or prefixes, got {chances.dtype} of shape {list(chances.shape)}."
        )
    if not bool((chances <= MOST).all()):
        row, symbol = (~(chances <= MOST)).nonzero()[0].tolist()
        value = float(chances[row, symbol])
        told = f"`step` must give log-probabilities, which are at most 0, got {value} for symbol {symbol} in row {row}."
        if math.isfinite(value):
            raise ShapeError(f"{told} Put logits through `log_softmax`.")
        raise NotFiniteError(f"{told} {CAUSE}")
    require_rows("The state that `step` gives", state, rows)
    if weights is not None and (weights.dim() != 2 or len(weights) != rows):
        raise ShapeError(f"`step` must give weights [N, S] of N = {rows} rows, or None, got shape {list(weights.shape)}.")
    if weights is not None and not weights.isfinite().all():
        raise NotFiniteError(f"`step` must give finite weights. {CAUSE}")
    return chances, state, weights


def require_fitting(end: int, count: int, lengths: Tensor | None, prefixes: Sequence[Sequence[int]]) -> None:
    """Raise an error for what does not fit the sources."""
    if lengths is not None:
        expect_shape("lengths", lengths.shape, "[B]", [count], "Pass one length for each source.")
    if len(prefixes) != count:
        raise ShapeError(f"`prefixes` must be as many as `limits`, {count}, got {len(prefixes)}. Pass one for each source, () for none.")
    for prefix in prefixes:
        if end in prefix or any(symbol < 0 for symbol in prefix):
            told = f"must be symbols from 0 on without {end}, which ends sequences"
            raise ConfigError(f"A prefix {told}, got {list(prefix)}. Leave out what is none.")


def require_beam(width: int, best: int) -> None:
    """`ConfigError` for a beam that cannot be, or that cannot give so many of the best."""
    if width < 1:
        raise ConfigError(f"`beam` must be at least 1 (1 is greedy search), got {width}.")
    if not 1 <= best <= width:
        raise ConfigError(f"`nbest` must lie between 1 and `beam` = {width}, got {best}. Take `beam={max(best, 2)}` or more.")
