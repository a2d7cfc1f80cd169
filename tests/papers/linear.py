import numpy as np
from numpy import exp, tanh


def sigma(a):
    return 1 / (1 + exp(-a))


def sru(w, x, s):
    """Lei et al. (2018), equations 1 to 4."""
    f = sigma(w.W_f @ x + w.v_f * s.c + w.b_f)
    c = f * s.c + (1 - f) * (w.W @ x)
    r = sigma(w.W_r @ x + w.v_r * s.c + w.b_r)
    return {"h": r * c + (1 - r) * x, "c": c}


def gilr(w, x, s):
    """Martin & Cundy (2018), section 3.1."""
    g, i = sigma(w.W_g @ x + w.b_g), tanh(w.W_i @ x + w.b_i)
    return {"h": g * s.h + (1 - g) * i}


def mingru(w, x, s):
    """Feng et al. (2024), section 3.1."""
    z = sigma(w.W_z @ x + w.b_z)
    return {"h": (1 - z) * s.h + z * (w.W_n @ x + w.b_n)}


def minlstm(w, x, s):
    """Feng et al. (2024), section 3.2: the gates are divided by their sum."""
    f, i = sigma(w.W_f @ x + w.b_f), sigma(w.W_i @ x + w.b_i)
    f, i = f / (f + i), i / (f + i)
    return {"h": f * s.h + i * (w.W_n @ x + w.b_n)}


def lru(w, x, s):
    """Orvieto et al. (2023): x = lambda x + exp(gamma) B u with complex lambda = exp(-exp(nu) + i exp(theta)), y = Re(C x) + D u."""
    eigenvalues = exp(-exp(w.nu) + 1j * exp(w.theta))
    state = eigenvalues * (s.u + 1j * s.v) + exp(w.gamma) * ((w.B_u + 1j * w.B_v) @ x)
    return {"h": ((w.C_u + 1j * w.C_v) @ state).real + w.D * x, "u": state.real, "v": state.imag}


def rg_lru(w, x, s):
    """De et al. (2024), equations 1 to 4: a = sigmoid(Lambda) to the power c r, with c = 8."""
    r, i = sigma(w.W_a @ x + w.b_a), sigma(w.W_x @ x + w.b_x)
    a = sigma(w.Lambda) ** (8 * r)
    return {"h": a * s.h + np.sqrt(1 - a**2) * (i * x)}


def hgrn(w, x, s):
    """Qin et al. (2023): h = lambda exp(i theta) h + (1 - lambda) c, lambda = gamma + (1 - gamma) mu; the output gates real and imaginary part."""
    silu = lambda a: a * sigma(a)  # noqa: E731
    content = silu(w.W_u @ x + w.b_u) + 1j * silu(w.W_v @ x + w.b_v)
    lower = sigma(w.gamma)
    forget = lower + (1 - lower) * sigma(w.W_l @ x + w.b_l)
    state = forget * exp(1j * w.theta) * (s.u + 1j * s.v) + (1 - forget) * content
    feature = np.concatenate([silu(w.W_g @ x + w.b_g), silu(w.W_k @ x + w.b_k)]) * np.concatenate([state.real, state.imag])
    return {"h": np.hstack([w.O_u, w.O_v]) @ feature + w.b_o, "u": state.real, "v": state.imag}


def rwkv4(w, x, s):
    """Peng et al. (2023), the weighted mean as it stands, before it is made stable: numerator and denominator are e^p times a and b."""
    shifted = lambda mu: mu * x + (1 - mu) * s.x_before  # noqa: E731
    r, k, v = sigma(w.W_r @ shifted(w.mu_r)), w.W_k @ shifted(w.mu_k), w.W_v @ shifted(w.mu_v)
    numerator, denominator = exp(s.p) * s.a, exp(s.p) * s.b
    wkv = (numerator + exp(w.u + k) * v) / (denominator + exp(w.u + k))
    decay = exp(-exp(w.w))
    numerator, denominator = decay * numerator + exp(k) * v, decay * denominator + exp(k)
    p = np.maximum(s.p - exp(w.w), k)
    return {"h": w.R_h @ (r * wkv), "p": p, "a": numerator / exp(p), "b": denominator / exp(p), "x_before": x}


def qrnn(w, x, s):
    """Bradbury et al. (2017): gates are convolutions of width two, then fo-pooling."""
    window = np.concatenate([s.x_before, x])
    z, f, o = (np.hstack([getattr(w, f"V_{g}"), getattr(w, f"W_{g}")]) @ window for g in "zfo")
    c = sigma(f) * s.c + (1 - sigma(f)) * tanh(z)
    return {"h": sigma(o) * c, "c": c, "x_before": x}


STEPS = {
    "qrnn": qrnn,
    "sru": sru,
    "gilr": gilr,
    "mingru": mingru,
    "minlstm": minlstm,
    "lru": lru,
    "rg-lru": rg_lru,
    "hgrn": hgrn,
    "rwkv4": rwkv4,
}
