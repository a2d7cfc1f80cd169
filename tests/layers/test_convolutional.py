"""Convolutional recurrences beside loops written here: in NumPy and SciPy as Keras' ConvLSTM computes it, and in torch."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from scipy.signal import correlate
from torch.nn import functional

import unrolled as un
from unrolled.cells import BUILT_IN
from unrolled.errors import ConfigError, ConfigTypeError, EngineError, ShapeError

DOUBLE = torch.float64
SPACES = {1: (7,), 2: (5, 6), 3: (4, 3, 5)}
CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


def layer_of(cell="lstm", *sizes, kernel_size=3, std=0.4, **options):
    torch.manual_seed(0)
    layer = un.Recurrent(cell, *(sizes or (2, 3)), kernel_size=kernel_size, dtype=DOUBLE, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=std)
    return layer


def planes(*shape):
    return torch.randn(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def same(x, kernel):
    """Every kernel [rows, columns, *k] over every plane [B, columns, *space], with zeros around it."""
    around = [(0, 0)] * 2 + [(k // 2, k // 2) for k in kernel.shape[2:]]
    padded = np.pad(x, around)
    return np.stack([np.stack([correlate(row, k, mode="valid", method="direct")[0] for k in kernel]) for row in padded])


def as_keras(x, kernel, recurrent, bias):
    """ConvLSTM after Keras' source, with its layout of weights: [*k, C, 4n] for the gates i, f, c, o, and x [B, T, *space, C]."""
    to_first = lambda a: np.moveaxis(a, -1, 1)  # noqa: E731
    inputs, states = (np.moveaxis(w, (-1, -2), (0, 1)) for w in (kernel, recurrent))
    h = c = np.zeros((len(x), recurrent.shape[-2], *x.shape[2:-1]))
    outputs = []
    for t in range(x.shape[1]):
        sums = same(to_first(x[:, t]), inputs) + bias.reshape(-1, *[1] * (x.ndim - 3)) + same(h, states)
        i, f, z, o = np.split(sums, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(z)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(np.moveaxis(h, 1, -1))
    return np.stack(outputs, 1), np.moveaxis(h, 1, -1), np.moveaxis(c, 1, -1)


@pytest.mark.parametrize("dimensions", SPACES)
def test_an_lstm_is_keras_convlstm(dimensions):
    space, chance = SPACES[dimensions], np.random.default_rng(3)
    kernel, recurrent = (chance.normal(0, 0.3, (*(3, 5, 1)[:dimensions], columns, 16)) for columns in (3, 4))
    bias, x = chance.normal(0, 0.3, 16), chance.normal(size=(2, 4, *space, 3))
    layer = un.Recurrent("lstm", 3, 4, kernel_size=(3, 5, 1)[:dimensions], batch_first=True, dtype=DOUBLE)
    blocks = {f"b_{gate}": part for gate, part in zip("ifzo", np.split(bias, 4), strict=True)}
    for letter, weights in (("W", kernel), ("R", recurrent)):
        parts = np.split(np.moveaxis(weights, (-1, -2), (0, 1)), 4)
        blocks |= {f"{letter}_{gate}": part for gate, part in zip("ifzo", parts, strict=True)}
    layer.load_blocks(blocks)
    y, (h, c) = layer(torch.tensor(np.moveaxis(x, -1, 2)))
    for got, wanted in zip((y, h[0], c[0]), as_keras(x, kernel, recurrent, bias), strict=True):
        np.testing.assert_allclose(np.moveaxis(got.detach().numpy(), -dimensions - 1, -1), wanted, atol=1e-13)


def lstm(of, x, h, c):
    i, f, o = (torch.sigmoid(of(f"W_{g}", x) + of(f"R_{g}", h) + of(f"b_{g}")) for g in "ifo")
    c = f * c + i * torch.tanh(of("W_z", x) + of("R_z", h) + of("b_z"))
    return o * torch.tanh(c), c


def gru(of, x, h):
    r, z = (torch.sigmoid(of(f"W_{g}", x) + of(f"R_{g}", h) + of(f"b_{g}")) for g in "rz")
    n = torch.tanh(of("W_n", x) + of("b_n") + r * (of("R_n", h) + of("d_n")))
    return ((1 - z) * n + z * h,)


def reset_before(of, x, h):
    u, r = (torch.sigmoid(of(f"W_{g}", x) + of(f"R_{g}", h) + of(f"b_{g}")) for g in "ur")
    n = torch.tanh(of("W_n", x) + of("R_n", r * h) + of("b_n"))
    return (u * n + (1 - u) * h,)


def peephole(of, x, h, c):
    """Shi et al. (2015), equation 3: the peepholes are products place by place."""
    i, f = (torch.sigmoid(of(f"W_{g}", x) + of(f"R_{g}", h) + of(f"p_{g}") * c + of(f"b_{g}")) for g in "if")
    c = f * c + i * torch.tanh(of("W_z", x) + of("R_z", h) + of("b_z"))
    o = torch.sigmoid(of("W_o", x) + of("R_o", h) + of("p_o") * c + of("b_o"))
    return o * torch.tanh(c), c


def normed(of, x, h):
    """`gru-norm`: over the channels of a place."""
    whole = lambda a: functional.layer_norm(a.movedim(1, -1), a.shape[1:2]).movedim(-1, 1)  # noqa: E731
    r, z = (torch.sigmoid(of(f"k_{g}") * whole(of(f"W_{g}", x)) + of(f"g_{g}") * whole(of(f"R_{g}", h)) + of(f"b_{g}")) for g in "rz")
    n = torch.tanh(of("k_n") * whole(of("W_n", x)) + of("b_n") + r * (of("g_n") * whole(of("R_n", h)) + of("d_n")))
    return ((1 - z) * n + z * h,)


STEPS = {"lstm": lstm, "gru": gru, "gru-reset-before": reset_before, "lstm-peephole": peephole, "gru-norm": normed}


def loop(layer, step, x):
    """The layer's outputs and last states from torch's own convolutions, one after the other."""
    dimensions = layer.planes.dimensions

    def of(name, read=None):
        value = layer.get_parameter(f"{name}_l0")
        if read is None:
            return value if value.dim() > 1 else value.reshape(-1, *[1] * dimensions)
        spread = layer.planes.convolutions.dilation
        return CONVOLVE[dimensions](read, value, padding="same", dilation=spread)

    states = [x.new_zeros(x.shape[1], layer.hidden_size, *x.shape[3:]) for _ in layer.cell.states]
    outputs = []
    for x_t in x:
        states = step(of, x_t, *states)
        outputs.append(states[0])
    return torch.stack(outputs), *states


CASES = [(cell, dimensions, {}) for cell in STEPS for dimensions in SPACES]
CASES += [("lstm", 2, {"dilation": (2, 1)}), ("lstm", 1, {"dilation": 2}), ("lstm-peephole", 2, {"space": SPACES[2]})]


@pytest.mark.parametrize(("cell", "dimensions", "options"), CASES)
def test_numbers_and_gradients_are_those_of_a_loop_of_convolutions(cell, dimensions, options):
    layer = layer_of(cell, kernel_size=(3, 1, 5)[:dimensions], **options)
    x = planes(4, 2, 2, *SPACES[dimensions]).requires_grad_()
    found = []
    for y, *states in ((layer(x)[0], *layer(x)[1]), loop(layer, STEPS[cell], x)):
        states = [s.reshape(y.shape[1:]) for s in states]
        total = (y * y.detach().cos()).sum() + sum(s.square().sum() for s in states)
        found.append([y, *states, *torch.autograd.grad(total, [x, *layer.parameters()])])
    for got, wanted in zip(*found, strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-11, rtol=1e-11)


def test_single_precision_is_near_a_loop():
    torch.manual_seed(0)
    layer, x = un.Recurrent("lstm", 3, 8, kernel_size=3), torch.randn(5, 2, 3, 9, 9)
    torch.testing.assert_close(layer(x)[0], loop(layer, lstm, x)[0], atol=1e-5, rtol=1e-5)


def test_peepholes_have_a_number_for_each_place_where_space_is_fixed_and_biases_do_not():
    shapes = {name: list(p.shape) for name, p in layer_of("lstm-peephole", space=(4, 6)).named_parameters()}
    assert shapes["p_i_l0"] == shapes["p_f_l0"] == shapes["p_o_l0"] == [3, 4, 6]
    assert shapes["b_i_l0"] == [3]
    assert shapes["W_i_l0"] == [3, 2, 3, 3]
    assert shapes["R_i_l0"] == [3, 3, 3, 3]
    assert list(layer_of("lstm-peephole").get_parameter("p_i_l0").shape) == [3]


def test_a_kernel_of_one_place_is_the_plain_layer_at_every_place():
    plain = un.Recurrent("gru", 2, 3, dtype=DOUBLE)
    layer = layer_of("gru", kernel_size=1)
    layer.load_blocks({p.name: plain.block(p.name).reshape(layer.block(p.name).shape) for p in plain.cell.recurrence.parameters})
    x = planes(4, 2, 2, 3, 5)
    y, _ = plain(x.permute(0, 1, 3, 4, 2).flatten(1, 3))
    torch.testing.assert_close(layer(x)[0].permute(0, 1, 3, 4, 2).flatten(1, 3), y)


ALL = {"num_layers": 2, "bidirectional": True, "initial_state": "learned", "residual": True}


@pytest.mark.parametrize("dimensions", SPACES)
def test_shapes_and_the_order_of_the_axes(dimensions):
    space = SPACES[dimensions]
    layer = layer_of("lstm", kernel_size=(3,) * dimensions, **ALL)
    x = planes(4, 2, 2, *space)
    y, state, history = layer(x, return_states=True)
    assert y.shape == (4, 2, 6, *space)
    assert [s.shape for s in state] == [(4, 2, 3, *space)] * 2
    assert [h.shape for h in history] == [(4, 4, 2, 3, *space)] * 2
    below, above = (torch.cat(list(history[0][at : at + 2]), 2) for at in (0, 2))
    torch.testing.assert_close(y, below + above)
    torch.testing.assert_close(state[1][2], history[1][2, -1])

    first = copy.deepcopy(layer)
    first.batch_first = True
    turned, after, every = first(x.transpose(0, 1), return_states=True)
    torch.testing.assert_close(turned.transpose(0, 1), y)
    torch.testing.assert_close(after, state)
    torch.testing.assert_close(every[0].transpose(1, 2), history[0])

    alone, last, own = layer(x[:, 0], return_states=True)
    torch.testing.assert_close(alone, y[:, 0])
    torch.testing.assert_close(last[1], state[1][:, 0])
    torch.testing.assert_close(own[0], history[0][:, :, 0])


@pytest.mark.parametrize("options", [{}, ALL])
def test_lengths_resets_and_packed_sequences_give_what_sequences_give_one_by_one(options):
    layer = layer_of("lstm", 2, 3, **options)
    x, lengths = planes(5, 3, 2, 4, 3), [5, 0, 3]
    y, state = layer(x, lengths=lengths)
    assert (y[3:, 2] == 0).all()
    assert (y[:, 1] == 0).all()
    for row in (0, 2):
        alone, after = layer(x[: lengths[row], row : row + 1])
        torch.testing.assert_close(y[: lengths[row], row : row + 1], alone)
        torch.testing.assert_close(state[1][:, row : row + 1], after[1])
    torch.testing.assert_close(state[0][:, 1], layer.begin(3, (4, 3))[0][:, 1])

    packed = torch.nn.utils.rnn.pack_padded_sequence(x[:, [2, 0]], torch.tensor([3, 5]), enforce_sorted=False)
    got, after = layer(packed)
    padded, _ = torch.nn.utils.rnn.pad_packed_sequence(got)
    torch.testing.assert_close(padded, y[:, [2, 0]])
    torch.testing.assert_close(after[0], state[0][:, [2, 0]])

    resets = torch.zeros(5, 3, dtype=torch.bool)
    resets[2, 0] = True
    joined = layer(x, resets=resets)[0]
    torch.testing.assert_close(joined[2:, :1], layer(x[2:, :1])[0])
    torch.testing.assert_close(joined[:2, :1], layer(x[:2, :1])[0])


def test_segments_change_nothing():
    whole = layer_of("gru-reset-before", **ALL)
    cut = layer_of("gru-reset-before", checkpoint_steps=2, **ALL)
    x, resets = planes(5, 2, 2, 3, 4), torch.rand(5, 2) > 0.6
    found = []
    for layer in (whole, cut):
        read = x.clone().requires_grad_()
        y, state = layer(read, lengths=[5, 4], resets=resets)
        found.append([y, *state, *torch.autograd.grad(y.square().sum() + state[0].sum(), [read, *layer.parameters()])])
    for got, wanted in zip(*found, strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-12, rtol=0)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "initial_state": "learned", "batch_first": True}])
def test_steps_and_streams_give_what_whole_sequences_give(options):
    layer = layer_of("lstm-peephole", **options)
    x = planes(4, 2, 2, 3, 5)
    y, last = layer(x.transpose(0, 1) if options else x)
    y = y.transpose(0, 1) if options else y
    state, alone, stream = None, None, layer.stream(2, space=(3, 5))
    for t in range(4):
        y_t, state = layer.step(x[t], state)
        torch.testing.assert_close(y_t, y[t])
        own, alone = layer.step(x[t, 0], alone)
        torch.testing.assert_close(own, y[t, 0])
        torch.testing.assert_close(stream.step(x[t]), y[t])
    torch.testing.assert_close(state, last)
    stream.reset([1])
    torch.testing.assert_close(stream.step(x[0])[1], y[0, 1])


def test_dropout_of_what_recurrent_maps_read_takes_whole_channels():
    layer = un.Recurrent(un.Cell("sum", "h[t] = W @ x[t] + R @ h[t-1]"), 1, 8, kernel_size=1, recurrent_dropout=0.5)
    identity = torch.eye(8)[:, :, None, None]
    layer.load_blocks({"W": torch.zeros(8, 1, 1, 1), "R": identity})
    state = torch.ones(1, 3, 8, 4, 4)
    y, _ = layer(torch.zeros(2, 3, 1, 4, 4), (state,))
    assert (y == y[..., :1, :1]).all()
    assert set(y[0].unique().tolist()) == {0.0, 2.0}
    torch.testing.assert_close(y[1], y[0] ** 2)
    layer.eval()
    assert (layer(torch.zeros(2, 3, 1, 4, 4), (state,))[0] == 1).all()


def test_means_of_norm_go_over_channels_and_places():
    layer = un.Recurrent(un.Cell("normed", "h[t] = norm(W @ x[t]) + 0 * h[t-1]"), 2, 3, kernel_size=3, dtype=DOUBLE)
    y, _ = layer(planes(2, 4, 2, 5, 5))
    torch.testing.assert_close(y.mean((2, 3, 4)), torch.zeros(2, 4, dtype=DOUBLE), atol=1e-12, rtol=0)
    assert (y.mean((3, 4)).abs() > 1e-3).any()


def test_second_derivatives():
    layer = layer_of("gru", 1, 2)
    assert torch.autograd.gradgradcheck(lambda x: layer(x)[0], (planes(2, 1, 1, 3, 2).requires_grad_(),))


def test_weights_begin_orthogonal_and_after_glorot():
    torch.manual_seed(0)
    layer = un.Recurrent("lstm-peephole", 5, 16, kernel_size=3, space=(4, 4))
    flat = layer.block("R_f").flatten(1)
    torch.testing.assert_close(flat @ flat.T, torch.eye(16), atol=1e-5, rtol=0)
    bound = math.sqrt(6 / (9 * (5 + 16)))
    assert 0.9 * bound < layer.block("W_f").abs().max() <= bound
    assert (layer.block("b_f") == 1).all()
    assert (layer.block("p_f") == 0).all()
    layer.reset_parameters("torch")
    assert 0.9 / 12 < layer.block("R_f").abs().max() <= 1 / 12


def test_a_state_dict_and_a_copy_bring_everything():
    layer, other = layer_of("lstm-peephole", space=(3, 3)), layer_of("lstm-peephole", space=(3, 3), std=1.0)
    x = planes(2, 2, 2, 3, 3)
    assert not torch.equal(other(x)[0], layer(x)[0])
    other.load_state_dict(layer.state_dict())
    for same_layer in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(same_layer(x)[0], layer(x)[0])


def test_drop_ins_convolve_too():
    torch.manual_seed(0)
    stacked, layer = un.LSTM(2, 3, kernel_size=3), un.Recurrent("lstm", 2, 3, kernel_size=3)
    assert list(stacked.weight_hh_l0.shape) == [12, 3, 3, 3]
    layer.load_blocks({p.name: stacked.block(p.name) for p in layer.cell.recurrence.parameters})
    x = torch.randn(3, 2, 2, 4, 4)
    torch.testing.assert_close(stacked(x)[0], layer(x)[0])


def test_what_is_compiled_gives_the_same():
    layer, x = layer_of("lstm"), planes(2, 2, 2, 4, 4)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    wanted = torch.autograd.grad(layer(x)[0].square().sum(), list(layer.parameters()))
    got = torch.autograd.grad(compiled(x)[0].square().sum(), list(layer.parameters()))
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_what_runs_is_told():
    layer = layer_of()
    assert "planes [H, W]: engine eager (not native: its kernels have no convolutions" in layer.explain()
    assert "its matrices as convolutions" in layer.explain()
    assert "whole numbers" not in layer.explain()
    assert "kernel_size=(3, 3), dilation=(1, 1)" in repr(layer)
    for engine in ("native", "torch"):
        with pytest.raises(EngineError, match="have no convolutions"):
            layer_of(engine=engine)(planes(2, 1, 2, 3, 3))


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"kernel_size": 4}, ConfigError, r"`kernel_size` must be odd.*got 4\. Use 3 or 5"),
        ({"kernel_size": (3, 2)}, ConfigError, r"must be odd.*got \(3, 2\)\. Use 1 or 3"),
        ({"kernel_size": 0}, ConfigError, "at least 1, got 0"),
        ({"kernel_size": True}, ConfigTypeError, "got True"),
        ({"kernel_size": 3.0}, ConfigTypeError, r"`kernel_size` must be a whole number or a tuple of them, got 3\.0"),
        ({"kernel_size": (3,) * 4}, ConfigError, "one, two or three dimensions"),
        ({"kernel_size": 3, "dilation": (2,)}, ConfigError, r"`dilation=\(2,\)` has 1 dimensions, but there are 2"),
        ({"kernel_size": (3, 3), "space": (4,)}, ConfigError, r"`kernel_size=\(3, 3\)` has 2 dimensions, but there are 1"),
        ({"kernel_size": 3, "space": 4}, ConfigTypeError, "`space` must be a tuple"),
        ({"space": (4, 4)}, ConfigError, r"`space=\(4, 4\)` is for a convolutional layer.*kernel_size=3"),
        ({"dilation": 2}, ConfigError, "`dilation=2` is for a convolutional layer"),
    ],
)
def test_options_that_cannot_be_are_refused(options, error, told):
    with pytest.raises(error, match=told):
        un.Recurrent("lstm", 2, 3, **options)


@pytest.mark.parametrize(
    ("shape", "dtype", "told"),
    [
        ((4, 2, 2), DOUBLE, r"\[T, B, C, H, W\] or, unbatched, \[T, C, H, W\], as kernel_size=\(3, 3\), got \[4, 2, 2\]"),
        ((4, 1, 2, 3, 3, 3), DOUBLE, r"For 3 of space, give the layer kernel_size=\(3, 3, 3\)"),
        ((4, 1, 5, 3, 3), DOUBLE, "input_size = 2 channels, got 5"),
        ((4, 1, 2, 0, 3), DOUBLE, "at least one place"),
        ((4, 1, 2, 3, 3), torch.uint8, r"real numbers.*torch\.uint8\. Convert pixels with `\.float\(\)`"),
        ((4, 1, 2, 3, 3), torch.float32, r"`x` has dtype torch\.float32"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(shape, dtype, told):
    with pytest.raises(ShapeError, match=told):
        layer_of()(torch.zeros(shape, dtype=dtype))


def test_planes_of_another_size_are_refused():
    layer = layer_of()
    _, state = layer(planes(2, 1, 2, 4, 4))
    with pytest.raises(ShapeError, match=r"`state h` must have shape \[L\*D, B, n, H, W\] = \[1, 1, 3, 4, 5\], got \[1, 1, 3, 4, 4\]"):
        layer(planes(2, 1, 2, 4, 5), state)
    with pytest.raises(ShapeError, match=r"must have space = \[4, 4\], got \[4, 5\]"):
        layer_of(space=(4, 4))(planes(2, 1, 2, 4, 5))
    with pytest.raises(ConfigError, match=r"Give `space=\(H, W\)`"):
        layer.stream()
    with pytest.raises(ConfigError, match=r"is for a convolutional layer"):
        un.GRU(2, 3).stream(space=(4, 4))
    with pytest.raises(ConfigError, match=r"`space` of this layer is \(4, 4\), got \(4, 5\)"):
        layer_of(space=(4, 4)).stream(space=(4, 5))
    with pytest.raises(ShapeError, match=r"one step: a tensor \[B, C, H, W\]; unbatched without B\. Got \[2, 4\]"):
        layer.step(planes(2, 4))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_every_line_is_a_map(cell):
    layer = un.layers.Recurrent(cell, 2, 3, 2, kernel_size=3, bidirectional=True, dtype=torch.float64)
    x = torch.randn(4, 2, 2, 5, 6, dtype=torch.float64)
    _, _, states = layer(x, lengths=[4, 2], return_states=True)
    found = un.layers.every_line(layer, x, lengths=[4, 2])
    assert [lines.place for lines in found] == [(0, 0), (0, 1), (1, 0), (1, 1)] and found[2].x.shape == (4, 2, 6, 5, 6)
    for number, lines in enumerate(found):
        for name, after in zip(layer.cell.states, states, strict=True):
            for row, steps in ((0, 4), (1, 2)):
                torch.testing.assert_close(lines.values[name][:steps, row], after[number][:steps, row])
            assert not lines.values[name][2:, 1].any()
    first = found[0]
    weights = {name: layer.block(name, 0) for name in ("W_z", "R_z", "b_z")}
    summed = torch.nn.functional.conv2d(x[:, 0], weights["W_z"], padding=1) + weights["b_z"][:, None, None]
    summed += torch.nn.functional.conv2d(first.before[0][:, 0], weights["R_z"], padding=1)
    torch.testing.assert_close(first.values["z"][:, 0], summed.tanh() if cell == "lstm" else summed.sigmoid())


def test_sequences_of_nothing_give_the_state_back():
    layer = layer_of(initial_state="learned")
    y, state = layer(planes(0, 2, 2, 3, 3))
    assert y.shape == (0, 2, 3, 3, 3)
    torch.testing.assert_close(state, layer.begin(2, (3, 3)))
    y, state = layer(planes(4, 0, 2, 3, 3))
    assert y.shape == (4, 0, 3, 3, 3)
    assert state[0].shape == (1, 0, 3, 3, 3)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_kernel_of_one_place_is_the_plain_layer_at_each(name):
    """So sums, means and maps of all kinds mean the same in both."""
    cell = BUILT_IN[name]
    recurrence = cell.recurrence
    width = 24 if recurrence.parts else 8
    plain, planes = (un.Recurrent(cell, width, 8, dtype=torch.float64, engine="eager", **k) for k in ({}, {"kernel_size": (1, 1)}))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for (_, p), (_, q) in zip(plain.named_parameters(), planes.named_parameters(), strict=True):
            p.copy_(torch.randn(p.shape, generator=generator, dtype=p.dtype) * 0.4)
            q.copy_(p.view(q.shape))
    x = torch.randn(4, 2, width, 2, 3, dtype=torch.float64, generator=generator)
    y, _ = planes(x)
    wanted, _ = plain(x.permute(0, 1, 3, 4, 2).reshape(4, 12, width))
    torch.testing.assert_close(y.permute(0, 1, 3, 4, 2).reshape(4, 12, -1), wanted, equal_nan=True)


def test_maps_that_are_made_of_kernels():
    """Blocks are groups, a transpose is torch's, a fixed matrix beside a kernel reads each place alone."""
    text = "h[t] = tanh(W @ x[t] + blocks(R, 2) @ h[t-1] + A.T @ h[t-1] / 2 + (A - g * E + M * Q) @ h[t-1])"
    cell = un.Cell("mine", text, scalar={"g": 0.3}, fixed={"E": "identity", "M": "lower"})
    layer = un.Recurrent(cell, 2, 4, kernel_size=3, dtype=torch.float64)
    x = torch.randn(3, 2, 2, 5, 4, dtype=torch.float64)
    y, _ = layer(x)
    W, R, A, Q = (layer.block(name) for name in "WRAQ")
    assert R.shape == (2, 2, 2, 3, 3)
    h = torch.zeros(2, 4, 5, 4, dtype=torch.float64)
    for t in range(3):
        groups = torch.conv2d(h, R.reshape(4, 2, 3, 3), padding=1, groups=2)
        turned = torch.conv_transpose2d(h, A, padding=1)
        lower = Q * torch.ones(4, 4, dtype=torch.float64).tril()[..., None, None]
        h = torch.tanh(torch.conv2d(x[t], W, padding=1) + groups + turned / 2 + torch.conv2d(h, A + lower, padding=1) - 0.3 * h)
        torch.testing.assert_close(y[t], h)
