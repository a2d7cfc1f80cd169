"""Properties of a text, and units that are known to follow one."""

import numpy as np
import pytest
import torch

import unrolled as un
from unrolled.errors import DataError, ShapeError
from unrolled.inspect import bracket_depth, inside_quotes, position_in_line

DOUBLE = torch.float64


def test_inside_quotes():
    assert inside_quotes('a "b" c').tolist() == [0, 0, 1, 1, 0, 0, 0]
    assert inside_quotes("“a” it's «b» ”").tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0]


def test_position_in_line():
    assert position_in_line("ab\n\nc").tolist() == [1, 2, 0, 0, 1]


def test_depth_of_brackets():
    assert bracket_depth(")(a[{x}])b").tolist() == [0, 1, 1, 2, 3, 3, 2, 1, 0, 0]


def test_tokens_of_several_characters_count_them_one_by_one():
    assert position_in_line(["ab", "c\nde", "\n"]).tolist() == [2, 2, 0]
    assert bracket_depth(["f((", ")"]).tolist() == [2, 1]


COUNTER = un.Cell("counter", "a[t] = W_a @ x[t] + 0.1 * a[t-1]\nh[t] = W @ x[t] + h[t-1] + 0 * a[t-1]")


def counter():
    """A layer of two, whose unit 2 of the state h counts open brackets, against noise in every other unit."""
    torch.manual_seed(0)
    layer = un.Recurrent(COUNTER, 3, 4, dtype=DOUBLE, bidirectional=True)
    layer.block("W")[2] = torch.tensor([-2.0, 2.0, 0.0])
    return layer


def text_of(length, seed=0):
    generator = torch.Generator().manual_seed(seed)
    text = ""
    for draw in torch.rand(length, generator=generator).tolist():
        text += "(" if draw < 0.3 else ")" if draw < 0.6 and bracket_depth(text + " ")[-1] > 0 else "a"
    return text, torch.tensor(["()a".index(c) for c in text])


def test_the_unit_that_counts_is_found():
    text, x = text_of(80)
    found = un.inspect.units_that_follow(counter(), x, bracket_depth(text))
    assert (found.state, found.place, found.unit) == ("h", (0, 0), 2)
    assert found.chosen_by == pytest.approx(-1)
    assert found.correlation == pytest.approx(-1)
    assert found.summary == "Unit 2 of h (forward) follows it with r = -1.00 where it was not chosen."
    assert set(found.correlations) == {("h", (0, 0)), ("h", (0, 1)), ("a", (0, 0)), ("a", (0, 1))}


def test_the_stated_correlation_is_of_steps_that_had_no_part_in_the_choice():
    text, x = text_of(80)
    wanted = bracket_depth(text)
    rng = np.random.default_rng(0)
    shuffled = np.concatenate([wanted[:40], rng.permutation(wanted[40:])])
    found = un.inspect.units_that_follow(counter(), x, shuffled)
    assert found.chosen_by == pytest.approx(-1)
    h = counter()(x[:, None])[0][:, 0, 2].detach().numpy()
    assert found.correlation == pytest.approx(np.corrcoef(h[40:], shuffled[40:])[0, 1])
    assert abs(found.correlation) < 0.9


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_correlations_are_pearsons_over_real_steps(engine):
    torch.manual_seed(0)
    layer, x = un.Recurrent("lstm", 3, 4, 2, dtype=DOUBLE, engine=engine), torch.randn(9, 3, 3, dtype=DOUBLE)
    lengths, wanted = [9, 0, 5], np.random.default_rng(0).normal(size=(9, 3))
    wanted[5:, 2] = np.nan
    found = un.inspect.units_that_follow(layer, x, wanted, lengths)
    layer.engine = "eager"
    history = layer(x, lengths=lengths, return_states=True)[2]
    for k, name in enumerate("hc"):
        for number in range(2):
            flat = np.concatenate([history[k][number, :9, 0].detach().numpy(), history[k][number, :5, 2].detach().numpy()])
            follow = np.concatenate([wanted[:, 0], wanted[:5, 2]])
            for unit in range(4):
                r = np.corrcoef(flat[:7, unit], follow[:7])[0, 1]
                assert found.correlations[name, (number, 0)][unit] == pytest.approx(r)


def test_what_never_changes_cannot_be_followed():
    with pytest.raises(DataError, match="does not change"):
        un.inspect.units_that_follow(counter(), torch.zeros(8, dtype=torch.long), np.zeros(8))
    with pytest.raises(ShapeError, match=r"`wanted` must have shape \[T, B\]"):
        un.inspect.units_that_follow(counter(), torch.zeros(8, dtype=torch.long), np.zeros(7))
