"""Every cell written a second time, by hand, in NumPy: `step(parameters, x, states) -> states`, rows of `[B, n]`."""

import numpy as np

import papers
import unrolled as un


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def elman(p, x, s, function=np.tanh):
    return {"h": function(x @ p["W_h"].T + s["h"] @ p["R_h"].T + p["b_h"])}


def elman_relu(p, x, s):
    return elman(p, x, s, lambda a: np.maximum(a, 0))


def affine(p, gate, x, h):
    return x @ p[f"W_{gate}"].T + h @ p[f"R_{gate}"].T + p[f"b_{gate}"]


def gru_simplified(p, x, s):
    u = sigmoid(affine(p, "u", x, s["h"]))
    n = np.tanh(affine(p, "n", x, s["h"]))
    return {"h": u * n + (1 - u) * s["h"]}


def gru_reset_before(p, x, s):
    u = sigmoid(affine(p, "u", x, s["h"]))
    r = sigmoid(affine(p, "r", x, s["h"]))
    n = np.tanh(affine(p, "n", x, r * s["h"]))
    return {"h": u * n + (1 - u) * s["h"]}


def gru(p, x, s):
    r = sigmoid(affine(p, "r", x, s["h"]))
    z = sigmoid(affine(p, "z", x, s["h"]))
    n = np.tanh(x @ p["W_n"].T + p["b_n"] + r * (s["h"] @ p["R_n"].T + p["d_n"]))
    return {"h": (1 - z) * n + z * s["h"]}


def norm(a):
    return (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 1e-5)


def normed(p, gate, x, h):
    """The input's part with the bias, and the state's part."""
    return p[f"k_{gate}"] * norm(x @ p[f"W_{gate}"].T) + p[f"b_{gate}"], p[f"g_{gate}"] * norm(h @ p[f"R_{gate}"].T)


def gru_norm(p, x, s):
    r, z = (sigmoid(sum(normed(p, g, x, s["h"]))) for g in "rz")
    read, recurrent = normed(p, "n", x, s["h"])
    return {"h": (1 - z) * np.tanh(read + r * (recurrent + p["d_n"])) + z * s["h"]}


def lstm_norm(p, x, s):
    i, f, o = (sigmoid(sum(normed(p, g, x, s["h"]))) for g in "ifo")
    c = f * s["c"] + i * np.tanh(sum(normed(p, "z", x, s["h"])))
    return {"h": o * np.tanh(p["g_c"] * norm(c) + p["b_c"]), "c": c}


def lstm(p, x, s, project=None):
    i, f, o = (sigmoid(affine(p, g, x, s["h"])) for g in "ifo")
    z = np.tanh(affine(p, "z", x, s["h"]))
    c = f * s["c"] + i * z
    h = o * np.tanh(c)
    return {"h": h if project is None else h @ project.T, "c": c}


def lstm_projected(p, x, s):
    return lstm(p, x, s, p["R_h"])


def lstm_peephole(p, x, s):
    z = np.tanh(affine(p, "z", x, s["h"]))
    i = sigmoid(affine(p, "i", x, s["h"]) + p["p_i"] * s["c"])
    f = sigmoid(affine(p, "f", x, s["h"]) + p["p_f"] * s["c"])
    c = i * z + f * s["c"]
    o = sigmoid(affine(p, "o", x, s["h"]) + p["p_o"] * c)
    return {"h": o * np.tanh(c), "c": c}


LIGHT = un.Cell(
    "light",
    """
    f[t] = sigmoid(W_f @ x[t] + b_f)
    g[t] = 2 * sqrt(1 + (W_g @ x[t]) ** 2) / (3 + abs(c[t-1]))
    c[t] = f[t] * c[t-1] + (1 - f[t]) * softplus(g[t] - 0.5)
    h[t] = relu(c[t]) + v * tanh(R_q @ (f[t] * c[t]))
    """,
)


def light(p, x, s):
    f = sigmoid(x @ p["W_f"].T + p["b_f"])
    g = 2 * np.sqrt(1 + (x @ p["W_g"].T) ** 2) / (3 + np.abs(s["c"]))
    c = f * s["c"] + (1 - f) * np.log1p(np.exp(g - 0.5))
    return {"h": np.maximum(c, 0) + p["v"] * np.tanh((f * c) @ p["R_q"].T), "c": c}


CHAIN = un.Cell(
    "chain",
    """
    a[t] = tanh(R_a @ tanh(R_b @ y[t-1] + W_a @ x[t]) - b_a)
    k[t] = exp(-(a[t] ** 2)) + m[t-1] / 4
    m[t] = k[t] * log(2 + k[t]) * sigmoid(d * y[t-1])
    y[t] = a[t] * (R_a @ m[t]) + (1 + exp(e)) ** g * y[t-1] / 8
    """,
    output="y",
)


def chain(p, x, s):
    a = np.tanh(np.tanh(s["y"] @ p["R_b"].T + x @ p["W_a"].T) @ p["R_a"].T - p["b_a"])
    k = np.exp(-(a**2)) + s["m"] / 4
    m = k * np.log(2 + k) * sigmoid(p["d"] * s["y"])
    return {"y": a * (m @ p["R_a"].T) + (1 + np.exp(p["e"])) ** p["g"] * s["y"] / 8, "m": m}


STEPS = {
    "elman": elman,
    "elman-relu": elman_relu,
    "gru-simplified": gru_simplified,
    "gru-reset-before": gru_reset_before,
    "gru": gru,
    "gru-norm": gru_norm,
    "lstm": lstm,
    "lstm-projected": lstm_projected,
    "lstm-peephole": lstm_peephole,
    "lstm-norm": lstm_norm,
    "light": light,
    "chain": chain,
}

CELLS = {name: {"light": LIGHT, "chain": CHAIN}.get(name) or un.cells.BUILT_IN[name] for name in STEPS}
"""The cells to which the tests of all engines put all their questions."""

COMMON = tuple(name for name in CELLS if name in un.cells.BUILT_IN)
"""The built-in cells among them."""

STEPS |= {name: papers.by_rows(step) for name, step in papers.STEPS.items()}


def run(name, parameters, x, initial, lengths=None, reverse=False):
    """Every state at every step `[T, B, n]`, zero past the ends, and the final states; one sequence and one step at a time."""
    steps, batch = x.shape[:2]
    history = {s: np.zeros((steps, batch, v.shape[1])) for s, v in initial.items()}
    final = {s: v.copy() for s, v in initial.items()}
    for row in range(batch):
        real = steps if lengths is None else lengths[row]
        state = {s: v[row : row + 1] for s, v in initial.items()}
        for t in reversed(range(real)) if reverse else range(real):
            state = STEPS[name](parameters, x[t, row : row + 1], state)
            for s, v in state.items():
                history[s][t, row] = v[0]
        for s, v in state.items():
            final[s][row] = v[0]
    return history, final
