"""Harmonies are drawn as often as they are probable, given the notes that stay: against all pieces there are."""

from itertools import product

import numpy as np
import pytest
import torch

from unrolled.data.batches import Batch
from unrolled.data.codecs.music import FrameCodec
from unrolled.models import JointKeys
from unrolled.tasks.music import sampling

KEYS, HIDDEN, STEPS = (40, 41, 42), 3, 3
"""The keys that may sound at all, the units of the head, and the frames of a piece."""

ALL = {40, 41, 42}
GIVEN = {
    "around": [({41}, ALL), ({40}, ALL), ({42}, ALL)],
    "below": [({41}, {40, 41}), (set(), ALL), ({42}, ALL)],
    "above": [({41}, {41, 42}), (set(), ALL), ({42}, {42})],
}
"""The keys that stay in each frame, and those that may sound in it."""


class Network(torch.nn.Module):
    """A recurrent network by hand, of which three keys alone depend on what came before."""

    def __init__(self):
        super().__init__()
        sizes = [(5, 89), (5, 5), (88 + HIDDEN, 5)]
        self.heard, self.carried, self.said = (torch.nn.Parameter(torch.empty(*size)) for size in sizes)
        self.head = JointKeys(88, HIDDEN)
        torch.manual_seed(4)
        for weights in (self.heard, self.carried, self.said):
            torch.nn.init.normal_(weights, std=1.3)
        torch.nn.init.normal_(self.head.said)

    def forward(self, x, state=None):
        x, found = x["numbers"] if isinstance(x, Batch) else x, []
        state = x.new_zeros(1, x.shape[1], 5) if state is None else state[0]
        for step in x:
            state = torch.tanh(step @ self.heard.T + state @ self.carried.T)
            found.append(state[0] @ self.said.T)
        scores = torch.stack(found)
        quiet = torch.ones(88 + HIDDEN, dtype=torch.bool)
        quiet[[*KEYS, *range(88, 88 + HIDDEN)]] = False
        return scores.masked_fill(quiet, -40.0), (state,)


def probabilities(network, given):
    """Of each piece, as the sets of keys in its frames, that has what is given and no key that may not be; they add up to 1."""
    chords = [{key for key, on in zip(KEYS, bits, strict=True) if on} for bits in product((0, 1), repeat=3)]
    allowed = [[chord for chord in chords if must <= chord <= may] for must, may in given]
    pieces = [*product(*allowed)]
    frames = torch.zeros(STEPS, len(pieces), 88)
    for number, piece in enumerate(pieces):
        for step, chord in enumerate(piece):
            frames[step, number, [*chord]] = 1
    before = torch.zeros(STEPS, len(pieces), 89)
    before[0, :, 88], before[1:, :, :88] = 1, frames[:-1]
    with torch.no_grad():
        nats = network.head.losses(network(before)[0], frames).sum(0)
    return dict(zip(map(str, pieces), (-nats).softmax(0).tolist(), strict=True))


@pytest.mark.parametrize(("beside", "effective"), [("around", 0.0), ("around", np.inf), ("below", 0.0), ("above", 0.0)])
def test_what_is_drawn_beside_given_notes_is_as_likely_as_in_all_pieces_with_them(monkeypatch, beside, effective):
    monkeypatch.setattr(sampling, "_effective", lambda weights: effective)
    network, given = Network(), np.zeros((STEPS, 88), np.uint8)
    for step, (keys, _) in enumerate(GIVEN[beside]):
        given[step, [*keys]] = 1
    chance = sampling.Chance(1.0, 1.0, torch.Generator().manual_seed(1))
    with torch.inference_mode():
        history, weights = sampling.weighed(network, FrameCodec(4), given, 1500, chance, beside)
    found = dict.fromkeys(wanted := probabilities(network, GIVEN[beside]), 0.0)
    for piece, weight in zip(history.permute(1, 0, 2), weights.softmax(0).tolist(), strict=True):
        found[str(tuple({*np.flatnonzero(frame).tolist()} for frame in piece.numpy()))] += weight
    assert found == pytest.approx(wanted, abs=0.03)
