"""Tensors that were computed, so that writing to them would change nothing else."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError


class Computed(Tensor):
    """A tensor that can be read alone, as can views of it; what is computed from it is a tensor like any other."""

    _why: str

    @staticmethod
    def of(value: Tensor, why: str) -> "Computed":
        """The tensor, with why it cannot be written to."""
        found = value.as_subclass(Computed)
        found._why = why
        return found

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation on plain tensors. `ConfigError` for one that writes to this one."""
        kwargs, name = dict(kwargs or {}), getattr(func, "__name__", "")
        in_place = name == "__setitem__" or name.startswith("__i") or (name.endswith("_") and not name.endswith("__"))
        target = next(iter((*args, *kwargs.values())), None) if in_place else kwargs.get("out")
        if isinstance(target, Computed):
            raise ConfigError(f"{target._why}, so writing to it changes nothing. Write to what it is computed from.")
        with torch._C.DisableTorchFunctionSubclass():
            found = func(*args, **kwargs)
            read = next((a for a in (*args, *kwargs.values()) if isinstance(a, Computed)), None)
            is_view = (
                isinstance(found, Tensor) and read is not None and found.untyped_storage().data_ptr() == read.untyped_storage().data_ptr()
            )
        return Computed.of(found, read._why) if is_view and read is not None else found
