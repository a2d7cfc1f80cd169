"""Heads of many keys: what their losses are, term by term."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from unrolled.errors import ConfigError
from unrolled.models import IndependentKeys, JointKeys

KEYS, HIDDEN = 5, 3


@pytest.fixture
def joint():
    torch.manual_seed(0)
    head = JointKeys(KEYS, HIDDEN)
    torch.nn.init.normal_(head.said)
    return head


def every_chord():
    return torch.tensor([*product((0, 1), repeat=KEYS)])


def by_hand(head, scores, chord):
    """Minus the log-likelihood of a chord, key by key, as the paper has it."""
    heard, said = (part.detach().numpy() for part in (head.heard, head.said))
    own, units, nats = scores[:KEYS], scores[KEYS:].copy(), 0.0
    for key, on in enumerate(chord):
        odds = own[key] + said[key] @ np.tanh(units)
        nats += np.log1p(np.exp(-odds if on else odds))
        units = units + on * heard[key]
    return nats


def test_joint_keys_are_the_product_of_each_key_given_those_below_it(joint):
    scores, chords = torch.randn(32, joint.size), every_chord()
    found = joint.losses(scores, chords)
    wanted = [by_hand(joint, s.double().numpy(), c.numpy()) for s, c in zip(scores, chords, strict=True)]
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=1e-5)


@pytest.mark.parametrize("kind", [JointKeys, IndependentKeys])
def test_the_probabilities_of_all_chords_add_up_to_one(kind):
    torch.manual_seed(1)
    head = kind(KEYS)
    total = (-head.losses(torch.randn(head.size).expand(32, -1), every_chord())).detach().exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-5)


def test_joint_keys_depend_on_those_below_alone(joint):
    scores, chords = torch.randn(1, 1, joint.size), torch.tensor([[[1, 0, 1, 0, 0]]])
    other = torch.tensor([[[1, 0, 1, 1, 1]]])
    before, after = joint.logits(scores, chords), joint.logits(scores, other)
    assert torch.equal(before[..., :4], after[..., :4]) and not torch.equal(before[..., 4], after[..., 4])


def test_the_gradient_of_joint_keys_is_that_of_finite_differences(joint):
    joint, scores = joint.double(), torch.randn(3, 2, joint.size, dtype=torch.float64, requires_grad=True)
    chords = torch.randint(2, (3, 2, KEYS))
    assert torch.autograd.gradcheck(lambda s, *_: joint.losses(s, chords), (scores, joint.heard, joint.said))


def test_silence_alone_is_a_chord_too(joint):
    scores, silence = torch.randn(2, joint.size), torch.zeros(2, KEYS)
    wanted = [by_hand(joint, s.double().numpy(), np.zeros(KEYS)) for s in scores]
    np.testing.assert_allclose(joint.losses(scores, silence).detach().numpy(), wanted, rtol=1e-5)


def test_independent_keys_are_cross_entropies():
    scores, chords = torch.randn(7, 2, KEYS), torch.randint(2, (7, 2, KEYS))
    wanted = binary_cross_entropy_with_logits(scores, chords.float(), reduction="none").sum(-1)
    torch.testing.assert_close(IndependentKeys(KEYS).losses(scores, chords), wanted)


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="at least 1 key, got 0"):
        IndependentKeys(0)
    with pytest.raises(ConfigError, match="at least 1 hidden unit, got 0"):
        JointKeys(3, 0)
