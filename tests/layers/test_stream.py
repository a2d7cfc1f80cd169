"""Streams: a layer with a state of its own, beside the layer that is given the whole sequence."""

import pytest
import torch
import torch.nn.utils.prune

import unrolled as un
from by_hand import CELLS
from engines_here import needs_native
from unrolled.errors import ConfigError, ShapeError

DOUBLE = torch.float64
CLOSE = {"rtol": 1e-9, "atol": 1e-10}


def read(stream, x):
    """The outputs of all steps."""
    return torch.stack([stream.step(x_t).clone() for x_t in x])


def layer_of(cell="lstm", inputs=5, units=6, **options):
    layer = un.Recurrent(cell, inputs, units, dtype=DOUBLE, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(std=0.4)
    return layer


@pytest.mark.parametrize(("batch", "units"), [(1, 6), (1, 16), (3, 6), (4, 16)])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.usefixtures("each_engine")
def test_steps_of_a_stream_are_a_sequence(cell, batch, units):
    layer = layer_of(CELLS[cell], units, units, num_layers=2)
    x = torch.randn(5, batch, units, dtype=DOUBLE)
    with torch.no_grad():
        wanted, state = layer(x)
    stream = layer.stream(batch)
    torch.testing.assert_close(read(stream, x), wanted, **CLOSE)
    for ours, theirs in zip(stream.state, state if isinstance(state, tuple) else (state,), strict=True):
        torch.testing.assert_close(ours, theirs, **CLOSE)


@pytest.mark.parametrize(
    "options",
    [{"dropout": 0.5, "num_layers": 2}, {"recurrent_dropout": 0.5}, {"residual": True, "num_layers": 2}, {"initial_state": "learned"}],
)
@pytest.mark.usefixtures("each_engine")
def test_options_of_the_layer_are_those_of_its_stream(options):
    layer = layer_of("gru", 6, **options)
    x = torch.randn(6, 2, 6, dtype=DOUBLE)
    torch.testing.assert_close(read(layer.eval().stream(2), x), layer(x)[0].detach(), **CLOSE)
    layer.train()
    if layer.dropout or layer.recurrent_dropout:
        assert not torch.allclose(read(layer.stream(2), x), layer(x)[0])


@pytest.mark.usefixtures("each_engine")
def test_drop_ins_numbers_and_gradients():
    layer = un.GRU(4, 5, 2, dtype=DOUBLE)
    numbers = torch.randint(4, (6, 3))
    stream = layer.stream(3)
    found = read(stream, numbers)
    torch.testing.assert_close(found, layer(numbers)[0].detach(), **CLOSE)
    assert not found.requires_grad and isinstance(stream.state, tuple)


@needs_native
def test_no_step_asks_for_memory():
    layer = un.LSTM(16, 16, 2, engine="native")
    stream, x = layer.stream(2), torch.randn(8, 2, 16)
    for x_t in x[:2]:
        stream.step(x_t)
    kept = stream.step(x[2])
    with torch.profiler.profile(profile_memory=True) as profile:
        again = [stream.step(x_t) for x_t in x[3:]]
    assert not [e.name for e in profile.events() if e.self_cpu_memory_usage]
    assert all(y is kept or y.data_ptr() == kept.data_ptr() for y in again)


@pytest.mark.usefixtures("each_engine")
def test_a_stream_begins_anew_wholly_or_in_some_rows():
    layer = layer_of(initial_state="learned")
    x = torch.randn(3, 4, 5, dtype=DOUBLE)
    stream = layer.stream(4)
    first = read(stream, x)
    went_on = read(stream, x)
    stream.reset()
    assert torch.equal(read(stream, x), first)
    for rows in ([1, 3], torch.tensor([False, True, False, True])):
        stream.reset()
        read(stream, x)
        stream.reset(rows)
        found = read(stream, x)
        torch.testing.assert_close(found[:, [1, 3]], first[:, [1, 3]], **CLOSE)
        torch.testing.assert_close(found[:, [0, 2]], went_on[:, [0, 2]], **CLOSE)


@pytest.mark.usefixtures("each_engine")
def test_states_are_copied_out_and_in():
    layer = layer_of(num_layers=2)
    x = torch.randn(4, 3, 5, dtype=DOUBLE)
    stream, other = layer.stream(3), layer.stream(3)
    read(stream, x)
    state = stream.state
    before = [s.clone() for s in state]
    read(stream, x)
    assert all(map(torch.equal, state, before))
    read(other, x[:2])
    other.state = state
    stream.state = state
    state[0].zero_()
    assert torch.equal(read(stream, x), read(other, x))
    with pytest.raises(ShapeError, match=r"`state` must have the shapes \[\[2, 3, 6\], \[2, 3, 6\]\], got \[\[2, 3, 6\]\]"):
        stream.state = state[0]


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(
    "change",
    [
        lambda layer: layer.R_f_l0.data.mul_(2),
        lambda layer: setattr(layer.R_f_l0, "data", layer.R_f_l0.detach().t()),
        lambda layer: setattr(layer, "R_f_l0", torch.nn.Parameter(layer.R_f_l0.detach() * 3)),
        lambda layer: torch.nn.utils.prune.l1_unstructured(layer, "R_f_l0", 0.5),
        lambda layer: torch.nn.utils.parametrizations.orthogonal(layer, "R_f_l0"),
        lambda layer: layer.register_forward_hook(lambda module, given, found: (found[0] * 2, found[1])),
        lambda layer: setattr(layer, "recurrent_dropout", 0.999),
    ],
)
def test_changes_of_the_layer_are_seen_by_the_next_step(change):
    layer = layer_of()
    x = torch.randn(5, 1, 5, dtype=DOUBLE)
    stream = layer.stream(1)
    read(stream, x[:3])
    unchanged = layer_of()
    unchanged.load_state_dict(layer.state_dict())
    state = stream.state
    change(layer)
    torch.manual_seed(3)
    found = stream.step(x[3]).clone()
    torch.manual_seed(3)
    with torch.no_grad():
        torch.testing.assert_close(found, layer.step(x[3], state)[0], **CLOSE)
        assert not torch.allclose(found, unchanged.step(x[3], state)[0])


@pytest.mark.usefixtures("each_engine")
def test_what_does_not_fit_is_refused_and_the_state_stays():
    layer = layer_of()
    stream = layer.stream(2)
    x = torch.randn(4, 2, 5, dtype=DOUBLE)
    read(stream, x)
    state = stream.state
    for wrong in (x[0, :1], x[0, 0], x[0, :, :3], x[0].float(), [1.0, 2.0], torch.tensor([1, 7])):
        with pytest.raises(ShapeError):
            stream.step(wrong)
        assert all(map(torch.equal, stream.state, state))
    with pytest.raises(ConfigError, match="cannot stream"):
        layer_of(bidirectional=True).stream(1)
    with pytest.raises(ConfigError, match="`batch` must be a whole number of at least 1, got 0"):
        layer.stream(0)
