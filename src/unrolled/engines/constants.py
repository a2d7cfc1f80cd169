"""What torch.compile need not look into."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., object])


def constant(function: _Function) -> _Function:
    """A function whose result torch.compile takes as it is when it compiles. Its arguments must be plain constants."""
    # What torch.compiler.assume_constant_result does, without loading the whole compiler, which takes as long as torch itself.
    cast(Any, function)._dynamo_marked_constant = True
    return function


@constant
def recorded_as_it_runs(module: str, name: str) -> bool:
    """Let torch.compile run a function and record what it does to tensors, where it could not follow it line by line.

    What torch._dynamo.nonstrict_trace does, when something is compiled and no earlier: to load the compiler takes as long as torch itself.
    """
    from torch._dynamo import trace_rules  # noqa: PLC0415

    function = getattr(import_module(module), name)
    trace_rules._allowed_callable_ids.add(id(function))
    trace_rules._nonstrict_trace_callable_ids.add(id(function))
    return True
