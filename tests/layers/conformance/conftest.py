"""Drop-ins beside torch.nn's layers, in every kind, on every engine."""

import pytest
import torch

from engines_here import HERE
from pairs import KINDS, make_pair
from ranks import Ranks

BOTH_WAYS = {"layers": 2, "bidirectional": True}
TABLE = {
    **{f"{kind} native two layers both ways float64": {"kind": kind, "engine": "native", **BOTH_WAYS} for kind in KINDS},
    **{f"{kind} native float32": {"kind": kind, "engine": "native", "dtype": torch.float32} for kind in ("LSTM", "GRU")},
    "LSTM torch two layers both ways float32": {"kind": "LSTM", "engine": "torch", "dtype": torch.float32, **BOTH_WAYS},
    "tanh torch both ways float32": {"kind": "tanh", "engine": "torch", "dtype": torch.float32, "bidirectional": True},
    "GRU eager two layers float64": {"kind": "GRU", "engine": "eager", "layers": 2},
    "relu eager two layers both ways float32": {"kind": "relu", "engine": "eager", "dtype": torch.float32, **BOTH_WAYS},
}
SMALL = {
    **{f"{kind} native two layers both ways": {"kind": kind, "engine": "native", **BOTH_WAYS} for kind in KINDS},
    "LSTM torch both ways": {"kind": "LSTM", "engine": "torch", "bidirectional": True},
    "relu torch": {"kind": "relu", "engine": "torch"},
    "GRU eager two layers": {"kind": "GRU", "engine": "eager", "layers": 2},
    "tanh eager both ways": {"kind": "tanh", "engine": "eager", "bidirectional": True},
}
FREE = {"auto two layers both ways": {"engine": "auto", **BOTH_WAYS}, "eager": {"engine": "eager"}}


def here(table):
    """What of a table this machine has the engines for."""
    return [name for name, options in table.items() if options["engine"] in HERE]


@pytest.fixture(params=KINDS)
def kind(request):
    """LSTM, GRU, or RNN with one of its two functions."""
    return request.param


@pytest.fixture(params=HERE)
def engine(request):
    """Every engine that works here."""
    return request.param


@pytest.fixture(params=here(TABLE))
def pair(request):
    """Ours, torch's with the same weights, and an input `[T, B, I]`: every kind, engine, dtype, depth and direction, not every combination."""
    return make_pair(**TABLE[request.param])


@pytest.fixture
def one_pair(kind):
    """The same, once for each kind: for what has little to do with engines."""
    return make_pair(kind, **BOTH_WAYS)


@pytest.fixture(params=here(SMALL))
def double_pair(request):
    """The same, small, in float64 alone: for derivatives."""
    return make_pair(steps=3, **SMALL[request.param])


@pytest.fixture(params=FREE)
def free_pair(request, kind):
    """A small pair in float64 on the engine that chooses itself and on the one that can all: for what native and torch's kernels refuse."""
    return make_pair(kind, steps=3, **FREE[request.param])


@pytest.fixture(params=["auto", "eager"])
def free_engine(request):
    """The names of those two engines."""
    return request.param


@pytest.fixture(scope="session")
def ranks(tmp_path_factory):
    """Two processes that are joined by gloo."""
    both = Ranks(tmp_path_factory.mktemp("ranks"))
    yield both
    both.end()


@pytest.fixture(scope="session")
def spawned():
    """Runs a function in a process that began anew, with nothing of this one's memory."""
    with torch.multiprocessing.get_context("spawn").Pool(1) as pool:
        yield lambda function, *arguments: pool.apply_async(function, arguments).get(timeout=120)


@pytest.fixture
def forked():
    """Runs a function in a process that is split off at its first call."""
    pools = []

    def run(function, *arguments):
        if not pools:
            pools.append(torch.multiprocessing.get_context("fork").Pool(1))
        return pools[0].apply_async(function, arguments).get(timeout=120)

    yield run
    for pool in pools:
        pool.terminate()
        pool.join()
