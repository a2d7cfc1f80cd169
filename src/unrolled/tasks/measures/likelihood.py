"""How well a network predicts what comes next in a text: every token of it, with the state carried through."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.codecs import TextCodec
from unrolled.data.codecs.text import CHAR, EVENT, WORD
from unrolled.data.columns import Elements
from unrolled.models import NextStep
from unrolled.plain import or_null
from unrolled.training import State

WARM_UP = 256
LEAST_PART = 4 * WARM_UP
LOGITS_AT_ONCE = 1 << 22
PART = 1_000_000
MOST_STREAMS = 64

UNITS = {CHAR: "character", WORD: "word", EVENT: "event"}
"""What a token is called, by its level."""


@dataclass(frozen=True)
class Likelihood:
    """`nats` is the mean negative natural log-probability of a token; `bits` and `perplexity` follow from it.

    `unknown` of the `tokens` are `<UNK>`, which is easier to guess than what it stands for. `accuracy` is the part of the tokens that were
    the most probable ones, `<UNK>` never being right. `accuracy_within` is the same without the first token of each line, for models that
    begin anew with it: the accuracy over all beginnings of a line, its end included. It is None for others.

    `unigram` is what guessing each token by how often it came in what was learnt gives, in nats too; None if that is not known. The text
    was read in so many `parts`, each from the initial state and all but the first after a warm-up; `lost` of them are no better than that guess
    is for the same part. `level` is that of the tokens.
    """

    nats: float
    tokens: int
    unknown: int = 0
    accuracy: float = 0.0
    accuracy_within: float | None = None
    unigram: float | None = None
    parts: int = 1
    lost: int = 0
    level: str = CHAR

    @property
    def bits(self) -> float:
        """Bits per token."""
        return self.nats / log(2)

    @property
    def perplexity(self) -> float:
        """The number of equally likely choices that would be as hard to guess."""
        return exp(self.nats) if self.nats < 700 else float("inf")

    @property
    def accuracies(self) -> dict[str, float]:
        """The accuracies that there are, by name."""
        found = {"accuracy": self.accuracy, "accuracy_within": self.accuracy_within}
        return {name: value for name, value in found.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        numbers: dict[str, Any] = {"nats": self.nats, "bits": self.bits, "perplexity": or_null(self.perplexity), **self.accuracies}
        return numbers | {name: getattr(self, name) for name in ("tokens", "unknown", "unigram", "parts", "lost")}

    @property
    def text(self) -> str:
        """All of it in a line."""
        return f"{self}, perplexity {self.perplexity:.3f}, over {self.tokens:,} tokens"

    def __str__(self) -> str:
        """In nats, as is usual for characters, words or events, and the accuracy: within lines, if they stand alone."""
        usual = f"{self.bits:.3f} bits" if self.level == CHAR else f"perplexity {self.perplexity:.{3 if self.level == EVENT else 1}f}"
        within = self.accuracy_within is not None
        right = f"accuracy {self.accuracy_within:.2%} after the first of a line" if within else f"accuracy {self.accuracy:.2%}"
        unknown = f", {self.unknown / self.tokens:.2%} of the tokens are <UNK>" if self.unknown else ""
        guess = f"; guessing by frequency: {self.unigram:.3f}" if self.unigram is not None else ""
        lost = f"; {self.lost} of {self.parts} parts are no better" if self.lost and self.parts > 1 else ""
        return f"{self.nats:.4f} nats ({usual} per {UNITS[self.level]}, {right}{unknown}{guess}{lost})"


def streams_for(tokens: int) -> int:
    """In how many parts a text of so many tokens is read: one, unless it is so long that one would wait for minutes."""
    return max(1, min(MOST_STREAMS, tokens // PART))


@torch.inference_mode()
def measure(
    model: NextStep,
    tokens: Elements,
    streams: int = 1,
    progress: Callable[[int, int], None] | None = None,
    codec: TextCodec | None = None,
) -> Likelihood:
    """The loss and accuracy over a whole text, each token predicted once from those before it.

    With one stream the state is carried from the first token to the last. With more, the text is cut into that many parts which are read
    side by side; the state of each but the first is warmed up on the tokens before it, so that the result differs in the fourth digit only
    where a network recovers from any beginning. The model should be in evaluation mode. `progress` is told how many steps are done of how
    many; `codec` is that of the tokens, which knows how often each came.
    """
    device = next(model.parameters()).device
    streams = max(1, min(streams, len(tokens) // LEAST_PART))
    length = -(-len(tokens) // streams)
    window = max(16, LOGITS_AT_ONCE // (streams * model.head.size))
    state = _warmed_up(model, tokens, streams, length, window) if streams > 1 else None
    totals, guessed = torch.zeros(streams, dtype=torch.double), torch.zeros(streams, dtype=torch.double)
    log_frequencies = None if codec is None else codec.vocabulary.log_frequencies
    by_frequency = None if log_frequencies is None else -torch.from_numpy(log_frequencies)
    counts = torch.zeros(4, dtype=torch.long)
    for start in range(0, length, window):
        stop = min(start + window, length)
        symbols, real = (t.to(device) for t in _columns(tokens, streams, length, start, stop))
        logits, state = model(symbols[:-1], state)
        losses = model.head.losses(logits, symbols[1:])
        totals += torch.where(real, losses.double(), 0).sum(0).cpu()
        if by_frequency is not None:
            guessed += torch.where(real, by_frequency.to(device)[symbols[1:]], 0).sum(0).cpu()
        counts += _counted(symbols[:-1][real], symbols[1:][real], logits.argmax(-1)[real])
        if progress:
            progress(stop, length)
    unknown, right, within, right_within = counts.tolist()
    accuracy_within = None if model.line_end is None else right_within / max(within, 1)
    unigram = None if by_frequency is None else float(guessed.sum()) / len(tokens)
    # What is no number is no better either.
    lost = 0 if by_frequency is None else int((~(totals < guessed)).sum())
    level = CHAR if codec is None else codec.level
    return Likelihood(
        float(totals.sum()) / len(tokens), len(tokens), unknown, right / len(tokens), accuracy_within, unigram, streams, lost, level
    )


def _warmed_up(model: NextStep, tokens: Elements, streams: int, length: int, window: int) -> State:
    """The states before each part of a text: the initial one before the first, and those after the tokens that come before the others."""
    state = None
    for start in range(-WARM_UP, 0, window):
        symbols, _ = _columns(tokens, streams, length, start, min(start + window, 0))
        _, state = model(symbols[:-1].to(next(model.parameters()).device), state)
    for warm, initial in zip(state or (), model.begin(1), strict=True):
        warm[:, 0] = initial[:, 0]
    return state or ()


def _counted(before: Tensor, targets: Tensor, guesses: Tensor) -> Tensor:
    """Of tokens `[N]`, those before them and the likeliest ones: how many are unknown, right, not first in a line, and both of these."""
    unknown, within = targets == TextCodec.unknown, before != TextCodec.end
    right = (guesses == targets) & ~unknown
    return torch.stack([each.sum() for each in (unknown, right, within, right & within)]).cpu()


def _columns(tokens: Elements, streams: int, length: int, start: int, stop: int) -> tuple[Tensor, Tensor]:
    """Tokens `start - 1` to `stop - 1` of every part, `[T + 1, B]`, with `<EOS>` outside the text, and which of the last T count."""
    symbols = torch.full((stop - start + 1, streams), TextCodec.end)
    real = torch.zeros(stop - start, streams, dtype=torch.bool)
    for part in range(streams):
        first, last = part * length + start - 1, min(part * length + stop, len(tokens))
        inside = max(first, 0)
        if last > inside:
            symbols[inside - first : last - first, part] = torch.from_numpy(tokens.read(inside, last).astype(np.int64))
        real[max(0, -start) : max(0, last - part * length - start), part] = True
    return symbols, real
