"""Cells whose text names its convolutions, `conv(W, 3)`, beside loops of torch's convolutions and beside layers made with `kernel_size`."""

import copy
import math
import pickle
import re

import pytest
import torch
from click.testing import CliRunner
from torch.nn import functional

import unrolled as un
from unrolled.cells import BUILT_IN, cell_from_text
from unrolled.cli import cli
from unrolled.compiler import make_plan, plan_to_svg, plan_to_text
from unrolled.equations import from_source, to_latex, to_source
from unrolled.errors import ConfigError, EngineError, ShapeError
from unrolled.models.decoder import Decoder
from unrolled.models.embedding import Embedding
from unrolled.models.encoder import Encoder
from unrolled.models.inputs import InputSizes
from unrolled.models.options import EncoderDecoderOptions, EncoderOptions

DOUBLE = torch.float64
SPACES = {1: (7,), 2: (5, 6), 3: (4, 3, 5)}
CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TURNED = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}

MIXED = un.Cell(
    "mixed",
    """
    u[t] = sigmoid(conv(W_u, 3) @ x[t] + conv(R_u, 5) @ h[t-1] + b_u)
    n[t] = tanh(W_n @ x[t] + conv(V, 1) @ x[t-1] + conv(blocks(G, 2), 3) @ (u[t] * h[t-1]) + conv(D, 1) @ conv(L, 3) @ h[t-1])
    h[t] = u[t] * h[t-1] + (1 - u[t]) * n[t] + (conv(A, 3) - conv(B, 5).T - k * E) @ norm(h[t-1]) / 4
    """,
    constant={"k": 0.5},
    fixed={"E": "identity"},
    size={"L": 1},
)  # fmt: skip


def layer_of(cell=MIXED, *, std=0.4, **options):
    torch.manual_seed(0)
    layer = un.Recurrent(cell, 3, 4, dtype=DOUBLE, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=std)
    return layer


def planes(*shape):
    return torch.randn(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))


def loop(layer, x):
    """The outputs of `MIXED`, one step after the other."""
    dimensions = x.dim() - 3
    of = lambda name: layer.get_parameter(f"{name}_l0")  # noqa: E731
    convolve = lambda name, read, **more: CONVOLVE[dimensions](read, of(name), padding="same", **more)  # noqa: E731
    h, earlier, outputs = x.new_zeros(x.shape[1], 4, *x.shape[3:]), torch.zeros_like(x[0]), []
    bias = of("b_u").reshape(-1, *[1] * dimensions)
    grouped = of("G").flatten(0, 1)
    for x_t in x:
        u = torch.sigmoid(convolve("W_u", x_t) + convolve("R_u", h) + bias)
        within = CONVOLVE[dimensions](u * h, grouped, padding="same", groups=2)
        n = torch.tanh(convolve("W_n", x_t) + convolve("V", earlier) + within + convolve("D", convolve("L", h)))
        normed = functional.layer_norm(h.movedim(1, -1), (4,)).movedim(-1, 1)
        far = convolve("A", normed) - TURNED[dimensions](normed, of("B"), padding=2) - normed / 2
        h, earlier = u * h + (1 - u) * n + far / 4, x_t
        outputs.append(h)
    return torch.stack(outputs)


@pytest.mark.parametrize("dimensions", SPACES)
def test_numbers_and_gradients_are_those_of_a_loop_of_convolutions(dimensions):
    layer = layer_of(kernel_size=(1,) * dimensions)
    x = planes(4, 2, 3, *SPACES[dimensions]).requires_grad_()
    found = []
    for y in (layer(x)[0], loop(layer, x)):
        found.append([y, *torch.autograd.grad((y * y.detach().cos()).sum(), [x, *layer.parameters()])])
    for got, wanted in zip(*found, strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-11, rtol=1e-11)


def test_every_kernel_has_its_own_size_and_what_has_none_is_of_one_place():
    shapes = {name.removesuffix("_l0"): list(p.shape) for name, p in layer_of().named_parameters()}
    assert shapes == {
        "W_u": [4, 3, 3, 3], "R_u": [4, 4, 5, 5], "b_u": [4], "W_n": [4, 3, 1, 1], "V": [4, 3, 1, 1], "G": [2, 2, 2, 3, 3], "D": [4, 1, 1, 1],
        "L": [1, 4, 3, 3], "A": [4, 4, 3, 3], "B": [4, 4, 5, 5],
    }  # fmt: skip
    other = dict(layer_of(kernel_size=(1, 3)).named_parameters())
    assert [list(other[f"{name}_l0"].shape) for name in ("W_u", "W_n")] == [[4, 3, 3, 3], [4, 3, 1, 3]]
    assert list(layer_of(space=(7,)).block("R_u").shape) == [4, 4, 5]


def named(cell, kernel):
    """A cell of which every matrix is a convolution by name."""
    return un.Cell(cell.name, re.sub(r"([WR]_\w) @", rf"conv(\1, {kernel}) @", cell.equations), init=cell.init)


@pytest.mark.parametrize("name", ["lstm", "gru-reset-before"])
def test_a_text_with_convolutions_is_the_plain_one_with_a_kernel_size(name):
    ours, theirs = layer_of(named(BUILT_IN[name], 3)), layer_of(BUILT_IN[name], kernel_size=3)
    x, lengths = planes(5, 3, 3, 4, 3), [5, 0, 3]
    resets = torch.rand(5, 3, generator=torch.Generator().manual_seed(2)) > 0.6
    found = []
    for layer in (ours, theirs):
        y, state = layer(x, lengths=lengths, resets=resets)
        found.append([y, *state, *torch.autograd.grad(y.square().sum() + state[0].sum(), list(layer.parameters()))])
    for got, wanted in zip(*found, strict=True):
        assert torch.equal(got, wanted)


def test_layers_directions_steps_and_streams():
    layer = layer_of(named(BUILT_IN["lstm"], 3), num_layers=2, bidirectional=True, initial_state="learned")
    y, state = layer(planes(3, 2, 3, 4, 5))
    assert y.shape == (3, 2, 8, 4, 5)
    assert state[0].shape == (4, 2, 4, 4, 5)
    one, x = layer_of(), planes(3, 2, 3, 4, 5)
    y, state, stream = one(x)[0], None, one.stream(2, space=(4, 5))
    for t in range(3):
        y_t, state = one.step(x[t], state)
        torch.testing.assert_close(y_t, y[t])
        torch.testing.assert_close(stream.step(x[t]), y[t])


def test_what_is_dilated_reads_further():
    layer = un.Recurrent(un.Cell("wide", "h[t] = conv(W, 3) @ x[t] + R @ h[t-1]"), 1, 1, dilation=2)
    x = torch.randn(1, 1, 1, 6, 7)
    torch.testing.assert_close(layer(x)[0][0], functional.conv2d(x[0], layer.block("W"), padding=2, dilation=2))


def test_copies_files_and_sources_bring_everything():
    layer, other = layer_of(), layer_of(std=1.0)
    x = planes(2, 2, 3, 3, 4)
    other.load_state_dict(layer.state_dict())
    for same in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(same(x)[0], layer(x)[0])
    assert cell_from_text(MIXED.to_file_text(), "other") == MIXED
    assert from_source(to_source(MIXED.recurrence)) == MIXED.recurrence
    plain = un.Cell(MIXED.name, MIXED.equations.replace("conv(R_u, 5)", "conv(R_u, 3)"), **MIXED.declarations)
    assert plain != MIXED


def test_weights_begin_as_their_own_kernels_ask():
    torch.manual_seed(0)
    text = "h[t] = tanh(conv(W, 3) @ x[t] + V @ x[t] + conv(R, 3) @ h[t-1] + conv(S, 5) @ h[t-1])"
    layer = un.Recurrent(un.Cell("two", text, init={"S": "identity"}), 6, 20)
    for name, places in (("W", 9), ("V", 1)):
        bound = math.sqrt(6 / (places * 26))
        assert 0.9 * bound < layer.block(name).abs().max() <= bound
    flat = layer.block("R").flatten(1)
    torch.testing.assert_close(flat @ flat.T, torch.eye(20), atol=1e-5, rtol=0)
    h = torch.randn(1, 20, 4, 4)
    torch.testing.assert_close(functional.conv2d(h, layer.block("S"), padding=2), h)
    layer.reset_parameters("torch")
    bound = 1 / math.sqrt(25 * 20)
    assert 0.9 * bound < layer.block("R").abs().max() <= bound


def test_what_is_compiled_gives_the_same():
    layer, x = layer_of(), planes(2, 2, 3, 4, 4)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    wanted = torch.autograd.grad(layer(x)[0].square().sum(), list(layer.parameters()))
    got = torch.autograd.grad(compiled(x)[0].square().sum(), list(layer.parameters()))
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_it_is_printed_as_it_was_written():
    plan = make_plan(MIXED.recurrence)
    text = plan_to_text(plan)
    for line in ("    conv(R_u, 5) @ h[t-1]\n", "conv(L, 3)ᵀ @ ", "    (conv(A, 3) - conv(B, 5).T - k * E) @ ", "    blocks(G, 2)"):
        assert (line in text) == ("blocks" not in line), line
    assert r"\mathrm{conv}_{3}\left(\mathrm{blocks}_{2}\left(G\right)\right)" in to_latex(MIXED.recurrence)
    assert "conv(" in re.sub(r"<[^>]*>", "", plan_to_svg(plan, "mixed", 1))


def test_what_runs_is_told_and_what_cannot_is_refused(tmp_path):
    layer = layer_of()
    assert "planes [H, W]: engine eager (not native: its kernels have no convolutions" in layer.explain()
    with pytest.raises(EngineError, match="have no convolutions"):
        layer_of(engine="native")(planes(2, 1, 3, 3, 3))
    with pytest.raises(
        ShapeError, match=r"\[T, B, C, H, W\].*got \[2, 1, 3, 3, 3, 3\]. For 3 of space, give the layer kernel_size=\(1, 1, 1\)"
    ):
        layer(planes(2, 1, 3, 3, 3, 3))
    for network in (
        lambda: Encoder(InputSizes(numbers=3), EncoderOptions(), MIXED),
        lambda: Decoder(Embedding(5, 4), EncoderDecoderOptions().resolved(), 4, MIXED),
    ):
        with pytest.raises(ConfigError, match="'mixed' names convolutions, which read planes; here each step is a row of numbers"):
            network()
    path = tmp_path / "mixed.cell"
    path.write_text(MIXED.to_file_text(), encoding="utf-8")
    refused = CliRunner().invoke(cli, ["show", str(path), "--as", "c"])
    assert refused.exit_code
    assert "names convolutions" in str(refused.exception)


def test_a_page_says_what_a_place_costs(tmp_path):
    path = tmp_path / "one.cell"
    path.write_text("h[t] = tanh(conv(W, 3) @ x[t] + R @ h[t-1] + b)", encoding="utf-8")
    page = CliRunner().invoke(cli, ["show", str(path), "--as", "markdown"]).output
    assert f"{9 * 128**2 + 128**2 + 128:,} parameters and {10 * 128**2:,} products a step, {128**2:,} of them in the loop" in page
