"""Where the symbols of a text stand among steps that each have a symbol or a blank (CTC), or that each symbol looked at (attention)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Logs = NDArray[np.float64]
"""Log-probabilities `[T, K]` of every class at each step."""


@dataclass(frozen=True)
class Stretch:
    """A symbol, said from the step `begin` up to `end`, which is no longer its own; `log_probability` is that of its surest step."""

    symbol: int
    begin: int
    end: int
    log_probability: float


def align(logs: Logs, symbols: Sequence[int], blank: int) -> list[Stretch]:
    """The most probable way to put symbols, as many as the steps can hold, among the steps, in their order (Viterbi 1967).

    Symbols that need more steps than there are have no place, and give an empty list.
    """
    if not len(symbols):
        return []
    # Between all symbols, and before and after them, there may be blanks.
    along = np.full(2 * len(symbols) + 1, blank)
    along[1::2] = symbols
    skips = np.zeros(len(along), bool)
    skips[3::2] = along[3::2] != along[1:-2:2]
    best = np.full(len(along), -np.inf)
    best[:2] = logs[0, along[:2]]
    moves = np.zeros((len(logs), len(along)), np.int8)
    for step in range(1, len(logs)):
        ways = np.stack([best, np.append(-np.inf, best[:-1]), np.where(skips, np.append([-np.inf, -np.inf], best[:-2]), -np.inf)])
        moves[step] = ways.argmax(0)
        best = ways.max(0) + logs[step, along]
    place = len(along) - 1 if best[-1] >= best[-2] else len(along) - 2
    if not np.isfinite(best[place]):
        return []
    path = np.zeros(len(logs), np.int64)
    for step in range(len(logs) - 1, -1, -1):
        path[step] = place
        place -= int(moves[step, place])
    return [_stretch(logs, path, 2 * number + 1, symbol) for number, symbol in enumerate(symbols)]


def _stretch(logs: Logs, path: NDArray[np.int64], place: int, symbol: int) -> Stretch:
    steps = np.flatnonzero(path == place)
    return Stretch(int(symbol), int(steps[0]), int(steps[-1]) + 1, float(logs[steps, symbol].max()))


def greedy(logs: Logs, blank: int) -> list[int]:
    """The symbols of the most probable class at each step: repeated ones once, and no blanks."""
    classes = logs.argmax(1)
    changed = np.append(True, classes[1:] != classes[:-1])[: len(classes)]
    found: list[int] = classes[changed & (classes != blank)].tolist()
    return found


def follow(weights: NDArray[np.float64]) -> list[tuple[int, int]]:
    """From which step up to which, which is no longer its own, each of S symbols stands that looked at T steps with some weights `[S, T]`.

    Symbols take one stretch of steps after the other, so that the sum of the logarithms of their weights is the largest (dynamic time warping); of a
    stretch that from the first to the last step is taken which has half of its largest weight. More symbols than steps have no place: an empty list.
    """
    symbols, steps = weights.shape
    if not 0 < symbols <= steps:
        return []
    logs = np.log(np.maximum(weights, np.finfo(np.float64).tiny))
    best = np.full(symbols, -np.inf)
    best[0] = logs[0, 0]
    moved = np.zeros((steps, symbols), bool)
    for step in range(1, steps):
        before = np.append(-np.inf, best[:-1])
        moved[step] = before > best
        best = np.maximum(before, best) + logs[:, step]
    owner = np.zeros(steps, np.int64)
    place = symbols - 1
    for step in range(steps - 1, -1, -1):
        owner[step] = place
        place -= moved[step, place]
    return [_looked(weights[symbol], np.flatnonzero(owner == symbol)) for symbol in range(symbols)]


def _looked(weights: NDArray[np.float64], steps: NDArray[np.int64]) -> tuple[int, int]:
    much = steps[weights[steps] >= weights[steps].max() / 2]
    return int(much[0]), int(much[-1]) + 1
