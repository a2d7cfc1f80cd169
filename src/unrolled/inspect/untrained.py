"""The same network, before it learnt anything."""

import copy

import torch

from unrolled.errors import ConfigError
from unrolled.inspect.subject import Looked, M, recurrent_of
from unrolled.layers import Recurrent
from unrolled.models import Arrangement


def fresh(model: M, seed: int = 0) -> M:
    """A copy of a layer or model whose parameters begin anew, for comparison with what was learnt.

    Raises `ConfigError` for a model with a part that cannot begin anew.
    """
    copied = copy.deepcopy(model)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        # Parts before what they are part of, which may begin them in a way of its own.
        for part in reversed(list(copied.modules())):
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
            elif next(part.parameters(recurse=False), None) is not None:
                raise ConfigError(f"A {type(part).__name__} cannot begin anew: it has parameters and no `reset_parameters`.")
    return copied


def elman_like(model: Looked, seed: int = 0) -> Looked:
    """A copy of a layer or model with an Elman network of the same size in the place of its recurrent layers, which has learnt nothing.

    Everything begins anew, the recurrent layers as torch.nn.RNN does.
    """
    begun = fresh(model, seed)
    old = recurrent_of(begun)
    options = {name: getattr(old, name) for name in ("num_layers", "bidirectional", "batch_first", "residual")}
    new = Recurrent("elman", old.input_size, old.output_size // (1 + old.bidirectional), **options).to(next(begun.parameters()))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        new.reset_parameters("torch")
    if isinstance(begun, Recurrent):
        return new
    encoder = begun.encoder if isinstance(begun, Arrangement) else begun
    encoder.recurrent = new
    return begun
