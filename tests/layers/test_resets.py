"""Several sequences one after the other in a row give what they give one by one: outputs, states, gradients, in both directions."""

import itertools

import pytest
import torch

import unrolled as un
from by_hand import CELLS, COMMON
from slopes import assert_slopes, weighted
from unrolled.engines.choice import VARIABLE
from unrolled.errors import EngineError, ShapeError

pytestmark = pytest.mark.usefixtures("each_engine")

DOUBLE = torch.float64
CUTS = [
    [False, False, True, False],
    [False, True, True, False],
    [True, False, False, True],
    [False, False, False, True],
    [True, False, True, True],
    [False, False, False, False],
    [False, True, True, True],
]
"""Seven steps of four rows: a piece of one step, a cut before the first step, cuts side by side, and some past the ends in `LENGTHS`."""
LENGTHS = [5, 7, 0, 3]
STEPS, ROWS = 7, 4


def cuts_of(device="cpu"):
    return torch.tensor(CUTS, device=device)


def layer_of(cell="lstm", inputs=3, units=4, *arguments, **options):
    torch.manual_seed(0)
    layer = un.Recurrent(CELLS[cell] if isinstance(cell, str) else cell, inputs, units, *arguments, dtype=DOUBLE, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer


def pieces(row, length):
    """Where a row's sequences begin and end; cuts before the first step and past the end make no piece."""
    inner = [t for t in range(1, length) if CUTS[t][row]]
    return list(itertools.pairwise([0, *inner, length])) if length else []


def one_by_one(layer, x, state, lengths):
    """What `layer(x, state, lengths=lengths, resets=cuts, return_states=True)` must give, from calls that know nothing of resets."""
    outputs, finals, histories = [], [], []
    directions = 2 if layer.bidirectional else 1
    for row, length in enumerate(lengths or [STEPS] * ROWS):
        start = None if state is None else tuple(s[:, row : row + 1] for s in state)
        parts = [layer(x[a:b, row : row + 1], start, return_states=True) for a, b in pieces(row, length)]
        nothing = layer(x[:0, row : row + 1], start, return_states=True)
        rest = STEPS - length
        outputs.append(torch.cat([*(y for y, _, _ in parts), nothing[0].new_zeros(rest, 1, nothing[0].shape[2])]))
        # A reader from the end comes to the first piece last.
        first, last = (parts[0][1], parts[-1][1]) if parts else (nothing[1], nothing[1])
        finals.append(
            tuple(torch.stack([(first if k % directions else last)[s][k] for k in range(len(last[s]))]) for s in range(len(last)))
        )
        empty = [n.new_zeros(n.shape[0], rest, 1, n.shape[3]) for n in nothing[2]]
        histories.append(tuple(torch.cat([*(h[s] for _, _, h in parts), empty[s]], 1) for s in range(len(empty))))
    return (
        torch.cat(outputs, 1),
        tuple(torch.cat(f, 1) for f in zip(*finals, strict=True)),
        tuple(torch.cat(h, 2) for h in zip(*histories, strict=True)),
    )


def flat(result):
    y, final, history = result
    return [y, *final, *history]


def with_gradients(results, inputs):
    """Results and the gradients of a random linear function of all of them."""
    generator = torch.Generator().manual_seed(5)
    total = sum((r * torch.randn(r.shape, dtype=r.dtype, generator=generator)).sum() for r in results)
    gradients = torch.autograd.grad(total, inputs, allow_unused=True)
    return [*results, *(torch.zeros_like(i) if g is None else g for i, g in zip(inputs, gradients, strict=True))]


def compare(layer, x, state, lengths):
    x = x.requires_grad_()
    inputs = [x, *(state or ()), *layer.parameters()]
    got = with_gradients(flat(layer(x, state, lengths=lengths, resets=cuts_of(), return_states=True)), inputs)
    wanted = with_gradients(flat(one_by_one(layer, x, state, lengths)), inputs)
    for value, reference in zip(got, wanted, strict=True):
        torch.testing.assert_close(value, reference, atol=1e-11, rtol=0)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_every_cell_in_both_directions_with_all_gradients(name, lengths):
    layer = layer_of(name, bidirectional=True)
    x = torch.randn(STEPS, ROWS, 3, dtype=DOUBLE)
    state = tuple(torch.randn(2, ROWS, 4, dtype=DOUBLE, requires_grad=True) for _ in layer.cell.states)
    compare(layer, x, state, lengths)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("initial_state", ["zeros", "learned"])
def test_stacked_layers_with_initial_states_of_their_own(initial_state, bidirectional, lengths):
    layer = layer_of("lstm", 3, 4, 3, initial_state=initial_state, bidirectional=bidirectional, residual=True)
    compare(layer, torch.randn(STEPS, ROWS, 3, dtype=DOUBLE), None, lengths)


def test_a_learned_state_gets_a_gradient_from_every_restart():
    layer = layer_of("elman", initial_state="learned")
    x = torch.randn(3, 1, 3, dtype=DOUBLE)
    y, _ = layer(x, resets=torch.ones(3, 1, dtype=torch.bool))
    torch.testing.assert_close(y, torch.tanh(x @ layer.W_h_l0.T + layer.h_0_l0 @ layer.R_h_l0.T + layer.b_h_l0))
    y.sum().backward()
    torch.testing.assert_close(layer.h_0_l0.grad, ((1 - y.detach() ** 2) @ layer.R_h_l0.detach()).sum((0, 1)))


@pytest.mark.parametrize("name", ["lstm", "gru", "lstm-peephole"])
def test_first_and_second_derivatives_equal_finite_differences(name):
    layer = layer_of(name, 1, 2, bidirectional=True)
    resets = torch.tensor([[False, True], [True, False], [False, True], [True, True]])
    x = torch.randn(4, 2, 1, dtype=DOUBLE, requires_grad=True)
    state = tuple(torch.randn(2, 2, 2, dtype=DOUBLE, requires_grad=True) for _ in layer.cell.states)

    def total():
        y, final = layer(x, state, lengths=[4, 3], resets=resets)
        return weighted(y, *final)

    assert_slopes(total, [x, *state, *layer.parameters()], order=2)


OURS = [(un.LSTM, torch.nn.LSTM), (un.GRU, torch.nn.GRU), (un.RNN, torch.nn.RNN)]


@pytest.mark.parametrize(("ours", "theirs"), OURS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_drop_ins_equal_torch_nn_run_on_each_sequence(ours, theirs, bidirectional):
    torch.manual_seed(0)
    layer, reference = (kind(3, 4, 2, bidirectional=bidirectional, dtype=DOUBLE) for kind in (ours, theirs))
    reference.load_state_dict(layer.state_dict())
    x = torch.randn(STEPS, ROWS, 3, dtype=DOUBLE)
    y, _ = layer(x, lengths=LENGTHS, resets=cuts_of())
    assert "last call: engine torch" not in layer.explain()
    for row, length in enumerate(LENGTHS):
        for a, b in pieces(row, length):
            torch.testing.assert_close(y[a:b, row], reference(x[a:b, row])[0], atol=1e-12, rtol=0)
        assert not y[length:, row].any()


@pytest.mark.parametrize("batch_first", [False, True])
def test_layouts(batch_first):
    layer = layer_of("gru", 3, 4, 2, bidirectional=True)
    x = torch.randn(STEPS, ROWS, 3, dtype=DOUBLE)
    y, _, (every,) = layer(x, resets=cuts_of(), return_states=True)
    layer.batch_first = batch_first
    if batch_first:
        got, _, (states,) = layer(x.transpose(0, 1), resets=cuts_of().T, return_states=True)
        assert torch.equal(got.transpose(0, 1), y)
        assert torch.equal(states.transpose(1, 2), every)
    alone, _ = layer(x[:, 1], resets=cuts_of()[:, 1])
    torch.testing.assert_close(alone, y[:, 1])


def test_whole_numbers():
    layer = layer_of("lstm", 6, 4, 2, bidirectional=True)
    symbols = torch.randint(6, (STEPS, ROWS))
    got, _ = layer(symbols, lengths=LENGTHS, resets=cuts_of())
    wanted, _ = layer(torch.nn.functional.one_hot(symbols, 6).double(), lengths=LENGTHS, resets=cuts_of())
    torch.testing.assert_close(got, wanted)


def test_what_one_sequence_makes_of_nan_does_not_reach_the_next():
    layer = layer_of("lstm", bidirectional=True)
    x = torch.randn(6, 1, 3, dtype=DOUBLE)
    resets = torch.zeros(6, 1, dtype=torch.bool)
    resets[[2, 4]] = True
    clean, _ = layer(x, resets=resets)
    x[2:4] = torch.nan
    y, _ = layer(x, resets=resets)
    assert y[2:4].isnan().all()
    assert torch.equal(y[[0, 1, 4, 5]], clean[[0, 1, 4, 5]])


def test_a_row_keeps_its_dropout_mask_across_sequences():
    layer = layer_of("elman", 3, 64, recurrent_dropout=0.5)
    x = torch.randn(1, 2, 3, dtype=DOUBLE).expand(6, -1, -1)
    resets = torch.zeros(6, 2, dtype=torch.bool)
    resets[3] = True
    y, _ = layer(x, torch.ones(1, 2, 64, dtype=DOUBLE), resets=resets)
    torch.testing.assert_close(y[:3], y[3:])


def test_nothing_to_set_back():
    layer = layer_of("lstm", 3, 4, 2, bidirectional=True)
    x = torch.randn(3, 2, 3, dtype=DOUBLE)
    never = torch.zeros(3, 2, dtype=torch.bool)
    first = never.clone()
    first[0] = True
    for resets in (never, first):
        torch.testing.assert_close(layer(x, resets=resets), layer(x))
    for shape in [(0, 2), (3, 0)]:
        empty = torch.zeros(*shape, 3, dtype=DOUBLE)
        torch.testing.assert_close(layer(empty, resets=torch.zeros(shape, dtype=torch.bool)), layer(empty))


@pytest.mark.parametrize("name", COMMON)
def test_autocast_stays_close_to_single_precision(name, monkeypatch):
    monkeypatch.delenv(VARIABLE)  # Under autocast the engine native refuses.
    layer = layer_of(name, bidirectional=True, initial_state="learned").float()
    x = torch.randn(STEPS, ROWS, 3).bfloat16().float()
    wanted, state = layer(x, lengths=LENGTHS, resets=cuts_of())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, final = layer(x, lengths=LENGTHS, resets=cuts_of())
    torch.testing.assert_close(got.float(), wanted, atol=0.1, rtol=0.1)
    torch.testing.assert_close(final, state, atol=0.1, rtol=0.1)
    (got.float().sum() + final[0].sum()).backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


def test_torch_kernels_refuse():
    with pytest.raises(EngineError, match="cannot set states back"):
        un.LSTM(3, 4, engine="torch")(torch.zeros(5, 2, 3), resets=torch.zeros(5, 2, dtype=torch.bool))


X = torch.zeros(5, 2, 3)
RIGHT = torch.zeros(5, 2, dtype=torch.bool)


@pytest.mark.parametrize(
    ("x", "options", "resets", "parts"),
    [
        (X, {}, RIGHT.T, ["[T, B] = [5, 2]", "got [2, 5]", "each step of each row"]),
        (X, {}, RIGHT[:, 0], ["[T, B] = [5, 2]", "got [5]"]),
        (X, {}, RIGHT[:4], ["got [4, 2]"]),
        (X.transpose(0, 1), {"batch_first": True}, RIGHT, ["[B, T] = [2, 5]", "got [5, 2]"]),
        (X[:, 0], {}, RIGHT, ["[T] = [5]", "got [5, 2]"]),
        (X, {}, RIGHT.long(), ["boolean", "torch.int64", ".bool()"]),
        (X, {}, RIGHT.float(), ["boolean", "torch.float32"]),
        (X, {}, RIGHT.tolist(), ["boolean tensor", "got list"]),
        (X, {}, RIGHT.to("meta"), ["lies on meta", "`x` on cpu", ".to(x.device)"]),
        (
            torch.nn.utils.rnn.pack_padded_sequence(X, torch.tensor([5, 2])),
            {},
            RIGHT,
            ["PackedSequence", "pad_packed_sequence", "`lengths`"],
        ),
    ],
)
def test_resets_that_do_not_fit(x, options, resets, parts):
    with pytest.raises(ShapeError, match="`resets`") as error:
        un.LSTM(3, 4, **options)(x, resets=resets)
    assert all(part in str(error.value) for part in parts), error.value
