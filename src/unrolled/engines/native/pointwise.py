"""What is pointwise in a plan, compiled: each stage's in one pass over memory."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import prod

import torch
from torch import Tensor
from torch.nn.functional import pad

from unrolled.compiler import Plan
from unrolled.compiler.native.pointwise import Block, Pass, Passes, make_passes
from unrolled.engines.native.build import build, load
from unrolled.engines.native.library import DEFINES
from unrolled.engines.native.threads import runtime, threads_for_numbers
from unrolled.engines.program import Program
from unrolled.engines.stages import Part, ready


@dataclass(frozen=True)
class Rows:
    """Rows of a tensor, `step` numbers apart, which begin again after `period` places if that is not 0."""

    tensor: Tensor
    step: int
    period: int = 0


def as_rows(tensor: Tensor) -> Rows:
    """A tensor, one row for each place: as it lies where its places lie evenly, else a copy."""
    step = 0 if tensor.is_neg() else _step(tensor.shape, tensor.stride())
    return Rows(tensor, step) if step else Rows(tensor.resolve_neg().clone(memory_format=torch.contiguous_format), tensor.shape[-1])


@lru_cache
def _step(shape: torch.Size, strides: tuple[int, ...]) -> int:
    """How many numbers the places of a tensor are apart that follow each other evenly, with their units side by side; 0 where they do not."""
    several = [d for d, n in enumerate(shape[:-1]) if n > 1]
    step = strides[several[-1]] if several else shape[-1]
    even = all(strides[d] == step * prod(shape[d + 1 : -1]) for d in several)
    return step if even and step >= shape[-1] and (strides[-1] == 1 or shape[-1] == 1) else 0


class PointwiseLibrary:
    """The passes of a plan for one type of number, loaded."""

    def __init__(self, passes: Passes, dtype: torch.dtype) -> None:
        self.passes = passes.passes
        self.still = [Program(assignments) for assignments in passes.still]
        self._library = load(build("pointwise", passes.source, DEFINES[dtype, False]))
        self._library.lanes.restype = ctypes.c_long
        self.lanes: int = self._library.lanes()
        if addresses := runtime():
            self._library.use_threads(*(ctypes.c_void_p(a) for a in addresses))

    def run(self, one: Pass, reads: Sequence[Rows], writes: Sequence[Tensor]) -> None:
        """A pass that reads rows and writes tensors, which have theirs one after the other."""
        units, count = writes[0].shape[-1], writes[0].numel()
        rows = (_Rows * len(reads))(*(_Rows(r.tensor.data_ptr(), r.step, r.period) for r in reads))
        to = (ctypes.c_void_p * len(writes))(*(t.data_ptr() for t in writes))
        given = _Pass(count // units, units, threads_for_numbers(count), ctypes.addressof(rows), ctypes.addressof(to))
        self._library[one.name](ctypes.byref(given))

    def again(self, parameter: Tensor, shape: torch.Size) -> Rows:
        """A parameter as rows of a value of some shape, which begin again at each plane if it is not the same at all places."""
        whole = parameter.expand(shape[-max(parameter.dim(), 1) :])
        rows = whole.reshape(-1)
        return Rows(pad(rows, (0, self.lanes)), 0 if whole.dim() == 1 else shape[-1], rows.numel() // shape[-1] if whole.dim() > 1 else 0)

    def channels_last(self, planes: Tensor, to: Tensor) -> Tensor:
        """Planes `[N, *space, channels]` that lie as `[N, channels, *space]`, written `to` a tensor that lies as its dimensions say."""
        sizes = len(planes), planes.shape[-1], prod(planes.shape[1:-1])
        self._library.channels_last(ctypes.byref(_Planes(*sizes, threads_for_numbers(planes.numel()), planes.data_ptr(), to.data_ptr())))
        return to


class _Rows(ctypes.Structure):
    """`Rows` of compiler/native/runtime/pointwise.h."""

    _fields_ = (("from", ctypes.c_void_p), ("step", ctypes.c_long), ("period", ctypes.c_long))


class _Pass(ctypes.Structure):
    """`Pass` of compiler/native/runtime/pointwise.h."""

    _fields_ = (
        *((name, ctypes.c_long) for name in ("places", "units", "threads")),
        *((name, ctypes.c_void_p) for name in ("from", "to")),
    )


class _Planes(ctypes.Structure):
    """`Planes` of compiler/native/runtime/pointwise.h."""

    _fields_ = (
        *((name, ctypes.c_long) for name in ("planes", "channels", "places", "threads")),
        *((name, ctypes.c_void_p) for name in ("from", "to")),
    )


@cache
def pointwise_library(plan: Plan, dtype: torch.dtype) -> PointwiseLibrary:
    """The library of a plan; built when it is first asked for. `BuildError` where that fails."""
    return PointwiseLibrary(_passes(plan), dtype)


@cache
def _passes(plan: Plan) -> Passes:
    stages = ready(plan)
    return make_passes([_block(part) for part in (*stages.prologue, *stages.loop)], frozenset(stages.vectors))


def _block(part: Part) -> Block:
    over = ((p.symbol, p.operand) for p in (*part.of_all, *(p for p, _ in part.along)))
    return Block(tuple(over), part.assignments, frozenset(a.symbol for a in part.assignments) - part.own)
