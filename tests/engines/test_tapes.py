"""Memory of tapes that waits for the next call."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import unrolled as un
from unrolled.engines.native import tapes
from unrolled.engines.native.tapes import LEAST, Tapes

LIKE = torch.empty(0)
COUNT = LEAST


@pytest.fixture
def kept(monkeypatch):
    monkeypatch.setattr(tapes, "tapes", found := Tapes())
    monkeypatch.setattr("unrolled.engines.native.call.tapes", found)
    return found


def test_memory_comes_back_when_nothing_reads_it(kept):
    first = kept.empty(COUNT, LIKE)
    place, part = first.data_ptr(), first[3:5]
    del first
    second = kept.empty(COUNT, LIKE)
    assert second.data_ptr() != place, "a part of it is still read"
    del part
    third = kept.empty(COUNT - 5, LIKE)
    assert (third.data_ptr(), third.shape, third.dtype) == (place, (COUNT - 5,), torch.float32)
    assert kept.empty(COUNT, LIKE).data_ptr() not in (place, second.data_ptr())


@pytest.mark.parametrize("then", [COUNT + 1, COUNT // 2 - 1])
def test_memory_of_another_size_waits_on(kept, then, monkeypatch):
    monkeypatch.setattr(tapes, "LEAST", 8)
    first = kept.empty(COUNT, LIKE)
    place = first.data_ptr()
    del first
    other = kept.empty(then, LIKE)
    assert other.data_ptr() != place and other.shape == (then,)
    assert kept.empty(COUNT, LIKE).data_ptr() == place


def test_what_waits_has_a_limit(kept, monkeypatch):
    monkeypatch.setattr(tapes, "MOST", 2 * 4 * COUNT)
    held = [kept.empty(COUNT, LIKE) for _ in range(4)]
    last = held[0].data_ptr()
    while held:
        held.pop()
    assert sum(memory.numel() for memory in kept._waiting) == 2 * 4 * COUNT
    assert kept.empty(COUNT, LIKE).data_ptr() == last


def test_layers_train_in_the_memory_of_the_step_before(kept):
    layer, x = un.LSTM(64, 64, engine="native"), torch.randn(40, 16, 64)
    places = set()
    for _ in range(3):
        out, _ = layer(x)
        out.sum().backward()
        del out
        places.update(memory.data_ptr() for memory in kept._waiting)
    assert len(places) == 1


def test_two_calls_that_wait_for_their_gradients_have_memory_of_their_own(kept):
    layer, x = un.LSTM(64, 64, engine="native", dtype=torch.float64), torch.randn(2, 40, 16, 64, dtype=torch.float64)

    def gradients(parts):
        layer.zero_grad()
        for loss in [layer(part)[0].square().sum() for part in parts]:
            loss.backward()
        return [p.grad.clone() for p in layer.parameters()]

    gradients(x)
    together, apart = gradients(x), [gradients(x[:1]), gradients(x[1:])]
    for both, one, other in zip(together, *apart, strict=True):
        torch.testing.assert_close(both, one + other)


def test_threads_never_share_memory(kept):
    def fill(number):
        for _ in range(50):
            mine = kept.empty(COUNT, LIKE)
            mine.fill_(number)
            assert (mine == number).all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(4)))
