import dataclasses
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

import by_hand
from input_batches import CHANNELS, LENGTHS, OPTIONS, SIZES, WORDS, batch_of, one_of, steps_of, with_fields
from unrolled.cells import find_cell
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.layers import Recurrent
from unrolled.models import Encoder, EncoderOptions, InputSizes, NextStepOptions, RecurrentOptions


def encoder_of(sizes=SIZES, **changes):
    torch.manual_seed(0)
    encoder = Encoder(sizes, dataclasses.replace(OPTIONS, **changes)).double()
    for weight in encoder.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    return encoder


def windows(x, size, ahead):
    """Those of one row `[T, I]`, by hand."""
    before = size // 2 if ahead else size - 1
    padded = np.concatenate([np.zeros((before, x.shape[1])), x, np.zeros((size, x.shape[1]))])
    return np.stack([padded[t : t + size].ravel() for t in range(len(x))])


def test_options_reach_the_recurrent_layers():
    options = {"layers": 3, "residual": True, "recurrent_dropout": 0.25, "dropout": 0.1, "engine": "eager", "bidirectional": False}
    options |= {"initial_state": "learned"}
    encoder = encoder_of(cell="gru", **options)
    assert isinstance(encoder.recurrent, Recurrent) and encoder.recurrent.cell.name == "gru"
    found = {name: getattr(encoder.recurrent, "num_layers" if name == "layers" else name) for name in options}
    assert found == options
    assert (encoder.width, encoder.directions, encoder_of().width) == (5, 1, 10)
    assert encoder.inputs.spelling.recurrent.engine == "eager" and encoder.inputs.dropout == 0.1


def test_a_cell_takes_the_place_of_the_one_in_the_options():
    encoder = Encoder(SIZES, OPTIONS, find_cell("elman"))
    assert {encoder.recurrent.cell.name, encoder.inputs.spelling.recurrent.cell.name} == {"elman"}


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("size", [2, 3, 6])
def test_recurrent_layers_read_windows_of_the_input(size, bidirectional):
    encoder, batch = encoder_of(cell="elman", input_window=size, bidirectional=bidirectional), batch_of()
    outputs, state = encoder(batch)
    x = encoder.inputs(batch).numpy(force=True)
    assert encoder.recurrent.input_size == size * x.shape[2]
    for direction in range(1 + bidirectional):
        parameters = {name: encoder.recurrent.block(name, 0, bool(direction)).numpy(force=True) for name in ("W_h", "R_h", "b_h")}
        for row, length in enumerate(LENGTHS):
            assert not outputs[length:, row].any()
            if length:
                read = windows(x[:length, row], size, bidirectional)[:, None]
                states, final = by_hand.run("elman", parameters, read, {"h": np.zeros((1, 5))}, reverse=bool(direction))
                part = slice(5 * direction, 5 * direction + 5)
                np.testing.assert_allclose(outputs[:length, row, part].numpy(force=True), states["h"][:, 0], rtol=1e-10)
                np.testing.assert_allclose(state[0][direction, row].numpy(force=True), final["h"][0], rtol=1e-10)
    assert [s.shape for s in state[1:]] == ([] if bidirectional else [(size - 1, 4, x.shape[2])])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_without_layers_each_step_is_a_rectified_linear_map_of_its_window(size, bidirectional):
    encoder, batch = encoder_of(layers=0, input_window=size, bidirectional=bidirectional), batch_of()
    outputs, _ = encoder(batch)
    x = encoder.inputs(batch).numpy(force=True)
    weight, bias = encoder.feed_forward.weight.numpy(force=True), encoder.feed_forward.bias.numpy(force=True)
    assert encoder.recurrent is None and (encoder.width, encoder.directions) == (5, 1)
    for row, length in enumerate(LENGTHS):
        assert not outputs[length:, row].any()
        if length:
            expected = np.maximum(windows(x[:length, row], size, bidirectional) @ weight.T + bias, 0)
            np.testing.assert_allclose(outputs[:length, row].numpy(force=True), expected, rtol=1e-10, atol=1e-14)
            assert (expected > 0).any() and (expected == 0).any()


@pytest.mark.parametrize("sizes", [InputSizes(words=WORDS), InputSizes(numbers=CHANNELS), InputSizes(WORDS, 0, CHANNELS)])
@pytest.mark.parametrize("options", [{"layers": 0}, {"layers": 0, "input_window": 3}, {"input_window": 2}])
@pytest.mark.parametrize("embedding", [0, 4])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_any_kind_of_input_can_be_read_by_windows_and_without_recurrence(sizes, options, embedding, bidirectional):
    encoder, batch = encoder_of(sizes, embedding=embedding, bidirectional=bidirectional, **options), batch_of()
    outputs, _ = encoder(batch)
    alone = [encoder(one_of(batch, row))[0] for row in range(len(LENGTHS))]
    for row, length in enumerate(LENGTHS):
        torch.testing.assert_close(outputs[:length, row], alone[row][:, 0])
        assert not outputs[length:, row].any()
    outputs.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in encoder.parameters())


def test_one_hot_words_in_a_window_are_unit_vectors_side_by_side():
    encoder = encoder_of(InputSizes(words=WORDS), embedding=0, layers=0, input_window=3, bidirectional=False)
    words = torch.tensor([[3, 6, 0, 3]]).T
    columns = encoder.feed_forward.weight.unflatten(1, (3, WORDS))
    expected = columns[:, 0, 6] + columns[:, 1, 0] + columns[:, 2, 3] + encoder.feed_forward.bias
    torch.testing.assert_close(encoder(Batch({"words": words}))[0][3, 0], expected.relu())


@pytest.mark.parametrize("bidirectional", [False, True])
def test_without_layers_and_windows_no_step_knows_of_others(bidirectional):
    encoder, batch = encoder_of(layers=0, bidirectional=bidirectional), batch_of((6, 6))
    outputs, _ = encoder(batch)
    for t in range(6):
        torch.testing.assert_close(encoder(steps_of(batch, t, t + 1))[0][0], outputs[t])
    other = with_fields(batch, numbers=batch["numbers"].index_fill(0, torch.tensor([2]), 9.0))
    assert (encoder(other)[0] != outputs).any(-1).T.tolist() == [[t == 2 for t in range(6)]] * 2


@pytest.mark.parametrize(("size", "ahead", "reached"), [(2, True, (2, 3)), (3, True, (1, 3)), (4, False, (2, 5)), (4, True, (1, 4))])
def test_without_layers_a_step_knows_of_its_window_alone(size, ahead, reached):
    encoder, batch = encoder_of(layers=0, input_window=size, bidirectional=ahead), batch_of((8,))
    other = with_fields(batch, numbers=batch["numbers"].index_fill(0, torch.tensor([2]), 9.0))
    first, last = reached
    changed = (encoder(other)[0] != encoder(batch)[0]).any(-1)[:, 0]
    assert changed.tolist() == [first <= t <= last for t in range(8)]


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(
    "options", [{}, {"input_window": 3}, {"input_window": 4, "initial_state": "learned"}, {"layers": 0, "input_window": 3}]
)
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_the_state_that_is_carried_makes_pieces_the_whole(options, cut):
    encoder, batch = encoder_of(bidirectional=False, **{"layers": 2, "cell": "lstm", **options}), batch_of()
    whole, last = encoder(batch)
    first, state = encoder(steps_of(batch, 0, cut))
    second, end = encoder(steps_of(batch, cut, 4), state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(end, last)


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(
    "options", [{}, {"input_window": 3}, {"input_window": 2, "initial_state": "learned"}, {"layers": 0, "input_window": 3}]
)
def test_what_a_stream_begins_with_is_what_comes_before_everything(options):
    encoder, batch = encoder_of(bidirectional=False, **{"layers": 2, **options}), batch_of((5, 5, 5))
    begun = encoder.begin(3)
    learned = options.get("initial_state") == "learned"
    layers, window = options.get("layers", 2), options.get("input_window", 1)
    assert [s.shape for s in begun] == [(2, 3, 5)] * (2 if layers else 0) + [(window - 1, 3, encoder.inputs.width)] * (window > 1)
    assert all(bool(s.any()) == learned for s in begun[: 2 if layers else 0])
    assert not any(s.any() for s in begun[2 if layers else 0 :])
    torch.testing.assert_close(encoder(batch, begun), encoder(batch))


def test_learned_initial_states_beside_a_window_have_gradients_of_their_own():
    encoder, batch = encoder_of(bidirectional=False, input_window=3, initial_state="learned"), batch_of((5, 5))
    inputs = [encoder.recurrent.h_0_l0, encoder.recurrent.c_0_l0]
    ways = [encoder(batch)[0], encoder(batch, encoder.begin(2))[0]]
    one, other = (torch.autograd.grad(y.square().sum(), inputs) for y in ways)
    torch.testing.assert_close(one, other)
    assert all(gradient.all() for gradient in one)


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(
    "options", [{}, {"input_window": 3}, {"input_window": 4, "initial_state": "learned"}, {"layers": 0, "input_window": 3}]
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_sequences_within_a_row_are_what_they_are_alone(options, bidirectional):
    encoder, batch = encoder_of(bidirectional=bidirectional, **{"layers": 2, **options}), batch_of((7, 4, 7))
    resets = torch.tensor([[0, 0, 1, 0, 0, 1, 1], [1, 0, 0, 1, 1, 0, 1], [0] * 7]).T.bool()
    outputs, state = encoder(dataclasses.replace(batch, resets=resets))
    for row, length in enumerate((7, 4, 7)):
        edges = [0, *(t for t in range(1, length) if resets[t, row]), length]
        for start, stop in pairwise(edges):
            alone, end = encoder(steps_of(batch, start, stop, slice(row, row + 1)))
            torch.testing.assert_close(outputs[start:stop, row], alone[:, 0])
        assert not outputs[length:, row].any()
        if not bidirectional:
            torch.testing.assert_close(tuple(s[:, row : row + 1] for s in state), end)


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("options", [{}, {"input_window": 3}, {"input_window": 4, "initial_state": "learned"}])
def test_sequences_that_go_on_end_where_others_begin_in_rows_of_different_lengths(options):
    encoder, lengths = encoder_of(bidirectional=False, **options), (6, 2, 0, 5, 4)
    before, batch = batch_of((4, 1, 0, 3, 2)), batch_of(lengths)
    resets = torch.tensor([[0, 0, 1, 0, 1, 0], [0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [0] * 6, [1, 0, 0, 1, 0, 1]]).T.bool()
    _, state = encoder(before)
    outputs, last = encoder(dataclasses.replace(batch, resets=resets), state)
    for row, length in enumerate(lengths):
        carried = tuple(s[:, row : row + 1] for s in state)
        for start, stop in pairwise([0, *(t for t in range(length) if resets[t, row]), length]):
            alone, carried = encoder(steps_of(batch, start, stop, slice(row, row + 1)), carried)
            torch.testing.assert_close(outputs[start:stop, row], alone[:, 0])
            ended, carried = carried, None
        assert not outputs[length:, row].any()
        torch.testing.assert_close(tuple(s[:, row : row + 1] for s in last), ended)


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("options", [{"input_window": 3}, {"layers": 0}, {"layers": 0, "input_window": 4}])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_reaches_nothing(options, bidirectional):
    encoder, found = encoder_of(bidirectional=bidirectional, **options), []
    for poison in (False, True):
        outputs, state = encoder(batch_of(poison=poison))
        torch.manual_seed(4)
        found.append((outputs, *state, *torch.autograd.grad(outputs, list(encoder.parameters()), torch.randn_like(outputs))))
    torch.testing.assert_close(found[1], found[0])


@pytest.mark.parametrize("options", [{"input_window": 2}, {"layers": 0, "input_window": 3}])
def test_derivatives(options):
    encoder, batch = encoder_of(bidirectional=False, cell="gru", **options), batch_of()
    state = tuple(s.detach() for s in encoder(batch)[1])
    assert gradcheck(lambda *_: encoder(batch, state)[0], tuple(encoder.parameters()), fast_mode=True)


def test_a_network_that_reads_ahead_cannot_go_on():
    for options in ({}, {"layers": 0, "input_window": 3}):
        encoder, batch = encoder_of(**options), batch_of()
        _, state = encoder(batch)
        with pytest.raises(ConfigError, match="`bidirectional=False`"):
            encoder(batch, state)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"layers": -1}, "`layers` must be from 0 to 1000, got -1"),
        ({"hidden": 0}, "`hidden` must be at least 1, got 0"),
        ({"input_window": 0}, "`input_window` must be at least 1, which is the step itself, got 0"),
        ({"layers": 0, "residual": True}, "`layers=0` has no recurrent layers"),
        ({"layers": 0, "recurrent_dropout": 0.5}, "`layers=0` has no recurrent layers"),
        ({"layers": 0, "initial_state": "learned"}, "`layers=0` has no recurrent layers"),
    ],
)
def test_networks_that_cannot_be(changes, told):
    for options in (RecurrentOptions, EncoderOptions, NextStepOptions):
        with pytest.raises(ConfigError, match=told):
            options(**changes)
