"""The gated recurrent units. Two different formulas are in use under that name; here each has its own."""

from unrolled.cells.cell import Cell

_CHO = "Cho et al. (2014), Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation"

GRU_SIMPLIFIED = Cell.built_in(
    "gru-simplified",
    """
    u[t] = sigmoid(W_u @ x[t] + R_u @ h[t-1] + b_u)
    n[t] = tanh(W_n @ x[t] + R_n @ h[t-1] + b_n)
    h[t] = u[t] * n[t] + (1 - u[t]) * h[t-1]
    """,
    reference=f"the update gate alone of {_CHO}",
)

GRU_RESET_BEFORE = Cell.built_in(
    "gru-reset-before",
    """
    u[t] = sigmoid(W_u @ x[t] + R_u @ h[t-1] + b_u)
    r[t] = sigmoid(W_r @ x[t] + R_r @ h[t-1] + b_r)
    n[t] = tanh(W_n @ x[t] + R_n @ (r[t] * h[t-1]) + b_n)
    h[t] = u[t] * n[t] + (1 - u[t]) * h[t-1]
    """,
    reference=_CHO,
)

GRU = Cell.built_in(
    "gru",
    """
    r[t] = sigmoid(W_r @ x[t] + R_r @ h[t-1] + b_r)
    z[t] = sigmoid(W_z @ x[t] + R_z @ h[t-1] + b_z)
    n[t] = tanh(W_n @ x[t] + b_n + r[t] * (R_n @ h[t-1] + d_n))
    h[t] = (1 - z[t]) * n[t] + z[t] * h[t-1]
    """,
    reference="the form that cuDNN and torch.nn.GRU compute: the reset gate acts after the recurrent product",
)

GRU_NORM = Cell.built_in(
    "gru-norm",
    """
    r[t] = sigmoid(k_r * norm(W_r @ x[t]) + g_r * norm(R_r @ h[t-1]) + b_r)
    z[t] = sigmoid(k_z * norm(W_z @ x[t]) + g_z * norm(R_z @ h[t-1]) + b_z)
    n[t] = tanh(k_n * norm(W_n @ x[t]) + b_n + r[t] * (g_n * norm(R_n @ h[t-1]) + d_n))
    h[t] = (1 - z[t]) * n[t] + z[t] * h[t-1]
    """,
    init=dict.fromkeys(("k_r", "g_r", "k_z", "g_z", "k_n", "g_n"), 1.0),
    reference="the form of `gru` with the layer normalisation of Ba et al. (2016), a mean and a variance for each gate of its own",
)
