"""torch.export: programs for every batch and, where the engine can, every length, whatever the number of threads."""

import io

import pytest
import torch

from engines_here import needs_native
from pairs import INPUTS, UNITS, assert_same, flat, make_pair

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore:The tensor attributes self._flat_weights", "ignore:While compiling"
)


@pytest.fixture(params=[1, 2])
def threads(request):
    """The threads that torch may use."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def arguments(kind, steps, batch, places=4):
    """An input and a state to begin with, by torch's names for them."""
    h = torch.randn(places, batch, UNITS, dtype=torch.float64)
    return {"input": torch.randn(steps, batch, INPUTS, dtype=torch.float64), "hx": (h, h.flip(0)) if kind == "LSTM" else h}


def exported(layer, kind, **dims):
    batch = {1: torch.export.Dim("batch", max=1000)}
    steps = {0: torch.export.Dim("steps", max=1000)} if dims.get("steps") else {}
    shapes = {"input": {**steps, **batch}, "hx": (batch, batch) if kind == "LSTM" else batch}
    given = arguments(kind, 4, 3, layer.num_layers * 2)
    return torch.export.export(layer, (), given, dynamic_shapes=shapes)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@needs_native
def test_every_length_and_batch_in_one_program(kind, threads):
    pair = make_pair(kind, "native", layers=2, bidirectional=True)
    program = exported(pair.ours, kind, steps=True).module()
    for steps, batch in [(6, 3), (3, 7), (40, 2), (2, 40)]:
        given = arguments(kind, steps, batch)
        assert_same(flat(program(**given)), flat(pair.theirs(**given)))


@pytest.mark.parametrize("kind", ["LSTM"])
@needs_native
def test_a_program_keeps_its_answers_when_the_threads_change(kind):
    pair = make_pair(kind, "native", layers=2, bidirectional=True)
    program, given = exported(pair.ours, kind, steps=True).module(), arguments(kind, 30, 200)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 1):
            torch.set_num_threads(threads)
            assert_same(flat(program(**given)), flat(pair.theirs(**given)))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("kind", ["GRU"])
def test_every_batch_in_one_program_on_every_engine(kind, engine):
    pair = make_pair(kind, engine, bidirectional=True)
    programs = [exported(layer, kind).module() for layer in (pair.theirs, pair.ours)]
    for batch in (3, 8):
        given = arguments(kind, 4, batch, places=2)
        wanted, found = (flat(program(**given)) for program in programs)
        assert_same(found, wanted)


@needs_native
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_program_has_torch_s_parameters_and_is_saved_and_loaded(kind):
    pair = make_pair(kind, "native", layers=2, bidirectional=True)
    program = exported(pair.ours, kind, steps=True)
    assert list(program.state_dict) == list(pair.theirs.state_dict())
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    again, given = torch.export.load(file).module(), arguments(kind, 5, 4)
    assert_same(flat(again(**given)), flat(pair.theirs(**given)))


@needs_native
@pytest.mark.parametrize("kind", ["tanh"])
def test_a_program_without_gradients_and_of_a_strict_trace(kind):
    pair = make_pair(kind, "native", layers=2, bidirectional=True)
    given = arguments(kind, 6, 3)
    with torch.no_grad():
        program = torch.export.export(pair.ours.eval(), (), given, strict=True).module()
        assert_same(flat(program(**given)), flat(pair.theirs(**given)))
