import cProfile
import os
import pstats
import subprocess
import sys

import numpy as np
import pytest
import torch

import plan_in_numpy
import unrolled as un
from by_hand import CELLS
from unrolled.compiler import make_plan, plan_to_text
from unrolled.compiler.native.phases import Sizes, lay_tape, make_phases
from unrolled.equations.recurrence import OverUnits

AWKWARD = [
    "h[t] = tanh((W @ x[t]) * b + d + h[t-1] * b)",
    "h[t] = tanh(W @ x[t] + R @ h[t-1] + exp(b) + b)",
    "h[t] = tanh(W @ x[t] * exp(b) + d + R @ (h[t-1] * exp(b)))",
    "h[t] = tanh(A @ (B @ x[t]) + A @ h[t-1] + A @ b)",
    "h[t] = tanh(W @ (x[t] * exp(b)) + h[t-1])",
    "g[t] = sigmoid(W @ x[t])\nh[t] = tanh(g[t] * b + x[t] + g[t] * h[t-1] * b + R @ g[t])",
    "g[t] = tanh(W @ x[t])\nh[t] = (tanh(V @ g[t] + g[t]) + b + h[t-1]) * g[t]",
    "k[t] = 2\nh[t] = k[t] * tanh(W @ (x[t] * k[t]) + R @ (k[t] * b) * h[t-1])",
    "h[t] = tanh(W @ x[t] + b) * h[t-1] + tanh(W @ x[t] + b) * b + softplus(W @ x[t] + b)",
    "c[t] = c[t-1] / 2 + h[t-1] * x[t]\nh[t] = c[t-1] / (2 + abs(c[t])) - (2 - tanh(h[t-1])) ** 3 / 9 + b",
    "h[t] = sqrt(1 + exp(x[t]) + b ** 2) / 4 + log(2 + abs(h[t-1])) * softplus(h[t-1]) / 4",
    "p[t] = tanh(W @ x[t])\nh[t] = R @ h[t-1] + p[t-1]",
    "h[t] = relu(2) ** 0.5 * x[t] + 2 ** tanh(h[t-1] * sigmoid(b)) / 4",
    "h[t] = norm(h[t-1] + x[t] * b) + R @ (h[t-1] + x[t] * b)",
    "h[t] = tanh(g * norm(W @ x[t]) + norm(R @ h[t-1]) + norm(b) + norm(x[t]) * norm(W @ x[t]) + R @ norm(exp(b)))",
    "k[t] = 2\nh[t] = norm(k[t]) * x[t] + norm(k[t] + b) / 2 + norm(norm(h[t-1]) + k[t] * x[t]) + norm(relu(2) + 0 * h[t-1])",
    "c[t] = norm(c[t-1] * norm(h[t-1])) + W @ norm(x[t])\nh[t] = norm(c[t-1]) * sqrt(1 + norm(c[t]) ** 2) - h[t-1] / 4",
]
"""Vectors read both in the loop and before it, constants inside sums of the input, one matrix for several operands, means of all of these."""


def plan_of(text, output="h"):
    return make_plan(un.Cell("mine", text, output=output).recurrence)


def symbols(stage):
    return [str(a.symbol) for a in stage.assignments]


def products(stage):
    return [str(p.symbol) for p in stage.products]


@pytest.mark.parametrize(("cell", "whole", "forward"), [("lstm", 6, 6), ("gru", 6, 5), ("elman", 2, 1)])
def test_a_kernel_keeps_no_more_columns_than_it_needs(cell, whole, forward):
    """Of an LSTM the four gates and two states, and the adjoints of the gates where the gates were: what is kept is a step's memory traffic."""
    plan = make_plan(un.cells.BUILT_IN[cell].recurrence)
    phases = make_phases(plan)
    tape = lay_tape(plan, phases, Sizes(plan.recurrence, phases))
    assert (len(tape.labels), tape.forward) == (whole, forward)


@pytest.mark.parametrize("text", AWKWARD)
def test_the_derived_adjoint_of_awkward_texts_equals_automatic_differentiation(text):
    torch.manual_seed(0)
    layer = un.Recurrent(un.Cell("awkward", text), 4, 4, engine="eager", dtype=torch.float64)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    states = layer.cell.states
    x = torch.randn(5, 2, 4, dtype=torch.float64, requires_grad=True)
    initial = tuple(torch.randn(1, 2, 4, dtype=torch.float64, requires_grad=True) for _ in states)
    cotangents = {s: torch.randn(5, 2, 4, dtype=torch.float64) for s in states}
    *_, every = layer(x, initial, return_states=True)
    total = sum((e[0] * cotangents[s]).sum() for s, e in zip(states, every, strict=True))
    named = dict(layer.named_parameters())
    wanted = torch.autograd.grad(total, [x, *initial, *named.values()], allow_unused=True)
    gradients, into_x, into_state = plan_in_numpy.derivative(
        make_plan(layer.cell.recurrence),
        {p.name: layer.block(p.name).detach().numpy() for p in layer.cell.recurrence.parameters},
        x.detach().numpy(),
        {s: v[0].detach().numpy() for s, v in zip(states, initial, strict=True)},
        {s: c.numpy() for s, c in cotangents.items()},
    )
    got = [into_x, *(into_state[s] for s in states), *(gradients[p.name] for p in layer.cell.recurrence.parameters)]
    for value, reference in zip(got, wanted, strict=True):
        np.testing.assert_allclose(value, 0 if reference is None else reference.reshape(value.shape), atol=1e-11, rtol=0)


@pytest.mark.parametrize("text", [*AWKWARD, *(c.equations for c in CELLS.values())])
def test_every_name_is_given_once_and_before_it_is_read(text):
    plan = plan_of(text, "y" if "y[t]" in text else "h")
    recurrence, adjoint = plan.recurrence, plan.adjoint
    vectors = {p.name for p in recurrence.parameters if not p.is_matrix}
    given = {*vectors, "x[t]", *(f"{s}[t-1]" for s in recurrence.states)}

    def give(symbol):
        assert str(symbol) not in given, f"{symbol} is given twice"
        given.add(str(symbol))

    def read(*names):
        missing = {str(n) for n in names} - given
        assert not missing, f"{missing} read before they are given"

    def pointwise(assignments):
        for a in assignments:
            read(*a.expression.free_symbols)
            give(a.symbol)

    for part in (plan.prologue, plan.stages):
        for stage in part:
            read(*(p.operand for p in stage.products))
            for p in stage.products:
                give(p.symbol)
            pointwise(stage.assignments)
        if part is plan.prologue:
            assert not any("[t-1]" in str(a.expression) for s in part for a in s.assignments)
    given = {*vectors, "x[t]", *(f"{s}[t-1]" for s in recurrence.states), *map(str, adjoint.saved), *(str(s) for _, s in adjoint.arriving)}
    pointwise(adjoint.recomputed)
    for part in (adjoint.loop, adjoint.epilogue):
        for stage in part:
            for pullback in stage.pullbacks:
                read(*(delta for _, delta in pullback.terms))
                give(pullback.symbol)
            pointwise(stage.assignments)
        if part is adjoint.loop:
            read(*(s for _, e in adjoint.leaving for s in e.free_symbols))
    read(*(g.delta for g in adjoint.gradients), *(g.operand for g in adjoint.gradients if g.operand is not None))
    read(*(adjoint.input.free_symbols if adjoint.input is not None else ()))


def test_what_depends_on_the_input_alone_leaves_the_loop():
    (early,), (late,) = make_plan(un.cells.BUILT_IN["elman"].recurrence).prologue, make_plan(un.cells.BUILT_IN["elman"].recurrence).stages
    assert products(early) == ["W_h @ x[t]"]
    assert symbols(early) == ["h_x[t]"]
    assert str(early.assignments[0].expression) == "W_h @ x[t] + b_h"
    assert products(late) == ["R_h @ h[t-1]"]
    assert str(late.assignments[-1].expression) == "tanh(R_h @ h[t-1] + h_x[t])"


def test_a_whole_line_that_depends_on_the_input_alone_leaves_the_loop():
    plan = plan_of("f[t] = sigmoid(W @ x[t] + b)\nh[t] = f[t] * h[t-1] + A @ tanh(V @ f[t])")
    assert [products(s) for s in plan.prologue] == [["W @ x[t]"], ["V @ f[t]"], [plan.prologue[2].products[0].symbol.name]]
    assert symbols(plan.prologue[0]) == ["f[t]"]
    assert [products(s) for s in plan.stages] == [[]]
    assert symbols(plan.stages[0]) == ["h[t]"]


def test_what_depends_on_parameters_alone_stays_in_the_loop_with_what_reads_it():
    plan = plan_of("h[t] = tanh(W @ x[t] + exp(b) + R @ h[t-1])")
    assert [(products(s), symbols(s)) for s in plan.prologue] == [(["W @ x[t]"], [])]
    assert symbols(plan.stages[0])[0] == "exp_h_in[t]"


@pytest.mark.parametrize(
    ("name", "forward", "backward"),
    [("elman", 1, 2), ("lstm", 1, 2), ("lstm-peephole", 1, 2), ("gru", 1, 2), ("gru-reset-before", 2, 3), ("lstm-projected", 2, 2), ("gru-norm", 3, 4), ("lstm-norm", 5, 6), ("chain", 4, 4)],
)  # fmt: skip
def test_a_stage_ends_where_a_product_must_wait(name, forward, backward):
    plan = make_plan(CELLS[name].recurrence)
    assert len(plan.stages) == forward
    assert len(plan.adjoint.loop) == backward


def test_the_products_of_a_state_flow_back_together():
    """Four products read h[t-1] in an LSTM; one sum of transposed products answers them."""
    plan = make_plan(un.cells.BUILT_IN["lstm"].recurrence)
    (pullback,) = [p for stage in plan.adjoint.loop for p in stage.pullbacks]
    assert sorted(matrix for matrix, _ in pullback.terms) == ["R_f", "R_i", "R_o", "R_z"]
    assert dict(plan.adjoint.leaving)["h"] == pullback.symbol


def test_an_lstm_keeps_its_gates_and_states_and_makes_the_rest_again():
    adjoint = make_plan(un.cells.BUILT_IN["lstm"].recurrence).adjoint
    assert set(map(str, adjoint.saved)) == {"h[t]", "c[t]", "i[t]", "f[t]", "o[t]", "z[t]"}
    assert [str(a.symbol) for a in adjoint.recomputed] == ["tanh_c[t]"]


def test_a_vanilla_network_keeps_its_output_alone():
    adjoint = make_plan(un.cells.BUILT_IN["elman"].recurrence).adjoint
    assert list(map(str, adjoint.saved)) == ["h[t]"]
    assert not adjoint.recomputed


def test_a_value_that_several_lines_use_is_computed_once():
    plan = plan_of("a[t] = tanh(h[t-1]) * b\nh[t] = a[t] + tanh(h[t-1]) + R @ h[t-1] + R @ h[t-1]")
    assert sum(str(a.expression).count("tanh(") for s in plan.stages for a in s.assignments) == 1
    assert sum(len(s.products) for s in plan.stages) == 1


def test_helper_names_stay_clear_of_the_names_in_the_text():
    plan = plan_of("h_x[t] = 2 * h[t-1]\nh[t] = tanh(W @ x[t] + b + R @ h[t-1]) + h_x[t] + tanh_h * tanh(h[t-1])")
    names = [s for part in (plan.prologue, plan.stages) for stage in part for s in symbols(stage)]
    assert len(names) == len(set(names))


def test_a_plan_reads_as_text():
    assert plan_to_text(make_plan(un.cells.BUILT_IN["elman"].recurrence)) == "\n".join(
        [
            "forward, once for all steps",
            "    W_h @ x[t]",
            "    h_x[t] = W_h @ x[t] + b_h",
            "forward, every step, stage 1 of 1",
            "    R_h @ h[t-1]",
            "    h[t] = tanh(R_h @ h[t-1] + h_x[t])",
            "kept for the derivative",
            "    h[t]",
            "backward, every step, stage 1 of 2",
            "    d(R_h @ h[t-1]) = arriving(h[t])*(1 - h[t]**2)",
            "backward, every step, stage 2 of 2",
            "    pull(h[t-1]) = R_hᵀ @ d(R_h @ h[t-1])",
            "handed to the step before",
            "    d(h[t-1]) = pull(h[t-1])",
            "backward, once for all steps",
            "    pull(x[t]) = W_hᵀ @ d(R_h @ h[t-1])",
            "    d(x[t]) = pull(x[t])",
            "gradients, summed over steps and sequences",
            "    R_h: Σ d(R_h @ h[t-1]) h[t-1]ᵀ",
            "    W_h: Σ d(R_h @ h[t-1]) x[t]ᵀ",
            "    b_h: Σ d(R_h @ h[t-1])",
        ]
    )


@pytest.mark.parametrize("name", CELLS)
def test_every_name_in_the_text_of_a_plan_is_given_above_where_it_is_read(name):
    recurrence = CELLS[name].recurrence
    vectors = {p.name for p in recurrence.parameters if not p.is_matrix}
    given = {*vectors, "x[t]", *(f"{s}[t-1]" for s in recurrence.states), *(f"arriving({s}[t])" for s in recurrence.states)}
    names = sorted({str(s) for s in _symbols_of(make_plan(recurrence))}, key=len, reverse=True)
    for line in plan_to_text(make_plan(recurrence)).split("\n"):
        left, _, right = line.strip().partition(" = ")
        for symbol in names if right else ():
            assert symbol in given or symbol not in right, f"{symbol} is read in {line!r} before it is given"
            right = right.replace(symbol, "")
        given.add(left)


def _symbols_of(plan):
    for stage in (*plan.prologue, *plan.stages):
        yield from (p.symbol for p in stage.products)
        yield from (a.symbol for a in stage.assignments)
    for stage in (*plan.adjoint.loop, *plan.adjoint.epilogue):
        yield from (p.symbol for p in stage.pullbacks)
        yield from (a.symbol for a in stage.assignments)


def test_a_norm_is_two_means_each_at_the_start_of_a_stage():
    plan = plan_of("h[t] = tanh(norm(W @ x[t] + b) + g * norm(R @ h[t-1]))")
    assert plan_to_text(plan) == "\n".join(
        [
            "forward, once for all steps",
            "    W @ x[t]",
            "    h_in[t] = W @ x[t] + b",
            "    mean(h_in[t])",
            "    centred_h_in[t] = h_in[t] - mean(h_in[t])",
            "    square_h_in[t] = centred_h_in[t]**2",
            "    mean(square_h_in[t])",
            "    deviation_h_in[t] = sqrt(mean(square_h_in[t]) + 1/100000)",
            "    norm_h_in[t] = centred_h_in[t]/deviation_h_in[t]",
            "forward, every step, stage 1 of 3",
            "    R @ h[t-1]",
            "forward, every step, stage 2 of 3",
            "    mean(R @ h[t-1])",
            "    centred_R[t] = R @ h[t-1] - mean(R @ h[t-1])",
            "    square_R[t] = centred_R[t]**2",
            "forward, every step, stage 3 of 3",
            "    mean(square_R[t])",
            "    deviation_R[t] = sqrt(mean(square_R[t]) + 1/100000)",
            "    norm_R[t] = centred_R[t]/deviation_R[t]",
            "    h[t] = tanh(g*norm_R[t] + norm_h_in[t])",
            "kept for the derivative",
            "    h[t], centred_h_in[t], deviation_h_in[t], centred_R[t], deviation_R[t]",
            "computed again",
            "    norm_R[t] = centred_R[t]/deviation_R[t]",
            "backward, every step, stage 1 of 4",
            "    d(norm_R[t]) = arriving(h[t])*g*(1 - h[t]**2)",
            "    d(deviation_R[t]) = -centred_R[t]*d(norm_R[t])/deviation_R[t]**2",
            "    d(mean(square_R[t])) = d(deviation_R[t])/(2*deviation_R[t])",
            "backward, every step, stage 2 of 4",
            "    pull(square_R[t]) = mean(d(mean(square_R[t])))",
            "    d(centred_R[t]) = 2*centred_R[t]*pull(square_R[t]) + d(norm_R[t])/deviation_R[t]",
            "    d(mean(R @ h[t-1])) = -d(centred_R[t])",
            "backward, every step, stage 3 of 4",
            "    pull(R @ h[t-1]) = mean(d(mean(R @ h[t-1])))",
            "    d(R @ h[t-1]) = d(centred_R[t]) + pull(R @ h[t-1])",
            "backward, every step, stage 4 of 4",
            "    pull(h[t-1]) = Rᵀ @ d(R @ h[t-1])",
            "    d(norm_h_in[t]) = arriving(h[t])*(1 - h[t]**2)",
            "    d(g) = arriving(h[t])*norm_R[t]*(1 - h[t]**2)",
            "handed to the step before",
            "    d(h[t-1]) = pull(h[t-1])",
            "backward, once for all steps",
            "    d(deviation_h_in[t]) = -centred_h_in[t]*d(norm_h_in[t])/deviation_h_in[t]**2",
            "    d(mean(square_h_in[t])) = d(deviation_h_in[t])/(2*deviation_h_in[t])",
            "    pull(square_h_in[t]) = mean(d(mean(square_h_in[t])))",
            "    d(centred_h_in[t]) = 2*centred_h_in[t]*pull(square_h_in[t]) + d(norm_h_in[t])/deviation_h_in[t]",
            "    d(mean(h_in[t])) = -d(centred_h_in[t])",
            "    pull(h_in[t]) = mean(d(mean(h_in[t])))",
            "    d(h_in[t]) = d(centred_h_in[t]) + pull(h_in[t])",
            "    pull(x[t]) = Wᵀ @ d(h_in[t])",
            "    d(x[t]) = pull(x[t])",
            "gradients, summed over steps and sequences",
            "    R: Σ d(R @ h[t-1]) h[t-1]ᵀ",
            "    g: Σ d(g)",
            "    W: Σ d(h_in[t]) x[t]ᵀ",
            "    b: Σ d(h_in[t])",
        ]
    )


def test_a_constant_is_not_averaged_and_equal_norms_are_one():
    plan = plan_of("h[t] = norm(relu(2) + 0 * h[t-1]) * x[t] + h[t-1] * norm(h[t-1]) + tanh(norm(h[t-1]))")
    assert [p.matrix for stage in (*plan.prologue, *plan.stages) for p in stage.products] == [OverUnits.MEAN, OverUnits.MEAN]
    assert next(p.symbol.name for stage in plan.stages for p in stage.products) == "mean(h[t-1])"


def test_a_product_of_a_named_operand_shows_both_names():
    assert "    R_n @ (h[t-1]*r[t]) = R_n @ R_n_operand[t]\n" in plan_to_text(make_plan(un.cells.BUILT_IN["gru-reset-before"].recurrence))


def test_a_part_of_a_plan_without_content_has_no_heading():
    text = plan_to_text(plan_of("h[t] = h[t-1] / 2"))
    assert "once for all steps" not in text
    assert text.endswith("handed to the step before\n    d(h[t-1]) = arriving(h[t])/2")


def test_one_recurrence_has_one_plan():
    assert make_plan(un.cells.BUILT_IN["gru"].recurrence) is make_plan(un.Cell("again", un.cells.BUILT_IN["gru"].equations).recurrence)


def test_plans_do_not_depend_on_the_hash_seed():
    code = (
        "import unrolled as un\n"
        "from unrolled.compiler import make_plan, plan_to_text\n"
        f"cells = [un.Cell('a', text) for text in {AWKWARD!r}] + list(un.cells.BUILT_IN.values())\n"
        "for recurrence in (cell.recurrence for cell in cells):\n"
        "    print(recurrence.parameters, recurrence.sizes, recurrence.labels, plan_to_text(make_plan(recurrence)))\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True)
        for seed in ("1", "2")
    ]
    assert len({run.stdout for run in runs}) == 1
    assert "W_h: Σ" in runs[0].stdout


@pytest.mark.parametrize("product", ["", "R{0} @ "])
def test_phases_of_many_states_take_steps_in_proportion(product):
    """A ring of states, each of which waits for the next one's adjoint: four times as many must not be 64 times the work."""
    calls = []
    for count in (30, 120):
        lines = (f"s{i}[t] = tanh(x[t] + {product.format(i)}s{(i + 1) % count}[t-1])" for i in range(count))
        plan = make_plan(un.Cell("ring", "\n".join(lines), output="s0").recurrence)
        with cProfile.Profile() as profile:
            make_phases(plan)
        calls.append(pstats.Stats(profile).total_calls)
    assert calls[1] < 8 * calls[0]
