"""Copying from the source: a mixture of writing a symbol of the vocabulary and pointing at a step of the source.

P(y) = sigmoid(g) P_vocabulary(y) + sigmoid(-g) Σ a[s] over the steps s whose symbol is y, with the weights a of the attention and a learned
gate g (See et al. 2017, "Get to the point: summarization with pointer-generator networks"). What the vocabulary does not know has numbers
of its own, from V on: V + s is the symbol whose first step in this source is s.
"""

import torch
from torch import Tensor
from torch.nn import functional

SURE = 100.0
"""A gate that leaves nothing to copying, for a source without steps."""

IMPOSSIBLE = -1e30
"""A log-probability of nothing at all through which derivatives are still numbers."""


def copied(weights: Tensor, copies: Tensor, targets: Tensor) -> Tensor:
    """The weight of all steps at which a target stands, `[T, B]`, for weights `[T, B, S]`, copies `[S, B]` and targets `[T, B]`."""
    return weights.masked_fill(targets[..., None] != copies.T, 0).sum(-1)


def mixed(generated: Tensor, pointed: Tensor, gate: Tensor) -> Tensor:
    """log P for log-probabilities of the vocabulary and weights of pointing, with the logits of the gate; all of one shape."""
    copying = torch.where(pointed > 0, pointed.clamp(min=torch.finfo(pointed.dtype).tiny).log(), IMPOSSIBLE)
    log, other = functional.logsigmoid(gate), functional.logsigmoid(-gate)
    return torch.logaddexp(log + generated, other + copying)


def mixture(generated: Tensor, weights: Tensor, copies: Tensor, gate: Tensor) -> Tensor:
    """log P of every symbol, `[…, V + S]`, for `[…, V]` of the vocabulary, weights and copies `[…, S]` and the gate `[…]`.

    It is -inf for the numbers from V on that no step of a source has. Only what can be copied is mixed: a source is shorter than a
    vocabulary.
    """
    symbols, steps = generated.shape[-1], weights.shape[-1]
    weights, gate = weights.to(generated), gate.to(generated)
    same = copies[..., None] == copies[..., None, :]
    pointed = (same.to(weights) @ weights[..., None])[..., 0]
    known = generated.gather(-1, copies.clamp(max=symbols - 1)).masked_fill(copies >= symbols, IMPOSSIBLE)
    values = mixed(known, pointed, gate[..., None])
    # Each symbol is written once, from its first step; the numbers of other steps stand for nothing.
    again = same.tril(-1).any(-1)
    places = torch.where(again, symbols + torch.arange(steps, device=copies.device), copies)
    values = values.masked_fill(again | (values < IMPOSSIBLE / 2), -torch.inf)
    whole = functional.pad(generated + functional.logsigmoid(gate)[..., None], (0, steps), value=-torch.inf)
    return whole.scatter(-1, places, values)
