"""How well a network knows what comes next in pieces of music."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from unrolled.data.codecs.music import FRAMES, EventCodec, MusicCodec, Steps
from unrolled.data.music.events import play
from unrolled.data.music.piece import BEGIN, LOWEST, PITCH, VOICE, Piece
from unrolled.data.music.streams import side_by_side
from unrolled.data.vocabulary import TEXTS
from unrolled.models import KeysHead, NextStep
from unrolled.plain import or_null

ROWS, WINDOW = 32, 128
"""Pieces that are read side by side, and steps at a time."""


@dataclass(frozen=True)
class MusicScores:
    """How much `nats`, minus the natural log-likelihood, the `steps` of some `pieces` have in all, and the first steps of each.

    `notes` are those that begin in them. Of frames, `right` is the number of keys that are said to sound and do, `wrong` of those that are said to or
    do, and not both; each key is told those below it. Of events, how many were the likeliest, and how many were not.
    """

    view: str
    nats: float
    first: float
    steps: int
    pieces: int
    notes: int
    right: int
    wrong: int

    @property
    def per_step(self) -> float:
        """Nats of a step."""
        return self.nats / self.steps

    @property
    def without_first(self) -> float:
        """Nats of a step that is not the first of its piece."""
        return (self.nats - self.first) / max(self.steps - self.pieces, 1)

    @property
    def accuracy(self) -> float:
        """The part of the decisions that are right; of frames TP / (TP + FP + FN), as is usual for piano rolls."""
        return self.right / max(self.right + self.wrong, 1)

    @property
    def per_note(self) -> float:
        """Nats of a note."""
        return self.nats / max(self.notes, 1)

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        common = {"nats_per_note": or_null(self.per_note), "accuracy": self.accuracy, "pieces": self.pieces, "notes": self.notes}
        if self.view == FRAMES:
            first = {"nats_per_frame": or_null(self.per_step), "nats_per_frame_without_first": or_null(self.without_first)}
            return {**first, "frames": self.steps, **common}
        return {"bits_per_event": or_null(self.per_step / log(2)), "events": self.steps, **common}

    def measures(self) -> dict[str, float]:
        """Numbers for the log of a run."""
        return {
            "held_out": self.per_step,
            "without_first": self.without_first,
            "per_note": self.per_note,
            "accuracy": self.accuracy,
        }

    @property
    def text(self) -> str:
        """All of it in a line."""
        return f"{told(self.view, self.measures())}, over {self.steps:,} {self.view} of {self.pieces:,} pieces with {self.notes:,} notes"


def told(view: str, measures: Any) -> str:
    """Measures in words."""
    per_note = (
        f"{measures['per_note']:.4f} nats per note, accuracy {measures['accuracy']:.2%} of the {'keys' if view == FRAMES else 'events'}"
    )
    if view == FRAMES:
        return f"{measures['held_out']:.4f} nats per frame, {measures['without_first']:.4f} nats per frame without the first of each piece, {per_note}"
    return f"{measures['held_out'] / log(2):.4f} bits per event, {per_note}"


@torch.inference_mode()
def measure(model: NextStep, codec: MusicCodec, pieces: Sequence[Steps], progress: Callable[[int, int], None] | None = None) -> MusicScores:
    """The loss of every step of whole pieces, each of which begins anew. The model should be in evaluation mode."""
    device, state = next(model.parameters()).device, None
    nats, counts = np.zeros(len(pieces)), torch.zeros(2, dtype=torch.long)
    firsts = 0.0
    done, total = 0, sum(map(len, pieces))
    for batch, which in side_by_side(codec, pieces, ROWS, WINDOW):
        batch = batch.to(device)
        scores, state = model(batch, state)
        assert batch.targets is not None
        losses = model.head.losses(scores, batch.targets).double().cpu().numpy()
        real = which >= 0
        np.add.at(nats, which[real], losses[real])
        begins = beginnings(model, batch).cpu().numpy() & real
        firsts += float(losses[begins].sum())
        counts += _decided(model, scores, batch.targets, torch.from_numpy(real).to(device))
        done += int(real.sum())
        if progress:
            progress(done, total)
    right, wrong = counts.tolist()
    notes = sum(map(codec.notes, pieces))
    return MusicScores(codec.view, float(nats.sum()), firsts, total, len(pieces), notes, right, wrong)


@torch.inference_mode()
def losses_of_steps(model: NextStep, codec: MusicCodec, steps: Steps) -> np.ndarray:
    """The nats of each step of a piece, `[T]`."""
    return np.concatenate([losses for losses, _ in _along(model, codec, steps)])


def surprises(model: NextStep, codec: MusicCodec, steps: Steps, piece: Piece) -> tuple[Piece, np.ndarray]:
    """The piece that the steps of another one are, with its meter and tempo, and the nats of each of its notes where it begins, `[N]`."""
    if isinstance(codec, EventCodec):
        places = np.flatnonzero(steps >= len(TEXTS))
        played = play(codec.strings(steps), piece.tempo, places=True)
        return played, losses_of_steps(model, codec, steps)[places[played.notes[:, VOICE]]]
    with torch.inference_mode():
        pressed = np.concatenate([pressed for _, pressed in _along(model, codec, steps)])
    seen = replace(codec.decode(steps, piece.tempo), meter=piece.meter)
    return seen, pressed[seen.notes[:, BEGIN], seen.notes[:, PITCH] - LOWEST]


def _along(model: NextStep, codec: MusicCodec, steps: Steps) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The losses `[T]` of some steps at a time, and, of frames, the nats of each key if it sounds, `[T, 88]`."""
    state, device = None, next(model.parameters()).device
    for batch, _ in side_by_side(codec, [steps], 1, WINDOW):
        batch = batch.to(device)
        scores, state = model(batch, state)
        assert batch.targets is not None
        losses = model.head.losses(scores, batch.targets)
        keys = model.head.logits(scores, batch.targets) if isinstance(model.head, KeysHead) else scores
        yield losses[:, 0].double().cpu().numpy(), softplus(-keys)[:, 0].double().cpu().numpy()


def beginnings(model: NextStep, batch: Any) -> Tensor:
    """Where pieces begin in a batch, `[T, B]`."""
    found = model.resets_of(batch)
    assert found is not None
    return found


def _decided(model: NextStep, scores: Tensor, targets: Tensor, real: Tensor) -> Tensor:
    """How many decisions are right, and how many are wrong."""
    if not isinstance(model.head, KeysHead):
        right = (scores.argmax(-1) == targets)[real]
        return torch.stack([right.sum(), (~right).sum()]).cpu()
    said, true = (model.head.logits(scores, targets) >= 0)[real], targets.bool()[real]
    return torch.stack([(said & true).sum(), (said ^ true).sum()]).cpu()
