"""The most probable sequences after a source, by beam search: several are carried on side by side, and the best ones kept at every step."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from unrolled.decoding.checks import checked_step, read_limits, require_beam, require_fitting, require_rows
from unrolled.errors import ConfigError

Step = Callable[[Tensor, Any, Any], tuple[Tensor, Any, Tensor | None]]
"""`(symbols [N], state, memory) -> (log-probabilities [N, V], state, weights [N, S] or None)`, K rows in a row for each of N / K sources."""

FREE = -1
"""Where any symbol may come next."""

STEEPEST = 20.0
"""The largest length penalty, with which the power of any length is still a number."""

Number = TypeVar("Number", float, Tensor)


@dataclass(frozen=True)
class Hypothesis:
    """A sequence that has ended.

    `symbols` `[T]` without the one that ends it; `log_probability` is log P of all of them with the end; `score` is what they are ranked by;
    `weights` `[T + 1, S]` are those of the source at every step, the end included, or None.
    """

    symbols: Tensor
    score: float
    log_probability: float
    weights: Tensor | None


@dataclass(frozen=True)
class BeamOptions:
    """How far and wide is searched, and how sequences of different lengths are ranked (Wu et al. 2016, equation 14).

    score = log P / ((5 + n) / 6)^length_penalty + coverage_penalty · Σ over the source's steps of log min(1, Σ weights over the n steps),
    where n counts the end, too. With width 1 the first sequence that ends is taken: that is greedy search.
    """

    width: int = 1
    best: int = 1
    length_penalty: float = 0.0
    coverage_penalty: float = 0.0
    end: int = 1
    forbidden: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require_beam(self.width, self.best)
        if not abs(self.length_penalty) <= STEEPEST:
            told = f"must be a number from {-STEEPEST:g} to {STEEPEST:g} (0: none)"
            raise ConfigError(f"`length_penalty` {told}, got {self.length_penalty}.")
        if not 0 <= self.coverage_penalty < math.inf:
            raise ConfigError(f"`coverage_penalty` must be a number of at least 0, got {self.coverage_penalty}.")
        if min((self.end, *self.forbidden)) < 0:
            raise ConfigError(f"Symbols are numbers from 0 on, got `end={self.end}` and `forbidden={self.forbidden}`.")
        if self.end in self.forbidden:
            raise ConfigError(f"The symbol {self.end} ends sequences and cannot be forbidden. Leave it out of `forbidden`.")

    def divisor(self, steps: Number) -> Number:
        """What log P is divided by after so many steps."""
        return ((5 + steps) / 6) ** self.length_penalty


def select(tree: Any, rows: Tensor) -> Any:
    """The given rows of every tensor in a nested tuple; the batch is the second dimension of each. None stays None."""
    if tree is None:
        return None
    if isinstance(tree, Tensor):
        return tree.index_select(1, rows)
    parts = [select(part, rows) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


class Written(NamedTuple):
    """A row for each open sequence, K for each source: the state after what was written, `symbols` `[t, N]`, and `weights` `[t, N, S]`."""

    state: Any
    symbols: Tensor
    weights: Tensor | None


@torch.no_grad()
def beam_search(
    step: Step,
    state: Any,
    memory: Any,
    limits: Tensor | Sequence[int],
    options: BeamOptions | None = None,
    *,
    lengths: Tensor | None = None,
    prefixes: Sequence[Sequence[int]] | None = None,
) -> list[list[Hypothesis]]:
    """For each of B sources the `best` sequences that were found, best first; fewer only where fewer are possible.

    Args:
        step: what gives the log-probabilities of the next symbol; it is called with `end` first.
        state: that of each source before the first step: nested tuples of tensors with the batch as second dimension.
        memory: what a step reads of the sources and does not change, in the same form; or None.
        limits: `[B]`, the most symbols of a sequence before its end. One that has as many must end, with what the end costs there.
        options: the search.
        lengths: `[B]`, the real steps of the sources, which the coverage penalty looks at; all of them if None.
        prefixes: for each source the symbols that a sequence must begin with, forbidden ones too. They raise its limit if need be.

    A source is done as soon as none of its open sequences can still become one of the best: log P only falls, and is divided by no more
    than what its limit allows. So the search ends whatever a step gives; a source of which no sequence can end has none.

    Raises `ShapeError` for what is not of as many sources as `limits`, and for a step that gives something else than what it should, such as
    NaN or logits; `ConfigError` for a prefix with an end.
    """
    limits = read_limits(limits)
    for name, tree in (("state", state), ("memory", memory)):
        require_rows(f"`{name}`", tree, len(limits))
    search = Search(options or BeamOptions(), limits.to(_device(state)), state, lengths, prefixes)
    while len(search.sources):
        search.advance(step, memory)
        kept = search.leave()
        memory = memory if kept is None else select(memory, kept)
    return search.found


class Search:
    """The open sequences of all sources that are not done, and what was `found` for each source."""

    def __init__(
        self, options: BeamOptions, limits: Tensor, state: Any, lengths: Tensor | None, prefixes: Sequence[Sequence[int]] | None
    ) -> None:
        count, device = len(limits), limits.device
        prefixes = [()] * count if prefixes is None else prefixes
        require_fitting(options.end, count, lengths, prefixes)
        self.options, self.limits, self.lengths = options, limits, lengths
        self.largest = max((options.end, *options.forbidden, *(symbol for prefix in prefixes for symbol in prefix)))
        self.found: list[list[Hypothesis]] = [[] for _ in range(count)]
        self.sources = torch.arange(count, device=device)
        longest = max(map(len, prefixes), default=0)
        table = [[*prefix, *[FREE] * (longest - len(prefix))] for prefix in prefixes]
        self.prefixes = torch.tensor(table, dtype=torch.long, device=device).view(count, longest)
        self.scores = torch.full((count, options.width), -torch.inf, device=device).index_fill(1, self.sources.new_zeros(1), 0.0)
        self.worst = torch.full((count,), -torch.inf, dtype=torch.float64, device=device)
        rows = self.sources.repeat_interleave(options.width)
        self.last = torch.full_like(rows, options.end)
        self.written = Written(select(state, rows), rows.new_empty(0, len(rows)), None)

    def advance(self, step: Step, memory: Any) -> None:
        """One more symbol for every open sequence; those that end with it leave the beam."""
        sources, width = self.scores.shape
        chances, state, weights = checked_step(step(self.last, self.written.state, memory), len(self.last), self.largest)
        symbols = chances.shape[-1]
        total = self.scores.to(chances)[..., None] + self._allowed(chances.view(sources, width, symbols))
        # Each sequence has one end, so that among twice as many as the beam holds there are enough that go on.
        top, index = total.flatten(1).topk(min(2 * width, width * symbols))
        origins, new = index // symbols + width * torch.arange(sources, device=index.device)[:, None], index % symbols
        ends = new == self.options.end
        before = self.written.weights
        seen = weights if weights is None else weights[None] if before is None else torch.cat([before, weights[None]])
        self.written = Written(state, self.written.symbols, seen)
        for source, rank in (ends & top.isfinite())[:, :width].nonzero().tolist():
            self._finish(source, int(origins[source, rank]), float(top[source, rank]))
        going = ends.long().argsort(dim=1, stable=True)[:, :width]
        self.scores = top.gather(1, going).masked_fill(ends.gather(1, going), -torch.inf)
        self.last = new.gather(1, going).flatten()
        written = self.written if width == 1 else select(self.written, origins.gather(1, going).flatten())
        self.written = written._replace(symbols=torch.cat([written.symbols, self.last[None]]))

    def leave(self) -> Tensor | None:
        """Let go of the sources that are done; those that stay, if any leave.

        While they are few, they stay without open sequences, as moving the others costs time.
        """
        done = self.worst >= self._bound()
        gone = int(done.sum())
        if gone == len(done):
            self.sources = self.sources[:0]
        self.scores = self.scores.masked_fill(done[:, None], -torch.inf)
        if 4 * gone < len(done) or gone == len(done):
            return None
        kept = (~done).nonzero()[:, 0]
        width = self.options.width
        rows = (kept[:, None] * width + torch.arange(width, device=kept.device)).flatten()
        self.sources, self.prefixes, self.limits = self.sources[kept], self.prefixes[kept], self.limits[kept]
        self.scores, self.worst, self.last, self.written = self.scores[kept], self.worst[kept], self.last[rows], select(self.written, rows)
        return kept

    def _bound(self) -> Tensor:
        """The best score that an open sequence of each source may still reach, `[B]`."""
        least, most = self.options.divisor(len(self.written.symbols) + 1), self.options.divisor(self.limits.double() + 1)
        return self.scores.amax(1).double() / most.clamp(min=least)

    def _allowed(self, chances: Tensor) -> Tensor:
        """Log-probabilities `[B, K, V]` without what may not come next."""
        written = len(self.written.symbols)
        must = torch.where(self.limits <= written, self.options.end, FREE)
        if written < self.prefixes.shape[1]:
            prefix = self.prefixes[:, written]
            must = torch.where(prefix == FREE, must, prefix)
        free = chances.index_fill(-1, must.new_tensor(self.options.forbidden), -torch.inf) if self.options.forbidden else chances
        if bool((must == FREE).all()):
            return free
        index = must.clamp(min=0)[:, None, None].expand(*chances.shape[:2], 1)
        only = torch.full_like(chances, -torch.inf).scatter(-1, index, chances.gather(-1, index))
        return torch.where((must == FREE)[:, None, None], free, only)

    def _finish(self, place: int, row: int, log_probability: float) -> None:
        """Keep a sequence that has ended, if it is one of the best."""
        source, written, options = int(self.sources[place]), self.written, self.options
        weights = None if written.weights is None else written.weights[:, row]
        score = log_probability / options.divisor(len(written.symbols) + 1)
        if weights is not None and options.coverage_penalty:
            seen = weights.sum(0)[: None if self.lengths is None else int(self.lengths[source])]
            score += options.coverage_penalty * float(seen.clamp(torch.finfo(seen.dtype).tiny, 1).log().sum())
        found = self.found[source]
        if len(found) == options.best and score <= found[-1].score:
            return
        # Copies, as views would keep what was written for all other sources.
        found.append(Hypothesis(written.symbols[:, row].clone(), score, log_probability, weights if weights is None else weights.clone()))
        found.sort(key=lambda hypothesis: -hypothesis.score)
        del found[options.best :]
        if len(found) == options.best:
            # Greedy search takes the first sequence that ends.
            self.worst[place] = found[-1].score if options.width > 1 else torch.inf


def _device(tree: Any) -> torch.device | None:
    """Where the tensors of a nested tuple lie; None if there are none."""
    if isinstance(tree, Tensor):
        return tree.device
    return next((found for part in tree or () if (found := _device(part)) is not None), None)
