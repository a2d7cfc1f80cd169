"""A recurrent language model: symbol in, distribution over the next symbol out."""

from typing import Any

import torch
from torch import Tensor, nn

from unrolled.cells import Cell
from unrolled.errors import ConfigError
from unrolled.layers import Recurrent, dropout


class LanguageModel(nn.Module):
    """P(y[t] | y[1] … y[t-1]) through a recurrent network.

    Args:
        symbols: V, the size of the vocabulary.
        cell, hidden, layers, recurrent_dropout, initial_state, residual, engine: as for `Recurrent`.
        embedding: columns of the learned input vectors; 0 for one-hot input.
        dropout: probability with which what a layer gives to the next one, or to the output, is dropped in training (Zaremba et al. 2014; the
            input vectors are left whole, which for characters was measured to be better).
        line_end: the symbol after which everything before is forgotten: lines are learnt, measured and drawn each as if it stood alone.
            None carries the state on, whatever comes.
        tied: the output layer reads the same matrix as the input embedding (Press & Wolf 2017); needs `embedding` equal to `hidden`.
    """

    def __init__(
        self,
        symbols: int,
        cell: Cell | str,
        hidden: int,
        layers: int = 1,
        *,
        embedding: int,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        initial_state: str = "zeros",
        residual: bool = False,
        tied: bool = False,
        line_end: int | None = None,
        engine: str = "auto",
    ) -> None:
        super().__init__()
        if tied and embedding != hidden:
            raise ConfigError(f"`--tied` needs `--embedding` equal to `--hidden`, got {embedding} and {hidden}.")
        self.symbols, self.dropout, self.line_end = symbols, dropout, line_end
        self.embedding = nn.Embedding(symbols, embedding) if embedding else None
        self.recurrent = Recurrent(
            cell,
            embedding or symbols,
            hidden,
            layers,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            initial_state=initial_state,
            residual=residual,
            engine=engine,
        )
        self.output = nn.Linear(hidden, symbols)
        self._deviation = ((embedding + hidden) / (2 * embedding)) ** 0.5 if embedding else 1.0
        self.scale = self._deviation * embedding**0.5 if tied else 1.0
        if self.embedding is not None and tied:
            self.output.weight = self.embedding.weight
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initial values of what the parts begin in another way: scores without a bias, and input vectors that are heard.

        With Glorot's input maps, vectors from N(0, (E + H) / 2 E) add to every gate a value of variance one. Shorter ones are drowned by the
        recurrent part: characters are then learnt far more slowly (`docs/results.md`), and more starts are lost. Tied ones begin about as long
        as one, as they make the scores too, and are multiplied where they are read (as in Vaswani et al. 2017, section 3.4).
        """
        nn.init.zeros_(self.output.bias)
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, std=self._deviation / self.scale)

    def begin(self, batch: int) -> tuple[Tensor, ...]:
        """Every state `[L, B, n]` before the first symbol."""
        return self.recurrent.begin(batch)

    def vectors(self, symbols: Tensor) -> Tensor:
        """What the recurrent layers read for symbols `[T, B]`: vectors `[T, B, E]`, or the symbols themselves for one-hot input."""
        if self.embedding is None:
            return symbols
        x: Tensor = self.embedding(symbols)
        return x if self.scale == 1 else x * self.scale

    def forward(self, symbols: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits `[T, B, V]` for the symbol after each of `symbols`, whole numbers `[T, B]`, and the state to go on with."""
        x = self.vectors(symbols)
        y, state = self.recurrent(x, state) if self.line_end is None else self._lines(x, symbols == self.line_end, state)
        return self.output(dropout(y, self.dropout, self.training)), state

    def _lines(self, x: Tensor, begins: Tensor, state: Any) -> tuple[Tensor, Any]:
        """What the recurrent layer gives if it begins anew at each step where `begins`, `[T, B]`, is true.

        Its `resets` go back to the state that it is given. So a row's steps before its first beginning, which belong to a line that is
        under way, are run from the carried state, and the rest from the initial one.
        """
        if state is None:
            return self.recurrent(x, resets=begins)
        if not begins.any():
            return self.recurrent(x, state)
        total, rows = begins.shape
        step, row = torch.arange(total, device=x.device)[:, None], torch.arange(rows, device=x.device)
        first = torch.where(begins, step, total).amin(0)
        head, carried = self.recurrent(x, state, lengths=first)
        later = (step + first).clamp(max=total - 1)
        tail, final = self.recurrent(x[later, row], resets=begins[later, row], lengths=total - first)
        y = torch.where((step < first)[..., None], head, tail[(step - first).clamp(min=0), row])
        return y, tuple(torch.where((first < total)[:, None], f, c) for f, c in zip(final, carried, strict=True))
