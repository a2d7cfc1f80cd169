"""Which recurrences torch computes in one call, found without reading the equations of others."""

import pytest

import unrolled as un
from unrolled.engines.fused import kernel_of

FUSED = {
    "lstm": "lstm",
    "lstm-chrono": "lstm",
    "lstm-projected": "lstm",
    "gru": "gru",
    "elman": "rnn_tanh",
    "elman-relu": "rnn_relu",
}


@pytest.mark.parametrize("name", un.cells.BUILT_IN)
def test_a_built_in_cell_has_the_kernel_that_computes_it_or_none(name):
    kernel = kernel_of(un.cells.BUILT_IN[name].recurrence)
    assert (kernel and kernel.call.__name__) == FUSED.get(name)


def test_the_same_blocks_in_other_equations_are_not_taken_for_torchs():
    other = un.Cell("turned", "h[t] = tanh(W_h @ x[t] + b_h - R_h @ h[t-1])")
    assert {p.name for p in other.recurrence.parameters} == {"W_h", "R_h", "b_h"}
    assert kernel_of(other.recurrence) is None
