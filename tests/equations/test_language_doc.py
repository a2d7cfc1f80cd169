"""The page on the language says nothing that does not work."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import unrolled as un
from unrolled.cells import cell_from_text
from unrolled.cli import cli
from unrolled.equations import parse, to_text
from unrolled.equations.declarations import FIXED_MATRICES, FIXED_VECTORS
from unrolled.equations.functions import FUNCTIONS
from unrolled.equations.names import REDUCTIONS
from unrolled.errors import EquationError

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")


def blocks(kind):
    found = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert found, f"the page has no block of {kind}"
    return found


@pytest.mark.parametrize("text", blocks("cell"))
def test_a_cell_of_the_page_is_one(text):
    recurrence = parse(text)
    assert parse(to_text(recurrence)) == recurrence


@pytest.mark.parametrize("code", blocks("python"))
def test_python_of_the_page_runs(code):
    exec(compile(code, "language.md", "exec"), {})


def test_the_error_of_the_page_is_the_one_that_comes():
    (text,), (shown,) = blocks("cell-error"), blocks("text")
    with pytest.raises(EquationError) as caught:
        parse(text)
    assert str(caught.value) == shown.rstrip("\n")


def test_the_file_of_the_page_is_the_cell_in_python(tmp_path):
    (text,) = blocks("cell-file")
    cell = cell_from_text(text, "other")
    assert (cell.name, cell.recurrence.output, dict(cell.init)) == ("minimal", "h", {"b_f": -1.0})
    assert cell.recurrence == parse(blocks("cell")[1])
    assert "Zhou" in cell.reference


def test_the_commands_of_the_page_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my.cell").write_text(blocks("cell-file")[0], encoding="utf-8")
    shows = [line.split()[1:] for line in blocks("sh")[0].splitlines() if line.startswith("unrolled show")]
    assert [s[-1] for s in shows] == ["text", "latex", "plan"]
    for command in shows:
        done = CliRunner().invoke(cli, command)
        assert done.exit_code == 0, done.output
        assert "f[t]" in done.output or "f_{t}" in done.output
    assert "--cell" in CliRunner().invoke(cli, ["train", "lm", "--help"]).output


def test_the_tables_of_the_page_are_complete():
    assert set(re.findall(r"`(\w+)\(a(?:, [bcp])*\)`", PAGE)) == {*FUNCTIONS, *REDUCTIONS}
    kinds = {p.kind for cell in un.cells.BUILT_IN.values() for p in cell.recurrence.parameters}
    assert set(re.findall(r"^\| (input map|recurrent map|vector) \|", PAGE, flags=re.MULTILINE)) == kinds
    for key in ("name", "output", "inputs", "init.NAME", "begin.STATE", "constant.NAME", "scalar.NAME", "fixed.NAME", "size.NAME", "reference"):
        assert f"| `{key}` |" in PAGE
    assert all(f'"{how}' in PAGE for how in (*FIXED_MATRICES, *FIXED_VECTORS))


def test_sizes_on_the_page_hold():
    layer = un.Recurrent(un.Cell("tied", "h[t] = x[t] + d * h[t-1]"), input_size=3, hidden_size=3)
    assert layer.hidden_size == 3
    with pytest.raises(un.errors.ConfigError, match="must have hidden_size"):
        un.Recurrent(un.Cell("tied", "h[t] = x[t] + d * h[t-1]"), input_size=3, hidden_size=4)
