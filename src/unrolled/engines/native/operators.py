"""The two passes of a kernel as operators of torch, so that autograd and `torch.compile` know them."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from threading import Lock
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.engines.eager import EagerEngine
from unrolled.engines.lengths import Lengths
from unrolled.engines.native.bindings import binding_of
from unrolled.engines.native.call import SCHEMA, Call, Given
from unrolled.engines.native.panels import Panels
from unrolled.engines.problem import Problem, Solution
from unrolled.engines.watched import are_plain, has_tangents
from unrolled.engines.weights import Weights


def forward(given: Given, every_state: bool, training: bool, panels: Panels | None = None) -> list[Tensor]:
    """The steps of the output (of every state), the final states, and the tape, which is empty without gradients. Packed weights are kept in `panels`, if there are any."""
    call = Call(given)
    new = call.like.new_empty if given.lengths is None else call.like.new_zeros
    outs, finals = _results(call, every_state, new)
    tape = call.tape(training=training)
    numbers = call.numbers(tape, training=training, outs=outs, finals=finals)
    call.check(numbers)
    with nullcontext() if panels is None else panels.lent(call.library, numbers):
        call.library.forward(numbers)
    return [*outs, *finals, tape if training else tape.new_empty(0)]


def _results(call: Call, every_state: bool, new: Callable[..., Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    outs = [new(call.steps, call.batch, n) for n in (call.units if every_state else call.units[:1])]
    return outs, [call.like.new_empty(call.batch, n) for n in call.units]


def backward(
    given: Given, tape: Tensor, d_outs: Sequence[Tensor], d_finals: Sequence[Tensor], wanted: Sequence[int], into_input: bool
) -> list[Tensor]:
    """The adjoints of the stored parameters, of the initial states, and of the input if it is wanted.

    `d_outs` and `d_finals` are empty tensors where nothing flows back; so is the adjoint of a parameter whose number is not in `wanted`. The
    tape is written over.
    """
    call = Call(given)
    kernel, ragged = call.library.kernel, given.lengths is not None
    # Where all are written to, they need not be zero before.
    written = call.steps * call.batch and not ragged and not call.looked_up and kernel.with_gradient.issuperset(kernel.parameters)
    fresh = torch.empty_like if written else torch.zeros_like
    d_stored = [fresh(t) if n in wanted else t.new_empty(0) for n, t in enumerate(call.stored)]
    d_initial = [s.new_zeros(s.shape) for s in given.initial]
    d_x = (torch.zeros_like if ragged or not kernel.reaches_input else torch.empty_like)(call.x) if into_input else None
    outs, finals = ([t.resolve_neg().contiguous() for t in ts] for ts in (d_outs, d_finals))
    numbers = call.numbers(tape, training=True, d_outs=outs, d_finals=finals, d_x=d_x, d_stored=d_stored, d_initial=d_initial)
    call.check(numbers)
    call.library.backward(numbers)
    call.binding.share(d_stored)
    return [*d_stored, *d_initial, *([] if d_x is None else [d_x])]


_COUNT = len(Given._fields)
_library = torch.library.Library("unrolled", "DEF")
_library.define(f"forward({SCHEMA}, bool every_state, bool training) -> Tensor[]")
_library.define(f"backward({SCHEMA}, Tensor tape, Tensor[] d_outs, Tensor[] d_finals, int[] wanted, bool into_input) -> Tensor[]")


def _operator_forward(*arguments: Any) -> list[Tensor]:
    return forward(Given(*arguments[:_COUNT]), *arguments[_COUNT:])


def _operator_backward(*arguments: Any) -> list[Tensor]:
    """The tape stays as it is: what torch moves about in a graph must not write to what it is given."""
    tape, *rest = arguments[_COUNT:]
    return backward(Given(*arguments[:_COUNT]), tape.clone(), *rest)


def _forward_shapes(*arguments: Any) -> list[Tensor]:
    call, (every_state, training) = Call(Given(*arguments[:_COUNT])), arguments[_COUNT:]
    outs, finals = _results(call, every_state, call.like.new_empty)
    return [*outs, *finals, call.like.new_empty(call.room(training=True) if training else 0)]


def _backward_shapes(*arguments: Any) -> list[Tensor]:
    given, (*_, wanted, into_input) = Given(*arguments[:_COUNT]), arguments
    d_stored = [t.new_empty(t.shape if n in wanted else 0) for n, t in enumerate(given.stored)]
    return [*d_stored, *(t.new_empty(t.shape) for t in (*given.initial, *([given.x] if into_input else [])))]


class Pass(torch.autograd.Function):
    """Both passes without torch's dispatcher, which takes longer than a small layer's whole call: for tensors that nobody watches."""

    @staticmethod
    def forward(ctx: Any, layout: "_Layout", every_state: bool, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The steps of the output (of every state), and the final states."""
        *found, tape = forward(layout.given(tensors), every_state, True)
        _save(ctx, tape, layout, every_state, tensors)
        ctx.place = tape.data_ptr()
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *flows: Tensor | None) -> tuple[Any, ...]:
        """What flows back into each tensor; None where nothing does."""
        return None, None, *_flow_back(ctx, flows, ctx.needs_input_grad[2:])


class _Layout(NamedTuple):
    """What is given beside tensors, and how these lie one after the other."""

    key: str
    stored: int
    initial: int
    masks: int
    lengths: bool
    resets: bool
    reverse: bool

    @classmethod
    def of(cls, given: Given) -> "_Layout":
        stored, initial, masks = len(given.stored), len(given.initial), len(given.masks)
        return cls(given.key, stored, initial, masks, given.lengths is not None, given.resets is not None, given.reverse)

    def given(self, tensors: Sequence[Tensor]) -> Given:
        x, *rest = tensors
        last = self.stored + self.initial
        stored, initial, masks = rest[: self.stored], rest[self.stored : last], rest[last : last + self.masks]
        lengths = rest[last + self.masks] if self.lengths else None
        return Given(self.key, x, stored, initial, masks, lengths, rest[-1] if self.resets else None, self.reverse)


def flat(given: Given) -> tuple[_Layout, list[Tensor]]:
    """What is given, as `Pass` takes it."""
    optional = [t for t in (given.lengths, given.resets) if t is not None]
    return _Layout.of(given), [given.x, *given.stored, *given.initial, *given.masks, *optional]


def _save(ctx: Any, tape: Tensor, layout: _Layout, every_state: bool, tensors: Sequence[Tensor]) -> None:
    ctx.set_materialize_grads(False)  # Zeros for what nothing flows back to would be as large as the tape.
    ctx.save_for_backward(tape, *tensors)
    ctx.layout, ctx.every_state, ctx.place, ctx.lock = layout, every_state, None, Lock()


def _keep(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    layout, tensors = flat(Given(*inputs[:_COUNT]))
    _save(ctx, output[-1], layout, inputs[_COUNT], tensors)


def _operator_flow_back(ctx: Any, flows: list[Tensor | None]) -> tuple[Any, ...]:
    layout, (_, x, stored, initial, *_) = ctx.layout, ctx.needs_input_grad
    d_x, *rest = _flow_back(ctx, flows[:-1], (x, *stored, *initial))
    d_stored, d_initial = rest[: layout.stored], rest[layout.stored : layout.stored + layout.initial]
    return (None, d_x, d_stored, d_initial, [None] * layout.masks, *[None] * (len(ctx.needs_input_grad) - 5))


def _flow_back(ctx: Any, flows: Sequence[Tensor | None], needed: Sequence[bool]) -> list[Tensor | None]:
    """What flows back into each tensor of `flat`."""
    tape, *tensors = saved = ctx.saved_tensors  # which hooks may give but once
    layout: _Layout = ctx.layout
    given = layout.given(tensors)
    into_input, wanted = bool(needed[0]), [n for n in range(layout.stored) if needed[1 + n]]
    flowing = [tape.new_empty(0) if f is None else f for f in flows]
    count = layout.initial if ctx.every_state else 1
    found: Sequence[Tensor | None]
    d_outs, d_finals = flowing[:count], flowing[count:]
    if torch.is_grad_enabled() or has_tangents() or any(map(_is_batched, flowing)):
        found = _differentiable(given, ctx.every_state, d_outs, d_finals)
    elif are_plain((*saved, *flowing)) and not torch._C._len_torch_dispatch_stack():
        # A saved tensor that hooks have had is theirs, and may lie anyhow. The tape is written over by one at a time.
        if tape.data_ptr() != ctx.place or not tape.is_contiguous():
            tape = tape.resolve_neg().clone(memory_format=torch.contiguous_format)
        with ctx.lock:
            found = backward(given, tape, d_outs, d_finals, wanted, into_input)
    else:
        found = torch.ops.unrolled.backward(*given, tape, d_outs, d_finals, wanted, into_input)
    d_stored = [d if needed[1 + n] else None for n, d in enumerate(found[: layout.stored])]
    d_initial = found[layout.stored : layout.stored + layout.initial]
    return [found[-1] if into_input else None, *d_stored, *d_initial, *[None] * (len(tensors) - 1 - layout.stored - layout.initial)]


def _is_batched(flow: Tensor) -> bool:
    """Whether many flows come as one (`is_grads_batched`, `jacobian(vectorize=True)`), which has no memory of its own."""
    wrapped: bool = torch._C._functorch.is_functorch_wrapped_tensor(flow) or torch._C._functorch.is_legacy_batchedtensor(flow)
    return wrapped


def _differentiable(given: Given, every_state: bool, d_outs: Sequence[Tensor], d_finals: Sequence[Tensor]) -> list[Tensor | None]:
    """The same adjoints by way of the engine `eager`, so that they can be differentiated once more; None for what nothing depends on."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        return _adjoints(given, every_state, d_outs, d_finals, again=again)


def _adjoints(given: Given, every_state: bool, d_outs: Sequence[Tensor], d_finals: Sequence[Tensor], *, again: bool) -> list[Tensor | None]:
    # One tensor may stand in several places, each with a gradient of its own.
    stored, initial, x = [t.view_as(t) for t in given.stored], [t.view_as(t) for t in given.initial], given.x.view_as(given.x)
    binding = binding_of(given.key)
    weights = Weights(binding.layout, stored)
    real = None if given.lengths is None else Lengths(given.lengths, x.shape[0], x.device)
    by_width = {m.shape[1]: m for m in given.masks} or None
    solution: Solution = EagerEngine().run(
        Problem(binding.plan, weights, x, tuple(initial), real, given.reverse, by_width, every_state, given.resets, binding.narrow)
    )
    pairs = [(s, f) for s, f in zip((*solution.steps, *solution.final), (*d_outs, *d_finals), strict=True) if f.numel() and s.requires_grad]
    inputs = [*stored, *initial, *([x] if x.is_floating_point() else [])]
    wanted = [t for t in inputs if t.requires_grad]
    found: dict[int, Tensor] = {}
    if pairs and wanted:
        outputs, flows = zip(*pairs, strict=True)
        grads = torch.autograd.grad(outputs, wanted, flows, create_graph=again, allow_unused=True)
        found = {id(t): g for t, g in zip(wanted, grads, strict=True) if g is not None}
    return [found.get(id(t)) for t in inputs]


_library.impl("forward", _operator_forward, "CPU")
_library.impl("backward", _operator_backward, "CPU")
_library.impl("forward", _forward_shapes, "Meta")
_library.impl("backward", _backward_shapes, "Meta")
torch.library.register_autograd("unrolled::forward", _operator_flow_back, setup_context=_keep, lib=_library)
