"""Whether torch looks on while something is computed: then only its own operations are seen, and tensors may have no memory."""

import torch
from torch.autograd import forward_ad


def is_watched() -> bool:
    """Whether operations are traced, recorded or transformed."""
    return bool(
        torch._C._get_tracing_state() is not None
        or torch._C._len_torch_dispatch_stack()
        or torch._C._are_functorch_transforms_active()
        or has_tangents()
    )


def has_tangents() -> bool:
    """Whether derivatives are being carried forward (`torch.autograd.forward_ad`), which only torch's own operations can do."""
    return forward_ad._current_level >= 0
