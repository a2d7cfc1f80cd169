"""The most probable texts among steps that each have a symbol or a blank (CTC): prefix beam search, with a language model and a word list.

Hannun, Maas, Jurafsky & Ng (2014), "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs".
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from unrolled.decoding.alignment import Logs
from unrolled.decoding.checks import require_beam
from unrolled.errors import ConfigError

UNLIKELY = math.log(1e-4)
"""What the log-probability of a symbol must reach at a step to be looked at there."""


class Scorer(Protocol):
    """A language model over the symbols: what follows a prefix, and with what log-probability."""

    def begin(self) -> Any:
        """The state before the first symbol."""

    def logs(self, state: Any) -> Sequence[float]:
        """The log-probability of each symbol that may come next, `[K]`."""

    def end(self, state: Any) -> float:
        """That of the text's end."""

    def advance(self, states: Sequence[Any], symbols: Sequence[int]) -> list[Any]:
        """The state after one more symbol for each of some states."""


@dataclass(frozen=True)
class PrefixOptions:
    """How wide is searched: score = log P(text | sound) + `weight` · log P(text) of the language model + `bonus` for each symbol."""

    width: int = 16
    best: int = 1
    weight: float = 0.5
    bonus: float = 0.0
    forbidden: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require_beam(self.width, self.best)
        for name, value in (("weight", self.weight), ("bonus", self.bonus)):
            if not math.isfinite(value):
                raise ConfigError(f"`{name}` must be a number, got {value}.")


class WordList:
    """Words as a tree of symbols: which symbol may come next inside a word, and where a word may end."""

    def __init__(self, words: Iterable[Sequence[int]], blank_between: int) -> None:
        self.between = blank_between
        self.root: dict[int, Any] = {}
        for word in words:
            node = self.root
            for symbol in word:
                node = node.setdefault(symbol, {})
            if len(word):
                node[-1] = {}
        # After what stands between words one is at the beginning of a word, too, but may not end.
        self._next = dict(self.root)

    def follow(self, node: dict[int, Any], symbol: int) -> dict[int, Any] | None:
        """Where one stands after a symbol; None if no word goes on so."""
        if symbol == self.between:
            return self._next if -1 in node else None
        found: dict[int, Any] | None = node.get(symbol)
        return found

    def may_end(self, node: dict[int, Any]) -> bool:
        """Whether a text may end here: after a word, or before the first."""
        return -1 in node or node is self.root


@dataclass(frozen=True)
class Found:
    """A text of `symbols` that was found, with the `log_probability` that the steps have it, and the `score` by which it is ranked."""

    symbols: tuple[int, ...]
    score: float
    log_probability: float


@dataclass(slots=True)
class _Prefix:
    """What is known of a prefix: how probable the steps so far have it with a blank at their end, and with its last symbol there."""

    blank: float = -math.inf
    symbol: float = -math.inf
    fluent: float = 0.0
    state: Any = None
    node: Any = None
    new: bool = field(default=True)

    @property
    def log_probability(self) -> float:
        """That the steps so far are exactly this prefix."""
        return _add(self.blank, self.symbol)


def _add(a: float, b: float) -> float:
    """log(exp a + exp b)."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


def prefix_search(
    logs: Logs, blank: int, options: PrefixOptions, scorer: Scorer | None = None, words: WordList | None = None
) -> list[Found]:
    """The best texts of steps with some log-probabilities `[T, K]`, best first; with a word list only such as consist of its words.

    Symbols less probable than `UNLIKELY` at a step are not looked at there. Nothing is found only where no word of a list fits.
    """
    beam: _Beam = {
        (): _Prefix(blank=0.0, state=None if scorer is None else scorer.begin(), node=None if words is None else words.root, new=False)
    }
    for step in logs:
        likely = [int(symbol) for symbol in np.flatnonzero(step >= UNLIKELY) if symbol != blank and symbol not in options.forbidden]
        beam = _advanced(beam, step.tolist(), likely, blank, options, scorer, words)
    found = [_finished(symbols, prefix, options, scorer) for symbols, prefix in beam.items() if words is None or words.may_end(prefix.node)]
    return sorted(found, key=lambda text: -text.score)[: options.best]


_Beam = dict[tuple[int, ...], _Prefix]


def _advanced(
    beam: _Beam, step: list[float], likely: list[int], blank: int, options: PrefixOptions, scorer: Scorer | None, words: WordList | None
) -> _Beam:
    """The best prefixes after one more step."""
    after: _Beam = {}
    for symbols, prefix in beam.items():
        same = after.setdefault(symbols, _Prefix(fluent=prefix.fluent))
        same.state, same.node, same.fluent, same.new = prefix.state, prefix.node, prefix.fluent, False
        same.blank = _add(same.blank, prefix.log_probability + step[blank])
        if symbols:
            same.symbol = _add(same.symbol, prefix.symbol + step[symbols[-1]])
        fluency = None if scorer is None else scorer.logs(prefix.state)
        for symbol in likely:
            node = None if words is None else words.follow(prefix.node, symbol)
            if words is not None and node is None:
                continue
            before = prefix.blank if symbols and symbol == symbols[-1] else prefix.log_probability
            if before == -math.inf:
                continue
            longer = after.setdefault((*symbols, symbol), _Prefix())
            if longer.new:
                longer.state, longer.node = prefix.state, node
                longer.fluent = prefix.fluent + (0.0 if fluency is None else fluency[symbol])
            longer.symbol = _add(longer.symbol, before + step[symbol])
    kept = sorted(after.items(), key=lambda item: -_score(item[0], item[1], options))[: options.width]
    fresh = [(symbols, prefix) for symbols, prefix in kept if prefix.new]
    if scorer is not None and fresh:
        states = scorer.advance([prefix.state for _, prefix in fresh], [symbols[-1] for symbols, _ in fresh])
        for (_, prefix), state in zip(fresh, states, strict=True):
            prefix.state = state
    for _, prefix in fresh:
        prefix.new = False
    return dict(kept)


def _score(symbols: tuple[int, ...], prefix: _Prefix, options: PrefixOptions) -> float:
    return prefix.log_probability + options.weight * prefix.fluent + options.bonus * len(symbols)


def _finished(symbols: tuple[int, ...], prefix: _Prefix, options: PrefixOptions, scorer: Scorer | None) -> Found:
    """A prefix as a whole text, whose end the language model has its say on."""
    end = 0.0 if scorer is None else options.weight * scorer.end(prefix.state)
    return Found(symbols, _score(symbols, prefix, options) + end, prefix.log_probability)
