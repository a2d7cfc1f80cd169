"""All ways in which a layer's parameters come to hold other numbers, with a trace and without."""

import torch


def matrices(layer):
    """Its parameters that are matrices."""
    return [p for p in layer.parameters() if p.dim() > 1]


CHANGES = {
    "in place": lambda layer: [p.data.mul_(0.5) for p in layer.parameters()],
    "by new data": lambda layer: [setattr(p, "data", p.data.clone() * 0.5) for p in layer.parameters()],
    "by columns in place of rows": lambda layer: [setattr(p, "data", p.data.mul(0.5).t().contiguous().t()) for p in matrices(layer)],
    "by the same memory transposed": lambda layer: [setattr(p, "data", p.data.t()) for p in matrices(layer) if len(p) == len(p.t())],
    "by new parameters": lambda layer: [
        setattr(layer, name, torch.nn.Parameter(p.detach() * 0.5)) for name, p in list(layer.named_parameters())
    ],
    "by loading": lambda layer: layer.load_state_dict({k: v * 0.5 for k, v in layer.state_dict().items()}),
    "by an optimizer": lambda layer: (
        [setattr(p, "grad", torch.ones_like(p)) for p in layer.parameters()],
        torch.optim.SGD(layer.parameters(), lr=0.1).step(),
    ),
    "by another type of number and back": lambda layer: [layer.float(), layer.double()],
    "in one number of one matrix": lambda layer: matrices(layer)[-1].detach().numpy()[-1:, -1:].__imul__(3),
    "in the signs of two numbers": lambda layer: matrices(layer)[-1].data[1::2, 0].neg_(),
}
"""A way to write to a layer's parameters -> a function that does it."""
