"""How fast a network forgets, over many sequences."""

from dataclasses import dataclass
from math import isnan

import numpy as np
import torch

from unrolled.inspect.memories import norms_of_state
from unrolled.inspect.subject import Input, Looked, SomeLengths, read_subject
from unrolled.inspect.wording import half_life, rate_of, reach, tail_rate, verdict


@dataclass(frozen=True, eq=False)
class Forgetting:
    """‖∂h[t]/∂x[s]‖ against t - s.

    `quartiles` `[3, D]` are the lower quartile, the median and the upper one at each `distance` `[D]`, over `count` `[D]` pairs of steps. `sampled`
    says what was left out or estimated.
    """

    distance: np.ndarray
    quartiles: np.ndarray
    count: np.ndarray
    sampled: str

    @property
    def rate(self) -> float:
        """The factor per step of the medians as long as they are 0.1 % of the largest, each weighted by the number of pairs behind it."""
        return rate_of(self.distance, self.quartiles[1], self.count)

    @property
    def half_life(self) -> float:
        """The steps in which what is remembered is halved, by the rate; infinite where it does not shrink."""
        return half_life(self.rate)

    @property
    def verdict(self) -> str:
        """How fast it forgets, in a sentence; and in another how fast what is below 0.1 %, if that is twice as fast or half as fast."""
        told = f"What is left of an input {verdict(self.rate, len(self.distance))}."
        tail = tail_rate(self.distance, self.quartiles[1], self.count)
        if isnan(tail) or self.half_life / 2 <= half_life(tail) <= self.half_life * 2:
            return told
        return f"{told} What is left after that, below 0.1%, {verdict(tail, len(self.distance) - reach(self.quartiles[1]))}."


def forgetting(
    layer_or_model: Looked,
    x: Input,
    lengths: SomeLengths = None,
    *,
    steps: int = 8,
    layer: int | None = None,
    state: str | None = None,
    probes: int | None = None,
    seed: int = 0,
) -> Forgetting:
    """The forgetting curve over all sequences of a batch; the options are those of `memory`.

    Of each sequence so many `steps` t are looked at, evenly spaced over its second half, with all steps s up to t. What the reverse direction of a
    network knows of later steps is not part of it.
    """
    subject = read_subject(layer_or_model, x, lengths)
    ends = subject.lengths.values.cpu().numpy()
    at = np.full((steps, len(ends)), -1)
    for row, end in enumerate(ends):
        found = np.unique(np.linspace(end // 2, end - 1, steps if end else 0).round().astype(int))
        at[: len(found), row] = found
    norms, note = norms_of_state(subject, torch.as_tensor(at, device=subject.x.device), layer, state, probes, seed)
    curves = np.full((*at.shape, int(at.max(initial=-1)) + 1), np.nan)
    for (chosen, row), t in np.ndenumerate(at):
        curves[chosen, row, : t + 1] = norms[chosen, : t + 1, row][::-1]
    count = (~np.isnan(curves)).sum((0, 1))
    left_out = f"at most {steps} steps t of each sequence" if (ends > 2 * steps).any() else ""
    quartiles = np.nanpercentile(curves, (25, 50, 75), axis=(0, 1)) if count.size else np.empty((3, 0))
    return Forgetting(np.arange(len(count)), quartiles, count, "; ".join(n for n in (left_out, note) if n))
