"""Layers of cells that declare something: sizes, parts of the input, what is fixed, shared, made or counted."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch

import unrolled as un
from engines_here import needs_native
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers.made import fixed

ENGINES = ["eager", pytest.param("native", marks=needs_native)]
T, B, INPUTS, H = 5, 3, 4, 8

CELLS = {
    "antisymmetric": un.Cell("antisymmetric", "h[t] = h[t-1] + k * tanh((A - A.T - g * E) @ h[t-1] + W @ x[t] + b)", constant={"k": 0.1},
                             scalar={"g": 0.3}, fixed={"E": "identity"}),
    "heads": un.Cell("heads", "h[t] = tanh(W @ x[t] + blocks(R, 4) @ h[t-1] - R2.T @ tanh(R2 @ h[t-1]))"),
    "low rank": un.Cell("low rank", "h[t] = tanh(W @ x[t] + U @ V @ h[t-1])", size={"V": "H/4"}),
    "counted": un.Cell("counted", "h[t] = tanh(W @ x[t] + R @ h[t-1] + sin(w * t)) + where(t % 3 < 1, s, 0)", scalar={"s": -0.5}),
    "earlier": un.Cell("earlier", "p[t] = x[t]\nh[t] = tanh(W @ x[t] + V @ x[t-1] + Q @ p[t-1] + R @ h[t-1])"),
    "memory": un.Cell("memory", "m[t] = m[t-1] + (A @ m[t-1] + B * sum(u[t])) / 9\nh[t] = tanh(W @ x[t] + M @ m[t])".replace("sum(u[t])", "sum(e @ x[t])"),
                      fixed={"A": "legendre", "B": "legendre"}, size={"m": 5, "e": 1}),
    "matrix": un.Cell("matrix", "v[t] = V @ x[t]\nk[t] = K @ x[t]\nC[t] = sigmoid(F @ x[t]) * C[t-1] + outer(v[t], k[t], 2)\nh[t] = C[t] @ (Q @ x[t]) + C[t-1].T @ v[t] / 4"),
    "oblong": un.Cell("oblong", "v[t] = V @ x[t]\nk[t] = K @ x[t]\nC[t] = C[t-1] + outer(sigmoid(B @ x[t]) * (v[t] - C[t-1] @ k[t]), k[t])\nh[t] = tanh(C[t] @ (Q @ x[t])) + U @ (C[t].T @ v[t])", size={"k": 5}),
    "joined": un.Cell("joined", "s[t] = a * s[t-1] + S @ x[t]\nh[t] = tanh(R @ s[t] + Q @ h[t-1])", output=["s", "h"], init={"a": 0.5}, size={"s": 3}),
    "began": un.Cell("began", "m[t] = max(W @ x[t] + m[t-1], V @ x[t])\nh[t] = tanh(exp(W @ x[t] + m[t-1] - m[t]) + h[t-1])", begin={"m": -math.inf, "h": 0.25}),
    "parts": un.Cell("parts", "k[t] = exp(-relu(G @ dt[t]))\nh[t] = tanh(W @ (mask[t] * x[t]) + R @ (k[t] * h[t-1]) + V @ mask[t-1])", inputs=["x", "mask", "dt"], size={"dt": 1}),
}  # fmt: skip


def layer_of(name, engine="eager", **options):
    torch.manual_seed(3)
    width = 2 * INPUTS + 1 if name == "parts" else INPUTS
    layer = un.Recurrent(CELLS[name], width, H, dtype=torch.float64, engine=engine, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.4)
    return layer, torch.randn(T, B, width, dtype=torch.float64, requires_grad=True)


def gradients(layer, x, *states):
    y, after = layer(x, *states)
    torch.manual_seed(4)
    total = sum((part * torch.randn_like(part)).sum() for part in (y, *after) if part.isfinite().all())
    return [y, *after, *torch.autograd.grad(total, [x, *layer.parameters()])]


@needs_native
@pytest.mark.parametrize("name", CELLS)
def test_the_engines_agree_on_values_and_gradients(name):
    found = []
    for engine in ("eager", "native"):
        layer, x = layer_of(name, engine)
        found.append(gradients(layer, x))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CELLS)
def test_steps_streams_resets_and_lengths_give_what_the_whole_gives(name, engine):
    layer, x = layer_of(name, engine)
    with torch.no_grad():
        whole, last = layer(x)
        state, stream = None, layer.stream(B)
        for t in range(T):
            y, state = layer.step(x[t], state)
            torch.testing.assert_close(y, whole[t])
            torch.testing.assert_close(stream.step(x[t].detach()).clone(), whole[t])
        for ours, theirs in zip(state, last, strict=True):
            torch.testing.assert_close(ours, theirs)
        cuts = torch.zeros(2 * T, B, dtype=torch.bool)
        cuts[T, :2] = True
        twice, _ = layer(torch.cat([x, x]), resets=cuts)
        torch.testing.assert_close(twice[T:, :2], whole[:, :2])
        if name in ("counted", "memory", "matrix"):
            assert not torch.allclose(twice[T:, 2], whole[:, 2])
        short, _ = layer(x, lengths=[5, 2, 0])
        torch.testing.assert_close(short[:2, 1], whole[:2, 1])
        assert not short[2:, 1].any()


@pytest.mark.parametrize("name", CELLS)
def test_a_layer_is_saved_copied_and_moved(name):
    layer, x = layer_of(name)
    wanted, _ = layer(x)
    other = un.Recurrent(CELLS[name], layer.input_size, H, dtype=torch.float64)
    other.load_state_dict(layer.state_dict())
    for copied in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(copied(x)[0], wanted)
    assert not any("fixed" in key for key in layer.state_dict())
    single = copy.deepcopy(layer).float()
    assert single(x.float())[0].dtype == torch.float32
    torch.testing.assert_close(single(x.float())[0].double(), wanted, rtol=1e-4, atol=1e-4)


def test_maps_follow_what_they_are_made_of():
    layer, _ = layer_of("antisymmetric")
    A, g = layer.block("A").numpy(), float(layer.block("g"))
    np.testing.assert_allclose(layer.block("A - A.T - g * E").numpy(), A - A.T - g * np.eye(H))
    with pytest.raises(ConfigError, match="computed"):
        layer.block("A - A.T - g * E").zero_()
    layer.load_blocks({"A": np.eye(H), "g": 2.0})
    np.testing.assert_allclose(layer.block("A - A.T - g * E").numpy(), -2 * np.eye(H))
    assert {name for name, _ in layer.named_parameters()} == {"W_l0", "b_l0", "A_l0", "g_l0"}
    heads, _ = layer_of("heads")
    assert heads.block("R").shape == (4, 2, 2)
    np.testing.assert_allclose(heads.block("blocks(R, 4)"), torch.block_diag(*heads.block("R")))


def test_sizes_are_as_declared():
    low, _ = layer_of("low rank")
    assert (low.block("U").shape, low.block("V").shape) == ((H, 2), (2, H))
    memory, x = layer_of("memory")
    assert memory.state_sizes == {"h": H, "m": 5}
    joined, x = layer_of("joined", bidirectional=True, num_layers=2)
    assert joined.output_size == 2 * (3 + H)
    y, states = joined(x)
    assert y.shape == (T, B, 22)
    torch.testing.assert_close(y[-1, :, :3], states[0][2])
    torch.testing.assert_close(y[-1, :, 3:11], states[1][2])
    matrix, _ = layer_of("matrix")
    assert matrix.state_sizes["C"] == H * H // 2


def test_parts_may_come_one_by_one():
    layer, x = layer_of("parts")
    wanted, _ = layer(x)
    parts = x.split([INPUTS, INPUTS, 1], -1)
    torch.testing.assert_close(layer(parts)[0], wanted)
    torch.testing.assert_close(layer.step(tuple(p[0] for p in parts))[0], wanted[0])
    given = un.Recurrent(CELLS["parts"], (INPUTS, INPUTS, 1), H, dtype=torch.float64)
    assert given.input_size == 2 * INPUTS + 1
    with pytest.raises(ShapeError, match="reads the parts x, mask, dt, got 2"):
        layer(parts[:2])
    with pytest.raises(ShapeError, match="same steps and sequences"):
        layer((parts[0], parts[1], parts[2][:1]))
    with pytest.raises(ConfigError, match="cannot share 8 columns"):
        un.Recurrent(CELLS["parts"], 8, H)
    with pytest.raises(ConfigError, match="do not fit its equations"):
        un.Recurrent(CELLS["parts"], (INPUTS, 2, 1), H)
    with pytest.raises(ConfigError, match="2 sizes"):
        un.Recurrent(CELLS["parts"], (INPUTS, 2), H)
    with pytest.raises(ConfigError, match="do not fit its equations"):
        un.Recurrent(CELLS["parts"], 9, H, 2)


@pytest.mark.parametrize(
    ("cell", "arguments", "said"),
    [
        (CELLS["heads"], (INPUTS, 6), "multiple of 4"),
        (CELLS["low rank"], (INPUTS, 6), "no whole number for H = 6"),
        (CELLS["matrix"], (INPUTS, 7), "must divide 7 and 7 units"),
        (CELLS["earlier"], (INPUTS, H, 2), "inputs of all layers must have as many columns"),
        (un.Cell("f", "h[t] = F @ x[t] + h[t-1]", fixed={"F": [[1, 2], [3, 4], [5, 6]]}), (3, 3), "for 2 inputs, but the input has 3"),
        (un.Cell("f", "h[t] = F @ h[t-1] + W @ x[t]", fixed={"F": "lower(3)"}), (3, 4), "must divide its 4 rows"),
        (un.Cell("f", "h[t] = f * h[t-1] + W @ x[t]", fixed={"f": "identity"}), (3, 4), "of which there is no fixed 'identity'"),
    ],
)  # fmt: skip
def test_sizes_that_do_not_come_out_even_are_refused(cell, arguments, said):
    with pytest.raises(ConfigError) as caught:
        un.Recurrent(cell, *arguments)
    assert said in str(caught.value)


def test_a_matrix_of_numbers_gives_its_sizes():
    layer = un.Recurrent(un.Cell("f", "h[t] = tanh(W @ x[t]) + F @ h[t-1]", fixed={"F": [[0.5, 1], [0, 0.5]]}), 3, 2, dtype=torch.float64)
    assert layer.state_sizes == {"h": 2}
    with pytest.raises(ConfigError, match="fixes 'h' at 2 units, got hidden_size = 9"):
        un.Recurrent(layer.cell, 3, 9)
    x = torch.randn(2, 1, 3, dtype=torch.float64)
    y, _ = layer(x)
    first = torch.tanh(x[0] @ layer.block("W").T)
    torch.testing.assert_close(y[1], torch.tanh(x[1] @ layer.block("W").T) + first @ torch.tensor([[0.5, 0], [1, 0.5]], dtype=x.dtype))


def test_fixed_blocks_are_what_papers_say():
    like = torch.zeros(0, dtype=torch.float64)
    hippo = np.array([[-1, 0, 0], [-math.sqrt(3), -2, 0], [-math.sqrt(5), -math.sqrt(15), -3]])
    np.testing.assert_allclose(fixed("it", "hippo", 3, 3, like), hippo)
    legendre = np.array([[-1, -1, -1], [3, -3, -3], [-5, 5, -5]])
    np.testing.assert_allclose(fixed("it", "legendre", 3, 3, like), legendre)
    np.testing.assert_allclose(fixed("it", "legendre", 3, None, like), [1, -3, 5])
    np.testing.assert_allclose(fixed("it", "hippo", 3, None, like), np.sqrt([1, 3, 5]))
    np.testing.assert_allclose(fixed("it", "lower", 3, 3, like), np.tril(np.ones((3, 3))))
    np.testing.assert_allclose(fixed("it", "upper(2)", 4, 4, like), np.kron([[1, 1], [0, 1]], np.ones((2, 2))))
    np.testing.assert_allclose(fixed("it", "blocks(2)", 4, 2, like), [[1, 0], [1, 0], [0, 1], [0, 1]])
    np.testing.assert_allclose(fixed("it", "repeat", 5, 2, like), [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]])
    np.testing.assert_allclose(fixed("it", "position", 4, None, like), [0, 0.25, 0.5, 0.75])
    np.testing.assert_allclose(fixed("it", "index", 3, None, like), [0, 1, 2])
    assert fixed("it", "identity", 2, 3, like).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_states_begin_as_they_are_said_to():
    layer, x = layer_of("began")
    h, m = layer.begin(2)
    assert (h == 0.25).all()
    assert (m == -math.inf).all()
    assert layer(x)[0].isfinite().all()
    with pytest.raises(ConfigError, match="from which nothing can be learnt"):
        un.Recurrent(CELLS["began"], INPUTS, H, initial_state="learned")
    learned = un.Recurrent(CELLS["counted"], INPUTS, H, initial_state="learned")
    assert [name for name, _ in learned.named_parameters() if "_0" in name] == ["h_0_l0"]
    assert not learned.begin(2)[1].any()


def test_parameters_begin_as_they_are_said_to():
    cell = un.Cell("mine", "f[t] = sigmoid(W @ x[t] + b_f) * h[t-1]\nh[t] = f[t] + R @ h[t-1] + blocks(Q, 2) @ h[t-1] + V @ x[t] + b_i * s",
                   init={"b_f": "chrono(100)", "b_i": "-b_f", "W": "uniform(-0.5, -0.25)", "R": "identity", "V": 3.0, "Q": "orthogonal"}, scalar={"s": 0.75})  # fmt: skip
    torch.manual_seed(0)
    layer = un.Recurrent(cell, 40, 64)
    b, W = layer.block("b_f"), layer.block("W")
    assert 0 <= b.min() < 1 < 4 < b.max() <= math.log(99)
    assert torch.equal(layer.block("b_i"), -b)
    assert -0.5 <= W.min() < -0.45 < -0.3 < W.max() <= -0.25
    assert torch.equal(layer.block("R"), torch.eye(64))
    assert (layer.block("V") == 3).all()
    assert float(layer.block("s")) == 0.75
    for block in layer.block("Q"):
        torch.testing.assert_close(block @ block.T, torch.eye(32), atol=1e-5, rtol=0)
    layer.reset_parameters("torch")
    assert all(p.abs().max() <= 1 / 8 for p in layer.parameters())


def test_dropout_does_not_touch_what_is_fixed():
    cell = un.Cell("mine", "h[t] = E @ h[t-1] + W @ x[t] + 0 * (R @ h[t-1])", fixed={"E": "identity"})
    layer = un.Recurrent(cell, INPUTS, H, recurrent_dropout=0.5, dtype=torch.float64)
    x = torch.randn(T, B, INPUTS, dtype=torch.float64)
    for engine in ("eager", "native"):
        layer.engine = engine
        torch.testing.assert_close(layer(x)[0], (x @ layer.block("W").T).cumsum(0))


def test_a_sum_may_be_read_among_any_number_of_units():
    cell = un.Cell("mine", "u[t] = U @ x[t]\nm[t] = 0.5 * m[t-1] + M @ x[t] * sum(u[t])\nh[t] = tanh(W @ x[t] * sum(u[t]) + mean(u[t]) * h[t-1] + R @ (m[t] * sum(u[t])))",
                   size={"u": 3, "m": 5})  # fmt: skip
    torch.manual_seed(0)
    layer = un.Recurrent(cell, INPUTS, H, dtype=torch.float64)
    assert layer.state_sizes == {"h": H, "m": 5}
    x, blocks = torch.randn(T, B, INPUTS, dtype=torch.float64), {name: layer.block(name) for name in "UMWR"}
    m, h = torch.zeros(B, 5, dtype=torch.float64), torch.zeros(B, H, dtype=torch.float64)
    for engine in ("eager", "native"):
        layer.engine = engine
        y, _ = layer(x)
        m, h = m * 0, h * 0
        for t in range(T):
            u = x[t] @ blocks["U"].T
            s = u.sum(1, keepdim=True)
            m = 0.5 * m + x[t] @ blocks["M"].T * s
            h = torch.tanh(x[t] @ blocks["W"].T * s + u.mean(1, keepdim=True) * h + (m * s) @ blocks["R"].T)
            torch.testing.assert_close(y[t], h)


def test_made_blocks_are_kept_and_follow_what_is_written_unseen():
    layer, x = layer_of("heads")
    with torch.no_grad():
        before, _ = layer(x)
        kept = layer._weights_at((0, 0)).stored
        assert all(a is b for a, b in zip(kept, layer._weights_at((0, 0)).stored, strict=True))
        layer.R_l0.data.mul_(2)
        after, _ = layer(x)
        assert not torch.allclose(before, after)
        copied = copy.deepcopy(layer)
        copied.R2_l0.zero_()
        assert not torch.allclose(copied(x)[0], after)
        torch.testing.assert_close(layer(x)[0], after)
    torch.testing.assert_close(layer(x)[0], after)
    assert layer(x)[0].requires_grad


@pytest.mark.parametrize("engine", ENGINES)
def test_matrices_are_read_by_rows_and_by_columns(engine):
    """Beside NumPy, with as many columns as no vector has else, and with heads."""
    layer, x = layer_of("oblong", engine)
    V, K, B_, Q, U = (layer.block(name).numpy() for name in "VKBQU")
    assert (K.shape, U.shape) == ((5, INPUTS), (H, 5))
    given, C = x.detach().numpy(), np.zeros((B, H, 5))
    y = layer(x)[0].detach().numpy()
    for t in range(T):
        v, k, b = given[t] @ V.T, given[t] @ K.T, 1 / (1 + np.exp(-(given[t] @ B_.T)))
        read = np.einsum("bij,bj->bi", C, k)
        C = C + np.einsum("bi,bj->bij", b * (v - read), k)
        wanted = np.tanh(np.einsum("bij,bj->bi", C, given[t] @ Q.T)) + np.einsum("bij,bi->bj", C, v) @ U.T
        np.testing.assert_allclose(y[t], wanted, rtol=1e-10, atol=1e-12)
    heads, x = layer_of("matrix", engine)
    V, K, F, Q = (heads.block(name).numpy() for name in "VKFQ")
    given, C = x.detach().numpy(), np.zeros((B, 2, H // 2, H // 2))
    y = heads(x)[0].detach().numpy()
    for t in range(T):
        v, k, f, q = ((given[t] @ block.T).reshape(B, 2, H // 2) for block in (V, K, F, Q))
        wanted = np.einsum("bhij,bhi->bhj", C, v).reshape(B, H) / 4
        C = C / (1 + np.exp(-f))[..., None] + np.einsum("bhi,bhj->bhij", v, k)
        wanted = wanted + np.einsum("bhij,bhj->bhi", C, q).reshape(B, H)
        np.testing.assert_allclose(y[t], wanted, rtol=1e-10, atol=1e-12)
