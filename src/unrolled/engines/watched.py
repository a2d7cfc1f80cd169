"""Whether torch looks on while something is computed: then only its own operations are seen, and tensors may have no memory."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter


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


def are_plain(tensors: Iterable[Tensor]) -> bool:
    """Whether tensors are of torch's own two types, whose memory can be read. Others may have none, or want to know what is done to them."""
    return all((type(t) is Tensor or type(t) is Parameter) and not t._is_zerotensor() for t in tensors)
