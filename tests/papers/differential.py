import numpy as np
from numpy import tanh


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def ctrnn(w, x, s):
    """Funahashi & Nakamura (1993): tau dh/dt = -h + tanh(R h + W x + b), an Euler step of a tenth of tau."""
    slope = -s.h + tanh(w.R @ s.h + w.W @ x + w.b)
    return {"h": s.h + 0.1 * slope}


def cornn(w, x, s):
    """Rusch & Mishra (2021): y'' = tanh(W y + W' y' + V u + b) - gamma y - epsilon y'."""
    dt, gamma, epsilon = 0.042, 2.7, 4.7
    y, z = s.h, s.z
    z = z + dt * (tanh(w.R_h @ y + w.R_z @ z + w.W @ x + w.b) - gamma * y - epsilon * z)
    return {"h": y + dt * z, "z": z}


def unicornn(w, x, s):
    """Rusch & Mishra (2021b), equation 6, with the squashed speed 0.5 + 0.5 tanh(c / 2)."""
    speed = 0.19 * (0.5 + 0.5 * tanh(w.c / 2))
    z = s.z - speed * (tanh(w.w * s.h + w.W @ x + w.b) + 30.65 * s.h)
    return {"h": s.h + speed * z, "z": z}


def lem(w, x, s):
    """Rusch et al. (2022), equation 3 with dt = 1: z is fast or slow by the first gate, y by the second."""
    dt, dt_bar = sigmoid(w.R_s @ s.h + w.W_s @ x + w.b_s), sigmoid(w.R_f @ s.h + w.W_f @ x + w.b_f)
    z = (1 - dt) * s.z + dt * tanh(w.R_z @ s.h + w.W_z @ x + w.b_z)
    y = (1 - dt_bar) * s.h + dt_bar * tanh(w.R_h @ z + w.W_h @ x + w.b_h)
    return {"h": y, "z": z}


def ltc(w, x, s):
    """Hasani et al. (2021), equation 3."""
    dt, tau = 1, 1 / np.log(1 + np.exp(w.g))
    f = sigmoid(w.W @ x + w.R @ s.h + w.b)
    return {"h": (s.h + dt * f * w.A) / (1 + dt * (1 / tau + f))}


def antisymmetric(w, x, s):
    """Chang et al. (2019): W - W^T - gamma I, an Euler step of epsilon."""
    epsilon, gamma = 0.1, 0.01
    matrix = w.R - w.R.T - gamma * np.eye(len(s.h))
    return {"h": s.h + epsilon * tanh(matrix @ s.h + w.W @ x + w.b)}


def antisymmetric_gated(w, x, s):
    """Chang et al. (2019), gated: both read the state by the same matrix."""
    epsilon, gamma = 0.1, 0.01
    matrix = w.R - w.R.T - gamma * np.eye(len(s.h))
    z = sigmoid(matrix @ s.h + w.W_z @ x + w.b_z)
    return {"h": s.h + epsilon * z * tanh(matrix @ s.h + w.W_h @ x + w.b_h)}


def lipschitz(w, x, s):
    """Erichson et al. (2021): A and W are a symmetric and a skew part, shifted; an Euler step of epsilon."""
    epsilon, beta, gamma = 0.03, 0.75, 0.001

    def made_of(m):
        return (1 - beta) * (m + m.T) + beta * (m - m.T) - gamma * np.eye(len(m))

    return {"h": s.h + epsilon * made_of(w.B) @ s.h + epsilon * tanh(made_of(w.C) @ s.h + w.W @ x + w.b)}


STEPS = {
    "antisymmetric": antisymmetric,
    "antisymmetric-gated": antisymmetric_gated,
    "lipschitz": lipschitz,
    "ctrnn": ctrnn,
    "cornn": cornn,
    "unicornn": unicornn,
    "lem": lem,
    "ltc": ltc,
}
