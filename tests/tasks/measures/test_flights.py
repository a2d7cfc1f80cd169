"""Distances of positions that are said of balls, beside those of rivals."""

from itertools import islice

import numpy as np
import pytest

from unrolled.data.builtin_examples.movement import Flight, balls, balls_test
from unrolled.data.examples import Example, Prediction
from unrolled.tasks.measures.flights import beside_flights
from unrolled.tasks.measures.numbers import score_numbers

PATHS = np.array([[[1.0, 1.0], [9.0, 2.0]], [[2.0, 3.0], [9.0, 3.0]], [[3.0, 5.0], [9.0, 4.0]], [[4.0, 7.0], [9.0, 5.0]]])
SEEN = np.array([[True, True], [True, True], [False, True], [False, False]])


def test_rivals_know_what_was_seen_and_no_more():
    flight = Flight(PATHS, SEEN)
    np.testing.assert_allclose(flight.last_position(), [[2, 3], [9, 4]])
    np.testing.assert_allclose(flight.straight_on(), [[5, 9], [9, 6]])
    turned = PATHS.copy()
    turned[3, 0] = 100
    np.testing.assert_allclose(Flight(turned, SEEN).straight_on(), flight.straight_on(), err_msg="a hidden ball is not looked at")


@pytest.mark.parametrize("each_step", [True, False])
def test_the_distance_is_that_after_the_last_frame(each_step):
    after, said = np.array([5.0, 9.0, 9.0, 7.0]), np.array([8.0, 13.0, 9.0, 7.0])
    rows = np.stack([after * 0, after]) if each_step else after
    own = np.stack([said * 0 + 50, said]) if each_step else said
    pairs = [(Example("here", values=rows, origin=Flight(PATHS, SEEN)), Prediction(values=own))]
    scores = score_numbers(np.atleast_2d(rows), np.atleast_2d(own), np.zeros(4))
    found = beside_flights(scores, pairs)
    assert found.pixels == pytest.approx(2.5), "5 of the first ball, 0 of the second one"
    assert found.rivals == {"last-position": pytest.approx((45**0.5 + 3) / 2), "straight-on": pytest.approx(0.5)}
    assert found.to_json()["rivals"] == dict(found.rivals) and found.to_json()["pixels"] == found.pixels
    assert found.text.endswith("After the last frame 2.500 pixels from where each ball is then; last-position 4.854, straight-on 0.500")
    assert (found.mae, found.size) == (scores.mae, scores.size)
    assert beside_flights(scores, [(Example("here", values=rows), Prediction(values=own))]) is scores


def test_clips_for_measuring_are_others():
    learnt, test = ([example.frames for example in islice(make(), 3)] for make in (balls, balls_test))
    assert not any(np.array_equal(one, other) for one in learnt for other in test)
