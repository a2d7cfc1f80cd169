"""`LSTM`, `GRU` and `RNN` against torch.nn's: every output, every state and every gradient."""

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

import unrolled as un
from engines_here import HERE

INPUTS, UNITS = 7, 9
PAIRS = [(un.LSTM, torch.nn.LSTM, {}), (un.LSTM, torch.nn.LSTM, {"proj_size": 5}), (un.GRU, torch.nn.GRU, {}), (un.RNN, torch.nn.RNN, {}),
         (un.RNN, torch.nn.RNN, {"nonlinearity": "relu"})]  # fmt: skip
SHAPES = [{}, {"bias": False}, {"batch_first": True}, {"num_layers": 2, "bidirectional": True}, {"num_layers": 3, "batch_first": True},
          {"num_layers": 3, "bidirectional": True, "bias": False, "batch_first": True}]  # fmt: skip

pytestmark = [
    pytest.mark.filterwarnings("ignore:LSTM with projections"),
    pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS),
]
every_engine = pytest.mark.parametrize("engine", HERE)


def pair(ours, theirs, options, engine, **more):
    """Our layer and torch's with the same random numbers; their two biases differ, so that a sum is not a choice of one."""
    torch.manual_seed(0)
    reference = theirs(INPUTS, UNITS, **options, **more).double()
    for parameter in reference.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    layer = ours(INPUTS, UNITS, engine=engine, dtype=torch.float64, **options, **more)
    layer.load_state_dict(reference.state_dict())
    return layer, reference


def random_state(reference, batch):
    places = reference.num_layers * (2 if reference.bidirectional else 1)
    shape = lambda n: (places, *batch, n)  # noqa: E731
    h = torch.randn(shape(reference.proj_size or UNITS), dtype=torch.float64)
    return (h, torch.randn(shape(UNITS), dtype=torch.float64)) if isinstance(reference, torch.nn.LSTM) else h


def flat(result):
    """Every tensor of `(output, state)`."""
    y, state = result
    return [y.data if isinstance(y, PackedSequence) else y, *(state if isinstance(state, tuple) else (state,))]


def torch_gradients(layer, reference):
    """Our parameters' gradients under torch's names. A bias of ours has the gradient of each of torch's two, but for the reset gate's."""
    wanted = {n: p.grad for n, p in reference.named_parameters()}
    for name, parameter in layer.named_parameters():
        if name.startswith("bias_l"):
            first, second = name.replace("bias_", "bias_ih_"), name.replace("bias_", "bias_hh_")
            gates, inner = wanted.pop(first), wanted.pop(second)
            assert torch.allclose(gates[: 2 * UNITS], inner[: 2 * UNITS], atol=1e-12)
            expected = torch.cat([gates, inner[2 * UNITS :]]) if isinstance(layer, un.GRU) else gates
        else:
            expected = wanted.pop(name)
        yield name, parameter.grad, expected
    assert not wanted


def compare(layer, reference, x, state, wrap=lambda x: x):
    torch.manual_seed(1)
    inputs, results = [], []
    for module in (layer, reference):
        own_x = x.clone().requires_grad_()
        own = [s.clone().requires_grad_() for s in (state if isinstance(state, tuple) else (state,) if state is not None else ())]
        result = flat(module(wrap(own_x), tuple(own) if len(own) > 1 else own[0] if own else None))
        inputs.append([own_x, *own])
        results.append(result)
    cotangents = [torch.randn_like(r) for r in results[0]]
    for result in results:
        sum((r * c).sum() for r, c in zip(result, cotangents, strict=True)).backward()
    for got, wanted in zip(*results, strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-12, rtol=0)
    for got, wanted in zip(*inputs, strict=True):
        torch.testing.assert_close(got.grad, wanted.grad, atol=1e-11, rtol=0)
    for name, got, wanted in torch_gradients(layer, reference):
        torch.testing.assert_close(got, wanted, atol=1e-11, rtol=1e-11, msg=lambda m, name=name: f"{name}: {m}")


@every_engine
@pytest.mark.parametrize("more", SHAPES)
@pytest.mark.parametrize("given", [False, True])
def test_outputs_states_and_all_gradients_equal_torch(ours, theirs, options, more, given, engine):
    layer, reference = pair(ours, theirs, options, engine, **more)
    x = torch.randn(*((3, 5) if more.get("batch_first") else (5, 3)), INPUTS, dtype=torch.float64)
    compare(layer, reference, x, random_state(reference, [3]) if given else None)


@every_engine
@pytest.mark.parametrize("given", [False, True])
def test_unbatched_input_equals_torch(ours, theirs, options, given, engine):
    layer, reference = pair(ours, theirs, options, engine, num_layers=2, bidirectional=True, batch_first=True)
    compare(layer, reference, torch.randn(5, INPUTS, dtype=torch.float64), random_state(reference, []) if given else None)


@every_engine
@pytest.mark.parametrize("lengths", [[5, 3, 1], [2, 5, 4]])
@pytest.mark.parametrize("given", [False, True])
def test_packed_sequences_equal_torch(ours, theirs, options, lengths, given, engine):
    in_order = lengths == sorted(lengths, reverse=True)
    layer, reference = pair(ours, theirs, options, engine, num_layers=2, bidirectional=True)
    pack = lambda x: pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=in_order)  # noqa: E731
    x = torch.randn(5, 3, INPUTS, dtype=torch.float64)
    compare(layer, reference, x, random_state(reference, [3]) if given else None, pack)
    with torch.no_grad():
        got, wanted = layer(pack(x))[0], reference(pack(x))[0]
    assert torch.equal(got.batch_sizes, wanted.batch_sizes)
    for own, other in zip(got[2:], wanted[2:], strict=True):
        assert (own is None and other is None) or torch.equal(own, other)
    torch.testing.assert_close(pad_packed_sequence(got)[0], pad_packed_sequence(wanted)[0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("more", SHAPES)
def test_state_dicts_go_both_ways_with_the_same_keys_in_the_same_order(ours, theirs, options, more):
    layer, reference = pair(ours, theirs, options, "eager", **more)
    assert list(layer.state_dict()) == list(reference.state_dict())
    assert [v.shape for v in layer.state_dict().values()] == [v.shape for v in reference.state_dict().values()]
    other = theirs(INPUTS, UNITS, **options, **more).double()
    other.load_state_dict(layer.state_dict(), strict=True)
    x = torch.randn(*((2, 4) if more.get("batch_first") else (4, 2)), INPUTS, dtype=torch.float64)
    with torch.no_grad():
        for got, wanted in zip(flat(other(x)), flat(reference(x)), strict=True):
            torch.testing.assert_close(got, wanted, atol=1e-12, rtol=0)


def test_a_state_dict_inside_another_module_goes_both_ways(ours, theirs, options):
    layer, reference = (torch.nn.ModuleDict({"inner": m}) for m in pair(ours, theirs, options, "eager", num_layers=2))
    assert list(layer.state_dict()) == list(reference.state_dict())
    reference.load_state_dict(layer.state_dict())
    layer.load_state_dict(reference.state_dict())


def test_a_missing_bias_is_reported(ours, theirs, options):
    layer, reference = pair(ours, theirs, options, "eager")
    state = reference.state_dict()
    del state["bias_hh_l0"]
    with pytest.raises(RuntimeError, match="bias"):
        layer.load_state_dict(state)


@pytest.mark.parametrize("more", SHAPES)
def test_torch_scheme_draws_torch_s_numbers(ours, theirs, options, more):
    layer = ours(INPUTS, UNITS, **options, **more)
    torch.manual_seed(4)
    layer.reset_parameters("torch")
    torch.manual_seed(4)
    wanted = theirs(INPUTS, UNITS, **options, **more).state_dict()
    again = ours(INPUTS, UNITS, **options, **more)
    again.load_state_dict(wanted)
    for name, value in layer.named_parameters():
        assert torch.equal(value, again.get_parameter(name)), name


@every_engine
@pytest.mark.parametrize("state", range(2))
def test_what_does_not_reach_a_state_has_a_gradient_of_zeros_as_in_torch(ours, theirs, options, engine, state):
    """After one step the cell of an LSTM knows nothing of its output gate."""
    layer, reference = pair(ours, theirs, options, engine)
    x = torch.randn(1, 4, INPUTS, dtype=torch.float64)
    for each in (layer, reference):
        final = each(x)[1]
        (final[state] if isinstance(final, tuple) else final).square().sum().backward()
    for name, found, wanted in torch_gradients(layer, reference):
        # A projection is a tensor of its own in torch's composed kernel, and has none.
        torch.testing.assert_close(found, torch.zeros_like(found) if wanted is None else wanted, msg=name)
