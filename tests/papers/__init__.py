"""The cells of the gallery a second time, from their papers: `step(w, x, s)` gives the states after an input.

`w` has the parameters and `s` the states before, by the names that the cell has for them; everything is the vector or matrix of one sequence at one
step: matrices that are states are flat, row by row, and the parts of an input stand one after the other. Notation and form are the papers':
complex states, sums that are not made stable, their own squashing functions.
"""

from types import SimpleNamespace

from papers import differential, gated, irregular, linear, lstm, matrices, simple, timescales

STEPS = simple.STEPS | gated.STEPS | lstm.STEPS | linear.STEPS | differential.STEPS
STEPS |= irregular.STEPS | timescales.STEPS | matrices.STEPS


def by_rows(step):
    """The step for a batch of one row, with parameters and states in dictionaries."""

    def on_row(parameters, x, states):
        after = step(SimpleNamespace(**parameters), x[0], SimpleNamespace(**{name: value[0] for name, value in states.items()}))
        return {name: value[None] for name, value in after.items()}

    return on_row
