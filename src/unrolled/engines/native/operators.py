"""The two passes of a kernel as operators of torch, so that autograd and `torch.compile` know them."""

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.engines.eager import EagerEngine
from unrolled.engines.lengths import Lengths
from unrolled.engines.native.bindings import bind, binding_of
from unrolled.engines.native.library import Binding, Library, library
from unrolled.engines.native.threads import can_share
from unrolled.engines.problem import Problem, Solution
from unrolled.engines.weights import Weights
from unrolled.errors import ShapeError

__all__ = ["backward", "bind", "forward"]


class Call:
    """What both passes hand over: see `Call` in compiler/native/runtime/sequences.h."""

    def __init__(
        self,
        key: str,
        x: Tensor,
        stored: Sequence[Tensor],
        initial: Sequence[Tensor],
        masks: Sequence[Tensor],
        lengths: Tensor | None,
        resets: Tensor | None,
    ) -> None:
        self.binding = binding_of(key)
        self.like = initial[0]
        self.library: Library = library(self.binding.kernel, self.like.dtype, self.binding.narrow)
        self.steps, self.batch = x.shape[:2]
        self.numbers = not x.is_floating_point()
        self.x = x.long().contiguous() if self.numbers else x.resolve_neg().contiguous()
        self.stored = [t.resolve_neg().contiguous() for t in stored]
        self.initial = [self.library.whole(s.resolve_neg()) for s in initial]
        self.lengths = None if lengths is None else lengths.contiguous()
        self.resets = None if resets is None else resets.contiguous()
        self.units = [s.shape[1] for s in initial]
        inputs = self._inputs() if self.numbers else x.shape[2]
        sizes = self.binding.sizes(inputs, self.units)
        kernel = self.library.kernel
        self.binding.check(stored, sizes, self.like)
        self.sizes = [sizes[label] for label in kernel.sizes]
        self.masks = [self.library.whole(next(m for m in masks if m.shape[1] == sizes[label])) for label in self.binding.mask_labels]
        columns = [self.library.padded(sizes[label]) for label in kernel.columns]
        self.stride = {True: self.library.lanes + sum(columns), False: self.library.lanes + sum(columns[: kernel.forward_columns])}
        left_out = max((self.binding.rows[n] for n, p in zip(kernel.parameters, self.binding.places, strict=True) if p is None), default=0)
        self.left_out = self.like.new_zeros(left_out) if left_out else None

    def _inputs(self) -> int:
        """The columns of the input maps, where the input is numbers."""
        recurrence = self.binding.plan.recurrence
        maps = (p.name for p in recurrence.parameters if p.columns == "x")
        places = dict(zip(self.binding.kernel.parameters, self.binding.places, strict=True))
        return next((self.stored[place[0]].shape[1] for name in maps if (place := places[name])), 0)

    def tape(self, partitions: int, *, training: bool) -> Tensor:
        """Room for the numbers, and one that tells whether they were written over. Without gradients each part of the batch needs two spans."""
        in_turns = 2 * partitions * max(self.library.most_rows, -(-self.batch // partitions))
        rows = self.steps * self.batch if training else in_turns
        return self.like.new_empty(rows * self.stride[training] + 1)

    def run(
        self,
        function: Any,
        tape: Tensor,
        flags: tuple[int, int, bool, bool],
        *,
        outs: Sequence[Tensor] = (),
        finals: Sequence[Tensor] = (),
        d_outs: Sequence[Tensor] = (),
        d_finals: Sequence[Tensor] = (),
        d_x: Tensor | None = None,
        d_stored: Sequence[Tensor] = (),
        d_initial: Sequence[Tensor] = (),
    ) -> None:
        """Call one of the passes; `flags` are threads, partitions, reverse, training."""
        threads, partitions, reverse, training = flags
        states = len(self.units)
        spare = self.left_out.clone() if self.left_out is not None and d_stored else None
        parameters = self.binding.addresses(self.stored, self.left_out)
        numbers = [
            threads if can_share() else 1,
            self.steps,
            self.batch,
            partitions,
            reverse,
            training,
            _at(self.lengths),
            _at(self.resets),
        ]
        numbers += [0, _at(self.x)] if self.numbers else [_at(self.x), 0]
        numbers += [tape.data_ptr(), tape.data_ptr() + (tape.numel() - 1) * tape.element_size(), _at(d_x), *self.sizes, *parameters]
        numbers += self.binding.addresses(d_stored, spare) if d_stored else [0] * len(parameters)
        for tensors in (self.initial, outs, finals, d_outs, d_finals, d_initial):
            numbers += [_at(t) for t in tensors] + [0] * (states - len(tensors))
        numbers += [_at(m) for m in self.masks]
        call = (ctypes.c_int64 * len(numbers))(*map(int, numbers))
        self._check(call)
        function(call)

    def _check(self, call: Any) -> None:
        """Numbers that would lead outside the tensors. A layer looks at them before, but not where torch.compile has compiled it."""
        fault = self.library.fault(call) if self.numbers or self.lengths is not None else 0
        if fault == 1:
            raise ShapeError(f"`lengths` must lie between 0 and T = {self.steps}. Pass the number of real steps of each sequence.")
        if fault == 2:
            most = self._inputs() - 1
            raise ShapeError(f"`x` of whole numbers must lie between 0 and input_size - 1 = {most}.")


def _at(tensor: Tensor | None) -> int:
    return 0 if tensor is None or not tensor.numel() else tensor.data_ptr()


def forward(
    key: str,
    x: Tensor,
    stored: Sequence[Tensor],
    initial: Sequence[Tensor],
    masks: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
    reverse: bool,
    every_state: bool,
    training: bool,
    threads: int,
    partitions: int,
) -> list[Tensor]:
    """The steps of the output (of every state), the final states, and the tape."""
    call = Call(key, x, stored, initial, masks, lengths, resets)
    new = call.like.new_empty if lengths is None else call.like.new_zeros
    outs = [new(call.steps, call.batch, n) for n in (call.units if every_state else call.units[:1])]
    finals = [call.like.new_empty(call.batch, n) for n in call.units]
    tape = call.tape(partitions, training=training)
    call.run(call.library.forward, tape, (threads, partitions, reverse, training), outs=outs, finals=finals)
    return [*outs, *finals, tape]


def backward(
    key: str,
    tape: Tensor,
    x: Tensor,
    stored: Sequence[Tensor],
    initial: Sequence[Tensor],
    masks: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
    d_outs: Sequence[Tensor],
    d_finals: Sequence[Tensor],
    reverse: bool,
    threads: int,
    partitions: int,
    into_input: bool,
) -> list[Tensor]:
    """The adjoints of the stored parameters, of the initial states, and of the input if it is wanted.

    `d_outs` and `d_finals` are empty tensors where nothing flows back. The tape is written over.
    """
    call = Call(key, x, stored, initial, masks, lengths, resets)
    kernel = call.library.kernel
    # Where all are written to, they need not be zero before.
    written = call.steps * call.batch and lengths is None and not call.numbers and kernel.with_gradient.issuperset(kernel.parameters)
    fresh = torch.empty_like if written else torch.zeros_like
    d_stored = [fresh(t) for t in call.stored]
    d_initial = [s.new_zeros(s.shape) for s in initial]
    d_x = (torch.empty_like if lengths is None and kernel.reaches_input else torch.zeros_like)(call.x) if into_input else None
    outs, finals = ([t.contiguous() for t in ts] for ts in (d_outs, d_finals))
    call.run(
        call.library.backward,
        tape,
        (threads, partitions, reverse, True),
        d_outs=outs,
        d_finals=finals,
        d_x=d_x,
        d_stored=d_stored,
        d_initial=d_initial,
    )
    return [*d_stored, *d_initial, *([] if d_x is None else [d_x])]


def _backward_apart(key: str, tape: Tensor, *rest: Any) -> list[Tensor]:
    """The same, and the tape stays as it is: what torch moves about in a graph must not write to what it is given."""
    return backward(key, tape.clone(), *rest)


_ARGUMENTS = "Tensor x, Tensor[] stored, Tensor[] initial, Tensor[] masks, Tensor? lengths, Tensor? resets"
_library = torch.library.Library("unrolled", "DEF")
_library.define(f"forward(str key, {_ARGUMENTS}, bool reverse, bool every_state, bool training, int threads, int partitions) -> Tensor[]")
_library.define(
    f"backward(str key, Tensor tape, {_ARGUMENTS}, Tensor[] d_outs, Tensor[] d_finals, bool reverse, int threads, int partitions,"
    " bool into_input) -> Tensor[]"
)
_library.impl("forward", forward, "CPU")
_library.impl("backward", _backward_apart, "CPU")


def _forward_shapes(
    key: str,
    x: Tensor,
    stored: Sequence[Tensor],
    initial: Sequence[Tensor],
    masks: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
    reverse: bool,
    every_state: bool,
    training: bool,
    threads: int,
    partitions: int,
) -> list[Tensor]:
    call = Call(key, x, stored, initial, masks, lengths, resets)
    outs = [call.like.new_empty(call.steps, call.batch, n) for n in (call.units if every_state else call.units[:1])]
    finals = [call.like.new_empty(call.batch, n) for n in call.units]
    return [*outs, *finals, call.tape(partitions, training=training)]


def _backward_shapes(
    key: str,
    tape: Tensor,
    x: Tensor,
    stored: Sequence[Tensor],
    initial: Sequence[Tensor],
    masks: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
    d_outs: Sequence[Tensor],
    d_finals: Sequence[Tensor],
    reverse: bool,
    threads: int,
    partitions: int,
    into_input: bool,
) -> list[Tensor]:
    like = [*stored, *initial, *([x] if into_input else [])]
    return [t.new_empty(t.shape) for t in like]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    key, x, stored, initial, masks, lengths, resets, reverse, every_state, _, threads, partitions = inputs
    ctx.set_materialize_grads(False)  # Zeros for what nothing flows back to would be as large as the tape.
    ctx.numbers = key, reverse, every_state, threads, partitions
    ctx.counts = len(stored), len(initial), len(masks)
    ctx.optional = lengths is not None, resets is not None
    ctx.x_shape = x.shape
    ctx.save_for_backward(output[-1], x, *stored, *initial, *masks, *(t for t in (lengths, resets) if t is not None))


def _flow_back(ctx: Any, flows: list[Tensor | None]) -> tuple[Any, ...]:
    key, reverse, every_state, threads, partitions = ctx.numbers
    tape, x, *rest = ctx.saved_tensors
    stored, initial, masks = (tuple(rest.pop(0) for _ in range(n)) for n in ctx.counts)
    lengths, resets = (rest.pop(0) if there else None for there in ctx.optional)
    into_input = bool(ctx.needs_input_grad[1])
    given = [x.new_empty(0, dtype=tape.dtype) if f is None else f for f in flows]
    count = len(initial) if every_state else 1
    found: Sequence[Tensor | None]
    d_outs, d_finals = given[:count], given[count:-1]
    if torch.is_grad_enabled():
        found = _differentiable(binding_of(key), x, stored, initial, masks, lengths, resets, reverse, every_state, d_outs, d_finals)
    else:
        found = (backward if _is_plain(tape) else torch.ops.unrolled.backward)(
            key, tape, x, stored, initial, masks, lengths, resets, d_outs, d_finals, reverse, threads, partitions, into_input
        )
    d_stored, d_initial = list(found[: len(stored)]), list(found[len(stored) : len(stored) + len(initial)])
    d_x = found[-1] if into_input else None
    return (None, d_x, d_stored, d_initial, [None] * len(masks), *([None] * 7))


def _is_plain(tape: Tensor) -> bool:
    """Whether nobody watches, so that the tape may be written over: not where torch records what is done, with tensors that have no memory."""
    return type(tape) is Tensor and not torch._C._len_torch_dispatch_stack()


def _differentiable(
    binding: Binding,
    x: Tensor,
    stored: Sequence[Tensor],
    initial: Sequence[Tensor],
    masks: Sequence[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
    reverse: bool,
    every_state: bool,
    d_outs: Sequence[Tensor],
    d_finals: Sequence[Tensor],
) -> list[Tensor | None]:
    """The same adjoints by way of the engine `eager`, so that they can be differentiated once more; None for what nothing depends on."""
    # One tensor may stand in several places, each with a gradient of its own.
    stored, initial, x = [t.view_as(t) for t in stored], [t.view_as(t) for t in initial], x.view_as(x)
    weights = Weights(binding.layout, binding.rows).using(dict(zip(binding.layout, stored, strict=True)))
    real = None if lengths is None else Lengths(lengths, x.shape[0], x.device)
    by_width = {m.shape[1]: m for m in masks} or None
    solution: Solution = EagerEngine().run(
        Problem(binding.plan, weights, x, tuple(initial), real, reverse, by_width, every_state, resets, binding.narrow)
    )
    pairs = [(s, f) for s, f in zip((*solution.steps, *solution.final), (*d_outs, *d_finals), strict=True) if f.numel() and s.requires_grad]
    inputs = [*stored, *initial, *([x] if x.is_floating_point() else [])]
    wanted = [t for t in inputs if t.requires_grad]
    found: dict[int, Tensor] = {}
    if pairs and wanted:
        outputs, flows = zip(*pairs, strict=True)
        grads = torch.autograd.grad(outputs, wanted, flows, create_graph=True, allow_unused=True)
        found = {id(t): g for t, g in zip(wanted, grads, strict=True) if g is not None}
    return [found.get(id(t)) for t in inputs]


torch.library.register_fake("unrolled::forward", _forward_shapes, lib=_library)
torch.library.register_fake("unrolled::backward", _backward_shapes, lib=_library)
torch.library.register_autograd("unrolled::forward", _flow_back, setup_context=_keep, lib=_library)
