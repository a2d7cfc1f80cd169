"""Keys are drawn as often as they are probable, and given ones weigh what they are worth."""

from itertools import product

import numpy as np
import pytest
import torch

from unrolled.decoding.keys import Given, draw_keys, resampled
from unrolled.models import JointKeys

KEYS, ROWS = 4, 40_000


@pytest.fixture(scope="module")
def head():
    torch.manual_seed(0)
    head = JointKeys(KEYS, 3)
    torch.nn.init.normal_(head.said)
    return head.requires_grad_(False)


@pytest.fixture(scope="module")
def scores(head):
    return torch.randn(head.size, generator=torch.Generator().manual_seed(1))


def drawn(head, scores, rows=ROWS, **options):
    def after(keys):
        return head.logits(scores.expand(len(keys), -1), keys)

    return draw_keys(after, torch.zeros(rows, KEYS), generator=torch.Generator().manual_seed(2), **options)


def chances(head, scores):
    chords = torch.tensor([*product((0, 1), repeat=KEYS)])
    return chords, (-head.losses(scores.expand(len(chords), -1), chords)).exp()


def shares(keys):
    return torch.bincount((keys.long() * torch.tensor([8, 4, 2, 1])).sum(-1), minlength=16) / len(keys)


def test_chords_are_drawn_as_often_as_they_are_probable(head, scores):
    keys, weights = drawn(head, scores)
    torch.testing.assert_close(shares(keys), chances(head, scores)[1], atol=0.01, rtol=0)
    assert not weights.any()


def test_weighted_draws_around_given_keys_have_the_probability_of_all_chords_with_them(head, scores):
    must, may = torch.tensor([False, True, False, False]), torch.tensor([True, True, False, False])
    keys, weights = drawn(head, scores, given=Given(must, may))
    chords, probable = chances(head, scores)
    allowed = (chords[:, 1] == 1) & (chords[:, 2:] == 0).all(-1)
    assert bool((keys[:, 1] == 1).all()) and not keys[:, 2:].any()
    assert float(weights.exp().mean()) == pytest.approx(float(probable[allowed].sum()), rel=0.02)
    low = float((weights.exp() * keys[:, 0]).sum() / weights.exp().sum())
    assert low == pytest.approx(float(probable[allowed & (chords[:, 0] == 1)].sum() / probable[allowed].sum()), abs=0.01)


def test_at_temperature_0_the_likeliest_next_key_is_always_taken(head, scores):
    keys, _ = drawn(head, scores, 50, temperature=0.0)
    assert len(keys.unique(dim=0)) == 1


def test_rows_go_on_as_often_as_they_weigh():
    weights = torch.tensor([0.5, 0.25, 0.25, 0.0]).log()
    which = resampled(weights, torch.Generator().manual_seed(0))
    assert np.bincount(which.numpy(), minlength=4).tolist() == [2, 1, 1, 0]
