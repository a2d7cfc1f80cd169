"""Units whose state follows a property of the input."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from unrolled.errors import DataError
from unrolled.inspect.subject import Input, Looked, SomeLengths, Subject, read_subject
from unrolled.inspect.walk import Place, place_name, shape_of
from unrolled.shapes import expect_shape


@dataclass(frozen=True, eq=False)
class Followers:
    """How each unit's state goes with a property of the input.

    `correlations` has Pearson's r `[H]` of every unit, by `(state, place)` with the place a layer and a direction; 0 for a unit that does not change.
    They are of the first half of the steps, in which `unit` of `state` at `place` was found to be the best, in either sign; `chosen_by` is its r.
    `correlation` is the same unit's r in the second half, which had no part in the choice: the greatest of many numbers flatters.
    """

    correlations: Mapping[tuple[str, Place], np.ndarray]
    state: str
    place: Place
    unit: int
    chosen_by: float
    correlation: float
    shape: tuple[int, int]

    @property
    def summary(self) -> str:
        """The unit and how well it follows, in a sentence."""
        place = place_name(self.place, self.shape)
        return (
            f"Unit {self.unit} of {self.state}{place and f' ({place})'} follows it with r = {self.correlation:.2f} where it was not chosen."
        )


def units_that_follow(layer_or_model: Looked, x: Input, wanted: np.ndarray, lengths: SomeLengths = None) -> Followers:
    """The unit whose state goes best with `wanted`, numbers `[T, B]` or `[T]`, among all states of all layers and directions.

    The steps of all sequences, one sequence after the other, are halved: the first half chooses, the second tells how good the choice was.
    Raises `DataError` where `wanted` does not change within one of them.
    """
    subject = read_subject(layer_or_model, x, lengths)
    steps, batch = subject.x.shape[:2]
    wanted = np.asarray(wanted, dtype=float)
    wanted = wanted[:, None] if wanted.ndim == 1 else wanted
    expect_shape("wanted", wanted.shape, "[T, B]", [steps, batch], "Pass one number for each step that is read.")
    real = subject.lengths.mask.cpu().numpy()
    follow = wanted.T[real.T]
    half = len(follow) // 2
    if not half or min(np.ptp(follow[:half]), np.ptp(follow[half:])) == 0:
        raise DataError("`wanted` does not change within half of the steps, so that nothing can follow it there. Pass a longer text.")
    values = {key: v.transpose(1, 0, 2)[real.T] for key, v in _states(subject).items()}
    chosen = {key: _correlations(v[:half], follow[:half]) for key, v in values.items()}
    key = max(chosen, key=lambda k: np.abs(chosen[k]).max())
    unit = int(np.abs(chosen[key]).argmax())
    held_out = _correlations(values[key][half:, unit : unit + 1], follow[half:])
    return Followers(chosen, *key, unit, float(chosen[key][unit]), float(held_out[0]), shape_of(subject.layer))


@torch.no_grad()
def _states(subject: Subject) -> dict[tuple[str, Place], np.ndarray]:
    """Every state at every place, `[T, B, H]`."""
    layer = subject.layer
    history = layer(subject.x, lengths=subject.lengths.values, resets=subject.resets, return_states=True)[2]
    return {
        (name, place): v.cpu().numpy()
        for name, h in zip(layer.cell.states, history, strict=True)
        for place, v in zip(layer.places, h, strict=True)
    }


def _correlations(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Pearson's r of each column of `values` `[N, H]` with `wanted` `[N]`."""
    values, wanted = values - values.mean(0), wanted - wanted.mean()
    size = np.linalg.norm(values, axis=0) * np.linalg.norm(wanted)
    return np.divide(wanted @ values, size, out=np.zeros(values.shape[1]), where=size > 0)
