"""Music drawn from a network: from nothing, after a beginning, or around given notes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.data.codecs.music import EventCodec, FrameCodec, Steps
from unrolled.data.music.piece import KEYS
from unrolled.data.music.streams import batch_of
from unrolled.decoding.keys import Given, Logits, draw_keys, resampled
from unrolled.decoding.sampling import narrowed
from unrolled.models import KeysHead, NextStep
from unrolled.models.encoder import State
from unrolled.tasks.music.grammar import Grammar

MOST_EVENTS = 200
"""Events of a bar, at most."""

MOST_BARS = 200
"""Bars after which a piece ends that has found no end."""


BELOW, ABOVE, AROUND = "below", "above", "around"
"""Where keys may be drawn beside those that are given."""


@dataclass(frozen=True)
class Chance:
    """How draws are made."""

    temperature: float
    top_p: float
    generator: torch.Generator

    def keys(self, logits: Logits, nothing: Tensor, given: Given | None = None) -> tuple[Tensor, Tensor]:
        """Keys, and how likely what is given was."""
        return draw_keys(logits, nothing, temperature=self.temperature, top_p=self.top_p, given=given, generator=self.generator)

    def symbols(self, logits: Tensor) -> Tensor:
        """One symbol for each row."""
        chances = narrowed(logits, self.temperature, 0, self.top_p).softmax(-1)
        return torch.multinomial(chances, 1, generator=self.generator)[:, 0]


def draw_frames(model: NextStep, codec: FrameCodec, begun: Steps, steps: int, count: int, chance: Chance) -> Tensor:
    """`count` pieces that begin with some frames, `[T, 88]`, and go on for `steps`: `[T + steps, count, 88]`."""
    scores, state, frames = _begin(model, codec, begun, count)
    for _ in range(steps):
        keys, _ = chance.keys(_after(model, scores), frames[0].new_zeros(count, KEYS))
        frames.append(keys)
        scores, state = _step(model, keys, state)
    return torch.stack(frames[1:])


def harmonise(model: NextStep, codec: FrameCodec, given: Steps, particles: int, chance: Chance, beside: str = BELOW) -> Steps:
    """Frames `[T, 88]` that have all keys of `given`, `[T, 88]`, and whatever the network puts `beside` them: `below` the highest, `above` the lowest, or `around`.

    A particle filter (Gordon et al. 1993, "Novel Approach to Nonlinear/Non-Gaussian Bayesian State Estimation"): of many pieces that are drawn side by side those go
    on under which what is given is likely, so that what is drawn knows of the notes to come.
    """
    history, weights = weighed(model, codec, given, particles, chance, beside)
    chosen = torch.multinomial(weights.softmax(0), 1, generator=chance.generator)
    return history[:, int(chosen)].numpy()


def weighed(model: NextStep, codec: FrameCodec, given: Steps, particles: int, chance: Chance, beside: str) -> tuple[Tensor, Tensor]:
    """The particles of `harmonise`, `[T, particles, 88]`, and the logarithms of their weights: a draw by these is nearly one from all pieces that hold what is given."""
    scores, state, _ = _begin(model, codec, given[:0], particles)
    history = torch.zeros(len(given), particles, KEYS, dtype=torch.uint8)
    weights = torch.zeros(particles, device=scores.device)
    for step, frame in enumerate(torch.from_numpy(given).to(scores.device).bool()):
        nothing = scores.new_zeros(particles, KEYS)
        keys, more = chance.keys(_after(model, scores), nothing, _allowed(frame, beside))
        weights = weights + more
        history[step] = keys.to("cpu", torch.uint8)
        if _effective(weights) < particles / 2:
            which = resampled(weights, chance.generator)
            keys, state = keys[which], tuple(part[..., which, :] for part in state)
            history[: step + 1] = history[: step + 1, which.cpu()]
            weights = torch.zeros_like(weights)
        scores, state = _step(model, keys, state)
    return history, weights


def _allowed(frame: Tensor, beside: str) -> Given:
    """That the keys of a frame must sound, and others only where they may; where none is given, all may."""
    if beside == AROUND or not frame.any():
        return Given(frame, torch.ones_like(frame))
    return Given(frame, (frame.flip(-1).cumsum(-1).flip(-1) if beside == BELOW else frame.cumsum(-1)) > 0)


def _effective(weights: Tensor) -> float:
    """As how many equally likely pieces weighted ones are worth."""
    return float(1 / weights.softmax(0).square().sum())


def _after(model: NextStep, scores: Tensor) -> Logits:
    """What the log-odds of keys are after those below them."""
    head = model.head
    assert isinstance(head, KeysHead)
    return lambda keys: head.logits(scores, keys)


def _begin(model: NextStep, codec: FrameCodec, begun: Steps, count: int) -> tuple[Tensor, State, list[Tensor]]:
    """The scores for what comes after some frames, the state, and the frames, after one of nothing that stands before them."""
    inputs = codec.inputs(np.concatenate([begun, np.zeros((1, KEYS), np.uint8)]))
    device = next(model.parameters()).device
    scores, state = model(batch_of(inputs[:, None], inputs[:, None]).to(device))
    known = [torch.from_numpy(frame).to(scores).expand(count, -1) for frame in begun]
    return scores[-1].expand(count, -1), _repeated(state, count), [scores.new_zeros(count, KEYS), *known]


def _repeated(state: State, count: int) -> State:
    return tuple(part.expand(*part.shape[:-2], count, part.shape[-1]).contiguous() for part in state)


def _step(model: NextStep, keys: Tensor, state: State) -> tuple[Tensor, State]:
    """What comes after some keys `[B, 88]`."""
    scores, state = model(torch.cat([keys, keys.new_zeros(len(keys), 1)], -1)[None], state)
    return scores[0], state


def draw_events(
    model: NextStep, codec: EventCodec, begun: Sequence[int], bars: int | None, count: int, chance: Chance, *, full_bars: bool
) -> list[Steps]:
    """The ids of `count` pieces that begin with some events, and go on to their end, or for so many bars; see `Grammar` for `full_bars`."""
    device = next(model.parameters()).device
    grammar = Grammar(codec, device, full_bars=full_bars)
    scores, state = model(torch.tensor([codec.end, *begun], device=device)[:, None])
    scores, state = scores[-1].expand(count, -1), _repeated(state, count)
    place = grammar.begin(begun).repeated(count)
    drawn, passed = list[Tensor](), torch.zeros(count, dtype=torch.long, device=device)
    done = torch.zeros(count, dtype=torch.bool, device=device)
    for _ in range(MOST_EVENTS * (bars or MOST_BARS)):
        logits = scores.float().masked_fill(~grammar.allowed(place), -torch.inf)
        next_ones = torch.where(done, codec.end, chance.symbols(logits))
        drawn.append(next_ones)
        passed += grammar.bars[next_ones]
        done |= next_ones == codec.end
        if bars is not None:
            done |= passed >= bars
        if bool(done.all()):
            break
        place = grammar.after(place, next_ones)
        scores, state = model(next_ones[None], state)
        scores = scores[0]
    return [_until_end(np.array([*begun, *column], np.int64), codec.end) for column in torch.stack(drawn, 1).tolist()]


def _until_end(ids: Steps, end: int) -> Steps:
    ends = np.flatnonzero(ids == end)
    return ids[: ends[0] + 1] if len(ends) else np.append(ids, end)
