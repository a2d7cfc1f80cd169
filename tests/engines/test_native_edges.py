"""The ends of a kernel's blocks, and tensors that are not what they seem."""

import re
import warnings

import pytest
import torch
from torch.autograd import forward_ad

import unrolled as un
from backward import results
from by_hand import CELLS
from engines_here import needs_native
from unrolled.compiler import make_plan
from unrolled.compiler.native import make_kernel
from unrolled.engines.native import engine as native_engine
from unrolled.engines.native.compilers import find_compiler
from unrolled.engines.native.library import DEFINES
from unrolled.engines.native.processes import run
from unrolled.errors import BuildError, ShapeError

pytestmark = needs_native
DOUBLE = torch.float64


def both(cell, inputs, units, **options):
    torch.manual_seed(0)
    layers = [un.Recurrent(cell, inputs, units, engine=engine, **options) for engine in ("native", "eager")]
    layers[1].load_state_dict(layers[0].state_dict())
    return layers


# Past the depth that is read at once (512), the rows of a span (96), the steps (192) and panels (12 of 8 units) of a block of gradients.
@pytest.mark.parametrize(("cell", "inputs", "units", "steps", "batch"), [("lstm", 530, 150, 3, 101), ("elman", 5, 530, 2, 130), ("gru-reset-before", 520, 129, 4, 50)])  # fmt: skip
def test_blocks_go_on_where_the_last_one_ended(cell, inputs, units, steps, batch):
    native, eager = both(cell, inputs, units, dtype=DOUBLE)
    x = torch.randn(steps, batch, inputs, dtype=DOUBLE)
    for lengths in (None, torch.randint(steps + 1, (batch,))):
        for got, wanted in zip(results(native, x, lengths), results(eager, x, lengths), strict=True):
            torch.testing.assert_close(got, wanted, atol=1e-11, rtol=0)


@pytest.mark.parametrize("narrow", [False, True])
def test_few_numbers_of_many_are_looked_up_where_they_lie(narrow):
    native, eager = both("lstm", 300, 9, bfloat16_weights=narrow)
    x = torch.randint(300, (4, 3))
    for got, wanted in zip(results(native, x), results(eager, x), strict=True):
        torch.testing.assert_close(got, wanted, atol=2e-6, rtol=0)


@pytest.mark.parametrize("gradients", [False, True])
def test_an_input_elsewhere_is_refused(gradients):
    layer = un.LSTM(4, 8)
    with torch.set_grad_enabled(gradients):
        for x in (torch.zeros(3, 2, 4, device="meta"), torch.zeros(3, 2, 4).to_sparse()):
            with pytest.raises(ShapeError, match="dense tensor on cpu"):
                layer(x)
        _, state = layer(torch.zeros(3, 2, 4))
        with pytest.raises(ShapeError, match="on meta"):
            layer.step(torch.zeros(2, 4, device="meta"), state)


def test_what_is_traced_without_gradients_is_computed_anew():
    layer, x = un.LSTM(4, 8), torch.randn(3, 2, 4)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(layer, (torch.randn(3, 2, 4),), check_trace=False)
        torch.testing.assert_close(traced(x)[0], layer(x)[0])


# torch itself uses what it has deprecated.
@pytest.mark.filterwarnings("ignore:.torch.jit")
def test_derivatives_are_carried_forward_by_another_engine():
    layer, x, tangent = un.LSTM(4, 8), torch.randn(3, 2, 4), torch.randn(3, 2, 4)
    with torch.no_grad(), forward_ad.dual_level():
        y = layer(forward_ad.make_dual(x, tangent))[0]
        found = forward_ad.unpack_dual(y).tangent
    epsilon = 1e-3
    with torch.no_grad():
        wanted = (layer(x + epsilon * tangent)[0] - layer(x - epsilon * tangent)[0]) / (2 * epsilon)
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)


def test_negated_views_are_read_as_what_they_stand_for():
    layer, x = un.LSTM(4, 8), torch.randn(3, 2, 4)
    with torch.no_grad():
        wanted, state = layer(-x)
        torch.testing.assert_close(layer(torch._neg_view(x))[0], wanted)
        for _ in range(2):
            torch.testing.assert_close(layer.step(torch._neg_view(x[0]), state)[0], layer.step(-x[0], state)[0])


@pytest.mark.parametrize("change", [lambda t: t.double(), lambda t: t[:3, :3].contiguous(), lambda t: t[:, :3].contiguous()])
def test_parameters_that_no_longer_fit_are_named(change):
    layer = un.Recurrent("lstm", 4, 8)
    layer.R_f_l0.data = change(layer.R_f_l0.data)
    with torch.no_grad(), pytest.raises(ShapeError, match="'R_f' must be"):
        layer(torch.zeros(3, 2, 4))


def test_a_parameter_in_two_places_gets_both_gradients_once():
    layer = un.Recurrent("lstm", 4, 8)
    layer.R_i_l0 = layer.R_f_l0
    x = torch.randn(3, 2, 4)
    plain = torch.autograd.grad(layer(x)[0].sum(), layer.R_f_l0)[0]
    again = torch.autograd.grad(layer(x)[0].sum(), layer.R_f_l0, create_graph=True)[0]
    torch.testing.assert_close(again, plain)


# Of C, of its compilers, of the headers and of the kernel itself.
FOREIGN = """
    I INT32_MAX M_PI M_E MB_CUR_MAX MADV_NORMAL MADV_HUGEPAGE MAP_FAILED NAN INFINITY NULL EOF RAND_MAX SCHED_OTHER PROT_READ
    asm auto bool char double errno int int64_t linux long main memcpy restrict size_t stdin struct typeof unix unsigned void
    LANES BYTES DOUBLE SIZES SUMS PADDED STATES call first load real row run span store tape units vec vector v_tanh v_new sums_x AT_h
    SIZE_MAX PARAMETER_W PROLOGUE_STAGES leaving_h mean_h GATES_x SUM COUNT
"""


def foreign(turn):
    names = FOREIGN.split()
    names = names[turn:] + names[:turn]
    vectors, matrices, states = names[::3], names[1::3], names[2::3]
    lines = [f"{s}[t] = tanh({m} @ x[t] + {s}[t-1] * {v})" for v, m, s in zip(vectors, matrices, states, strict=True)]
    return un.Cell("foreign", "\n".join([*lines, f"h[t] = R @ h[t-1] + {' + '.join(f'{s}[t]' for s in states)}"]))


def test_every_name_of_the_language_can_be_a_name_of_c():
    native, eager = both(foreign(0), 3, 2, dtype=DOUBLE)
    x = torch.randn(4, 2, 3, dtype=DOUBLE)
    for got, wanted in zip(results(native, x), results(eager, x), strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-11, rtol=0)


@pytest.mark.parametrize("defines", DEFINES.values(), ids=str)
def test_generated_code_compiles_without_a_warning(defines, tmp_path):
    cells = [*CELLS.values(), *map(foreign, range(3))]
    for number, cell in enumerate(cells):
        source = tmp_path / f"{number}.c"
        source.write_text(make_kernel(make_plan(cell.recurrence)).source)
    compiler = find_compiler()
    if "ziglang" in compiler.command:
        pytest.skip("zig cc does not stop at the syntax")
    checked = [
        *compiler.command,
        *compiler.flags,
        "-fsyntax-only",
        "-Werror",
        *(f"-D{d}" for d in defines),
        *map(str, tmp_path.glob("*.c")),
    ]
    assert not run(checked).failure


def test_a_kernel_that_cannot_be_built_is_said_once_and_another_engine_runs(monkeypatch):
    asked, told = [], []

    def fail(*_):
        asked.append(1)
        raise BuildError("cc did not compile it.", reason="cc did not compile it")

    native_engine._trouble.cache_clear()
    monkeypatch.setattr(native_engine, "library", fail)
    monkeypatch.setattr(native_engine, "notice", told.append)
    layer = un.LSTM(4, 8)
    layer(torch.zeros(3, 2, 4))
    layer(torch.zeros(3, 2, 4))
    assert "last call: engine torch (not native: the C compiler failed (cc did not compile it)" in layer.explain()
    assert asked == [1]
    assert told == ["cc did not compile it"]
    native_engine._trouble.cache_clear()


def test_generated_code_names_what_it_reads_and_says_what_it_is():
    cell = un.Cell("two", "c[t] = c[t-1] + W @ x[t]\nh[t] = tanh(R @ h[t-1] + Q @ h[t-1] + c[t])")
    comment, code = make_kernel(make_plan(cell.recurrence)).text.split("*/", 1)
    assert all(line in comment for line in cell.equations.splitlines())
    assert "/* Every step, stage 2 of 2: multiply h[t-1] by Q and R; compute h[t]. */" in code
    assert not re.search(r"\b(before|arriving|panel|seen|column|parameter|sums_\w+)\[(\(row \* )?\d", code)
