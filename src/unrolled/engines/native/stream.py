"""Short calls that come again and again, the steps of a stream above all: prepared once, so that a step costs little beside its products.

What is kept is the list of numbers that the kernel reads and the memory in which it works, which is small. Of the parameters nothing is
kept but where they lay and how, and that is looked at again at every call.
"""

import ctypes
import struct
from collections.abc import Sequence
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import Parameter

from unrolled.engines.native.bindings import bind, binding_of
from unrolled.engines.native.library import Library
from unrolled.engines.native.operators import Call
from unrolled.engines.native.threads import can_share, threads_for
from unrolled.engines.problem import Problem, Solution
from unrolled.engines.weights import Weights

MOST_ROWS = 32
"""Steps times sequences of a call that is worth preparing: beyond, what is saved is little beside the products."""

MOST_KINDS = 8
"""Calls of different sizes that are kept for one layer and direction."""

_Kind = tuple[object, ...]
_prepared: WeakKeyDictionary[Weights, dict[_Kind, "Prepared"]] = WeakKeyDictionary()


def run_short(problem: Problem) -> Solution | None:
    """The solution of a short call without gradients; None where it is for the operators: long, unusual, or while another thread is at it."""
    x, initial = problem.x, problem.initial
    if x.shape[0] * x.shape[1] > MOST_ROWS:
        return None
    kinds = _prepared.setdefault(problem.weights, {})
    kind = (id(problem.plan), x.shape, x.dtype, initial[0].dtype, problem.reverse, problem.narrow, torch.get_num_threads())
    prepared = kinds.get(kind)
    if prepared is None:
        prepared = prepare(problem)
        if prepared is None:
            return None
        if len(kinds) >= MOST_KINDS:
            kinds.clear()
        kinds[kind] = prepared
    elif not _is_usual(problem):
        return None
    steps, final = initial[0].new_empty(*x.shape[:2], initial[0].shape[1]), tuple([s.new_empty(s.shape) for s in initial])
    return Solution((steps,), final) if prepared.run(problem.weights.stored, x, initial, steps, final) else None


def prepare(problem: Problem) -> "Prepared | None":
    """A call like this one, without gradients, as it may come again; None where there is no such call."""
    stored = problem.weights.stored
    if not problem.x.numel() or not _is_usual(problem) or not all(_is_plain(t) for t in stored):
        return None
    threads, partitions = threads_for(problem.x.shape[0], problem.x.shape[1], sum(t.numel() for t in stored))
    return Prepared(problem, stored, threads, partitions)


def _is_usual(problem: Problem) -> bool:
    """Whether it is about steps alone, in tensors that have memory of their own."""
    if problem.lengths is not None or problem.resets is not None or problem.masks is not None or problem.every_state:
        return False
    return all(type(t) is Tensor and not t.is_neg() for t in (problem.x, *problem.initial))


def _is_plain(tensor: Tensor) -> bool:
    return type(tensor) in (Tensor, Parameter) and tensor.is_cpu and tensor.is_contiguous()


class Prepared:
    """A call of which only addresses are still missing."""

    def __init__(self, problem: Problem, stored: list[Tensor], threads: int, partitions: int) -> None:
        key = bind(problem)
        call = Call(key, problem.x, stored, problem.initial, (), None, None)
        self._lock, self._binding = Lock(), binding_of(key)
        self._library: Library = call.library
        self._alone = threads == 1
        self._is_numbers, self._left_out = call.numbers, call.left_out
        self._parts = [s[0].numel() * call.batch * s.element_size() for s in problem.initial]
        # Not made in inference mode, in which whoever comes next may not be.
        with torch.inference_mode(False):
            # As in training, when every step has a place of its own: for few steps that is less.
            self._tape = torch.empty(call.tape(partitions, training=True).shape, dtype=call.like.dtype)
            rooms = [torch.zeros(call.batch, call.library.padded(n), dtype=call.like.dtype) for n in call.units]
            self._rooms = [room[:, :n] if room.shape[1] != n else None for room, n in zip(rooms, call.units, strict=True)]
        lists: list[Any] = []
        call.run(lists.append, self._tape, (threads, partitions, problem.reverse, True))
        (self._numbers,) = lists
        self._pointer = ctypes.c_void_p(ctypes.addressof(self._numbers))
        # The places of what changes: see `Call` in compiler/native/runtime/sequences.h.
        self._input, self._parameters = 9 if call.numbers else 8, 13 + len(call.sizes)
        self._states = 8 * (self._parameters + 2 * len(self._binding.places))
        self._format, self._none = struct.Struct(f"{3 * len(call.units)}q"), [0] * (len(call.units) - 1)
        self._kinds = [_kind(t) for t in stored]
        self._addresses = [t.data_ptr() for t in stored]

    def run(
        self, stored: Sequence[Tensor], x: Tensor, before: Sequence[Tensor], steps: Tensor, final: Sequence[Tensor], place: int = 0
    ) -> bool:
        """Write to `steps` and `final`; False, and nothing is done, where the call is not quite as it was.

        Of `before` and `final`, `[B, n]` or `[L, B, n]`, it is the part number `place`. Nobody waits: who comes while another thread is at
        it has to go the other way.
        """
        if not (self._alone or can_share()) or not self._lock.acquire(blocking=False):
            return False
        try:
            if not self._finds(stored):
                return False
            x = (x.long() if self._is_numbers else x).contiguous()
            before = [s.contiguous() for s in before]
            self._numbers[self._input] = x.data_ptr()
            starts = [self._start(number, state, place) for number, state in enumerate(before)]
            ends = [s.data_ptr() + place * part for s, part in zip(final, self._parts, strict=True)]
            self._format.pack_into(self._numbers, self._states, *starts, steps.data_ptr(), *self._none, *ends)
            if self._is_numbers and self._library.fault(self._pointer):
                return False
            self._library.forward(self._pointer)
            return True
        finally:
            self._lock.release()

    def _start(self, number: int, state: Tensor, place: int) -> int:
        """Where the kernel reads a state: where it lies, unless its rows have to be padded."""
        room = self._rooms[number]
        if room is None:
            return state.data_ptr() + place * self._parts[number]
        room.copy_(state if state.dim() == 2 else state[place])
        return room.data_ptr()

    def _finds(self, stored: Sequence[Tensor]) -> bool:
        """Whether the parameters are what they were, wherever they lie now."""
        if [_kind(t) for t in stored] != self._kinds:
            return False
        addresses = [t.data_ptr() for t in stored]
        if addresses != self._addresses:
            if not all(_is_plain(t) for t in stored):
                return False
            places = self._binding.addresses(stored, self._left_out)
            self._numbers[self._parameters : self._parameters + len(places)] = places
            self._addresses = addresses
        return True


def _kind(tensor: Tensor) -> _Kind:
    return tensor.shape, tensor.dtype, tensor.is_contiguous()
