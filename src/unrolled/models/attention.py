"""Where to look: weights of the steps of a source, for each step of what is written after it."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from unrolled.errors import ConfigError
from unrolled.shapes import expect_shape

ATTENTIONS = ("none", "additive", "dot", "general")

MOST_AT_ONCE = 1 << 25
"""Most sums of a query and a key, times their columns, that additive attention holds."""


class SourceAttention(nn.Module):
    """Means of the outputs m[s] of an encoder, weighted by softmax over s of score(q, m[s]) for a query q: a state of the decoder.

    `"additive"`: v · tanh(W q + U m[s]) (Bahdanau et al. 2015, "Neural machine translation by jointly learning to align and translate").
    `"dot"`: q · m[s], and `"general"`: q · U m[s] (Luong et al. 2015, "Effective approaches to attention-based neural machine translation");
    what is learnt is ∜H U. Adam moves every number alike, so that with U itself a few steps can settle the softmax of a wide network on a
    single step of the source before it has found out where to look; with √H U (Vaswani et al. 2017) it finds sharp answers late.
    As with Luong et al. the query is the state that has read the last symbol; Bahdanau et al. ask with the one before it.

    Args:
        how: one of the three.
        query: H, the columns of a query.
        memory: E, the columns of the encoder's outputs; for `"dot"` equal to H.

    Raises `ConfigError` for anything else.
    """

    def __init__(self, how: str, query: int, memory: int) -> None:
        super().__init__()
        if how not in ATTENTIONS[1:]:
            raise ConfigError(f"`attention` must be one of {', '.join(ATTENTIONS[1:])} here, got {how!r}.")
        if how == "dot" and query != memory:
            raise ConfigError(
                f"`attention='dot'` needs as many units in the decoder as the encoder gives, {memory}, got {query}. "
                f"Use `attention='general'`, or `decoder_hidden={memory}`."
            )
        self.how = how
        self.key = nn.Linear(memory, query, bias=False) if how != "dot" else None
        self.query = nn.Linear(query, query, bias=False) if how == "additive" else None
        self.score = nn.Linear(query, 1, bias=False) if how == "additive" else None

    def prepare(self, memory: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """The outputs `[S, B, E]` of an encoder, 0 where `real` `[S, B]` is false, and their keys `[S, B, H]`, with which queries are
        compared. Both are the same for all queries.
        """
        expect_shape("real", real.shape, "[S, B]", memory.shape[:2], "Pass one value for each step of the source.")
        memory = memory.masked_fill(~real[..., None], 0)
        if self.key is None:
            return memory, memory
        keys = self.key(memory)
        return memory, keys * keys.shape[-1] ** -0.25 if self.how == "general" else keys

    def forward(self, query: Tensor, memory: Tensor, keys: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """The means `[T, B, E]` and their weights `[T, B, S]` for queries `[T, B, H]`; `[B, E]` and `[B, S]` for `[B, H]`.

        `memory` and `keys` are prepared. Where `real` is false weights are 0. A source of length 0 has mean 0.
        """
        if query.dim() == 2:
            context, weights = self(query[None], memory, keys, real)
            return context[0], weights[0]
        padding = ~real.T[:, None]
        scores = self._scores(query.transpose(0, 1), keys.transpose(0, 1))
        # The least number, and not -inf: the softmax of a source of length 0 is then one of numbers.
        weights = scores.masked_fill(padding, torch.finfo(scores.dtype).min).softmax(-1).masked_fill(padding, 0)
        return torch.bmm(weights, memory.transpose(0, 1)).transpose(0, 1), weights.transpose(0, 1)

    def _scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """`[B, T, S]` for queries `[B, T, H]` and keys `[B, S, H]`."""
        if self.query is None or self.score is None:
            return torch.bmm(query, keys.mT)
        asked, at_once = self.query(query), max(1, MOST_AT_ONCE // max(1, keys.numel()))
        if at_once >= asked.shape[1]:
            return _additive(asked, keys, self.score.weight)
        # All sums at once would fill the memory: they are made in parts, and made again on the way back.
        parts = [checkpoint(_additive, part, keys, self.score.weight, use_reentrant=False) for part in asked.split(at_once, 1)]
        return torch.cat(parts, 1)


def _additive(asked: Tensor, keys: Tensor, weight: Tensor) -> Tensor:
    """`[B, T, S]`: v · tanh(a + k) for every a `[B, T, H]` and k `[B, S, H]`."""
    return functional.linear((asked[:, :, None] + keys[:, None]).tanh(), weight)[..., 0]
