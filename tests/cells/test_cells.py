import pickle
import re
import subprocess
import sys
from math import inf

import numpy as np
import pytest
import torch

import unrolled as un
from unrolled.cells import BUILT_IN, cell_from_text, find_cell, read_cell
from unrolled.errors import ConfigError, DataError, EquationError

TEXT = "y[t] = tanh(W @ x[t] + R @ y[t-1] + b)"


def test_a_built_in_cell_is_read_when_it_is_asked_for_and_once():
    code = "import sys, unrolled.cells as cells; len(cells.BUILT_IN), list(cells.BUILT_IN), 'lstm' in cells.BUILT_IN, cells.BUILT_IN.families(); "
    code += "print([m for m in ('torch', 'sympy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert BUILT_IN["lstm"] is BUILT_IN["lstm"] is find_cell("lstm")
    with pytest.raises(KeyError):
        BUILT_IN["nowhere"]


def test_the_gallery_lists_every_cell_once_by_family_and_year():
    families = BUILT_IN.families()
    names = [name for cells in families.values() for name in cells]
    assert sorted(names) == list(BUILT_IN) and len(names) >= 40
    for family, cells in families.items():
        years = [BUILT_IN[name].year for name in cells]
        assert years == sorted(years) and all(1980 < year < 2100 for year in years)
        assert all(BUILT_IN[name].family == family for name in cells)


@pytest.mark.parametrize("cell", BUILT_IN.values(), ids=BUILT_IN)
def test_a_built_in_cell_says_what_it_is_for_and_where_it_comes_from(cell):
    assert re.fullmatch(r"[A-Z][^.\n]*\.", cell.about), "one sentence"
    assert str(cell.year) in cell.reference and not cell.reference.endswith(".")
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.name)


def test_forget_gates_begin_open():
    assert BUILT_IN["lstm"].init["b_f"] == BUILT_IN["lstm-peephole"].init["b_f"] == 1.0


@pytest.mark.parametrize("cell", [un.cells.BUILT_IN["lstm-norm"], un.cells.BUILT_IN["gru-norm"]])
def test_the_gains_of_a_normalised_cell_start_at_one(cell):
    gains = {p.name for p in cell.recurrence.parameters if p.name[0] in "kg"}
    assert len(gains) == cell.equations.count("norm(")
    assert {name for name, value in cell.init.items() if value == 1.0} == gains | ({"b_f"} if "c" in cell.states else set())


@pytest.mark.parametrize("cell", [*un.cells.BUILT_IN.values(), un.Cell("mine", TEXT, output="y", init={"b": -0.5}, reference='A "paper"')])
def test_a_cell_survives_its_file_and_pickling(cell):
    again = cell_from_text(cell.to_file_text(), "other")
    for copy in (again, pickle.loads(pickle.dumps(cell))):
        assert copy == cell
        assert (copy.name, copy.reference, dict(copy.init), copy.states) == (cell.name, cell.reference, dict(cell.init), cell.states)
        assert (copy.family, copy.year, copy.about) == (cell.family, cell.year, cell.about)


def test_a_file_of_bare_equations_is_a_cell_named_after_it(tmp_path):
    path = tmp_path / "mine.cell"
    path.write_bytes(b"\xef\xbb\xbf# a comment\r\nh[t] = tanh(W @ x[t] + R @ h[t-1])\r\n")
    cell = read_cell(path)
    assert cell.name == "mine"
    assert cell.equations == "h[t] = tanh(W @ x[t] + R @ h[t-1])"


def test_an_error_below_a_header_counts_lines_of_the_file():
    with pytest.raises(EquationError) as caught:
        cell_from_text('output = "y"\n---\n\ny[t] = q[t]', "mine")
    assert caught.value.line == 4


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("name = ", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
        ("init.b = " + "9" * 5000, "is not TOML"),
        ("colour = 1", "It may hold name (str)"),
        (
            "equations = 'h[t] = h[t-1]'",
            "It may hold name (str), family (str), year (int), about (str), reference (str), output (str or list), inputs (list), constant (dict)",
        ),
        ("init = 3", "init = 3"),
        ("output = 1", "output = 1"),
        ("name = ['a']", "name = ['a']"),
        ("reference = 1990", "reference = 1990"),
        ("year = true", "year = True"),
        ("about = 1", "about = 1"),
    ],
)
def test_a_header_that_is_none_is_refused(header, said):
    with pytest.raises(DataError, match=r"header of cell 'mine'") as caught:
        cell_from_text(f"{header}\n---\n{TEXT}", "mine")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("init", "said"), [({"b": "1"}, "must be a number, 'uniform(-0.1, 0.1)'"), ({"b": float("nan")}, "finite number"),
                       ({"b": True}, "must be a number"), ({"b": float("inf")}, "finite number"), ({"b": None}, "must be a number"),
                       ({"b": 1j}, "must be a number"), (3, "must map names to values"),
                       ([("b", 1)], "must map names to values"), ({"c": 1.0}, "not one of its parameters (W, R, b)"), ({"y": 1.0}, "not one of its parameters (W, R, b)"),
                       ({"b": "orthogonal"}, "for matrices alone"), ({"W": "chrono(9)"}, "for vectors alone"), ({"b": "chrono(1)"}, "larger than 2"), ({"b": "uniform(1)"}, "two numbers"), ({"b": "uniform(2, 1)"}, "the smaller one first"),
                       ({"b": "-W"}, "no parameter of the same size"), ({"b": "-q"}, "no parameter of the same size")])  # fmt: skip
def test_an_initial_value_that_does_not_fit_is_refused(init, said):
    with pytest.raises(ConfigError) as caught:
        un.Cell("mine", TEXT, output="y", init=init)
    assert said in str(caught.value)


def test_an_initial_value_may_be_of_any_real_type():
    cell = un.Cell("mine", TEXT, output="y", init={"b": np.float32(0.5)})
    assert type(cell.init["b"]) is float
    assert cell_from_text(cell.to_file_text(), "mine") == cell


def test_a_cell_needs_a_name_and_its_output():
    with pytest.raises(ConfigError, match="needs a name"):
        un.Cell("  ", TEXT)
    with pytest.raises(EquationError, match="output='y'"):
        un.Cell("mine", TEXT)
    with pytest.raises(ConfigError, match=r"`year` of cell 'mine' must be a whole number, got 'x'\."):
        un.Cell("mine", "h[t] = h[t-1]", year="x")
    with pytest.raises(ConfigError, match=r"`about` of cell 'mine' must be a text, got 3\."):
        un.Cell("mine", "h[t] = h[t-1]", about=3)


def test_files_that_cannot_be_cells_are_refused(tmp_path):
    (tmp_path / "latin").write_bytes(b"h[t] = h[t-1] # \xe9")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(DataError, match=r"is not UTF-8 text \(byte 16\)"):
        read_cell(tmp_path / "latin")
    with pytest.raises(EquationError, match="holds no equation"):
        read_cell(tmp_path / "empty")
    for missing in (tmp_path / "missing", tmp_path):
        with pytest.raises(DataError, match="Give a built-in cell's name or a file of equations"):
            read_cell(missing)


@pytest.mark.parametrize(
    ("header", "error", "said"),
    [
        ('output = "q"', EquationError, "No line assigns `q[t]`, the output"),
        ('output = "y"\ninit.Q = 1', ConfigError, "names 'Q', which is not one of its parameters (W, R, b)"),
        ('output = "y"\ninit.b = "1"', ConfigError, "Got '1'"),
        ('output = "y"\nbegin.q = 1', ConfigError, "names 'q', which is not one of its states (y)"),
        ('output = "y"\nbegin.y = nan', ConfigError, "must be a number, or inf or -inf"),
        ('output = "y"\nbegin.y = -inf', ConfigError, "`R @ y[t-1]` adds up numbers of that state, which makes NaN of it"),
        ('output = ["y", "y"]', ConfigError, "names a state twice"),
        ('output = "y"\nfixed.A = "eye"', ConfigError, "must be one of identity"),
        ('output = "y"\nfixed.A = "blocks"', ConfigError, "needs the number of blocks"),
        ('output = "y"\nfixed.A = [[1, 2], [3]]', ConfigError, "rows of one length"),
        ('output = "y"\nsize.y = "H-1"', ConfigError, "a part of H or I"),
        ('output = "y"\nconstant.k = "a"', ConfigError, "must be a finite number"),
        ('output = "y"\nconstant.k = 1\nscalar.k = 1', ConfigError, "declares 'k' twice"),
        ('output = "y"\ninputs = ["x", "x"]', ConfigError, "names a part twice"),
        ('output = "y"\ninit.b = 1' + "0" * 400, DataError, "a whole number has more than 64 bits"),
        ('output = "y"\ninit.b = 1e39', ConfigError, "must fit single precision"),
        ('output = "y"\nname = " "', ConfigError, "A cell needs a name"),
    ],
)
def test_a_header_that_does_not_fit_the_equations_is_refused(header, error, said):
    with pytest.raises(error) as caught:
        cell_from_text(f"{header}\n---\n{TEXT}", "mine")
    assert said in str(caught.value)


def test_a_header_gives_everything_and_the_first_rule_ends_it():
    cell = cell_from_text(f'name = "other"\noutput = "y"\ninit.b = -2\nreference = "me"\n  ---  \n{TEXT}', "mine")
    assert (cell.name, cell.states, dict(cell.init), cell.reference) == ("other", ("y",), {"b": -2.0}, "me")
    assert cell_from_text("---\nh[t] = h[t-1]", "mine").name == "mine"
    with pytest.raises(EquationError) as caught:
        cell_from_text("---\nh[t] = h[t-1]\n---\n", "mine")
    assert caught.value.line == 3


def test_cells_are_equal_when_they_compute_the_same():
    one, other = un.Cell("mine", TEXT, output="y", init={"b": 1}), un.Cell("mine", f"  {TEXT}  # text", output="y", init={"b": 1.0})
    assert one == other
    assert hash(one) == hash(other)
    assert one != un.Cell("mine", TEXT, output="y")
    with pytest.raises(TypeError):
        one.init["b"] = 2.0
    with pytest.raises(AttributeError):
        one.name = "other"


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(DataError, match="cannot be the name of a cell file"):
        find_cell("mine\0.cell")


def test_names_are_looked_up_among_the_built_in_cells_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("lstm", "mine"):
        (tmp_path / name).write_text("h[t] = h[t-1] + W @ x[t]", encoding="utf-8")
    assert find_cell("lstm") is un.cells.BUILT_IN["lstm"]
    assert find_cell("mine").name == "mine"
    assert find_cell(un.cells.BUILT_IN["gru"]) is un.cells.BUILT_IN["gru"]
    with pytest.raises(DataError, match="'nowhere' cannot be read"):
        find_cell("nowhere")


def test_a_cell_does_not_change():
    with pytest.raises(AttributeError, match="'name' cannot be set"):
        BUILT_IN["lstm"].name = "mine"


def test_a_state_may_begin_infinite_where_functions_read_it():
    text = "m[t] = max(m[t-1], W @ x[t])\nh[t] = tanh(h[t-1] + exp(m[t-1] - m[t]) + R @ exp(m[t-1]))"
    layer = un.Recurrent(un.Cell("largest", text, begin={"m": -inf}), 2, 3, dtype=torch.float64)
    y, _ = layer(torch.randn(4, 1, 2, dtype=torch.float64))
    assert y.isfinite().all()
    with pytest.raises(ConfigError, match=r"but `A @ \(b \+ m\[t-1\]\)` adds up"):
        un.Cell("added", "m[t] = max(m[t-1], W @ x[t])\nh[t] = tanh(h[t-1] + A @ (m[t-1] + b))", begin={"m": inf})


def test_a_byte_order_mark_is_no_part_of_the_text():
    text = "h[t] = tanh(W @ x[t] + h[t-1])"
    assert un.Cell("marked", f"\ufeff{text}").equations == text
    assert cell_from_text(f"\ufeffname = 'marked'\n---\n{text}", "other").name == "marked"
    with pytest.raises(EquationError) as caught:
        un.Cell("marked", "\ufeffh[t] = q[t]")
    assert (caught.value.line, caught.value.column) == (1, 8)
