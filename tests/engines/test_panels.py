"""Packed weights that are kept from call to call are never stale, no larger than they must be, and nobody's but their layer's."""

import copy
import gc
import os
import pickle
import sys
import threading
import weakref
from types import SimpleNamespace

import pytest
import torch

import unrolled as un
from changes import CHANGES
from engines_here import needs_native
from unrolled.engines.native import panels

pytestmark = [needs_native, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

DOUBLE = torch.float64


def pair(cell="gru", inputs=8, units=8, dtype=DOUBLE, **options):
    """The same layer on both engines."""
    torch.manual_seed(0)
    native, eager = (un.Recurrent(cell, inputs, units, engine=e, dtype=dtype, **options) for e in ("native", "eager"))
    for parameter in native.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    eager.load_state_dict(native.state_dict())
    return native, eager


def kept(layer):
    return panels.panels_of(layer._layouts[0, 0])._memory


def assert_same(native, eager, x, tolerance=1e-12):
    with torch.no_grad():
        torch.testing.assert_close(native(x), eager(x), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("make", [un.RNN, lambda *sizes, **more: un.Recurrent("gru", *sizes, **more)])
def test_a_changed_parameter_is_seen_at_the_next_call(make, change):
    native, eager = (make(8, 8, engine=engine, dtype=DOUBLE) for engine in ("native", "eager"))
    eager.load_state_dict(native.state_dict())
    x = torch.randn(3, 25, 8, dtype=DOUBLE)
    assert_same(native, eager, x)
    memory = kept(native)
    assert memory is not None
    for _ in range(2):
        with torch.no_grad():
            before = native(x)[0]
        for layer in (native, eager):
            change(layer)
        assert_same(native, eager, x)
        if change is not CHANGES["by another type of number and back"]:
            with torch.no_grad():
                assert not torch.equal(native(x)[0], before)


@pytest.mark.parametrize("change", ["in place", "by new data", "in one number of one matrix", "in the signs of two numbers"])
def test_narrow_steps_see_a_changed_parameter(change):
    native, eager = pair(dtype=torch.float32, bfloat16_weights=True)
    x = torch.randn(1, 8)
    with torch.no_grad():
        for _ in range(3):
            for _ in range(2):
                torch.testing.assert_close(native.step(x), eager.step(x), rtol=1e-5, atol=1e-5)
            assert kept(native) is not None
            for layer in (native, eager):
                CHANGES[change](layer)


@pytest.mark.parametrize("units", [1, 15, 17, 40])
def test_calls_of_all_kinds_one_after_the_other(units):
    native, eager = pair("gru-reset-before", 5, units)
    torch.manual_seed(1)
    for steps, batch in [(2, 25), (1, 60), (60, 1), (2, 25), (1, 1), (13, 4)]:
        for x in (torch.randn(steps, batch, 5, dtype=DOUBLE), torch.randint(5, (steps, batch)), torch.randint(5, (steps, batch))):
            assert_same(native, eager, x)


def test_weights_of_nothing_but_zeros_and_nan():
    native, eager = pair("lstm", 3, 17)
    x = torch.randn(3, 30, 3, dtype=DOUBLE)
    with torch.no_grad():
        for value in (0.0, -0.0, float("nan"), 1.0, 0.0):
            for layer in (native, eager):
                layer.R_f_l0.fill_(value)
                layer.W_i_l0.fill_(value)
            torch.testing.assert_close(native(x), eager(x), rtol=1e-12, atol=1e-12, equal_nan=True)


def test_memory_that_was_another_s_before(monkeypatch):
    native, eager = pair("lstm", 16, 16)
    # Zeros where the weights are to be remembered, and something else where they are to be packed.
    dirty = torch.zeros(2, 2, 4 * 16 * 16 * 8, dtype=torch.uint8)
    dirty[:, 1] = 63
    memory = SimpleNamespace(empty=lambda room, **options: dirty.view(room), uint8=torch.uint8)
    monkeypatch.setattr(panels, "torch", memory)
    with torch.no_grad():
        for parameter in (*native.parameters(), *eager.parameters()):
            if parameter.dim() > 1:
                parameter.zero_()
    assert_same(native, eager, torch.randn(3, 30, 16, dtype=DOUBLE))


def test_memory_is_made_once_no_more_than_needed_and_given_back_in_training():
    layer, _ = pair("lstm", 8, 16, dtype=torch.float32)
    small, x = torch.randn(1, 40, 8), torch.randn(3, 40, 8)
    with torch.no_grad():
        layer(small)
        assert kept(layer) is None
        layer(x)
        first = kept(layer)
        layer(small)
        layer(torch.randn(9, 30, 8))
        assert kept(layer) is first
    matrices = sum(p.numel() for p in layer.parameters() if p.dim() > 1) * 4
    assert first.nbytes == 2 * matrices
    layer(x)[0].sum().backward()
    assert kept(layer) is None


def test_a_prepared_step_does_not_remember_memory_that_was_lent_to_it():
    native, _ = pair(dtype=torch.float32, bfloat16_weights=True)
    with torch.no_grad():
        state = None
        for _ in range(3):
            _, state = native.step(torch.randn(1, 8), state)
    assert kept(native) is not None
    (steps,) = native._steps._of.values()
    assert [prepared._numbers.kept for prepared in steps._calls] == [0]


def test_looked_up_columns_are_not_kept():
    layer, _ = pair("lstm", 500, 16)
    with torch.no_grad():
        layer(torch.randint(500, (20, 20)))
        assert kept(layer).nbytes < layer.W_i_l0.numel() * 8
        layer(torch.randn(20, 20, 500, dtype=DOUBLE))
    assert kept(layer).nbytes == 2 * sum(p.numel() for p in layer.parameters() if p.dim() > 1) * 8


def test_a_layer_takes_its_memory_with_it_and_a_copy_has_its_own():
    layer, eager = pair()
    x = torch.randn(3, 25, 8, dtype=DOUBLE)
    assert_same(layer, eager, x)
    assert len(pickle.dumps(layer)) < len(pickle.dumps(eager)) + 100
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert kept(again) is None
        with torch.no_grad():
            again.R_n_l0.mul_(2)
            again(x)
        assert_same(layer, eager, x)
    memory = weakref.ref(kept(layer))
    del layer
    gc.collect()
    assert memory() is None


def test_threads_that_share_a_layer():
    layer, eager = pair("lstm", 16, 33)
    xs = [torch.randn(4, 20, 16, dtype=DOUBLE) for _ in range(4)]
    with torch.no_grad():
        wanted = [eager(x)[0] for x in xs]
        found = [[] for _ in xs]

        def work(number):
            with torch.no_grad():
                found[number] += [layer(xs[number])[0] for _ in range(50)]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(xs))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for ours, theirs in zip(found, wanted, strict=True):
        for y in ours:
            torch.testing.assert_close(y, theirs, rtol=1e-12, atol=1e-12)


def test_a_call_packs_for_itself_while_another_is_at_it():
    layer, eager = pair()
    x = torch.randn(3, 25, 8, dtype=DOUBLE)
    with panels.panels_of(layer._layouts[0, 0])._lock:
        assert_same(layer, eager, x)
        assert kept(layer) is None
        with torch.no_grad():
            layer.R_n_l0.mul_(2)
        layer(x)[0].sum().backward()


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="the system cannot fork, or not safely")
def test_a_forked_process_computes_the_same_whatever_its_parent_was_at():
    layer, eager = pair()
    x = torch.randn(3, 25, 8, dtype=DOUBLE)
    assert_same(layer, eager, x)
    for held in (False, True):
        lock = panels.panels_of(layer._layouts[0, 0])._lock
        if held:
            lock.acquire()
        child = os.fork()
        if not child:
            status = 1
            try:
                torch.set_num_threads(1)
                with torch.no_grad():
                    layer.R_n_l0.mul_(2)
                    eager.R_n_l0.mul_(2)
                assert_same(layer, eager, x)
                status = 0
            finally:
                os._exit(status)
        if held:
            lock.release()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert_same(layer, eager, x)
