"""A vector for each symbol of a vocabulary: one-hot, learnt, or given."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.errors import ConfigError
from unrolled.shapes import expect_shape

UNKNOWN = 0
"""The id of `<UNK>`."""


class Embedding(nn.Module):
    """Symbols `0 … symbols - 1` as vectors.

    Args:
        symbols: V, the size of the vocabulary.
        columns: E, the columns of the learnt vectors; 0 for one-hot vectors.
        word_dropout: probability with which a known word is read as `<UNK>` in training, so that there is something to learn of it.
        rare_dropout: α, with which a word that was seen n times, as `expect` says, is read so with probability α / (α + n), too: more often
            the rarer it is (Kiperwasser & Goldberg 2016, "Simple and Accurate Dependency Parsing Using Bidirectional LSTM Feature
            Representations").
        frozen: vectors that are given with `begin_with` stay as they are; the other words still learn theirs.
        deviation: the standard deviation with which learnt vectors begin; None for vectors about as long as one.
        scale: what vectors are multiplied by where they are read.
    """

    given: Tensor | None
    is_given: Tensor | None

    def __init__(
        self,
        symbols: int,
        columns: int,
        word_dropout: float = 0.0,
        rare_dropout: float = 0.0,
        frozen: bool = False,
        *,
        deviation: float | None = None,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        if not 0 <= rare_dropout < math.inf:
            raise ConfigError(f"`rare_dropout` must be a number of at least 0, got {rare_dropout}.")
        if symbols < 1 or columns < 0 or not 0 <= word_dropout < 1:
            raise ConfigError(
                "Word vectors need at least 1 symbol, 0 or more columns and a `word_dropout` from 0 up to but not including 1, "
                f"got {symbols}, {columns} and {word_dropout}."
            )
        self.symbols, self.one_hot, self.width = symbols, not columns, columns or symbols
        self.word_dropout, self.rare_dropout = word_dropout, rare_dropout
        self.deviation, self.scale = (columns or symbols) ** -0.5 if deviation is None else deviation, scale
        # No buffer: it comes from the data, and has no place among the weights of a run.
        self.dropped: Tensor | None = None
        self.weight = nn.Parameter(torch.empty(symbols, columns)) if columns else None
        self.reset_parameters()
        # A weight without a gradient would still decay under AdamW: what stays as it is lies apart.
        self.register_buffer("given", torch.zeros(symbols, columns) if frozen and columns else None)
        self.register_buffer("is_given", torch.zeros(symbols, dtype=torch.bool) if frozen and columns else None)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Learnt vectors from N(0, deviation²); given ones stay as they are."""
        # Without memory there is nothing to draw, and torch would load its compiler to do so.
        if self.weight is not None and not self.weight.is_meta:
            self.weight.normal_().mul_(self.deviation)

    @torch.no_grad()
    def begin_with(self, vectors: Tensor, known: Tensor) -> None:
        """Take the rows of `vectors` `[V, E]` for which `known` `[V]` is true. Raises `ConfigError` for one-hot words."""
        if self.weight is None:
            raise ConfigError("One-hot words have no vectors to begin with. Give `embedding` the columns of the given vectors.")
        expect_shape("vectors", vectors.shape, "[V, E]", self.weight.shape, "Give `embedding` the columns of the given vectors.")
        expect_shape("known", known.shape, "[V]", [self.symbols], "Pass one value for each word.")
        table = self.weight if self.given is None else self.given
        table[known] = vectors[known].to(table)
        if self.is_given is not None:
            self.is_given.copy_(known)

    def expect(self, counts: Tensor) -> None:
        """Drop rare words by how often each symbol is seen in training, `counts` `[V]`."""
        expect_shape("counts", counts.shape, "[V]", [self.symbols], "Pass one number for each symbol.")
        rare = self.rare_dropout / (self.rare_dropout + counts.clamp(min=1).to(torch.get_default_dtype()))
        self.dropped = self.word_dropout + (1 - self.word_dropout) * rare

    def drop(self, words: Tensor) -> Tensor:
        """The same words, in training some of them unknown. Raises `ConfigError` if rare ones are to be and nothing says which these are."""
        if not self.training or not (self.word_dropout or self.rare_dropout):
            return words
        if self.rare_dropout and self.dropped is None:
            raise ConfigError("`rare_dropout` needs how often each word comes. Pass the counts to `expect` before training.")
        dropped = self.word_dropout if self.dropped is None else self.dropped.to(words.device)[words]
        return words.masked_fill(torch.rand(words.shape, device=words.device) < dropped, UNKNOWN)

    def forward(self, words: Tensor) -> Tensor:
        """`[…, width]` for whole numbers `[…]`."""
        if self.weight is None:
            return functional.one_hot(words, self.symbols).to(torch.get_default_dtype())
        vectors = functional.embedding(words, self.weight)
        if self.given is not None and self.is_given is not None:
            vectors = torch.where(self.is_given[words][..., None], self.given[words], vectors)
        return vectors if self.scale == 1 else vectors * self.scale
