import json
import sys

import pytest

from unrolled.errors import LONGEST, ConfigError, EquationError, UnrolledError
from unrolled.plain import from_json, from_toml

NUMBERS = ["9" * 5000, "9" * 4000, "-" + "9" * 20, str(2**63), str(-(2**63) - 1)]


@pytest.mark.parametrize("number", [*NUMBERS, "0x" + "f" * 5000])
def test_whole_numbers_have_64_bits(number):
    for read, text in ((from_json, f'{{"a": [{{"b": {number}}}]}}'), (from_toml, f"a = [{{b = {number}}}]")):
        with pytest.raises(ValueError, match=r"\S"):
            read(text)
    for whole in (2**63 - 1, -(2**63), 0):
        assert from_json(str(whole)) == from_toml(f"a = {whole}")["a"] == whole


def test_what_is_nested_deeply_is_no_crash():
    with pytest.raises(ValueError, match="nested too deeply"):
        from_json("[" * 100_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        from_toml("a = " + "[" * 10_000 + "]" * 10_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        from_toml(".".join("a" * 5_000) + " = 1")


def test_a_program_may_have_raised_the_limit_of_python():
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**7)
    try:
        with pytest.raises(ValueError, match="nested too deeply"):
            from_toml("a = " + "[" * 200_000)
    finally:
        sys.setrecursionlimit(before)


def test_other_values_are_what_they_are():
    assert from_json(b'{"a": [1, 2.5, "x", null, true]}') == {"a": [1, 2.5, "x", None, True]}
    assert from_toml('a = [1, 2.5, "x"]\n[b]\nc = false') == {"a": [1, 2.5, "x"], "b": {"c": False}}


def test_a_message_repeats_no_megabyte():
    told = str(ConfigError(f"`hidden` must be a number, got {'x' * 10**6!r}. Take 3."))
    assert len(told) <= LONGEST + 3 and told.startswith("`hidden` must") and told.endswith("Take 3.")
    assert str(ConfigError("short")) == "short"
    assert json.loads(json.dumps(str(UnrolledError(3)))) == "3"


def test_a_long_line_is_shown_around_its_caret():
    error = EquationError("Wrong.", source="a" * 50_000 + "?" + "b" * 50_000, line=7, column=50_001)
    message, line, caret = str(error).split("\n")
    assert (message, error.column) == ("Wrong.", 50_001)
    assert line[caret.index("^")] == "?" and len(line) < 500
