"""All that a layer gives, forward and backward, to be compared with what another gives."""

import torch


def results(layer, x, lengths=None):
    """The output, the final states, and every gradient under the same random cotangents; whole numbers have none."""
    x = x.clone().requires_grad_() if x.is_floating_point() else x
    layer.zero_grad()
    y, state = layer(x, lengths=lengths)
    torch.manual_seed(1)
    sum((torch.randn_like(t) * t).sum() for t in (y, *state)).backward()
    return [y, *state, *([x.grad] if x.is_floating_point() else []), *(p.grad for p in layer.parameters())]
