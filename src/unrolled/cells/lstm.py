"""Long short-term memory. The forget gate's bias starts at 1, so that the network remembers by default (Jozefowicz et al. 2015)."""

from unrolled.cells.cell import Cell

_GATES = """
    i[t] = sigmoid(W_i @ x[t] + R_i @ h[t-1] + b_i)
    f[t] = sigmoid(W_f @ x[t] + R_f @ h[t-1] + b_f)
    o[t] = sigmoid(W_o @ x[t] + R_o @ h[t-1] + b_o)
    z[t] = tanh(W_z @ x[t] + R_z @ h[t-1] + b_z)
    c[t] = f[t] * c[t-1] + i[t] * z[t]
"""

LSTM = Cell.built_in(
    "lstm",
    _GATES + "h[t] = o[t] * tanh(c[t])",
    init={"b_f": 1.0},
    reference="Hochreiter & Schmidhuber (1997), with the forget gate of Gers et al. (2000)",
)

LSTM_PROJECTED = Cell.built_in(
    "lstm-projected",
    _GATES + "h[t] = R_h @ (o[t] * tanh(c[t]))",
    init={"b_f": 1.0},
    reference="Sak et al. (2014), Long Short-Term Memory Based Recurrent Neural Network Architectures",
)

LSTM_PEEPHOLE = Cell.built_in(
    "lstm-peephole",
    """
    z[t] = tanh(W_z @ x[t] + R_z @ h[t-1] + b_z)
    i[t] = sigmoid(W_i @ x[t] + R_i @ h[t-1] + p_i * c[t-1] + b_i)
    f[t] = sigmoid(W_f @ x[t] + R_f @ h[t-1] + p_f * c[t-1] + b_f)
    c[t] = i[t] * z[t] + f[t] * c[t-1]
    o[t] = sigmoid(W_o @ x[t] + R_o @ h[t-1] + p_o * c[t] + b_o)
    h[t] = o[t] * tanh(c[t])
    """,
    init={"b_f": 1.0},
    reference="Greff et al. (2017), LSTM: A Search Space Odyssey, section II",
)

LSTM_NORM = Cell.built_in(
    "lstm-norm",
    """
    i[t] = sigmoid(k_i * norm(W_i @ x[t]) + g_i * norm(R_i @ h[t-1]) + b_i)
    f[t] = sigmoid(k_f * norm(W_f @ x[t]) + g_f * norm(R_f @ h[t-1]) + b_f)
    o[t] = sigmoid(k_o * norm(W_o @ x[t]) + g_o * norm(R_o @ h[t-1]) + b_o)
    z[t] = tanh(k_z * norm(W_z @ x[t]) + g_z * norm(R_z @ h[t-1]) + b_z)
    c[t] = f[t] * c[t-1] + i[t] * z[t]
    h[t] = o[t] * tanh(g_c * norm(c[t]) + b_c)
    """,
    init={**dict.fromkeys(("k_i", "g_i", "k_f", "g_f", "k_o", "g_o", "k_z", "g_z", "g_c"), 1.0), "b_f": 1.0},
    reference="Ba et al. (2016), Layer Normalization, equations 20 to 22, with a mean and a variance for each gate of its own",
)
