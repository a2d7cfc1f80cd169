"""What does not fit is refused by name: what was expected, what came, what to do."""

import pytest
import torch

import unrolled as un
from unrolled.errors import ConfigError, ShapeError

X = torch.zeros(5, 2, 3)


@pytest.mark.parametrize(
    ("lengths", "parts"),
    [
        ([1, 2, 3], ["[B] = [2]", "got [3]", "one length per sequence"]),
        (3, ["got []"]),
        ([[1, 2]], ["got [1, 2]"]),
        (torch.tensor([1.0, 2.0]), ["whole numbers", "float32", ".long()"]),
        ([1.0, 2.0], ["whole numbers", "float32"]),
        (torch.tensor([True, False]), ["whole numbers", "bool"]),
        ([True, True], ["whole numbers", "bool"]),
        ([2, -1], ["between 0 and T = 5", "got -1 in row 1", "number of real steps"]),
        (torch.tensor([6, 2], dtype=torch.int32), ["between 0 and T = 5", "got 6 in row 0"]),
        ("ab", ["whole numbers", "got str"]),
        ([None, 1], ["whole numbers", "got list"]),
    ],
)
def test_lengths_that_do_not_fit(lengths, parts):
    with pytest.raises(ShapeError, match="`lengths`") as error:
        un.LSTM(3, 4)(X, lengths=lengths)
    assert all(part in str(error.value) for part in parts), error.value


H = torch.zeros(1, 2, 4)


@pytest.mark.parametrize(
    ("state", "parts"),
    [
        (H, ["2 tensors (h, c)", "(Tensor)"]),
        ((H, H, H), ["2 tensors (h, c)"]),
        ((1, 2), ["(int, int)"]),
        ((H, torch.zeros(1, 3, 4)), ["state c", "[L*D, B, n] = [1, 2, 4]", "got [1, 3, 4]", "None to begin anew"]),
        ((H[0], H), ["state h", "got [2, 4]"]),
        ((torch.zeros(1, 2, 5), H), ["state h", "got [1, 2, 5]"]),
        ((H, H.bfloat16()), ["state c", "torch.bfloat16"]),
        ((H, H.double()), ["state c", "torch.float64", "torch.float32", ".to("]),
    ],
)
@pytest.mark.parametrize("engine", ["auto", "eager"])
def test_states_that_do_not_fit(state, parts, engine):
    with pytest.raises(ShapeError) as error:
        un.LSTM(3, 4, engine=engine)(X, state)
    assert all(part in str(error.value) for part in parts), error.value


@pytest.mark.parametrize("kind", [un.GRU, un.RNN])
def test_a_single_state_may_stand_in_a_tuple_but_not_two(kind):
    layer = kind(3, 4)
    assert torch.equal(layer(X, (H + 1,))[0], layer(X, H + 1)[0])
    with pytest.raises(ShapeError, match=r"one tensor \(h\), got \(Tensor, Tensor\)"):
        layer(X, (H, H))


def test_a_state_with_a_batch_does_not_fit_an_unbatched_input():
    with pytest.raises(ShapeError, match=r"\[L\*D, n\] = \[1, 4\], got \[1, 2, 4\]"):
        un.GRU(3, 4)(X[:, 0], H)


@pytest.mark.parametrize(
    ("x", "parts"),
    [
        (X.double(), ["float64", "float32", ".to(dtype)"]),
        (X.half(), ["float16"]),
        (X.bool(), ["bool"]),
        (X.to(torch.complex64), ["complex64"]),
        (X[0, 0], ["[T, B, I]", "got [3]"]),
        (X[None], ["got [1, 5, 2, 3]"]),
        (X[..., :2], ["Expected 3, got 2", "[5, 2, 2]"]),
        (torch.zeros(1, 1, 1, dtype=torch.long), ["[T, B]", "one-hot", "got [1, 1, 1]"]),
        (torch.tensor(1), ["got []"]),
        (torch.tensor([[0, 3]]), ["input_size - 1 = 2", "got 0 to 3"]),
        (torch.tensor([[-1, 2]]), ["between 0", "got -1 to 2"]),
        ([[1.0]], ["got list"]),
    ],
)
def test_inputs_that_do_not_fit(x, parts):
    with pytest.raises(ShapeError) as error:
        un.LSTM(3, 4)(x)
    assert all(part in str(error.value) for part in parts), error.value


def test_a_shape_error_is_what_torch_would_raise():
    with pytest.raises(RuntimeError):
        un.LSTM(3, 4)(X[..., :2])
    with pytest.raises(ValueError, match="input"):
        un.LSTM(3, 4)(X[..., :2])


def test_lengths_with_a_packed_sequence_are_too_many():
    packed = torch.nn.utils.rnn.pack_padded_sequence(X, torch.tensor([5, 2]))
    with pytest.raises(ShapeError, match="brings its own"):
        un.LSTM(3, 4)(packed, lengths=[5, 2])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (torch.zeros(2, 2, 5, 3), r"\[T, B, I\], got \[2, 2, 5, 3\]"),
        (torch.zeros(2, 3), r"\[T, B, I\], got \[2, 3\]"),
        (torch.zeros(2, 2, 4), "Expected 3, got 4"),
        (torch.zeros(2, 2, dtype=torch.bool), "torch.bool"),
        (torch.zeros(2, 2, 3, dtype=torch.long), "one-hot"),
    ],
)
def test_packed_sequences_that_do_not_fit(data, said):
    packed = torch.nn.utils.rnn.pack_padded_sequence(data, torch.tensor([2, 1, 1][: data.shape[1]]))
    with pytest.raises(ShapeError, match=said):
        un.LSTM(3, 4)(packed)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input_size": 0}, "`input_size`"),
        ({"input_size": True}, "`input_size`"),
        ({"hidden_size": 2.0}, "`hidden_size`"),
        ({"num_layers": 0}, "`num_layers`"),
        ({"dropout": 1}, "`dropout`"),
        ({"dropout": float("nan")}, "`dropout`"),
        ({"dropout": True}, "`dropout`"),
        ({"recurrent_dropout": -0.1}, "`recurrent_dropout`"),
        ({"recurrent_dropout": "half"}, "`recurrent_dropout`"),
        ({"initial_state": "ones"}, "'zeros' or 'learned'"),
        ({"bidirectional": 1}, "`bidirectional`"),
        ({"batch_first": "no"}, "`batch_first`"),
        ({"residual": None}, "`residual`"),
        ({"engine": "fast"}, "auto, native, torch, eager"),
        ({"dtype": torch.int32}, "`dtype`"),
    ],
)
def test_options_that_cannot_be(options, said):
    with pytest.raises(ConfigError) as error:
        un.Recurrent(**{"cell": "lstm", "input_size": 3, "hidden_size": 4, **options})
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: un.LSTM(3, 4, proj_size=4), "smaller than hidden_size = 4"),
        (lambda: un.LSTM(3, 4, proj_size=-1), "`proj_size`"),
        (lambda: un.LSTM(3, 4, proj_size=2.5), "`proj_size`"),
        (lambda: un.LSTM(3, 4, proj_size=True), "`proj_size`"),
        (lambda: un.LSTM(3, 0), "`hidden_size`"),
        (lambda: un.LSTM(3, "4", proj_size=2), "`hidden_size`"),
        (lambda: un.GRU(3, 4, proj_size=2), "only for LSTM"),
        (lambda: un.RNN(3, 4, proj_size=2), "only for LSTM"),
        (lambda: un.RNN(3, 4, nonlinearity="elu"), "'tanh' or 'relu'"),
        (lambda: un.LSTM(3, 4, bias=1), "`bias`"),
    ],
)
def test_options_of_the_drop_ins_that_cannot_be(make, said):
    with pytest.raises(ConfigError) as error:
        make()
    assert said in str(error.value)


UNITWISE = un.Cell("unitwise", "h[t] = tanh(x[t] + R_h @ h[t-1])")


def test_a_cell_that_reads_the_input_unit_by_unit():
    layer = un.Recurrent(UNITWISE, 4, 4, 2, dtype=torch.float64)
    x = torch.randn(3, 2, 4, dtype=torch.float64)
    y, _ = layer(x)
    below = h = torch.zeros(2, 4, dtype=torch.float64)
    for t in range(3):
        below = torch.tanh(x[t] + below @ layer.block("R_h").T)
        h = torch.tanh(below + h @ layer.block("R_h", 1).T)
        torch.testing.assert_close(y[t], h)
    with pytest.raises(ShapeError, match="unit by unit"):
        layer(torch.zeros(3, 2, dtype=torch.long))
    assert "whole numbers (one-hot): refused" in layer.explain()


@pytest.mark.parametrize(("arguments", "options"), [((3, 4), {}), ((4, 4, 2), {"bidirectional": True})])
def test_a_cell_that_reads_the_input_unit_by_unit_needs_columns_to_match(arguments, options):
    with pytest.raises(ConfigError, match="unit by unit"):
        un.Recurrent(UNITWISE, *arguments, **options)


@pytest.mark.parametrize("read", ["tanh(x[t])", "(W @ x[t] * g)", "norm(x[t])", "(g * x[t])", "norm(W @ x[t])"])
def test_whole_numbers_are_refused_where_the_numbers_of_the_input_themselves_are_read(read):
    layer = un.Recurrent(un.Cell("mine", f"h[t] = h[t-1] + U @ {read}"), 3, 4, dtype=torch.float64)
    index = torch.tensor([[0, 2], [1, 1]])
    if "W" in read:
        assert layer(index)[0].shape == (2, 2, 4)
        return
    with pytest.raises(ShapeError, match="unit by unit"):
        layer(index)


def test_a_cell_without_parameters_runs():
    layer = un.Recurrent(un.Cell("leak", "h[t] = 0.5 * h[t-1] + x[t]"), 4, 4, dtype=torch.float64)
    y, (h,) = layer(torch.ones(3, 1, 4, dtype=torch.float64))
    assert y[:, 0, 0].tolist() == [1, 1.5, 1.75]
    assert torch.equal(h[0], y[2])
    assert layer.float()(torch.ones(3, 1, 4))[0].dtype == torch.float32
    assert not layer.state_dict()


def test_a_vector_called_as_a_learned_initial_state_would_be_is_refused():
    cell = un.Cell("own", "h[t] = tanh(W @ x[t] + R @ h[t-1] + h_0)", init={"h_0": 2.0})
    with pytest.raises(
        ConfigError, match=r"has a vector 'h_0', which is what the learned initial state of 'h' is called\. Give .* another name"
    ):
        un.Recurrent(cell, 3, 4, initial_state="learned")
    assert un.Recurrent(cell, 3, 4).h_0_l0.eq(2).all()
