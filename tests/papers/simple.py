import numpy as np
from numpy import tanh


def logistic(a):
    return 1 / (1 + np.exp(-a))


def jordan(w, x, s):
    """Jordan (1986): y feeds back."""
    hidden = logistic(w.W_k @ x + w.R_k @ s.h + w.b_k)
    return {"h": logistic(w.R_h @ hidden + w.b_h)}


def multiplicative_rnn(w, x, s):
    """Sutskever et al. (2011), equations 5 and 6: W_hh^(x) = W_hf diag(W_fx x) W_fh."""
    recurrent = w.R_h @ np.diag(w.W_f @ x) @ w.R_f
    return {"h": tanh(recurrent @ s.h + w.W_h @ x + w.b_h)}


def scrn(w, x, s):
    """Mikolov et al. (2014), equations 4 to 6."""
    alpha = 0.95
    context = (1 - alpha) * w.B @ x + alpha * s.s
    hidden = logistic(w.P @ context + w.A @ x + w.R @ s.k)
    return {"h": w.U @ hidden + w.V @ context, "s": context, "k": hidden}


def mi_rnn(w, x, s):
    """Wu et al. (2016), equation 4, of which (alpha * Wx + beta1) * Uz + beta2 * Wx + b is the same."""
    wx, uz = w.W @ x, w.R @ s.h
    return {"h": tanh((w.alpha * wx + w.beta1) * uz + w.beta2 * wx + w.b)}


def delta_rnn(w, x, s):
    """Ororbia et al. (2017): d1 is of the second order, d2 of the first; one matrix serves the gate, too."""
    v_h, w_x = w.R @ s.h, w.W @ x
    d1 = w.alpha * v_h * w_x
    d2 = w.beta1 * v_h + w.beta2 * w_x
    gate = logistic(w_x + w.b_r)
    return {"h": np.maximum(0, s.h + (1 - gate) * (tanh(d1 + d2 + w.b_z) - s.h))}


def indrnn(w, x, s):
    """Li et al. (2018), equation 2."""
    return {"h": np.maximum(0, w.W @ x + np.diag(w.u) @ s.h + w.b)}


def irnn(w, x, s):
    """Le et al. (2015)."""
    return {"h": np.maximum(0, w.W @ x + w.R @ s.h + w.b)}


def fastrnn(w, x, s):
    """Kusupati et al. (2018), with weights that are sigmoids of what is learnt."""
    return {"h": logistic(w.alpha) * tanh(w.W @ x + w.R @ s.h + w.b) + logistic(w.beta) * s.h}


def momentum_rnn(w, x, s):
    """Nguyen et al. (2020): v = mu v + s (W x + b), h = tanh(U h + v)."""
    mu, step = 0.9, 0.1
    v = mu * s.v + step * (w.W @ x + w.b)
    return {"h": tanh(w.R @ s.h + v), "v": v}


STEPS = {
    "jordan": jordan,
    "multiplicative-rnn": multiplicative_rnn,
    "scrn": scrn,
    "mi-rnn": mi_rnn,
    "delta-rnn": delta_rnn,
    "irnn": irnn,
    "fastrnn": fastrnn,
    "indrnn": indrnn,
    "momentum-rnn": momentum_rnn,
}
