"""Where the system has no memory left, a pass says so before it has begun, and can be tried again."""

import re
import subprocess
import sys

import pytest

from engines_here import needs_native

PROGRAM = """
import resource, torch
import unrolled as un
from unrolled.errors import LackOfMemoryError

torch.manual_seed(0)
torch.set_num_threads(1)
layer = un.Recurrent("gru", 512, 1024, engine="native").requires_grad_(False)
x = torch.randn(3, 20, 512, requires_grad=True)
lengths = 2 + torch.arange(20) % 2

def forward():
    return layer(x, lengths=lengths)[0].square().sum()

def backward(loss):
    return torch.autograd.grad(loss, x, retain_graph=True)[0]

def lacking(act, *arguments):
    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (4 << 20), -1))
    try:
        act(*arguments)
    except LackOfMemoryError as error:
        return str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))

with torch.no_grad():
    layer(x[:1, :1])  # finds a compiler, which wants memory, too
for training in (False, True):
    with torch.set_grad_enabled(training):
        print(lacking(forward))
loss = forward()
print(lacking(backward, loss))
found = backward(loss)
# The tape was written over, and is made again.
print(lacking(backward, loss))
torch.testing.assert_close(backward(loss), found)
layer.engine = "eager"
expected = forward()
torch.testing.assert_close(loss, expected)
torch.testing.assert_close(found, backward(expected))
"""


@needs_native
@pytest.mark.skipif(sys.platform != "linux", reason="needs limits on memory, and a look at how much is used")
def test_lack_of_memory_is_an_error_like_any_other():
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=200)
    assert not ended.returncode, ended.stderr
    weights = 3 * 1024 * (512 + 1024) * 4 / 1e6
    told = re.findall(r"needs (\d+) MB of memory that the system does not have\. Pass fewer", ended.stdout)
    assert len(told) == 4
    assert all(weights - 1 <= int(megabytes) <= weights + 2 for megabytes in told)
