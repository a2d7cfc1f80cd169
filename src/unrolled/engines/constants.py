"""What torch.compile need not look into."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., object])


def constant(function: _Function) -> _Function:
    """A function whose result torch.compile takes as it is when it compiles. Its arguments must be plain constants."""
    # What torch.compiler.assume_constant_result does, without loading the whole compiler, which takes as long as torch itself.
    cast(Any, function)._dynamo_marked_constant = True
    return function
