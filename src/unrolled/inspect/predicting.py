"""What a model expects, step by step, and how much what comes surprises it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.inspect.subject import Input, Looked, SomeLengths, Subject, read_subject, still
from unrolled.models import EncoderDecoder, Scoring
from unrolled.models.arrangements.arrangement import require_classes
from unrolled.shapes import expect_shape

SCORES_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class Predictions:
    """The `choices` `[T, B, k]` that are most probable, the best first, and their `probabilities`.

    Of a language model at each step what comes after its symbol, of an encoder-decoder the target's symbol at each of its steps, of a tagger each
    step's tag, of a classifier the label, with T = 1. `surprise` `[T, B]` are the bits, -log2 P, of the symbol, tag or label that stands
    there: NaN where there is none or nothing was predicted, as of the first symbol of a language model's text. `attention` `[T, B, S]`
    are the weights of the source's steps, where there is attention.
    """

    choices: np.ndarray
    probabilities: np.ndarray
    surprise: np.ndarray
    attention: np.ndarray | None = None

    @property
    def summary(self) -> str:
        """The mean surprise, in a sentence."""
        known = self.surprise[~np.isnan(self.surprise)]
        return f"{known.mean():.2f} bits of surprise on average." if known.size else "Nothing is known of what should come."


@torch.no_grad()
def predictions(
    model: Looked, x: Input, targets: Tensor | None = None, lengths: SomeLengths = None, *, top: int = 5, copies: Tensor | None = None
) -> Predictions:
    """What a model makes of an input.

    `targets` are tags `[T, B]`, labels `[B]`, or what an encoder-decoder should write, `[T, B]`, which it needs; a language model predicts `x`
    itself. `copies` are those of an encoder-decoder that copies. Raises `ConfigError` for a network that predicts nothing, or numbers.
    """
    if isinstance(model, EncoderDecoder):
        return _written(model, x, targets, lengths, top, copies)
    if not isinstance(model, Scoring):
        raise ConfigError(f"A {type(model).__name__} predicts nothing. Pass a network with a head, or an encoder-decoder.")
    require_classes(model.head)
    subject = read_subject(model, x, lengths)
    parts = [_expected(p, t, top) for p, t in _probabilities(model, subject, _wanted(model, subject, x, targets))]
    choices, probabilities, surprise = (np.concatenate(column) for column in zip(*parts, strict=True))
    if model.predicts_input:
        surprise = np.concatenate([np.full_like(surprise[:1], np.nan), surprise[:-1]])
    return Predictions(choices, probabilities, surprise)


def _wanted(model: Scoring, subject: Subject, x: Input, targets: Tensor | None) -> Tensor:
    """What should come at each step `[T, B]`, or once `[1, B]`; -1 where nothing is known."""
    steps, batch = subject.x.shape[:2]
    if model.predicts_input:
        assert isinstance(x, Tensor)
        x = x.reshape(steps, batch)
        targets = torch.cat([x[1:], torch.full_like(x[:1], -1)])
        return targets.masked_fill(~torch.cat([subject.lengths.mask[1:], subject.lengths.mask[:1] & False]), -1)
    if targets is None:
        return torch.full((1 if model.once else steps, batch), -1, device=subject.x.device)
    if model.once:
        expect_shape("targets", targets.shape, "[B]", [batch], "Pass one label for each sequence.")
        return targets[None]
    expect_shape("targets", targets.shape, "[T, B]", [steps, batch], "Pass one tag for each step.")
    return targets.masked_fill(~subject.lengths.mask, -1)


def _probabilities(model: Scoring, subject: Subject, wanted: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Probabilities `[…, B, K]` and what should come `[…, B]`, a few steps at a time where they are many and decided one by one."""
    ends = subject.lengths.values
    assert subject.head is not None
    score = subject.head
    y, _ = subject.layer(subject.x, lengths=ends, resets=subject.resets)
    if subject.pooling is not None:
        yield model.probabilities_of(score(subject.pooling(y, ends)))[None], wanted
    elif not model.predicts_input:
        yield model.probabilities_of(score(y), ends), wanted
    else:
        at_once = max(1, SCORES_AT_ONCE // (y.shape[1] * score.out_features))
        for part, target in zip(y.split(at_once), wanted.split(at_once), strict=True):
            yield model.probabilities_of(score(part)), target


def _expected(probabilities: Tensor, wanted: Tensor, top: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best choices and their probabilities, and the surprise at what came."""
    best, choices = probabilities.topk(min(top, probabilities.shape[-1]), -1)
    known = probabilities.gather(-1, wanted.clamp(min=0)[..., None])[..., 0]
    surprise = (-known.log() / log(2)).masked_fill(wanted < 0, torch.nan)
    return choices.cpu().numpy(), best.cpu().numpy(), surprise.cpu().numpy()


def _written(
    model: EncoderDecoder, source: Input, target: Tensor | None, lengths: SomeLengths, top: int, copies: Tensor | None
) -> Predictions:
    """Step by step, each after the target's symbols before it; nothing is known past the first `end` of a target."""
    if target is None or not isinstance(source, Tensor | Batch):
        raise ConfigError(
            "An EncoderDecoder needs a source, whole numbers [S, B] or a `Batch`, and `targets` [T, B] of whole numbers. Pass what it wrote, or should write."
        )
    network = still(model)
    if isinstance(source, Batch):
        memory = network.read(source)
    else:
        ends = torch.full_like(source[0], len(source)) if lengths is None else torch.as_tensor(lengths, device=source.device)
        memory = network.encode(source, ends, copies)
    state, symbols, parts, weights = network.begin(memory), torch.full_like(target[0], network.end), [], []
    ended = (target == network.end).cumsum(0) - (target == network.end).int() > 0
    wanted = target.masked_fill(ended, -1)
    for step in wanted:
        logs, state, attended = network.step(symbols, state, memory)
        parts.append(_expected(logs.exp()[None], step[None], top))
        weights.append(attended)
        symbols = step.masked_fill(step < 0, network.end)
    choices, best, surprise = (np.concatenate(column) for column in zip(*parts, strict=True))
    seen = [w for w in weights if w is not None]
    return Predictions(choices, best, surprise, torch.stack(seen).cpu().numpy() if seen else None)
