"""Steps of a stream and short calls on the engine `native`, beside the engine `eager`."""

import copy
import gc
import pickle
import threading
import weakref

import pytest
import torch

import unrolled as un
from by_hand import CELLS
from changes import CHANGES
from engines_here import needs_native
from unrolled.engines.native import stream
from unrolled.errors import ConfigError, EngineError, ShapeError

pytestmark = needs_native

SIZES = [1, 3, 17, 65]
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}


def pair(name, inputs, units, dtype=torch.float64, **options):
    """The same layer on both engines, every number random and distinct."""
    layers = [un.Recurrent(CELLS[name], inputs, units, engine=engine, dtype=dtype, **options) for engine in ("native", "eager")]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for ours, theirs in zip(*(layer.parameters() for layer in layers), strict=True):
            drawn = torch.randn(ours.shape, generator=generator, dtype=dtype)
            ours.copy_(drawn * (0.5 / units**0.5 if ours.dim() > 1 else 0.5))
            theirs.copy_(ours)
    return layers


def inputs_of(name, units):
    """As many columns as fit the cell: one that reads its input unit by unit has them all of one size."""
    return units if CELLS[name].recurrence.reads_input_by_unit else units + 2


def start(layer, batch, dtype=torch.float64):
    return tuple(torch.randn(layer.num_layers, batch, layer.hidden_size, dtype=dtype) * 0.5 for _ in layer.cell.states)


def assert_close(ours, theirs, dtype=torch.float64):
    torch.testing.assert_close(ours, theirs, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def steps(layer, x, state):
    outputs = []
    for x_t in x:
        y, state = layer.step(x_t, state)
        outputs.append(y)
    return torch.stack(outputs), state


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("units", SIZES)
@pytest.mark.parametrize("name", CELLS)
def test_steps_are_a_sequence(name, units, dtype):
    native, eager = pair(name, inputs_of(name, units), units, dtype)
    for batch in (1, 2, 5):
        x, state = torch.randn(4, batch, native.input_size, dtype=dtype), start(native, batch, dtype)
        with torch.inference_mode():
            wanted = eager(x, state)
            assert_close(steps(native, x, state), wanted, dtype)
            assert_close(native(x, state), wanted, dtype)


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 6, 50])
@pytest.mark.parametrize("length", [1, 7, 45])
@pytest.mark.parametrize("units", [3, 17])
@pytest.mark.parametrize("name", ["lstm", "gru-reset-before", "lstm-peephole"])
def test_packed_or_not_the_products_are_the_same(name, units, length, batch):
    native, eager = pair(name, 5, units)
    x = torch.randn(length, batch, 5, dtype=torch.float64, requires_grad=True)
    found = []
    for layer in (native, eager):
        y, state = layer(x, None)
        total = (y * torch.cos(torch.arange(y.numel(), dtype=y.dtype)).view_as(y)).sum() + state[-1].sum()
        found.append([y, *state, *torch.autograd.grad(total, [x, *layer.parameters()])])
    assert_close(*found)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (4, 2), (90, 1), (1, 300), (127, 1), (128, 1)])
def test_no_steps_few_and_many(shape):
    native, eager = pair("lstm", 3, 4)
    x = torch.randn(*shape, 3, dtype=torch.float64)
    some = torch.arange(shape[1]) % (shape[0] + 1)
    for lengths in (None, some, torch.zeros_like(some)):
        assert_close(native(x, lengths=lengths), eager(x, lengths=lengths))


def test_steps_equal_a_sequence_with_layers_learned_states_and_numbers():
    native, eager = pair("lstm", 6, 5, num_layers=3, initial_state="learned")
    for x in (torch.randn(5, 2, 6, dtype=torch.float64), torch.randint(6, (5, 2))):
        with torch.no_grad():
            outputs, state = steps(native, x, None)
            assert_close((outputs, state), eager(x))
            assert_close(steps(native, x[:, 0], None), steps(eager, x[:, 0], None))


def test_gradients_and_masks_through_steps():
    native, eager = pair("gru", 4, 3, recurrent_dropout=0.5, dropout=0.25, num_layers=2)
    x, state = torch.randn(6, 2, 4, dtype=torch.float64), start(native, 2)
    found = []
    for layer in (native, eager):
        torch.manual_seed(7)
        y, final = steps(layer, x, state)
        found.append([y, *final, *torch.autograd.grad((y * y).sum() + final[0].sum(), layer.parameters())])
    assert_close(*found)


def test_what_was_given_is_never_written_to_again():
    layer, _ = pair("lstm", 4, 17)
    x, state = torch.randn(9, 1, 4, dtype=torch.float64), start(layer, 1)
    with torch.inference_mode():
        given = [layer.step(x_t, state) for x_t in x]
        kept = [[y.clone(), *(s.clone() for s in states)] for y, states in given]
        layer.step(x[0] + 1, state)
        for (y, states), copies in zip(given, kept, strict=True):
            assert all(map(torch.equal, (y, *states), copies))
        memory = [t.data_ptr() for y, states in given for t in (y, *states, *state)]
        assert len(set(memory)) == 9 * 3 + 2
        # What the caller does to one result must not reach another, nor the next step.
        y, states = given[0]
        y.fill_(7)
        assert_close(layer.step(x[1], states), layer.step(x[1], tuple(kept[0][1:])))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("make", [un.RNN, lambda *sizes, **more: un.Recurrent("gru", *sizes, **more)])
def test_a_changed_parameter_is_seen_at_the_next_step(make, change):
    torch.manual_seed(0)
    native, eager = (make(8, 8, engine=engine, dtype=torch.float64) for engine in ("native", "eager"))
    eager.load_state_dict(native.state_dict())
    x, state = torch.randn(1, 8, dtype=torch.float64), torch.randn(1, 1, 8, dtype=torch.float64)
    with torch.no_grad():
        before = native.step(x, state)[0]
        for layer in (native, eager):
            change(layer)
        after = native.step(x, state)
        assert_close(after, eager.step(x, state))
        assert not torch.equal(after[0], before)
        assert_close(native.step(x, state), after)


def test_a_layer_in_another_type_of_number():
    native, eager = pair("lstm", 4, 5)
    x = torch.randn(3, 1, 4)
    for dtype in (torch.float64, torch.float32, torch.float64):
        with torch.no_grad():
            assert_close(steps(native.to(dtype), x.to(dtype), None), steps(eager.to(dtype), x.to(dtype), None), dtype)


def test_a_layer_computed_from_other_parameters():
    native, eager = pair("lstm", 4, 5)
    for layer in (native, eager):
        torch.nn.utils.parametrizations.weight_norm(layer, "R_i_l0")
    x = torch.randn(3, 1, 4, dtype=torch.float64)
    with torch.no_grad():
        for _ in range(2):
            assert_close(steps(native, x, None), steps(eager, x, None))
            for layer in (native, eager):
                layer.parametrizations["R_i_l0"].original0.mul_(2)


def test_inputs_and_states_that_are_views():
    native, eager = pair("lstm", 4, 16)
    x, state = (
        torch.randn(4, 3, dtype=torch.float64).t(),
        tuple(torch.randn(16, 3, 1, dtype=torch.float64).transpose(0, 2) for _ in range(2)),
    )
    with torch.no_grad():
        native.step(x.contiguous(), tuple(s.contiguous() for s in state))
        assert_close(native.step(x, state), eager.step(x, state))


def test_a_step_in_inference_mode_then_one_without_and_one_with_gradients():
    native, eager = pair("lstm", 4, 5)
    x = torch.randn(1, 4, dtype=torch.float64)
    with torch.inference_mode():
        native.step(x)
    with torch.no_grad():
        y, state = native.step(x)
    y, _ = native.step(x, state)
    assert y.requires_grad
    assert_close(y, eager.step(x, state)[0])


def test_two_threads_stream_on_one_layer():
    native, _ = pair("lstm", 16, 33)
    x = torch.randn(200, 1, 16, dtype=torch.float64)
    xs = [x, -x, 2 * x]
    with torch.no_grad():
        wanted = [steps(native, x, None) for x in xs]
        found, begin = [None] * len(xs), threading.Barrier(len(xs))

        def stream(number):
            begin.wait()
            with torch.no_grad():
                found[number] = steps(native, xs[number], None)

        threads = [threading.Thread(target=stream, args=(number,)) for number in range(len(xs))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for ours, theirs in zip(found, wanted, strict=True):
        assert_close(ours, theirs)


def test_a_step_is_no_reason_to_keep_a_layer_and_a_layer_can_be_copied_after_it():
    layer, eager = pair("gru", 4, 5)
    x = torch.randn(1, 4, dtype=torch.float64)
    with torch.no_grad():
        layer.step(x)
        again = pickle.loads(pickle.dumps(copy.deepcopy(layer)))
        del again.R_n_l0
        again.R_n_l0 = torch.nn.Parameter(layer.R_n_l0.detach().clone())
        assert_close(again.step(x), eager.step(x))
    places = [weakref.ref(weights) for weights in layer._layouts.values()]
    del layer
    gc.collect()
    assert not any(place() for place in places)


def test_only_what_is_small_is_kept():
    layer, _ = pair("lstm", 4, 8)
    with torch.no_grad():
        for batch in range(1, 3 * stream.MOST_KINDS):
            layer.step(torch.randn(batch, 4, dtype=torch.float64))
        layer(torch.randn(stream.MOST_ROWS + 1, 1, 4, dtype=torch.float64))
    kept = stream._prepared[layer._layouts[0, 0]]
    assert 1 <= len(kept) <= stream.MOST_KINDS
    assert max(prepared._tape.numel() for prepared in kept.values()) < stream.MOST_ROWS * 200


def known(name="lstm", **options):
    """A layer that has taken a step like the next one before, and the state that it was given."""
    native, eager = pair(name, 4, 5, **options)
    x, state = torch.randn(2, 4, dtype=torch.float64), start(native, 2)
    with torch.no_grad():
        native.step(x, state)
        native.step(x, state)
    assert native._steps._of
    return native, eager, x, state


@torch.no_grad()
def test_a_known_step_is_still_checked():
    native, eager, x, state = known()
    with pytest.raises(ShapeError, match="input_size"):
        native.step(x[:, :3], state)
    with pytest.raises(ShapeError, match="state c"):
        native.step(x, (state[0], state[1][:, :1]))
    with pytest.raises(ShapeError, match="float32"):
        native.step(x, tuple(s.float() for s in state))
    with pytest.raises(ShapeError, match="dtype"):
        native.step(x.float(), state)
    numbers = torch.tensor([0, 3])
    for _ in range(2):
        assert_close(native.step(numbers, state), eager.step(numbers, state))
    with pytest.raises(ShapeError, match="input_size - 1 = 3"):
        native.step(numbers + 1, state)
    with pytest.raises(ConfigError, match="reverse"):
        un.LSTM(4, 5, bidirectional=True).step(torch.zeros(2, 4), (torch.zeros(2, 2, 5),) * 2)


@torch.no_grad()
def test_a_known_step_runs_on_the_engine_that_is_asked_for():
    native, _, x, state = known()
    native.engine = "eager"
    native.step(x, state)
    assert "last call: engine eager" in native.explain()
    native.engine = "auto"
    for _ in range(2):
        native.step(x, state)
    assert "last call: engine native" in native.explain()


def test_a_known_step_calls_hooks_drops_out_and_gives_gradients():
    native, eager, x, state = known(num_layers=2)
    with torch.no_grad():
        seen = []
        handle = native.register_forward_hook(lambda *call: seen.append(call))
        native.step(x, state)
        handle.remove()
        native.step(x, state)
        assert len(seen) == 1
        assert_close(native.step(x, state), eager.step(x, state))
        native.residual = eager.residual = True
        assert_close(native.step(x, state), eager.step(x, state))
        native.dropout = 0.5
        assert not torch.equal(native.step(x, state)[0], native.step(x, state)[0])
    native.dropout = 0.0
    assert native.step(x, state)[0].requires_grad


@torch.no_grad()
def test_a_known_step_reads_narrow_weights_as_soon_as_it_is_told_to():
    layers = [layer.float() for layer in known()[:2]]
    x, state = torch.randn(2, 4), start(layers[0], 2, torch.float32)
    exact = [layers[0].step(x, state)[0] for _ in range(3)]
    for layer in layers:
        layer.bfloat16_weights = True
    native, eager = (layer.step(x, state) for layer in layers)
    assert_close(native, eager, torch.float32)
    assert not torch.equal(native[0], exact[-1])


@torch.no_grad()
def test_a_known_step_is_refused_under_vmap():
    native, _, x, state = known()
    with pytest.raises(EngineError, match=r"torch\.func"):
        torch.vmap(lambda one: native.step(one, state)[0])(x[None])
