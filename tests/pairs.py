"""A drop-in and torch.nn's layer with the same weights, to be run side by side."""

import pickle
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import unrolled as un

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "LSTM": ("LSTM", {}),
    "GRU": ("GRU", {}),
    "tanh": ("RNN", {"nonlinearity": "tanh"}),
    "relu": ("RNN", {"nonlinearity": "relu"}),
}
INPUTS, UNITS, BATCH, STEPS = 3, 5, 2, 7


class Pair(NamedTuple):
    """Ours, torch's, and an input `[T, B, I]` that both can read."""

    ours: nn.Module
    theirs: nn.Module
    x: Tensor

    @property
    def both(self):
        """The two layers, ours first."""
        return self.ours, self.theirs


def classes(kind):
    """Our class and torch's, and the arguments that make the kind."""
    name, options = KINDS[kind]
    return getattr(un, name), getattr(nn, name), options


def make_pair(kind, engine="auto", layers=1, bidirectional=False, dtype=torch.float64, steps=STEPS, batch=BATCH, **options):
    """The two layers with equal weights, as torch.nn draws them, and an input."""
    ours, theirs, own = classes(kind)
    torch.manual_seed(0)
    same = {**own, **options, "num_layers": layers, "bidirectional": bidirectional, "dtype": dtype}
    reference = theirs(INPUTS, UNITS, **same)
    layer = ours(INPUTS, UNITS, **same, engine=engine)
    layer.load_state_dict(reference.state_dict())
    return Pair(layer, reference, torch.randn(steps, batch, INPUTS, dtype=dtype))


def flat(result):
    """The tensors of what a layer gives, one after the other: the output, then the final states."""
    y, state = result
    return [y, *(state if isinstance(state, tuple) else [state])]


def loss_of(result):
    """A number that every output and every final state has a part in, each differently."""
    return sum((t.sin() * torch.linspace(-1, 1, t.numel(), dtype=t.dtype).view(t.shape)).sum() for t in flat(result))


def gradients(layer, x, hx=None):
    """What the layer gives, and the gradients of `loss_of` it: the input's, then every parameter's by name."""
    x = x.detach().clone().requires_grad_()
    layer.zero_grad()
    result = layer(x, hx)
    loss_of(result).backward()
    return [t.detach() for t in flat(result)], x.grad, {name: p.grad for name, p in layer.named_parameters()}


def assert_same(got, wanted):
    """Equal but for rounding, whatever they are made of."""
    dtypes = {t.dtype for t in _tensors(wanted)}
    far = 2e-5 if torch.float32 in dtypes else 1e-10
    torch.testing.assert_close(got, wanted, atol=far, rtol=far)


def _tensors(found):
    if isinstance(found, Tensor):
        return [found]
    parts = found.values() if isinstance(found, dict) else found
    return [t for part in parts for t in _tensors(part)]


def error_of(call):
    """What a call raises; None where it goes through."""
    try:
        call()
    except Exception as error:
        return error
    return None


def parameters_of(layer):
    """The values of all parameters by name, apart from the layer and without gradients."""
    return {name: p.detach().clone() for name, p in layer.named_parameters()}


def state_for(pair):
    """Random states that the layers of a pair take as `hx`."""
    directions = 2 if pair.theirs.bidirectional else 1
    shape = pair.theirs.num_layers * directions, pair.x.shape[1], UNITS
    torch.manual_seed(2)
    h, c = (torch.randn(shape, dtype=pair.x.dtype) for _ in "hc")
    return (h, c) if isinstance(pair.theirs, nn.LSTM) else h


def descend(layer, x, rate=0.1):
    """One step down `loss_of`, written into the layer's parameters."""
    layer.zero_grad()
    loss_of(layer(x)).backward()
    with torch.no_grad():
        for p in layer.parameters():
            p -= rate * p.grad


def unpickled(data, x):
    """What a pickled layer gives, with its gradients."""
    return gradients(pickle.loads(data), x)


def made_here(kind, engine, shape):
    """What a layer that is made in this process gives, with its gradients."""
    pair = make_pair(kind, engine, **shape)
    return gradients(pair.ours, pair.x)


def keep(layer):
    """Remember a layer for a later call in the same process."""
    _KEPT[:] = [layer]


def kept_results(x):
    """What the layer that was kept gives now."""
    with torch.no_grad():
        return flat(_KEPT[0](x))


_KEPT: list[nn.Module] = []


def load_state(layer, state):
    """Write a state into a layer."""
    layer.load_state_dict(state)
