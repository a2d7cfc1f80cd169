"""Training in segments gives the numbers and gradients of training in one piece, in less memory."""

import subprocess
import sys

import pytest
import torch

import unrolled as un
from engines_here import HERE, needs_native
from unrolled.errors import ConfigError

DOUBLE = torch.float64


def both(cell, steps, engine, **options):
    """The same layer run in one piece and in segments."""
    torch.manual_seed(0)
    whole = un.Recurrent(cell, 3, 4, dtype=DOUBLE, engine=engine, **options)
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    cut = un.Recurrent(cell, 3, 4, dtype=DOUBLE, engine=engine, checkpoint_steps=steps, **options)
    cut.load_state_dict(whole.state_dict())
    return whole, cut


def results(layer, x, lengths, resets=None):
    x = x.clone().requires_grad_()
    y, state, history = layer(x, lengths=lengths, resets=resets, return_states=True)
    torch.manual_seed(1)
    (sum((torch.randn_like(t) * t).sum() for t in (y, *state, *history))).backward()
    return [y, *state, *history, x.grad, *(p.grad for p in layer.parameters())]


@pytest.mark.parametrize("engine", [e for e in HERE if e != "torch"])
@pytest.mark.parametrize("steps", [1, 3, 4, 10, 11, 50])
@pytest.mark.parametrize("lengths", [None, [11, 0, 3, 4, 7]])
@pytest.mark.parametrize(
    ("cell", "options"), [("lstm", {}), ("gru-reset-before", {"num_layers": 2, "bidirectional": True, "initial_state": "learned"})]
)
def test_segments_change_nothing(cell, options, lengths, steps, engine):
    whole, cut = both(cell, steps, engine, **options)
    x = torch.randn(11, 5, 3, dtype=DOUBLE)
    for got, wanted in zip(results(cut, x, lengths), results(whole, x, lengths), strict=True):
        torch.testing.assert_close(got, wanted, atol=1e-12, rtol=0)


def test_one_dropout_mask_serves_all_segments():
    _, cut = both("lstm", 3, "eager", recurrent_dropout=0.5)
    whole, _ = both("lstm", 3, "eager", recurrent_dropout=0.5)
    x = torch.randn(11, 5, 3, dtype=DOUBLE)
    found = []
    for layer in (cut, whole):
        torch.manual_seed(7)
        found.append(layer(x)[0])
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("steps", [0, -3, True, 2.0, "4"])
def test_segments_of_no_length_are_refused(steps):
    with pytest.raises(ConfigError, match="checkpoint_steps"):
        un.LSTM(3, 4, checkpoint_steps=steps)


@pytest.mark.parametrize("engine", [e for e in HERE if e != "torch"])
@pytest.mark.parametrize("lengths", [None, [11, 0, 3, 4, 7]])
def test_rows_that_are_set_back_on_the_way(lengths, engine):
    options = {"num_layers": 2, "bidirectional": True, "initial_state": "learned"}
    whole, _ = both("lstm", 1, "native" if "native" in HERE else "eager", **options)
    x = torch.randn(11, 5, 3, dtype=DOUBLE)
    for share in (0.05, 0.4, 1.0):
        resets = torch.rand(11, 5) < share
        whole.zero_grad()
        expected = results(whole, x, lengths, resets)
        for steps in (1, 4, 10):
            _, cut = both("lstm", steps, engine, **options)
            for got, wanted in zip(results(cut, x, lengths, resets), expected, strict=True):
                torch.testing.assert_close(got, wanted, atol=1e-11, rtol=0)


PEAK = """
import os, re, torch, unrolled as un
def peak():
    # Not getrusage, which counts what the process was before it became this program.
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
torch.set_num_threads(1)
for k in (None, 64):
    if os.fork():
        assert not os.wait()[1]
        continue
    layer = un.LSTM(16, 128, checkpoint_steps=k)
    # As many steps as have several segments: what these load is no part of a pass.
    layer(torch.zeros(200, 1, 16))[0].sum().backward()
    x = torch.randn(4000, 8, 16)
    before = peak()
    layer(x)[0].sum().backward()
    print(peak() - before, flush=True)
    os._exit(0)
"""


@needs_native
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_segments_save_memory():
    peaks = [int(said) for said in subprocess.run([sys.executable, "-c", PEAK], check=True, capture_output=True, text=True).stdout.split()]
    # The tape has 768 numbers for each of the 32,000 steps, 94 MiB; input and output have 18 MiB, and so do their gradients.
    assert peaks[0] > 90 * 1024
    assert peaks[1] < 0.7 * peaks[0]
