import numpy as np
from numpy import tanh


def sigm(a):
    return 1 / (1 + np.exp(-a))


def mut1(w, x, s):
    """Jozefowicz et al. (2015), MUT1."""
    z = sigm(w.W_z @ x + w.b_z)
    r = sigm(w.W_r @ x + w.R_r @ s.h + w.b_r)
    return {"h": tanh(w.R_n @ (r * s.h) + tanh(x) + w.b_n) * z + s.h * (1 - z)}


def mut2(w, x, s):
    """Jozefowicz et al. (2015), MUT2."""
    z = sigm(w.W_z @ x + w.R_z @ s.h + w.b_z)
    r = sigm(x + w.R_r @ s.h + w.b_r)
    return {"h": tanh(w.R_n @ (r * s.h) + w.W_n @ x + w.b_n) * z + s.h * (1 - z)}


def mut3(w, x, s):
    """Jozefowicz et al. (2015), MUT3."""
    z = sigm(w.W_z @ x + w.R_z @ tanh(s.h) + w.b_z)
    r = sigm(w.W_r @ x + w.R_r @ s.h + w.b_r)
    return {"h": tanh(w.R_n @ (r * s.h) + w.W_n @ x + w.b_n) * z + s.h * (1 - z)}


def mgu(w, x, s):
    """Zhou et al. (2016), table 1: matrices act on [h, x]."""
    f = sigm(np.hstack([w.R_f, w.W_f]) @ np.concatenate([s.h, x]) + w.b_f)
    candidate = tanh(np.hstack([w.R_n, w.W_n]) @ np.concatenate([f * s.h, x]) + w.b_n)
    return {"h": (1 - f) * s.h + f * candidate}


def ugrnn(w, x, s):
    """Collins et al. (2017), UGRNN."""
    c = tanh(w.R_c @ s.h + w.W_c @ x + w.b_c)
    g = sigm(w.R_g @ s.h + w.W_g @ x + w.b_g)
    return {"h": g * s.h + (1 - g) * c}


def intersection_rnn(w, x, s):
    """Collins et al. (2017), +RNN: y goes up, h through time; here they are called h and s."""
    y_in = np.maximum(0, w.R_y @ s.s + w.W_y @ x + w.b_y)
    h_in = tanh(w.R_n @ s.s + w.W_n @ x + w.b_n)
    g_y = sigm(w.R_gy @ s.s + w.W_gy @ x + w.b_gy)
    g_h = sigm(w.R_gn @ s.s + w.W_gn @ x + w.b_gn)
    return {"h": g_y * x + (1 - g_y) * y_in, "s": g_h * s.s + (1 - g_h) * h_in}


def _dey(w, x, s, z, r):
    candidate = tanh(w.W_n @ x + w.R_n @ (r * s.h) + w.b_n)
    return {"h": (1 - z) * s.h + z * candidate}


def gru1(w, x, s):
    """Dey & Salem (2017), GRU1: gates of state and bias."""
    return _dey(w, x, s, sigm(w.R_z @ s.h + w.b_z), sigm(w.R_r @ s.h + w.b_r))


def gru2(w, x, s):
    """Dey & Salem (2017), GRU2: gates of the state."""
    return _dey(w, x, s, sigm(w.R_z @ s.h), sigm(w.R_r @ s.h))


def gru3(w, x, s):
    """Dey & Salem (2017), GRU3: gates of a bias."""
    return _dey(w, x, s, sigm(w.b_z), sigm(w.b_r))


def cfn(w, x, s):
    """Laurent & von Brecht (2017): theta forgets, eta lets in."""
    theta = sigm(w.R_f @ s.h + w.W_f @ x + w.b_f)
    eta = sigm(w.R_i @ s.h + w.W_i @ x + w.b_i)
    return {"h": theta * tanh(s.h) + eta * tanh(w.W_n @ x)}


def minimal_rnn(w, x, s):
    """Chen (2017), with Phi(x) = tanh(W x + b)."""
    phi = tanh(w.W_z @ x + w.b_z)
    u = sigm(w.R_u @ s.h + w.U_u @ phi + w.b_u)
    return {"h": u * s.h + (1 - u) * phi}


def light_gru(w, x, s):
    """Ravanelli et al. (2018), equations 4, with a bias in the place of BN."""
    z = sigm((w.W_z @ x + w.b_z) + w.R_z @ s.h)
    return {"h": z * s.h + (1 - z) * np.maximum(0, (w.W_n @ x + w.b_n) + w.R_n @ s.h)}


def rhn(w, x, s):
    """Zilly et al. (2017), equations 6 to 9: x enters the first of three layers, c = 1 - t."""
    state = s.h
    for layer in (1, 2, 3):
        h = getattr(w, f"R_n{layer}") @ state + getattr(w, f"b_n{layer}") + (w.W_n @ x if layer == 1 else 0)
        t = getattr(w, f"R_g{layer}") @ state + getattr(w, f"b_g{layer}") + (w.W_g @ x if layer == 1 else 0)
        state = tanh(h) * sigm(t) + state * (1 - sigm(t))
    return {"h": state}


def fastgrnn(w, x, s):
    """Kusupati et al. (2018): W and U serve gate and candidate."""
    z = sigm(w.W @ x + w.R @ s.h + w.b_z)
    candidate = tanh(w.W @ x + w.R @ s.h + w.b_n)
    return {"h": (sigm(w.zeta) * (1 - z) + sigm(w.nu)) * candidate + z * s.h}


def atr(w, x, s):
    """Zhang et al. (2018): twin gates of a sum and a difference."""
    p, q = w.W @ x, w.R @ s.h
    return {"h": sigm(p + q) * p + sigm(p - q) * s.h}


def brc(w, x, s):
    """Vecoven et al. (2021): a lies between 0 and 2, and above 1 a unit has two stable states."""
    a = 1 + tanh(w.W_a @ x + w.v_a * s.h + w.b_a)
    c = sigm(w.W_c @ x + w.v_c * s.h + w.b_c)
    return {"h": c * s.h + (1 - c) * tanh(w.W_h @ x + a * s.h)}


def nbrc(w, x, s):
    """Vecoven et al. (2021), neuromodulated."""
    a = 1 + tanh(w.W_a @ x + w.R_a @ s.h + w.b_a)
    c = sigm(w.W_c @ x + w.R_c @ s.h + w.b_c)
    return {"h": c * s.h + (1 - c) * tanh(w.W_h @ x + a * s.h)}


def star(w, x, s):
    """Turkoglu et al. (2021)."""
    z = tanh(w.W_z @ x + w.b_z)
    k = sigm(w.W_k @ x + w.R_k @ s.h + w.b_k)
    return {"h": tanh(s.h + k * (z - s.h))}


STEPS = {
    "mut1": mut1,
    "mut2": mut2,
    "mut3": mut3,
    "mgu": mgu,
    "ugrnn": ugrnn,
    "intersection-rnn": intersection_rnn,
    "gru1": gru1,
    "gru2": gru2,
    "gru3": gru3,
    "cfn": cfn,
    "minimal-rnn": minimal_rnn,
    "light-gru": light_gru,
    "rhn": rhn,
    "fastgrnn": fastgrnn,
    "atr": atr,
    "brc": brc,
    "nbrc": nbrc,
    "star": star,
}
