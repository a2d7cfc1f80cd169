import numpy as np
from numpy import exp, tanh


def sigma(a):
    return 1 / (1 + exp(-a))


def lstm_1997(w, x, s):
    """Hochreiter & Schmidhuber (1997), appendix A.1: g squashes to [-2, 2], h to [-1, 1], and the cell adds up."""
    g = lambda a: 4 / (1 + exp(-a)) - 2  # noqa: E731
    h = lambda a: 2 / (1 + exp(-a)) - 1  # noqa: E731
    y_in = sigma(w.W_i @ x + w.R_i @ s.h + w.b_i)
    y_out = sigma(w.W_o @ x + w.R_o @ s.h + w.b_o)
    cell = s.c + y_in * g(w.W_z @ x + w.R_z @ s.h + w.b_z)
    return {"h": y_out * h(cell), "c": cell}


def lstm_coupled(w, x, s):
    """Greff et al. (2017), CIFG: f = 1 - i."""
    i = sigma(w.W_i @ x + w.R_i @ s.h + w.b_i)
    f = 1 - i
    o = sigma(w.W_o @ x + w.R_o @ s.h + w.b_o)
    c = tanh(w.W_z @ x + w.R_z @ s.h + w.b_z) * i + s.c * f
    return {"h": tanh(c) * o, "c": c}


def multiplicative_lstm(w, x, s):
    """Krause et al. (2016): m takes the place of h in every gate."""
    m = (w.W_m @ x) * (w.R_m @ s.h)
    h_hat = w.W_z @ x + w.R_z @ m + w.b_z
    i = sigma(w.W_i @ x + w.R_i @ m + w.b_i)
    o = sigma(w.W_o @ x + w.R_o @ m + w.b_o)
    f = sigma(w.W_f @ x + w.R_f @ m + w.b_f)
    c = f * s.c + i * tanh(h_hat)
    return {"h": tanh(c) * o, "c": c}


def nas(w, x, s):
    """Zoph & Le (2017), as a tree: eight leaves read x and h, pairs of them are joined, the cell enters at the first node."""
    relu = lambda a: np.maximum(0, a)  # noqa: E731
    functions = (sigma, relu, sigma, relu, tanh, sigma, tanh, sigma)
    pre = [(getattr(w, f"W_{n}") @ x, getattr(w, f"R_{n}") @ s.h) for n in range(1, 9)]
    leaf = [f(a * b if n == 3 else a + b) for n, (f, (a, b)) in enumerate(zip(functions, pre, strict=True))]
    first = tanh(tanh(leaf[0] * leaf[1]) + s.c)
    second, third, fourth = tanh(leaf[2] + leaf[3]), tanh(leaf[4] * leaf[5]), sigma(leaf[6] + leaf[7])
    c = first * second
    return {"h": tanh(c * tanh(third + fourth)), "c": c}


def ran(w, x, s):
    """Lee et al. (2017): the content is linear in x."""
    content = w.W_n @ x
    i = sigma(w.R_i @ s.h + w.W_i @ x + w.b_i)
    f = sigma(w.R_f @ s.h + w.W_f @ x + w.b_f)
    c = i * content + f * s.c
    return {"h": tanh(c), "c": c}


def janet(w, x, s):
    """van der Westhuizen & Lasenby (2018), with beta = 1; h is c."""
    beta = 1
    pre = w.R_f @ s.h + w.W_f @ x + w.b_f
    content = tanh(w.R_n @ s.h + w.W_n @ x + w.b_n)
    return {"h": sigma(pre) * s.h + (1 - sigma(pre - beta)) * content}


def mogrifier_lstm(w, x, s):
    """Melis et al. (2020): odd rounds gate x by h, even rounds h by x."""
    h = s.h
    for round_ in range(1, 6):
        q = getattr(w, f"Q_{round_}")
        if round_ % 2:
            x = 2 * sigma(q @ h) * x
        else:
            h = 2 * sigma(q @ x) * h
    i, f, o = (sigma(getattr(w, f"V_{g}") @ x + getattr(w, f"R_{g}") @ h + getattr(w, f"b_{g}")) for g in "ifo")
    c = f * s.c + i * tanh(w.V_z @ x + w.R_z @ h + w.b_z)
    return {"h": o * tanh(c), "c": c}


def slstm(w, x, s):
    """Beck et al. (2024), equations 8 to 14 as they stand, before they are made stable: c and n there are e^m times those here.

    Each of four heads reads itself alone.
    """
    heads = s.h.reshape(4, -1)
    recurrent = {g: np.concatenate([getattr(w, f"R_{g}")[head] @ heads[head] for head in range(4)]) for g in "ifoz"}
    pre = {g: getattr(w, f"W_{g}") @ x + recurrent[g] + getattr(w, f"b_{g}") for g in "ifoz"}
    i, f, o, z = exp(pre["i"]), sigma(pre["f"]), sigma(pre["o"]), tanh(pre["z"])
    c = f * (exp(s.m) * s.c) + i * z
    n = f * (exp(s.m) * s.n) + i
    m = np.maximum(np.log(f) + s.m, np.log(i))
    return {"h": o * c / n, "m": m, "c": exp(-m) * c, "n": exp(-m) * n}


def lstm_chrono(w, x, s):
    """Tallec & Ollivier (2018): an LSTM."""
    i, f, o = (sigma(getattr(w, f"W_{g}") @ x + getattr(w, f"R_{g}") @ s.h + getattr(w, f"b_{g}")) for g in "ifo")
    c = f * s.c + i * tanh(w.W_z @ x + w.R_z @ s.h + w.b_z)
    return {"h": o * tanh(c), "c": c}


def on_lstm(w, x, s):
    """Shen et al. (2019): master gates rise and fall over the units, and the others decide where they overlap."""

    def softmax(a):
        return exp(a) / exp(a).sum()

    pre = {g: getattr(w, f"W_{g}") @ x + getattr(w, f"R_{g}") @ s.h + getattr(w, f"b_{g}") for g in "ifozFJ"}
    i, f, o, z = sigma(pre["i"]), sigma(pre["f"]), sigma(pre["o"]), tanh(pre["z"])
    master_forget = np.cumsum(softmax(pre["F"]))
    master_input = 1 - np.cumsum(softmax(pre["J"]))
    overlap = master_forget * master_input
    f_hat = f * overlap + (master_forget - overlap)
    i_hat = i * overlap + (master_input - overlap)
    c = f_hat * s.c + i_hat * z
    return {"h": o * tanh(c), "c": c}


STEPS = {
    "lstm-chrono": lstm_chrono,
    "on-lstm": on_lstm,
    "lstm-1997": lstm_1997,
    "lstm-coupled": lstm_coupled,
    "multiplicative-lstm": multiplicative_lstm,
    "nas": nas,
    "ran": ran,
    "janet": janet,
    "mogrifier-lstm": mogrifier_lstm,
    "slstm": slstm,
}
