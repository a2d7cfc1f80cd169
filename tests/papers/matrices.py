"""Cells whose memory is a matrix, and spiking ones."""

import numpy as np
from numpy import exp, tanh


def sigma(a):
    return 1 / (1 + exp(-a))


def square(state):
    return state.reshape(round(len(state) ** 0.5), -1)


def layer_norm(a):
    return (a - a.mean()) / np.sqrt(a.var() + 1e-5)


def fast_weights(w, x, s):
    """Ba et al. (2016): the fast matrix sums outer products of states, and is applied once within a step."""
    fast = 0.95 * square(s.A) + 0.5 * np.outer(s.h, s.h)
    boundary = w.R @ s.h + w.W @ x + w.b
    inner = tanh(layer_norm(boundary))
    return {"h": tanh(layer_norm(boundary + fast @ inner)), "A": fast.ravel()}


def linear_attention(w, x, s):
    """Katharopoulos et al. (2020): sums of phi(k) v^T and phi(k), with phi = elu + 1."""
    phi = lambda a: np.where(a > 0, a + 1, exp(a))  # noqa: E731
    q, k, v = phi(w.W_q @ x), phi(w.W_k @ x), w.W_v @ x
    memory, normaliser = square(s.S).T + np.outer(k, v), s.z + k
    return {"h": (q @ memory) / (q @ normaliser), "S": memory.T.ravel(), "z": normaliser}


def retnet(w, x, s):
    """Sun et al. (2023): S = gamma S + K^T V, o = Q S."""
    memory = (1 - 2**-5) * square(s.S).T + np.outer(w.W_k @ x, w.W_v @ x)
    return {"h": (w.W_q @ x) @ memory, "S": memory.T.ravel()}


def gla(w, x, s):
    """Yang et al. (2024): S = (alpha^T 1) * S + k^T v, alpha = sigmoid(...)^(1/16)."""
    alpha = sigma(w.W_a @ x + w.b_a) ** (1 / 16)
    memory = alpha[:, None] * square(s.S).T + np.outer(w.W_k @ x, w.W_v @ x)
    return {"h": (w.W_q @ x) @ memory, "S": memory.T.ravel()}


def deltanet(w, x, s):
    """Schlag et al. (2021): what is stored under k is replaced by a share beta: S (I - beta k k^T) + beta v k^T."""
    silu = lambda a: a * sigma(a)  # noqa: E731
    k = silu(w.W_k @ x)
    k = k / np.sqrt(k @ k + 1e-6)
    beta = sigma(w.w @ x + w.b)
    memory = square(s.S) @ (np.eye(len(k)) - beta * np.outer(k, k)) + beta * np.outer(w.W_v @ x, k)
    return {"h": memory @ silu(w.W_q @ x), "S": memory.ravel()}


def mlstm(w, x, s):
    """Beck et al. (2024), equations 19 to 27 as they stand, before they are made stable: C and n there are e^m times those here."""
    size = len(s.h)
    q, k, v = w.W_q @ x + w.b_q, w.W_k @ x / np.sqrt(size) + w.b_k, w.W_v @ x + w.b_v
    i, f, o = exp(w.w_i @ x + w.b_i), sigma(w.w_f @ x + w.b_f), sigma(w.W_o @ x + w.b_o)
    memory = f * exp(s.m[0]) * square(s.C) + i * np.outer(v, k)
    normaliser = f * exp(s.m[0]) * s.n + i * k
    h = o * (memory @ q) / max(abs(normaliser @ q), 1)
    m = np.maximum(np.log(f) + s.m, np.log(i))
    return {"h": h, "m": m, "C": (memory / exp(m[0])).ravel(), "n": normaliser / exp(m[0])}


def lif(w, x, s):
    """Neftci et al. (2019), equations 5 and 6: a current that decays, a potential that decays and is set back by what was fired."""
    current = 0.8 * s.i + w.W @ x + w.R @ s.h
    potential = 0.9 * s.u + s.i - s.h
    return {"h": np.heaviside(potential - 1, 0), "i": current, "u": potential}


STEPS = {
    "fast-weights": fast_weights,
    "linear-attention": linear_attention,
    "retnet": retnet,
    "gla": gla,
    "deltanet": deltanet,
    "mlstm": mlstm,
    "lif": lif,
}
