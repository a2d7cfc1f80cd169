"""The engine `native` in programs with several processes and threads, each in a process of its own that may be stopped."""

import json
import os
import select
import signal
import subprocess
import sys
import textwrap

import pytest

from engines_here import needs_native

pytestmark = [needs_native, pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")]

LIMIT = 120
HEAD = """
import os, sys, threading, time
import torch
import unrolled as un

torch.set_num_threads(2)
torch.manual_seed(0)

def alone():
    # Torch's own operations hang in a process that was forked off, whose runtime waits for threads that did not come along. Only they are told.
    torch.set_num_threads(1)
    torch.get_num_threads = lambda: 2
"""
BEGIN = f"""{HEAD}
from unrolled.engines.native import threads

layer = un.LSTM(16, 64, 2, engine="native")
x = torch.randn(20, 6, 16)

def answer(real=None):
    layer.zero_grad()
    y, (h, c) = layer(x, lengths=real)
    (y.sum() + (h * c).sum()).backward()
    return [y.detach(), h.detach(), c.detach(), *(p.grad.clone() for p in layer.parameters())]

def same(found, wanted):
    return all(torch.allclose(a, b, rtol=1e-4, atol=1e-5) for a, b in zip(found, wanted, strict=True))

wanted = answer()
assert threads.threads_for(9, 6, 10**5) == ((2, 2) if threads.runtime() else (1, 1))
"""
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore"}
LOADED = """
import json, os, sys
import torch
for line in sys.stdin:
    child = os.fork()
    if not child:
        exec(json.loads(line))
        break
    print(os.waitpid(child, 0)[1], flush=True)
"""
"""Forks off a process for each program. What is imported takes longer than most programs, and has done nothing yet, so no thread is begun."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs a program in a fresh process; it must end well, and in time."""
    told = tmp_path_factory.mktemp("processes") / "told"
    with told.open("w") as file:
        loaded = subprocess.Popen(
            [sys.executable, "-c", LOADED],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            start_new_session=True,
        )

    def run(text, begin=BEGIN):
        loaded.stdin.write(json.dumps(begin + textwrap.dedent(text)) + "\n")
        loaded.stdin.flush()
        if not select.select([loaded.stdout], [], [], LIMIT)[0]:
            os.killpg(loaded.pid, signal.SIGKILL)
        assert loaded.stdout.readline() == "0\n", told.read_text()

    with loaded:
        yield run


def test_a_fork_runs_layers(run):
    run("""
        graph = layer(x)[0].sum()
        child = os.fork()
        if not child:
            alone()
            os._exit(0 if threads.threads_for(9, 6, 10**5) == (1, 1) and same(answer(), wanted) else 3)
        assert os.waitpid(child, 0)[1] == 0
        assert same(answer(), wanted)
        child = os.fork()  # What was begun with two threads is ended with one.
        if not child:
            alone()
            layer.zero_grad()
            graph.backward()
            os._exit(0 if all(p.grad.abs().sum() > 0 for p in layer.parameters()) else 3)
        assert os.waitpid(child, 0)[1] == 0
    """)


def test_the_first_call_of_a_process_may_be_compiled_and_forks_go_on_with_it(run):
    text = """
        layer = un.GRU(9, 64, engine="native")
        x = torch.randint(9, (20, 6))
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        found = compiled(x)[0]
        torch.testing.assert_close(found, layer(x)[0])
        child = os.fork()
        if not child:
            alone()
            os._exit(0 if torch.allclose(compiled(x)[0], found, atol=1e-5) else 3)
        assert os.waitpid(child, 0)[1] == 0
    """
    run(text, HEAD)


def test_multiprocessing_by_fork(run):
    run("""
        import multiprocessing
        with multiprocessing.get_context("fork").Pool(2, alone) as pool:
            found = pool.map(answer, [None] * 4, 1)
        assert all(same(f, wanted) for f in found)
    """)


def test_a_layer_in_the_workers_of_a_data_loader(run):
    run("""
        class Encoded(torch.utils.data.Dataset):
            def __len__(self):
                return 8
            def __getitem__(self, number):
                with torch.no_grad():
                    return layer(x + number)[1][0]
        with torch.no_grad():
            wanted = torch.stack([layer(x + n)[1][0] for n in range(8)])
        loader = torch.utils.data.DataLoader(Encoded(), batch_size=2, num_workers=2, multiprocessing_context="fork")
        assert torch.allclose(torch.cat(list(loader)), wanted, atol=1e-5)
    """)


@pytest.mark.parametrize("shared", [1, 2])
def test_two_threads_of_python_call_one_layer(run, shared):
    run(f"""
        torch.set_num_threads({shared})
        inputs = [x * (n + 1) for n in range(2)]
        def loop(number, found):
            torch.set_num_threads({shared})
            for _ in range(40):
                y, (h, c) = layer(inputs[number])
                gradients = torch.autograd.grad(y.sum() + (h * c).sum(), list(layer.parameters()))
                found.append([y.detach(), *gradients])
        alone = [[], []]
        for n in range(2):
            loop(n, alone[n])
        beside = [[], []]
        both = [threading.Thread(target=loop, args=(n, beside[n])) for n in range(2)]
        [t.start() for t in both], [t.join() for t in both]
        assert all(len(found) == 40 for found in beside)
        for n in range(2):
            assert all(same(found, alone[n][0]) for found in beside[n])
    """)


BUSY = """
def busy():
    ticks = {}
    for task in os.listdir("/proc/self/task"):
        fields = open(f"/proc/self/task/{task}/stat").read().rpartition(")")[2].split()
        ticks[task] = int(fields[11]) + int(fields[12])
    return ticks

def workers(wanted):
    # One thread more than is wanted would have its ticks by the time that all have so many.
    before, end, found = busy(), time.monotonic() + 20, []
    with torch.no_grad():
        while time.monotonic() < end and not (sum(found) >= 30 and sum(ticks >= 10 for ticks in found) >= wanted):
            for _ in range(10):
                layer(x)
            found = [ticks - before.get(task, 0) for task, ticks in busy().items()]
    return sum(ticks >= 10 for ticks in found)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="no /proc")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
def test_as_many_threads_work_as_torch_allows(run):
    text = BUSY + textwrap.dedent("""
        many = 2 if threads.runtime() else 1
        x = torch.randn(64, 32, 16)
        for allowed in (2, 1, 2):
            torch.set_num_threads(allowed)
            found = workers(min(allowed, many))
            assert found == min(allowed, many), (found, allowed)
    """)
    run(text)


@pytest.mark.parametrize(
    "variables", [{"OMP_THREAD_LIMIT": "1"}, {"OMP_DYNAMIC": "true", "OMP_WAIT_POLICY": "active", "OMP_PROC_BIND": "true"}]
)
def test_a_runtime_that_gives_fewer_threads(variables):
    text = """
        torch.set_num_threads(1)
        wanted = answer()
        torch.set_num_threads(2)
        for _ in range(20):
            assert same(answer(), wanted)
            assert same(answer([20, 3, 0, 7, 7, 1]), answer([20, 3, 0, 7, 7, 1]))
    """
    program, environment = BEGIN + textwrap.dedent(text), {**ENVIRONMENT, **variables}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="no /proc")
def test_one_runtime_of_threads_is_in_the_process(run):
    run("""
        from pathlib import Path
        files = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
        runtimes = {str(Path(f).resolve()) for f in files if Path(f).name.startswith(("libgomp", "libomp", "libiomp"))}
        assert len(runtimes) <= 1, runtimes
        assert bool(threads.runtime()) == bool(runtimes)
    """)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc")
def test_memory_does_not_grow(run):
    run("""
        def pages():
            return int(open("/proc/self/statm").read().split()[1])
        layer = un.LSTM(16, 8, 2, engine="native")
        real, cuts = torch.tensor([20, 3, 0, 7, 7, 1]), torch.rand(20, 6) < 0.1
        def once():
            y, _ = layer(x, lengths=real, resets=cuts)
            y.sum().backward()
            with torch.no_grad():
                layer(x)
        # The allocator takes its share in the first thousand calls and no more after that.
        for _ in range(1000):
            once()
        before = pages()
        for _ in range(300):
            once()
        # A list of rows lost at each call would be 300 pages and more.
        assert pages() - before < 100, pages() - before
    """)


def test_a_batch_is_cut_where_each_thread_has_rows_enough_for_what_it_reads(run):
    """With large matrices and few rows reading costs more than multiplying: threads share the units, and each reads a part."""
    run("""
        if threads.runtime():
            assert threads.threads_for(64, 16, 10**6) == (2, 1)
            assert threads.threads_for(64, 20, 10**6) == (2, 2)
            assert threads.threads_for(64, 16, 10**5) == (2, 2)
            assert threads.threads_for(64, 1, 10**6) == (2, 1)
    """)
