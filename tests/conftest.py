import os
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

# Small networks are fastest on one thread, and then several test runs do not wait for each other's threads.
os.environ["OMP_NUM_THREADS"] = "1"
# What the tests encode and compile is kept apart from what the user has. Processes that share the tests (pytest-xdist) share it, too, so that
# a kernel is compiled once.
WORKER = "PYTEST_XDIST_WORKER" in os.environ
CACHE = Path(os.environ["UNROLLED_CACHE"] if WORKER else tempfile.mkdtemp(prefix="unrolled-tests-"))
os.environ["UNROLLED_CACHE"] = str(CACHE)

import pytest  # noqa: E402
import torch  # noqa: E402

from engines_here import HERE  # noqa: E402
from unrolled.engines.choice import VARIABLE  # noqa: E402
from unrolled.engines.native.compilers import EXTRA, Compiler  # noqa: E402
from unrolled.errors import BuildError  # noqa: E402
from unrolled.training.checkpoint import save_whole  # noqa: E402
from unrolled.training.plot import draw_losses, plot_losses  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def cache():
    """The folder of what is encoded and compiled."""
    return CACHE


@pytest.fixture(scope="session", autouse=True)
def quick_kernels():
    """Kernels in float64 compile without most optimisations, in a third of the time, of which the tests spend more on compilers than on all else.

    Those in float32, of the same source, are what users have. `UNROLLED_CFLAGS=-O3` has all of them so.
    """
    usual = Compiler.arguments

    def arguments(self, source, library, defines=()):
        quick = "DOUBLE" in defines and source.name.startswith("recurrence-") and not os.environ.get(EXTRA)
        return [*usual(self, source, library, defines), *["-Og"] * quick]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compiler, "arguments", arguments)
        yield


@pytest.fixture(scope="session", autouse=True)
def seeds_without_stacks():
    """With every seed, torch notes the whole stack for each kind of accelerator that is not in use: longer work than many a test's."""
    with pytest.MonkeyPatch.context() as patch:
        for accelerator in (torch.cuda, torch.xpu, torch.mtia):
            patch.setattr(accelerator, "traceback", SimpleNamespace(format_stack=list), raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def unpainted():
    """The figure of the losses is made after every training and not painted, which takes as long as many a training; `painted` has it painted."""

    def plot(path, records, unit):
        figure = draw_losses(records, unit)
        if figure.axes[0].lines:
            save_whole(path, lambda file: file.write(b"\x89PNG"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unrolled.training.run_folder.plot_losses", plot)
        yield


@pytest.fixture
def painted(monkeypatch):
    """Losses are painted, as they are for users."""
    monkeypatch.setattr("unrolled.training.run_folder.plot_losses", plot_losses)


def pytest_unconfigure():
    """The process that began the tests clears up after all of them."""
    if not WORKER:
        shutil.rmtree(CACHE, ignore_errors=True)


@pytest.fixture(params=[engine for engine in HERE if engine != "torch"])
def each_engine(request, monkeypatch):
    """Layers that name no engine run on every one in turn that takes all cells and options."""
    monkeypatch.setenv(VARIABLE, request.param)
    return request.param


@pytest.fixture
def no_compiler(monkeypatch):
    """A machine without a C compiler."""

    def none():
        raise BuildError("No C compiler works here: none was looked for.", reason="none was looked for")

    monkeypatch.setattr("unrolled.engines.native.engine.find_compiler", none)
    monkeypatch.setattr("unrolled.engines.native.engine.notice", lambda reason: None)
