"""The same network, before it learnt anything."""

import copy

import torch

from unrolled.errors import ConfigError
from unrolled.inspect.subject import M


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
