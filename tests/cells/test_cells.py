import pickle

import pytest

import unrolled as un
from unrolled.cells import cell_from_text, find_cell, read_cell
from unrolled.errors import ConfigError, DataError, EquationError

TEXT = "y[t] = tanh(W @ x[t] + R @ y[t-1] + b)"


def test_the_built_in_cells_have_their_names():
    names = ("ELMAN", "ELMAN_RELU", "GRU_SIMPLIFIED", "GRU_RESET_BEFORE", "GRU", "LSTM", "LSTM_PEEPHOLE")
    for name in names:
        cell = getattr(un.cells, name)
        assert find_cell(name.lower().replace("_", "-")) is cell
        assert cell.reference
    assert un.cells.LSTM.init["b_f"] == un.cells.LSTM_PEEPHOLE.init["b_f"] == 1.0


@pytest.mark.parametrize("cell", [*un.cells.BUILT_IN.values(), un.Cell("mine", TEXT, output="y", init={"b": -0.5}, reference='A "paper"')])
def test_a_cell_survives_its_file_and_pickling(cell):
    again = cell_from_text(cell.to_file_text(), "other")
    for copy in (again, pickle.loads(pickle.dumps(cell))):
        assert copy == cell
        assert (copy.name, copy.reference, dict(copy.init), copy.states) == (cell.name, cell.reference, dict(cell.init), cell.states)


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
    [("name = ", "is not TOML"), ("colour = 1", "It may hold name (str)"), ("init = 3", "init = 3"), ("output = 1", "output = 1")],
)
def test_a_header_that_is_none_is_refused(header, said):
    with pytest.raises(DataError, match=r"header of cell 'mine'") as caught:
        cell_from_text(f"{header}\n---\n{TEXT}", "mine")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("init", "said"), [({"W": 1.0}, "not one of its vectors (b)"), ({"b": "1"}, "finite number"), ({"b": float("nan")}, "finite number"),
                       ({"b": True}, "finite number")])  # fmt: skip
def test_an_initial_value_that_does_not_fit_is_refused(init, said):
    with pytest.raises(ConfigError) as caught:
        un.Cell("mine", TEXT, output="y", init=init)
    assert said in str(caught.value)


def test_a_cell_needs_a_name_and_its_output():
    with pytest.raises(ConfigError, match="needs a name"):
        un.Cell("  ", TEXT)
    with pytest.raises(EquationError, match="output='y'"):
        un.Cell("mine", TEXT)


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
