"""Kernels as they are called: compiled, loaded, and given the addresses of tensors."""

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from unrolled.compiler import Plan, make_plan
from unrolled.compiler.masks import with_masks
from unrolled.compiler.native import Kernel, make_kernel
from unrolled.engines.native.build import build, load
from unrolled.engines.native.threads import runtime
from unrolled.engines.weights import Layout, Weights
from unrolled.errors import LackOfMemoryError, ShapeError

DEFINES = {(torch.float32, False): (), (torch.float32, True): ("NARROW",), (torch.float64, False): ("DOUBLE",)}
"""What a kernel is compiled with, by the type of number and whether its weights are packed as bfloat16."""


class Library:
    """One kernel for one type of number, loaded."""

    def __init__(self, kernel: Kernel, dtype: torch.dtype, narrow: bool) -> None:
        self.kernel = kernel
        library = load(build("recurrence", kernel.source, DEFINES[dtype, narrow]))
        for function in (library.lanes, library.most_rows, library.kept_room, library.forward, library.backward):
            function.restype = ctypes.c_long
        self.lanes: int = library.lanes()
        self.most_rows: int = library.most_rows()
        if addresses := runtime():
            library.use_threads(*(ctypes.c_void_p(a) for a in addresses))
        self._library, self._numbers = library, _numbers(kernel)
        library.call_bytes.restype = ctypes.c_long
        assert library.call_bytes() == ctypes.sizeof(self._numbers), "`Call` must have the same fields in sequences.h and here"

    def numbers(self) -> Any:
        """A `Call` in which everything is 0: an object with the fields that it has in C."""
        return self._numbers()

    def forward(self, numbers: Any) -> None:
        """The forward pass; `LackOfMemoryError` where it cannot begin for want of it."""
        if lacking := self._library.forward(ctypes.byref(numbers)):
            raise lack_of_memory(lacking)

    def backward(self, numbers: Any) -> None:
        """The backward pass; `LackOfMemoryError` where it cannot begin for want of it, and then the tape is as it was."""
        if lacking := self._library.backward(ctypes.byref(numbers)):
            raise lack_of_memory(lacking)

    def fault(self, numbers: Any) -> int:
        """Whether numbers lead outside the tensors: 1 for a length, 2 for one of the input, 0 if none does."""
        found: int = self._library.fault(ctypes.byref(numbers))
        return found

    def kept_room(self, numbers: Any) -> int:
        """The bytes that packed weights take where they are kept, or 0 where nothing is packed."""
        found: int = self._library.kept_room(ctypes.byref(numbers))
        return found

    def clear_kept(self, address: int, room: int) -> None:
        """Make ready so many bytes in which packed weights are to be kept."""
        self._library.clear_kept(ctypes.c_void_p(address), ctypes.c_long(room))

    def padded(self, units: int) -> int:
        """The place that so many units take."""
        return -(-units // self.lanes) * self.lanes

    def whole(self, rows: Tensor) -> Tensor:
        """Rows `[B, n]`, padded to whole vectors."""
        rest = self.padded(rows.shape[1]) - rows.shape[1]
        return pad(rows, (0, rest)) if rest else rows.contiguous()


def lack_of_memory(lacking: int) -> LackOfMemoryError:
    """The error that says how many bytes were asked for."""
    cure = "Pass fewer sequences at once, or train with `checkpoint_steps`, which keeps the values of fewer steps."
    return LackOfMemoryError(f"A pass over the sequences needs {lacking / 1e6:,.0f} MB of memory that the system does not have. {cure}")


def _numbers(kernel: Kernel) -> type[ctypes.Structure]:
    """`Call` of compiler/native/runtime/sequences.h: its fields in their order, all 8 bytes wide, addresses as numbers."""
    plain = ["threads", "steps", "batch", "partitions", "reverse", "training", "lengths", "resets", "x", "ids", "tape", "used", "d_x"]
    parameters, states = ("parameter", "d_parameter"), ("initial", "out", "final", "d_out", "d_final", "d_initial")
    arrays = {"size": len(kernel.sizes)} | dict.fromkeys(parameters, len(kernel.parameters)) | dict.fromkeys(states, len(kernel.states))
    arrays["row_vector"] = len(kernel.row_vectors)
    number = ctypes.c_int64
    fields = [*((n, number) for n in plain), *((n, number * count) for n, count in arrays.items()), ("kept", number)]
    return type("Numbers", (ctypes.Structure,), {"_fields_": fields})


@cache
def library(kernel: Kernel, dtype: torch.dtype, narrow: bool) -> Library:
    """The library of a kernel; built when it is first asked for."""
    return Library(kernel, dtype, narrow)


class Binding:
    """A recurrence with the way in which a layer stores its parameters: all that is the same from call to call.

    `places` has for each parameter of the kernel the number of the stored tensor that holds it and the rows above it there; None for one
    that is left out, and zero. `sizes` are those of the kernel's size labels but for the input's, which is first.
    """

    def __init__(self, plan: Plan, weights: Weights, masked: bool, narrow: bool) -> None:
        self.plan, self.masked, self.narrow = plan, masked, narrow
        self.layout: Layout = weights.layout
        self.rows = dict(weights.rows)
        recurrence, masks = with_masks(plan) if masked else (plan.recurrence, ())
        self.kernel = make_kernel(make_plan(recurrence), masks)
        self.places = [self._place(name) for name in self.kernel.parameters]
        self.labels = {p.rows: self.rows[p.name] for p in plan.recurrence.parameters}
        self.state_labels = [recurrence.size_of(s) for s in recurrence.states]
        self.mask_labels = [recurrence.parameter(m).rows for m in masks]

    def _place(self, name: str) -> tuple[int, int] | None:
        for number, blocks in enumerate(self.layout.values()):
            if name in blocks:
                return number, sum(self.rows[b] for b in blocks[: blocks.index(name)])
        return None

    def sizes(self, inputs: int, units: Sequence[int]) -> dict[str, int]:
        """What every size label stands for. Where no map tells how many numbers the input can be, a state as wide as the input does."""
        return {"x": inputs, **self.labels, **dict(zip(self.state_labels, units, strict=True))}

    def check(self, stored: Sequence[Tensor], sizes: dict[str, int], like: Tensor) -> None:
        """Raise a `ShapeError` for a stored tensor that has been replaced by one of another shape, type or device."""
        parameters = {p.name: p for p in self.plan.recurrence.parameters}
        for tensor, (name, blocks) in zip(stored, self.layout.items(), strict=True):
            first = parameters[blocks[0]]
            shape = (sum(self.rows[b] for b in blocks), *((sizes[first.columns],) if first.is_matrix else ()))
            if tensor.shape != shape or tensor.dtype != like.dtype or tensor.device != like.device:
                got = f"{list(tensor.shape)} of {tensor.dtype} on {tensor.device}"
                raise ShapeError(
                    f"The parameter {name!r} must be {list(shape)} of {like.dtype} on {like.device}, got {got}. Convert the whole layer."
                )

    def addresses(self, stored: Sequence[Tensor], left_out: Tensor | None) -> list[int]:
        """Where each parameter begins; those left out are all in one place. What is in no tensor, or in an empty one, is nowhere, which is 0."""
        found = []
        for number, rows in (place or (None, 0) for place in self.places):
            tensor = left_out if number is None else stored[number]
            if tensor is None or not tensor.numel():
                found.append(0)
            else:
                found.append(tensor.data_ptr() + rows * tensor.stride(0) * tensor.element_size())
        return found
