"""The Elman (vanilla) network."""

from unrolled.cells.cell import Cell

_REFERENCE = "Elman (1990), Finding Structure in Time, Cognitive Science 14"

ELMAN = Cell.built_in("elman", "h[t] = tanh(W_h @ x[t] + R_h @ h[t-1] + b_h)", reference=_REFERENCE)

ELMAN_RELU = Cell.built_in("elman-relu", "h[t] = relu(W_h @ x[t] + R_h @ h[t-1] + b_h)", reference=_REFERENCE)
