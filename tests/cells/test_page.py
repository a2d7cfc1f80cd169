"""The page of cells is up to date, and counts rightly."""

from pathlib import Path

import pytest

import unrolled as un
from at_the_terminal import call
from unrolled.compiler import make_plan
from unrolled.compiler.catalogue import costs_of
from unrolled.layers.sizes import sizes_in_layer

DOCS = Path(__file__).parents[2] / "docs"


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in [folder / "cells.md", *folder.glob("cells/*")]}


def test_the_page_is_what_make_docs_writes(tmp_path):
    call("show", "--as", "markdown", "--steps", "2", "--out", str(tmp_path / "cells.md"))
    wanted, found = files_of(tmp_path), files_of(DOCS)
    stale = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
    assert not stale, "run `make docs`"


def costs(cell, inputs, units):
    plan, usual = make_plan(cell.recurrence), {**dict.fromkeys(cell.recurrence.labels, units), "x": inputs}
    return costs_of(plan, sizes_in_layer(cell, usual, units, ()))


@pytest.mark.parametrize("name", un.cells.BUILT_IN)
def test_parameters_are_those_of_a_layer(name):
    cell = un.cells.BUILT_IN[name]
    layer = un.Recurrent(cell, 12, 12)
    found = costs(cell, 12, 12)
    assert found.parameters == sum(parameter.numel() for parameter in layer.parameters())
    assert 0 <= found.in_loop <= found.products


BLOCKS = un.Cell("blocks", "h[t] = tanh(blocks(R, 3) @ h[t-1] + W @ x[t])")
TWICE = un.Cell("twice", "h[t] = tanh(R @ tanh(R @ h[t-1]) + W @ x[t])")
MADE = un.Cell("made", "h[t] = tanh((R - R.T) @ h[t-1] + sum(h[t-1]) * (W @ x[t]))")
ATTENTION = un.Cell("attention", "S[t] = S[t-1] + outer(V @ x[t], K @ x[t])\nh[t] = S[t] @ (Q @ x[t])")
CLOCK = un.Cell("clock", "h[t] = exp(-sum(dt[t])) * h[t-1] + W @ x[t]", inputs=["x", "dt"], size={"dt": 1})


@pytest.mark.parametrize(("cell", "products", "in_loop"), [
    (un.cells.BUILT_IN["elman"], 30 + 36, 36),
    (un.cells.BUILT_IN["gru-norm"], 3 * (30 + 36), 3 * 36),
    (un.cells.BUILT_IN["mingru"], 2 * 30, 0),
    (TWICE, 30 + 2 * 36, 2 * 36),
    (BLOCKS, 30 + 3 * 4, 3 * 4),
    (MADE, 30 + 36, 36),
    (ATTENTION, 3 * 30 + 36, 36),
    (CLOCK, 6 * 4, 0),
])  # fmt: skip
def test_products_are_those_of_the_equations(cell, products, in_loop):
    found = costs(cell, 5, 6)
    assert (found.products, found.in_loop) == (products, in_loop)
