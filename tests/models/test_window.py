import itertools

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from unrolled.models import InputWindow

COLUMNS, LENGTHS = 3, (7, 0, 1, 5)
SIZES = [2, 3, 4, 5, 9]


def inputs_of(lengths=LENGTHS, steps=7, seed=0):
    """`[T, B, I]`, 0 past each end."""
    x = torch.randn(steps, len(lengths), COLUMNS, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return x.masked_fill(torch.arange(steps)[:, None, None] >= torch.tensor(lengths)[:, None], 0)


def resets_of(steps, rows, seed=1):
    """Where sequences begin; some rows have several, one begins with one, and the last has none."""
    resets = torch.rand(steps, rows, generator=torch.Generator().manual_seed(seed)) < 0.3
    resets[0, 0] = True
    resets[:, -1] = False
    return resets


def by_hand(x, size, ahead, resets=None):
    """The windows of one row `[T, I]`, step by step: of every other step there is 0, and of those beyond a cut."""
    steps, columns = x.shape
    before = size // 2 if ahead else size - 1
    number = np.zeros(steps, int) if resets is None else np.cumsum(resets)
    found = np.zeros((steps, size * columns))
    for t in range(steps):
        for k, near in enumerate(range(t - before, t - before + size)):
            if 0 <= near < steps and number[near] == number[t]:
                found[t, k * columns : (k + 1) * columns] = x[near]
    return found


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("with_resets", [False, True])
def test_windows_by_hand(size, ahead, with_resets):
    window, x, lengths = InputWindow(size, COLUMNS, ahead), inputs_of(), torch.tensor(LENGTHS)
    resets = resets_of(*x.shape[:2]) if with_resets else None
    found, _ = window(x, None, lengths, resets)
    assert found.shape == (7, 4, window.width) and window.width == size * COLUMNS
    for row, length in enumerate(LENGTHS):
        cuts = None if resets is None else resets[:length, row].numpy()
        np.testing.assert_array_equal(found[:length, row].numpy(), by_hand(x[:length, row].numpy(), size, ahead, cuts))


def test_of_an_even_number_of_steps_one_more_lies_before_than_after():
    x = torch.arange(1.0, 6.0)[:, None, None]
    found, _ = InputWindow(4, 1, True)(x)
    assert found[:, 0].tolist() == [[0, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 0]]


def test_past_windows_are_the_step_itself_and_those_before_it():
    x = torch.arange(1.0, 5.0)[:, None, None]
    found, tail = InputWindow(3, 1, False)(x)
    assert found[:, 0].tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert tail[:, 0].tolist() == [[3], [4]]


def test_rows_without_lengths_are_whole():
    x = inputs_of((7, 7))
    for ahead in (False, True):
        window = InputWindow(4, COLUMNS, ahead)
        for found, expected in zip(window(x), window(x, None, torch.tensor([7, 7])), strict=True):
            assert torch.equal(found, expected)


@pytest.mark.parametrize("ahead", [False, True])
def test_no_window_reaches_from_one_sequence_of_a_row_into_another(ahead):
    window, x = InputWindow(5, COLUMNS, ahead), inputs_of((9,), 9)
    resets = torch.tensor([[False, False, True, False, False, False, True, True, False]]).T
    found, tail = window(x, None, None, resets)
    for start, stop in itertools.pairwise([0, 2, 6, 7, 9]):
        alone, end = window(x[start:stop])
        assert torch.equal(found[start:stop], alone)
    assert torch.equal(tail, end)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("window_of_stream", [1, 2, 3, 8])
@pytest.mark.parametrize("with_resets", [False, True])
def test_a_stream_cut_in_pieces_is_the_whole(size, window_of_stream, with_resets):
    window, x = InputWindow(size, COLUMNS, False), inputs_of((19,) * 4, 19)
    resets = resets_of(19, 4) if with_resets else torch.zeros(19, 4, dtype=torch.bool)
    whole, last = window(x, None, None, resets)
    tail, pieces = window.begin(4, x), []
    for part, cuts in zip(x.split(window_of_stream), resets.split(window_of_stream), strict=True):
        found, tail = window(part, tail, None, cuts if with_resets else None)
        assert tail.shape == (size - 1, 4, COLUMNS)
        pieces.append(found)
    assert torch.equal(torch.cat(pieces), whole)
    assert torch.equal(tail, last)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("with_resets", [False, True])
def test_rows_of_different_lengths_go_on_from_their_last_real_steps(size, with_resets):
    window, tail, parts = InputWindow(size, COLUMNS, False), None, []
    pieces = [(2, 0, 1, 2), (4, 3, 1, 0), (0, 0, 4, 2)]
    rows = [([], [], []) for _ in LENGTHS]
    for seed, lengths in enumerate(pieces):
        x = inputs_of(lengths, 4, seed)
        resets = resets_of(4, 4, seed) if with_resets else None
        found, tail = window(x, tail, torch.tensor(lengths), resets)
        for row, length in enumerate(lengths):
            cuts = torch.zeros(length, dtype=torch.bool) if resets is None else resets[:length, row]
            for kept, part in zip(rows[row], (x[:length, row], cuts, found[:length, row]), strict=True):
                kept.append(part)
    for row, parts in enumerate(rows):
        x, cuts, found = map(torch.cat, parts)
        np.testing.assert_array_equal(found.numpy(), by_hand(x.numpy(), size, False, cuts.numpy()))
        _, end = window(x[:, None], None, None, cuts[:, None])
        assert torch.equal(tail[:, row : row + 1], end)


@pytest.mark.parametrize("ahead", [False, True])
def test_no_steps_at_all(ahead):
    window, tail = InputWindow(3, COLUMNS, ahead), torch.randn(2, 4, COLUMNS)
    found, after = window(torch.zeros(0, 4, COLUMNS), tail, torch.zeros(4, dtype=torch.long), torch.zeros(0, 4, dtype=torch.bool))
    assert found.shape == (0, 4, 9)
    assert ahead or torch.equal(after, tail)


@pytest.mark.parametrize("ahead", [False, True])
def test_derivatives(ahead):
    window, x, lengths = InputWindow(3, COLUMNS, ahead), inputs_of().requires_grad_(), torch.tensor(LENGTHS)
    tail = torch.randn(2, 4, COLUMNS, dtype=torch.float64, requires_grad=True)
    resets = resets_of(7, 4)
    given = (x,) if ahead else (x, tail)
    assert gradcheck(lambda *parts: window(*parts, *[None] * (2 - len(parts)), lengths, resets), given)


def test_a_window_has_nothing_to_learn_and_carries_nothing_where_it_reads_ahead():
    x = inputs_of()
    for ahead in (False, True):
        window = InputWindow(4, COLUMNS, ahead)
        assert not list(window.parameters()) and not window.begin(4, x).any()
        assert window.begin(4, x.float()).dtype == torch.float32
        assert len(window(x)[1]) == (0 if ahead else 3)
