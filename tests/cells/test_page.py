"""The page of cells is up to date, and counts rightly."""

from pathlib import Path

import pytest

import unrolled as un
from at_the_terminal import call
from unrolled.compiler import make_plan
from unrolled.compiler.catalogue import costs_of

DOCS = Path(__file__).parents[2] / "docs"


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in [folder / "cells.md", *folder.glob("cells/*")]}


def test_the_page_is_what_make_docs_writes(tmp_path):
    call("show", "--as", "markdown", "--steps", "2", "--out", str(tmp_path / "cells.md"))
    wanted, found = files_of(tmp_path), files_of(DOCS)
    stale = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
    assert not stale, "run `make docs`"


@pytest.mark.parametrize("name", un.cells.BUILT_IN)
def test_parameters_are_those_of_a_layer(name):
    cell = un.cells.BUILT_IN[name]
    inputs = 6 if cell.recurrence.reads_input_by_unit else 5
    layer = un.Recurrent(cell, inputs, 6)
    costs = costs_of(make_plan(cell.recurrence), inputs, 6)
    assert costs.parameters == sum(parameter.numel() for parameter in layer.parameters())
    assert 0 <= costs.in_loop <= costs.products


def test_products_are_those_of_the_equations():
    counted = {name: costs_of(make_plan(un.cells.BUILT_IN[name].recurrence), 5, 6) for name in ("elman", "gru-norm", "mingru")}
    assert (counted["elman"].products, counted["elman"].in_loop) == (30 + 36, 36)
    assert (counted["gru-norm"].products, counted["gru-norm"].in_loop) == (3 * (30 + 36), 3 * 36)
    assert (counted["mingru"].products, counted["mingru"].in_loop) == (2 * 30, 0)
    twice = un.Cell("twice", "h[t] = tanh(R @ tanh(R @ h[t-1]) + W @ x[t])")
    assert costs_of(make_plan(twice.recurrence), 5, 6).products == 2 * 36 + 30
