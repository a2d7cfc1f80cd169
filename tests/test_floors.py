"""What holds for the package as a whole: what it loads, and that it explains itself."""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import unrolled

WITHOUT_TORCH = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("torch is blocked")

sys.meta_path.insert(0, Blocked())
import unrolled
import unrolled.errors, unrolled.shapes, unrolled.equations, unrolled.cells, unrolled.compiler
from unrolled.compiler import make_plan, plan_to_text
from unrolled.equations import parse, to_latex
recurrence = parse("h[t] = tanh(W @ x[t] + R @ h[t-1] + b)")
print(to_latex(recurrence), plan_to_text(make_plan(recurrence)), unrolled.Cell, len(unrolled.cells.BUILT_IN))
assert "torch" not in sys.modules
try:
    import torch
except ImportError:
    print("and torch was blocked")
"""


def test_the_floors_below_the_engines_need_no_torch():
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("and torch was blocked\n")


def test_the_package_itself_loads_nothing_heavy():
    code = "import sys, unrolled; print([m for m in ('torch', 'sympy', 'numpy', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_every_public_name_of_the_package_can_be_reached():
    assert {"Cell", "Recurrent", "LSTM", "GRU", "RNN", "load", "train_language_model", "cells", "errors"} <= set(dir(unrolled))
    for name in unrolled.__all__:
        assert getattr(unrolled, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = unrolled.nothing


MODULES = ["unrolled", *(m.name for m in pkgutil.walk_packages(unrolled.__path__, "unrolled.") if not m.name.endswith("__main__"))]


def _is_public(name):
    return not name.startswith("_")


def _undocumented(owner, where):
    """The public functions, classes and methods that are defined in `where` and say nothing about themselves."""
    for name, member in vars(owner).items():
        function = member.__func__ if isinstance(member, (staticmethod, classmethod)) else member
        function = function.fget if isinstance(function, property) else getattr(function, "func", function)
        function = inspect.unwrap(function) if callable(function) else function
        if not _is_public(name) or getattr(function, "__module__", None) != where:
            continue
        if inspect.isclass(function):
            if not (function.__doc__ or "").strip():
                yield f"{where}.{function.__qualname__}"
            yield from _undocumented(function, where)
        elif inspect.isfunction(function) and function.__name__ != "<lambda>" and not (function.__doc__ or "").strip():
            yield f"{where}.{function.__qualname__}"


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_says_what_it_is(module):
    loaded = importlib.import_module(module)
    assert (loaded.__doc__ or "").strip()
    assert not list(_undocumented(loaded, module))
