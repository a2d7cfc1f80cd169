"""Cells of several timescales."""

import numpy as np
from numpy import tanh


def clockwork(w, x, s):
    """Koutnik et al. (2014): block i has period 2^i, reads itself and slower ones, and works when the time divides by its period."""
    size = len(s.h) // 4
    h = s.h.copy()
    for block in range(4):
        rows = slice(block * size, (block + 1) * size)
        if s.t[0] % 2**block == 0:
            h[rows] = tanh(w.W[rows] @ x + w.R[rows, block * size :] @ s.h[block * size :] + w.b[rows])
    return {"h": h, "t": s.t + 1}


def lmu(w, x, s):
    """Voelker et al. (2019): m' = A m + B u over a window of theta, with A and B written out by their definition."""
    theta, order = 100, len(s.m)
    a, b = np.zeros((order, order)), np.zeros(order)
    for i in range(order):
        b[i] = (2 * i + 1) * (-1) ** i
        for j in range(order):
            a[i, j] = (2 * i + 1) * (-1 if i < j else (-1) ** (i - j + 1))
    u = w.e_x @ x + w.e_h @ s.h + w.e_m @ s.m
    m = (np.eye(order) + a / theta) @ s.m + b / theta * u
    return {"h": tanh(w.W @ x + w.R_h @ s.h + w.R_m @ m), "m": m}


def hippo(w, x, s):
    """Gu et al. (2020): c = (1 - A / t) c + B f / t with t from 1 on, A lower triangular."""
    order, t = len(s.c), s.t[0] + 1
    a = np.array([[np.sqrt((2 * n + 1) * (2 * k + 1)) if n > k else n + 1 if n == k else 0 for k in range(order)] for n in range(order)])
    b = np.sqrt(2 * np.arange(order) + 1)
    gate = 1 / (1 + np.exp(-(w.W_g @ x + w.R_g @ s.h + w.U_g @ s.c + w.b_g)))
    h = (1 - gate) * s.h + gate * tanh(w.W_n @ x + w.R_n @ s.h + w.U_n @ s.c + w.b_n)
    return {"h": h, "c": (np.eye(order) - a / t) @ s.c + b / t * (w.e @ h), "t": s.t + 1}


STEPS = {"clockwork": clockwork, "lmu": lmu, "hippo": hippo}
