"""Whatever is read as a cell: nothing but the toolkit's own errors comes out, and nothing is executed."""

import contextlib
import random
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import cells
from unrolled.cells import cell_from_text
from unrolled.compiler import make_plan, plan_to_text
from unrolled.equations import parse, to_latex, to_text
from unrolled.errors import EquationError, UnrolledError

EXAMPLES = settings(max_examples=300, deadline=timedelta(seconds=5))

atoms = st.sampled_from(
    ["x[t]", "h[t-1]", "h[t]", "c[t-1]", "a[t]", "b", "W", "2", "0.5", "1e308", "1e-320", "0", "x", "h[t-2]", "t", "π", "ｈ[t-1]", "größe"]
)
exponents = st.sampled_from(["100", "-100", "2", "0.5", "1.01", "-1e-300", "(1 / 3)", "h[t-1]"])
operators = st.sampled_from(["+", "-", "*", "/", "**", "@", "^", "%", "<"])
functions = st.sampled_from(["sigmoid", "tanh", "relu", "softplus", "exp", "log", "sqrt", "abs", "norm", "nothing"])


def _larger(inner):
    binary = st.builds("({} {} {})".format, inner, operators, inner)
    product = st.builds(str.format, st.sampled_from(["R @ {}", "conv(W, 3) @ {}", "(conv(W, 3) - conv(V, 5).T) @ {}"]), inner)
    raised = st.builds("({} * {}) ** {}".format, inner, st.sampled_from(["1e300", "-1e-300", "1.0000001", "2"]), exponents)
    return binary | product | raised | st.builds("{}({})".format, functions, inner) | st.builds("-{}".format, inner)


expressions = st.recursive(atoms, _larger, max_leaves=12)
lines = st.builds("{}[t] = {}".format, st.sampled_from(["h", "a", "c"]), expressions)


def read(text):
    """A cell's text read, then printed and planned if it can be; any other exception than the one expected goes through."""
    try:
        recurrence = parse(text)
    except EquationError:
        return
    assert parse(to_text(recurrence)) == recurrence
    to_latex(recurrence)
    plan_to_text(make_plan(recurrence))


@given(st.text(st.characters() | st.sampled_from("ht[]=-1+*@()xW \n\t#\\\0\ud800"), max_size=300))
@EXAMPLES
def test_any_text(text):
    read(text)


@given(st.lists(lines, min_size=1, max_size=4))
@EXAMPLES
def test_random_equations(several):
    read("\n".join(several))


@given(st.sampled_from(list(cells.BUILT_IN)), st.randoms(use_true_random=False), st.integers(1, 4))
@EXAMPLES
def test_built_in_cells_with_characters_changed(name, chance, changes):
    text = list(cells.BUILT_IN[name].equations)
    for _ in range(changes):
        position = chance.randrange(len(text))
        text[position] = chance.choice(
            ["", "(", ")", "[", "]", "@", "t", "-1", "\n", "=", "\x00", "\ud800", "9" * 50, " ", chance.choice(text)]
        )
    read("".join(text))


@given(st.text(max_size=80), st.sampled_from(list(cells.BUILT_IN)))
@EXAMPLES
def test_any_header_of_a_cell_file(header, name):
    with contextlib.suppress(UnrolledError):
        cell_from_text(f"{header}\n---\n{cells.BUILT_IN[name].equations}", "fuzz")


values = st.sampled_from(
    [
        '"h"',
        '"c"',
        '""',
        "1",
        "-0.0",
        "1e999",
        "nan",
        "inf",
        "true",
        "[]",
        "{}",
        "2020-01-01",
        "9" * 400,
        "9" * 5000,
        '"\\u0000"',
        "'\u2028'",
    ]
)
headers = st.builds(
    "{} = {}".format, st.sampled_from(["name", "output", "init", "init.b_h", "init.W_h", "reference", "other", "a.b"]), values
)


@given(st.lists(headers, max_size=3), st.sampled_from(list(cells.BUILT_IN)))
@EXAMPLES
def test_headers_of_known_keys_and_odd_values(several, name):
    try:
        cell = cell_from_text("\n".join([*several, "---", cells.BUILT_IN[name].equations]), "fuzz")
    except UnrolledError:
        return
    again = cell_from_text(cell.to_file_text(), "other")
    assert again == cell


odd_text = st.text(st.characters() | st.sampled_from("\u2028\x85\x0b\x1c\r\n\"'\\-"), max_size=30)


@given(odd_text, odd_text, st.floats(allow_nan=False, allow_infinity=False))
@EXAMPLES
def test_any_name_and_reference_survive_the_file(name, reference, value):
    try:
        cell = cells.Cell(name, cells.BUILT_IN["elman"].equations, init={"b_h": value}, reference=reference)
    except UnrolledError:
        return
    assert cell_from_text(cell.to_file_text(), "other") == cell


@pytest.mark.parametrize("nested", ["(" * 500 + "h[t-1]" + ")" * 500, "-" * 5000 + "h[t-1]", "tanh(" * 300 + "h[t-1]" + ")" * 300, "2**" * 40 + "2",
                                    "9" * 5000, "h[t-1]" + "+h[t-1]" * 2000, "(h[t-1]**99)**99", "1/(1e-300*1e-300)",
                                    "(" * 20 + "1e-300*h[t-1]" + ")**100" * 20, "(" * 20 + "1.0000001*h[t-1]" + ")**100" * 20,
                                    "(" * 40 + "1.2*h[t-1]" + ")**1.01" * 40, "R@" + "(" * 9 + "-h[t-1]/3" + ")**-0.5" * 9,
                                    "*".join(["1.2345678901234567"] * 40) + "*h[t-1]"])  # fmt: skip
@pytest.mark.timeout(20)
def test_extremes_end_in_an_error_or_a_recurrence(nested):
    read(f"h[t] = {nested}")


@pytest.mark.parametrize("attack", ["__import__('os').mkdir({!r})", "open({!r}, 'w')", "[c for c in ().__class__.__base__.__subclasses__()]",
                                    "(lambda: open({!r}, 'w'))()", "exec('open({!r},\"w\")')"])  # fmt: skip
def test_nothing_is_executed(attack, tmp_path):
    victim = str(tmp_path / "made")
    with pytest.raises(EquationError):
        parse(f"h[t] = h[t-1] + {attack.format(victim)}")
    assert not list(tmp_path.iterdir())


def test_large_and_random_files_are_refused_quickly():
    text = "".join(random.Random(0).choices("ht[]=-1+*@ \nabc", k=100_000))
    with pytest.raises(EquationError):
        parse(text)
