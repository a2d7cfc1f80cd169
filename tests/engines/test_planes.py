"""Convolutional layers on the engine `native`: what torch convolves and compiled code goes over once, beside `eager`, operation by operation."""

import itertools
from dataclasses import replace

import pytest
import torch

import unrolled as un
from unrolled.compiler import make_plan
from unrolled.compiler.native.late import made_late
from unrolled.engines.native.pointwise import as_rows, pointwise_library

DOUBLE = torch.float64
SPACES = {1: (7,), 2: (5, 6), 3: (4, 3, 5)}
CELLS = ("lstm", "gru", "gru-reset-before", "slstm", "lstm-peephole", "minlstm", "gru-norm")
BATCH, STEPS = 3, 5
LENGTHS = [STEPS, 2, 3]
RESETS = torch.tensor([[0, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 1], [0, 0, 0]]).bool()


def layer_of(cell, channels, size, inputs=2, dtype=DOUBLE, **options):
    torch.manual_seed(0)
    layer = un.Recurrent(cell, inputs, channels, kernel_size=(3,) * len(size), dtype=dtype, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return layer


def planes(*shape, dtype=DOUBLE):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


def both(layer, *given, **options):
    """All that a layer gives without gradients, on `native` and on `eager`, each in a list."""
    found = []
    for engine in ("native", "eager"):
        layer.engine = engine
        with torch.no_grad():
            y, state = layer(*given, **options)
        found.append([y, *(state if isinstance(state, tuple) else (state,))])
    return found


def check(found, **bounds):
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, **(bounds or {"atol": 1e-12, "rtol": 1e-12}))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dimensions", SPACES)
def test_numbers_are_those_of_eager(cell, dimensions):
    space = SPACES[dimensions]
    options = {"space": space} if cell == "lstm-peephole" else {}
    x = planes(STEPS, BATCH, 2, *space)
    for channels in (4, 12):
        layer = layer_of(cell, channels, space, bidirectional=True, **options)
        for given in ({}, {"lengths": LENGTHS}, {"resets": RESETS}, {"lengths": LENGTHS, "resets": RESETS}):
            check(both(layer, x, **given))


@pytest.mark.parametrize(("channels", "inputs", "space"), [(1, 1, (1, 1)), (3, 17, (1, 9)), (17, 16, (16, 1)), (33, 19, (5, 5))])
@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_uneven_sizes(channels, inputs, space, dtype):
    layer = layer_of("lstm", channels, space, inputs, dtype, num_layers=2)
    found = both(layer, planes(2, 1, inputs, *space, dtype=dtype))
    check(found, **({"atol": 1e-5, "rtol": 1e-5} if dtype == torch.float32 else {}))


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_share_places(threads):
    before, layer = torch.get_num_threads(), layer_of("lstm", 9, (80, 81))
    torch.set_num_threads(threads)
    try:
        check(both(layer, planes(2, 2, 2, 80, 81)))
    finally:
        torch.set_num_threads(before)


CARRIED = un.Cell("carried", "s[t] = tanh(W @ x[t])\nh[t] = tanh(V @ x[t] + R @ h[t-1] + s[t-1])", output="h")


@pytest.mark.parametrize("cell", ["lstm", CARRIED], ids=str)
@pytest.mark.parametrize("every_state", [False, True])
def test_all_states_whatever_the_order_in_memory(cell, every_state):
    layer = layer_of(cell, 6, (4, 5)).requires_grad_(False)
    x = planes(4, BATCH, 2, 4, 5).movedim(2, -1)
    initial = planes(2, BATCH, 6, 4, 5).movedim(2, -1).unbind()
    problem, kept = layer.problem((0, 0), x, initial, None, None, every_state=every_state), [i.clone() for i in initial]
    ours, theirs = (un.engines.ENGINES[engine].run(problem) for engine in ("native", "eager"))
    check([[*ours.steps, *ours.final], [*theirs.steps, *theirs.final]])
    assert all(torch.equal(i, k) for i, k in zip(initial, kept, strict=True))
    memory = {t.untyped_storage().data_ptr() for t in (*ours.steps, *ours.final)}
    assert len(memory) == len(ours.steps) + len(ours.final)


def test_steps_one_by_one_are_the_sequence():
    layer, x, state = layer_of("gru", 5, (4, 5), engine="native"), planes(4, BATCH, 2, 4, 5), None
    with torch.no_grad():
        y, last = layer(x)
        for wanted, x_t in zip(y, x, strict=True):
            y_t, state = layer.step(x_t, state)
            torch.testing.assert_close(y_t, wanted, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(state, last, atol=1e-12, rtol=1e-12)


def test_kernels_of_several_sizes():
    cell = un.Cell("mixed", "h[t] = tanh(conv(W, 3) @ x[t] + conv(V, 1) @ x[t] + conv(R, 5) @ h[t-1] + g * (conv(S, 3) @ h[t-1]) + b)")
    layer = un.Recurrent(cell, 2, 5, dtype=DOUBLE)
    check(both(layer, planes(STEPS, BATCH, 2, 6, 7)))


def test_it_runs_only_where_nothing_is_asked_that_it_cannot():
    layer, x = layer_of("lstm", 3, (4, 4)), planes(2, 1, 2, 4, 4)
    layer(x)
    assert "engine eager (not native: its kernels have no convolutions where gradients are asked for" in layer.explain()
    with torch.no_grad():
        layer(x)
        assert "engine native (torch convolves, and what is pointwise was compiled" in layer.explain()
        torch.func.vmap(lambda x: layer(x)[0])(x[None])
    assert "last call: engine eager" in layer.explain()
    layer.requires_grad_(False)
    assert not layer(x)[0].requires_grad
    assert "last call: engine native" in layer.explain()


def test_what_one_stage_alone_reads_is_made_there():
    plan = make_plan(un.cells.BUILT_IN["lstm"].recurrence)
    late = made_late(plan)
    assert any(stage.assignments for stage in plan.prologue)
    assert not any(stage.assignments for stage in late.prologue)
    assert len(pointwise_library(late, DOUBLE).passes[-1]) == 1


@pytest.mark.parametrize("even", [True, False])
def test_rows_are_read_where_they_lie_evenly(even):
    whole = torch.arange(2 * 3 * 4 * 6.0).view(2, 3, 4, 6)
    tensor = whole[..., 2:5] if even else whole[:, :, 1:3, 2:5]
    rows = as_rows(tensor)
    assert (rows.tensor.data_ptr() == tensor.data_ptr()) == even
    read = torch.as_strided(rows.tensor, (tensor.numel() // 3, 3), (rows.step, 1), rows.tensor.storage_offset())
    assert torch.equal(read, tensor.reshape(-1, 3))


def test_a_dimension_of_one_place_may_have_any_stride():
    for shape, strides in itertools.product([(3, 1, 4), (1, 1, 4)], [(4, 1), (4, 99)]):
        tensor = torch.as_strided(torch.arange(200.0), shape, (*strides, 1))
        assert as_rows(tensor).tensor is tensor
        assert torch.equal(torch.as_strided(as_rows(tensor).tensor, (shape[0], 4), (as_rows(tensor).step, 1)), tensor[:, 0])


def test_weights_of_another_kind_of_number_are_refused():
    layer = layer_of("lstm", 3, (4, 4)).requires_grad_(False)
    place = layer.problem((0, 0), planes(2, 1, 4, 4, 2), tuple(planes(2, 1, 4, 4, 3)), None, None, every_state=False)
    mixed = replace(place, x=place.x.float())
    assert "one kind of number" in un.engines.ENGINES["native"].refuses(mixed)
