import math

import pytest

from unrolled.errors import ConfigError
from unrolled.training.criterion import LOSS, Criterion, choose

R2, MACRO_F1 = Criterion("R²"), Criterion("macro F1")


@pytest.mark.parametrize(
    ("criterion", "value", "loss", "better"),
    [
        (MACRO_F1, 0.6, 9.0, True),
        (MACRO_F1, 0.4, 0.1, False),
        (MACRO_F1, 0.5, 0.9, True),
        (MACRO_F1, 0.5, 1.0, False),
        (MACRO_F1, 0.5, 1.1, False),
        (MACRO_F1, math.nan, 0.1, False),
        (MACRO_F1, math.inf, 0.1, False),
        (LOSS, 0.4, 0.4, True),
        (LOSS, 0.6, 0.6, False),
        (LOSS, -math.inf, 0.1, False),
    ],
)
def test_a_better_value_wins_and_among_equals_the_lower_loss_and_then_the_first(criterion, value, loss, better):
    assert criterion.better(value, loss, 0.5, 1.0) is better
    assert criterion.better(value, loss, None, 0.0) is math.isfinite(value)


def test_a_measure_is_found_by_its_name_however_it_is_typed():
    known = [LOSS, R2, MACRO_F1]
    assert choose(known, None) is LOSS
    for asked, found in (("loss", LOSS), ("r2", R2), ("R²", R2), ("macro_f1", MACRO_F1), ("macro-F1", MACRO_F1), ("macro F1", MACRO_F1)):
        assert choose(known, asked) is found
    with pytest.raises(ConfigError, match=r"`best_by` must be one of loss, r2, macro_f1, got 'macro'\. Did you mean 'macro_f1'\?"):
        choose(known, "macro")


def test_a_measure_that_is_not_there_is_no_number():
    assert LOSS.read({"held_out": 2.0, "macro_f1": 0.5}) == 2.0
    assert MACRO_F1.read({"held_out": 2.0, "macro_f1": 0.5}) == 0.5
    assert math.isnan(MACRO_F1.read({"held_out": 2.0}))
