"""Short calls that come again and again, the steps of a stream above all: prepared once, so that a step costs little beside its products.

What is kept is the list of numbers that the kernel reads and the memory in which it works, which is small. Of the parameters nothing is
kept but where they lay and how, and that is looked at again at every call.
"""

from collections.abc import Sequence
from threading import Lock
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import Parameter

from unrolled.engines.native.bindings import bind, binding_of
from unrolled.engines.native.call import Call, Given
from unrolled.engines.native.library import Library, lack_of_memory
from unrolled.engines.native.panels import panels_of
from unrolled.engines.native.threads import can_share
from unrolled.engines.problem import Problem, Solution
from unrolled.engines.weights import WeightLayout

MOST_ROWS = 32
"""Steps times sequences of a call that is worth preparing: beyond, what is saved is little beside the products."""

MOST_KINDS = 8
"""Calls of different sizes that are kept for one layer and direction."""

_Signature = tuple[object, ...]
_Form = tuple[object, ...]
_prepared: WeakKeyDictionary[WeightLayout, dict[_Signature, "Prepared"]] = WeakKeyDictionary()


def run_short(problem: Problem) -> Solution | None:
    """The solution of a short call without gradients; None where it is for the operators: long, unusual, or while another thread is at it."""
    x, initial = problem.x, problem.initial
    if x.shape[0] * x.shape[1] > MOST_ROWS:
        return None
    known = _prepared.setdefault(problem.weights.layout, {})
    signature = (id(problem.plan), x.shape, x.dtype, initial[0].dtype, problem.reverse, problem.narrow, torch.get_num_threads())
    prepared = known.get(signature)
    if prepared is None:
        prepared = prepare(problem)
        if prepared is None:
            return None
        if len(known) >= MOST_KINDS:
            known.clear()
        known[signature] = prepared
    elif not _is_usual(problem):
        return None
    steps, final = initial[0].new_empty(*x.shape[:2], initial[0].shape[1]), tuple([s.new_empty(s.shape) for s in initial])
    return Solution((steps,), final) if prepared.run(problem.weights.stored, x, initial, steps, final) else None


def prepare(problem: Problem) -> "Prepared | None":
    """A call like this one, without gradients, as it may come again; None where there is no such call."""
    stored = problem.weights.stored
    if not problem.x.numel() or not _is_usual(problem) or not all(_is_plain(t) for t in stored):
        return None
    return Prepared(problem, stored)


def _is_usual(problem: Problem) -> bool:
    """Whether it is about steps alone, in tensors that have memory of their own."""
    if problem.lengths is not None or problem.resets is not None or problem.masks is not None or problem.every_state:
        return False
    return all(type(t) is Tensor and not t.is_neg() for t in (problem.x, *problem.initial))


def _is_plain(tensor: Tensor) -> bool:
    return type(tensor) in (Tensor, Parameter) and tensor.is_cpu and tensor.is_contiguous() and not tensor.is_neg()


class Prepared:
    """A call of which only addresses are still missing."""

    def __init__(self, problem: Problem, stored: Sequence[Tensor]) -> None:
        key = bind(problem)
        call = Call(Given(key, problem.x, stored, problem.initial, (), None, None, problem.reverse))
        self._lock, self._binding = Lock(), binding_of(key)
        self._library: Library = call.library
        self._alone = call.share[0] == 1
        self._looked_up, self._left_out, self._sums = call.looked_up, call.left_out, call.sums
        self._parts = [s[0].numel() * call.batch * s.element_size() for s in problem.initial]
        # Not made in inference mode, in which whoever comes next may not be.
        with torch.inference_mode(False):
            # As in training, when every step has a place of its own: for few steps that is less.
            self._tape = call.like.new_empty(call.room(training=True))
            rooms = [call.like.new_zeros(call.batch, call.library.padded(n)) for n in call.units]
            self._rooms = [room[:, :n] if room.shape[1] != n else None for room, n in zip(rooms, call.units, strict=True)]
        self._numbers = call.numbers(self._tape, training=True)
        self._input, self._initial, self._out, self._final = call.input, self._numbers.initial, self._numbers.out, self._numbers.final
        # So few rows are not worth packing for, unless only packed weights are narrow.
        self._panels = panels_of(problem.weights.layout) if problem.narrow else None
        self._forms, self._lay = [(t.shape, t.dtype) for t in stored], _Lay(stored)

    def run(self, stored: Sequence[Tensor], x: Tensor, before: Sequence[Tensor], steps: Tensor, final: Sequence[Tensor]) -> bool:
        """Write to `steps` and `final`; False, and nothing is done, where the call is not quite as it was."""
        if not self._finds(stored):
            return False
        x, before = (x.long() if self._looked_up else x).contiguous(), [s.contiguous() for s in before]
        return self.again(x.data_ptr(), before, steps.data_ptr(), final, 0)

    def again(self, x: int, before: Sequence[Tensor], steps: int, final: Sequence[Tensor], place: int) -> bool:
        """Read the input at one address and write the output to another.

        Of `before` and `final`, `[B, n]` or `[L, B, n]`, it is the part number `place`. Nobody waits: who comes while another thread is at
        it has to go the other way, and gets False.
        """
        if not (self._alone or can_share()) or not self._lock.acquire(blocking=False):
            return False
        try:
            setattr(self._numbers, self._input, x)
            self._initial[:] = [self._start(number, state, place) for number, state in enumerate(before)]
            self._out[0] = steps
            self._final[:] = [s.data_ptr() + place * part for s, part in zip(final, self._parts, strict=True)]
            if self._looked_up and self._library.fault(self._numbers):
                return False
            if self._panels is None:
                self._library.forward(self._numbers)
            else:
                with self._panels.lent(self._library, self._numbers):
                    self._library.forward(self._numbers)
            return True
        finally:
            self._lock.release()

    def holds(self, stored: Sequence[Tensor]) -> bool:
        """Whether parameters lie where those lay that it was prepared for, as they lay there."""
        return self._lay.hold(stored)

    def _start(self, number: int, state: Tensor, place: int) -> int:
        """Where the kernel reads a state: where it lies, unless its rows have to be padded."""
        room = self._rooms[number]
        if room is None:
            return state.data_ptr() + place * self._parts[number]
        room.copy_(state if state.dim() == 2 else state[place])
        return room.data_ptr()

    def _finds(self, stored: Sequence[Tensor]) -> bool:
        """Whether the parameters are what they were, wherever they lie now."""
        if not all(map(_is_plain, stored)) or [(t.shape, t.dtype) for t in stored] != self._forms:
            return False
        if not self._lay.hold(stored):
            self._binding.point(self._numbers, stored, self._left_out, self._sums)
            self._lay = _Lay(stored)
        return True


class _Lay:
    """How parameters lay in memory. They themselves are not kept, as they may have been replaced since."""

    def __init__(self, stored: Sequence[Tensor]) -> None:
        self._shapes, self._addresses = [t.shape for t in stored], [t.data_ptr() for t in stored]

    def hold(self, stored: Sequence[Tensor]) -> bool:
        """Whether these lie so. Lists are made and compared faster than the parameters are asked one by one."""
        return (
            [t.data_ptr() for t in stored] == self._addresses
            and [t.shape for t in stored] == self._shapes
            and False not in [t.is_contiguous() for t in stored]
            and True not in [t.is_neg() for t in stored]
        )


def hold(problem: Problem) -> "Held | None":
    """A step that is taken again and again in the same memory; None where rows would have to be padded, or weights packed."""
    stored, x = problem.weights.stored, problem.x
    if len(x) != 1 or not x.numel() or not x.is_floating_point() or problem.narrow:
        return None
    if not _is_usual(problem) or not all(_is_plain(t) for t in stored):
        return None
    call = Call(Given(bind(problem), x, stored, problem.initial, (), None, None, problem.reverse))
    fit = call.batch == 1 or all(call.library.padded(n) == n for n in call.units)
    return Held(call, stored) if fit else None


class Held:
    """A call whose addresses are all known but for that of the input: states are read where they were written to."""

    def __init__(self, call: Call, stored: Sequence[Tensor]) -> None:
        self._call, self._stored, self._lay, self._alone = call, stored, _Lay(stored), call.share[0] == 1
        with torch.inference_mode(False):
            tape = call.like.new_empty(call.room(training=True))
            rooms = [call.like.new_zeros(call.batch, call.library.padded(n)) for n in call.units]
        self.states = [room[:, :n] for room, n in zip(rooms, call.units, strict=True)]
        numbers = call.numbers(tape, training=True)
        numbers.initial[:] = numbers.final[:] = [room.data_ptr() for room in rooms]
        self._memory, self._numbers = (tape, rooms), numbers
        self._forward, self._numbers_at = call.library.caller(numbers)

    def read(self, address: int) -> None:
        """Take the next input from there."""
        self._numbers.x = address

    def run(self) -> None:
        """Take the step; `LackOfMemoryError` where it cannot begin for want of it."""
        if lacking := self._forward(self._numbers_at):
            raise lack_of_memory(lacking)

    def holds(self) -> bool:
        """Whether the parameters lie where they lay, as they lay there."""
        return self._lay.hold(self._stored) and (self._alone or can_share())
