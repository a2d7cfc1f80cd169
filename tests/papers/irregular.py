"""Cells whose input has times or gaps beside its values."""

import numpy as np
from numpy import exp, log, tanh


def sigma(a):
    return 1 / (1 + exp(-a))


def cfc(w, x, s):
    """Hasani et al. (2022), as in the authors' code: two heads, and a sigmoid in time between them."""
    x, dt = x[:-1], x[-1]
    backbone = tanh(np.hstack([w.W, w.R]) @ np.concatenate([x, s.h]) + w.b)
    first, second = tanh(w.R_f @ backbone + w.b_f), tanh(w.R_g @ backbone + w.b_g)
    time_a, time_b = w.R_a @ backbone + w.b_a, w.R_b @ backbone + w.b_s
    share = sigma(time_a * dt + time_b)
    return {"h": first * (1 - share) + share * second}


def t_lstm(w, x, s):
    """Baytas et al. (2017): the short-term part of the memory is discounted, and put back."""
    x, dt = x[:-1], x[-1]
    short = tanh(w.R_s @ s.c + w.b_s)
    long = s.c - short
    adjusted = long + short * (1 / log(np.e + dt))
    f, i, o = (sigma(getattr(w, f"W_{g}") @ x + getattr(w, f"R_{g}") @ s.h + getattr(w, f"b_{g}")) for g in "fio")
    c = f * adjusted + i * tanh(w.W_z @ x + w.R_z @ s.h + w.b_z)
    return {"h": o * tanh(c), "c": c}


def phased_lstm(w, x, s):
    """Neil et al. (2016): the time gate rises, falls, and leaks, unit by unit."""
    x, time = x[:-1], x[-1]
    on, leak, period = 0.05, 0.001, exp(w.tau)
    phase = np.mod(time - w.shift, period) / period
    gate = leak * phase
    rising, falling = phase < on / 2, (phase >= on / 2) & (phase < on)
    gate[rising], gate[falling] = 2 * phase[rising] / on, 2 - 2 * phase[falling] / on
    i, f, o = (sigma(getattr(w, f"W_{g}") @ x + getattr(w, f"R_{g}") @ s.h + getattr(w, f"b_{g}")) for g in "ifo")
    c = f * s.c + i * tanh(w.W_z @ x + w.R_z @ s.h + w.b_z)
    return {"h": gate * o * tanh(c) + (1 - gate) * s.h, "c": gate * c + (1 - gate) * s.c}


def gru_d(w, x, s):
    """Che et al. (2018): values, mask, gaps; input and state decay."""
    x, mask, gap = np.split(x, 3)
    decay_x, decay_h = exp(-np.maximum(0, np.diag(w.w_a) @ gap + w.b_a)), exp(-np.maximum(0, w.W_d @ gap + w.b_d))
    filled = mask * x + (1 - mask) * (decay_x * s.l + (1 - decay_x) * w.m)
    h = decay_h * s.h
    z = sigma(w.W_z @ filled + w.R_z @ h + w.V_z @ mask + w.b_z)
    r = sigma(w.W_r @ filled + w.R_r @ h + w.V_r @ mask + w.b_r)
    candidate = tanh(w.W_n @ filled + w.R_n @ (r * h) + w.V_n @ mask + w.b_n)
    return {"h": (1 - z) * h + z * candidate, "l": np.where(mask == 1, x, mask * x + (1 - mask) * s.l)}


STEPS = {"cfc": cfc, "t-lstm": t_lstm, "phased-lstm": phased_lstm, "gru-d": gru_d}
