"""What torch.compile need not look into."""

from collections.abc import Callable
from typing import TypeVar, cast

import torch

_Function = TypeVar("_Function", bound=Callable[..., object])


def constant(function: _Function) -> _Function:
    """A function whose result torch.compile takes as it is when it compiles. Its arguments must be plain constants."""
    return cast(_Function, torch.compiler.assume_constant_result(function))
