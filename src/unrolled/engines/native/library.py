"""Kernels as they are called: compiled, loaded, and given the addresses of tensors."""

import ctypes
from collections.abc import Callable, Sequence
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
from unrolled.engines.weights import WeightLayout
from unrolled.equations import Along
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

    def caller(self, numbers: Any) -> tuple[Callable[[Any], int], Any]:
        """The forward pass as C has it, and what it is to be called with for these numbers: what it returns it lacks in bytes."""
        return self._library.forward, ctypes.byref(numbers)

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
    parameters, states = ("parameter", "first", "second", "d_parameter"), ("initial", "out", "final", "d_out", "d_final", "d_initial")
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

    `places` has for each parameter of the kernel where it is stored, as `WeightLayout` does. `sizes` are those of the kernel's size labels
    but for the input's, which is first.
    """

    def __init__(self, plan: Plan, layout: WeightLayout, masked: bool, narrow: bool) -> None:
        # Without what a layer would otherwise be kept alive by.
        self.plan, self.masked, self.narrow, self.layout = plan, masked, narrow, WeightLayout(layout.blocks, layout.rows)
        self.rows = self.layout.rows
        recurrence, masks = with_masks(plan) if masked else (plan.recurrence, ())
        self.kernel = make_kernel(make_plan(recurrence), masks)
        self.places = [self.layout.places[name] for name in self.kernel.parameters]
        self.labels = {p.rows: self.rows[p.name] for p in plan.recurrence.parameters}
        self.state_labels = [recurrence.size_of(s) for s in recurrence.states]
        self.mask_labels = [recurrence.parameter(m).rows for m in masks]
        in_no_tensor = [self.rows[name] for name, places in zip(self.kernel.parameters, self.places, strict=True) if not places]
        self.left_out = max(in_no_tensor, default=0)
        """The rows of the largest parameter that is in no tensor, and zero."""
        self._sums = [number for number, places in enumerate(self.places) if len(places) > 1]
        sizes = [self.rows[self.kernel.parameters[number]] for number in self._sums]
        self.summed = sum(sizes)
        """The rows of all parameters that are sums."""
        self._above = [sum(sizes[:number]) for number in range(len(sizes))]
        self._twice = _runs(
            [(self.places[number][0], self.places[number][1], rows) for number, rows in zip(self._sums, sizes, strict=True)]
        )

    def sizes(self, inputs: int, units: Sequence[int]) -> dict[str, int]:
        """What every size label stands for. Where no map tells how many numbers the input can be, a state as wide as the input does."""
        return {"x": inputs, **self.labels, **dict(zip(self.state_labels, units, strict=True))}

    def check(self, stored: Sequence[Tensor], sizes: dict[str, int], like: Tensor) -> None:
        """Raise a `ShapeError` for a stored tensor that has been replaced by one of another shape, type or device."""
        parameters = {p.name: p for p in self.plan.recurrence.parameters}
        for tensor, (name, blocks) in zip(stored, self.layout.blocks.items(), strict=True):
            first = parameters[blocks[0]]
            if isinstance(first.made, Along):
                continue  # known without numbers
            shape = (sum(self.rows[b] for b in blocks), *((sizes[first.columns],) if first.is_matrix else ()))
            if tensor.shape != shape or tensor.dtype != like.dtype or tensor.device != like.device:
                got = f"{list(tensor.shape)} of {tensor.dtype} on {tensor.device}"
                raise ShapeError(
                    f"The parameter {name!r} must be {list(shape)} of {like.dtype} on {like.device}, got {got}. Convert the whole layer."
                )

    def point(self, numbers: Any, stored: Sequence[Tensor], left_out: Tensor | None, sums: Tensor | None) -> None:
        """Say where each parameter begins: those left out are all in one place, and a sum lies in `sums` when the kernel has added it up."""
        found = [_at(stored[places[0][0]], places[0][1]) if places else _at(left_out) for places in self.places]
        for number, above in zip(self._sums, self._above, strict=True):
            (first, row), (second, _) = self.places[number]
            numbers.first[number], numbers.second[number] = _at(stored[first], row), _at(stored[second], row)
            found[number] = _at(sums, above)
        numbers.parameter[:] = found

    def point_back(self, numbers: Any, d_stored: Sequence[Tensor]) -> None:
        """Say where the adjoint of each parameter goes; what is not wanted, in a tensor without memory, goes nowhere, which is 0."""
        wanted = (next((place for place in places if d_stored[place[0]].numel()), None) for places in self.places)
        numbers.d_parameter[:] = [0 if place is None else _at(d_stored[place[0]], place[1]) for place in wanted]

    def share(self, d_stored: Sequence[Tensor]) -> None:
        """Both parts of a sum have its adjoint, which the kernel has written to one."""
        for first, second, above, rows in self._twice:
            if d_stored[first].numel() and d_stored[second].numel():
                d_stored[second].narrow(0, above, rows).copy_(d_stored[first].narrow(0, above, rows))


def _runs(sums: Sequence[tuple[tuple[int, int], tuple[int, int], int]]) -> list[tuple[int, int, int, int]]:
    """Both tensors, the row above and the rows of each piece of memory that belongs to sums, in as few pieces as there are."""
    found: list[tuple[int, int, int, int]] = []
    for (first, above), (second, _), rows in sorted(sums):
        if found and found[-1][:2] == (first, second) and found[-1][2] + found[-1][3] == above:
            found[-1] = (first, second, found[-1][2], found[-1][3] + rows)
        else:
            found.append((first, second, above, rows))
    return found


def _at(tensor: Tensor | None, row: int = 0) -> int:
    """Where a row of a tensor lies; 0 for one without memory."""
    return 0 if tensor is None or not tensor.numel() else tensor.data_ptr() + row * tensor.stride(0) * tensor.element_size()
