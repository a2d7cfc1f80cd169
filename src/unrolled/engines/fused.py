"""The engine `torch`: torch's own kernels (oneDNN on a CPU, cuDNN on a GPU), for the recurrences that torch has fused."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from unrolled.cells import BUILT_IN
from unrolled.compiler import Plan
from unrolled.engines.constants import constant
from unrolled.engines.lengths import Lengths
from unrolled.engines.problem import Problem, Solution
from unrolled.engines.watched import has_tangents
from unrolled.equations import Recurrence, from_source


@dataclass(frozen=True)
class _Kernel:
    """Where torch keeps which block: its packed orders, and how each gate is held past a sequence's end (`hold`: open, shut or left alone).

    A held LSTM's inner state stands still; a held relu is 0, where it could grow beyond all numbers and spoil the gradients.
    `one_step` is the operation for a single step, on which torch's own kernel spends more than the step costs.
    """

    call: Callable[..., tuple[Tensor, ...]]
    input_maps: tuple[str, ...]
    recurrent_maps: tuple[str, ...]
    input_biases: tuple[str, ...]
    recurrent_biases: tuple[str, ...] = ()
    projection: str = ""
    hold: tuple[float, ...] = ()
    one_step: Callable[..., tuple[Tensor, ...]] | None = None

    @property
    def blocks(self) -> set[str]:
        """The parameters that it takes, by name."""
        named = (*self.input_maps, *self.recurrent_maps, *self.input_biases, *self.recurrent_biases, self.projection)
        return {*filter(None, named)}


_LSTM = ("W_i", "W_f", "W_z", "W_o"), ("R_i", "R_f", "R_z", "R_o"), ("b_i", "b_f", "b_z", "b_o")
_HOLD = (-1.0, 1.0, 0.0, 0.0)
_GRU = ("W_r", "W_z", "W_n"), ("R_r", "R_z", "R_n"), ("b_r", "b_z", "b_n")
_ELMAN = ("W_h",), ("R_h",), ("b_h",)

_KERNELS = {
    "lstm": _Kernel(torch.lstm, *_LSTM, hold=_HOLD, one_step=torch.lstm_cell),
    "lstm-projected": _Kernel(torch.lstm, *_LSTM, projection="R_h", hold=_HOLD),
    "gru": _Kernel(torch.gru, *_GRU, recurrent_biases=("d_n",)),
    "elman": _Kernel(torch.rnn_tanh, *_ELMAN),
    "elman-relu": _Kernel(torch.rnn_relu, *_ELMAN, hold=(-1.0,)),
}
"""The built-in cells that torch computes in one call."""


@cache
def kernel_of(recurrence: Recurrence) -> _Kernel | None:
    """What torch computes a recurrence by in one call, if it has that: a user's cell with the equations of one of `_KERNELS` is among them, whatever its name."""
    blocks = {parameter.name for parameter in recurrence.parameters}
    # Equations are read, which takes longer than to compare names, only where these agree.
    like = (name for name, kernel in _KERNELS.items() if kernel.blocks == blocks)
    return next((_KERNELS[name] for name in like if BUILT_IN[name].recurrence == recurrence), None)


def kernel_for(plan: Plan) -> _Kernel | None:
    """The same for a plan, also where torch.compile looks on, which cannot read files of equations."""
    if not torch.compiler.is_dynamo_compiling():
        return kernel_of(plan.recurrence)
    name = _name_of(plan.source)
    return _KERNELS[name] if name else None


@constant
def _name_of(source: str) -> str:
    """The built-in cell whose kernel computes the recurrence of a source; empty where there is none."""
    kernel = kernel_of(from_source(source))
    return next((name for name, known in _KERNELS.items() if known is kernel), "")


@constant
@cache
def has_lstm_under_autocast(dtype: torch.dtype) -> bool:
    """Whether torch runs a fused LSTM under autocast to this type on this processor: where oneDNN has none, torch fails instead of going another way."""
    states, weights = [torch.zeros(1, 1, 1)] * 2, [torch.zeros(4, 1), torch.zeros(4, 1), torch.zeros(4), torch.zeros(4)]
    try:
        with torch.autocast("cpu", dtype):
            torch.lstm(torch.zeros(1, 1, 1), states, weights, True, 1, 0.0, False, False, False)
    except RuntimeError:
        return False
    return True


class TorchEngine:
    """Runs whole sequences through torch's fused kernels. Second derivatives are not theirs to give: use `engine="eager"` for those."""

    name = "torch"

    def refuses(self, problem: Problem) -> str:
        """Why torch has no kernel for this; empty when it has."""
        if problem.convolutions is not None:
            return "torch's kernels have no convolutions"
        kernel = kernel_for(problem.plan)
        if kernel is None:
            return "torch has no kernel for these equations"
        if kernel.projection and problem.initial[0].shape == problem.initial[1].shape:
            return "torch projects to fewer units only"
        if not problem.x.is_floating_point():
            return "torch's kernels need a dense input, and integers stand for one-hot vectors"
        if problem.masks is not None:
            return "torch's kernels have no recurrent dropout"
        if problem.every_state and len(problem.initial) > 1:
            return "torch's kernels do not return every state at every step"
        if not torch.compiler.is_compiling() and has_tangents():
            return "torch's kernels do not carry derivatives forward"
        if not torch.compiler.is_compiling() and torch._C._are_functorch_transforms_active():
            return "torch's kernels do not run under transforms such as torch.func.vmap"
        if problem.narrow:
            return "torch's kernels round more than the weights to bfloat16"
        if problem.resets is not None:
            return "torch's kernels cannot set states back"
        half = kernel.call is torch.lstm and not kernel.projection and not problem.x.is_cuda and torch.is_autocast_enabled("cpu")
        if half and not has_lstm_under_autocast(torch.get_autocast_dtype("cpu")):
            return "torch has no LSTM for this processor under autocast"
        return ""

    def explain(self, problem: Problem) -> str:
        """Which kernel runs."""
        kernel = kernel_for(problem.plan)
        assert kernel is not None
        library = "cuDNN on a GPU" if problem.x.is_cuda else "oneDNN where it has one, on this CPU"
        return f"the equations are those of `torch.{kernel.call.__name__}`, which is fused ({library})"

    def yields(self, problem: Problem) -> str:
        """On a CPU only the LSTM is fused. The others' steps are as many operations as in the engine `eager`, which leaves padding out."""
        kernel = kernel_for(problem.plan)
        if problem.lengths is None or problem.x.is_cuda or kernel is None or kernel.call is torch.lstm:
            return ""
        return f"on a CPU `torch.{kernel.call.__name__}` is not fused, and it goes through padding, too"

    def run(self, problem: Problem) -> Solution:
        """The recurrence over the whole batch, padding included; what padding computes is not looked at."""
        kernel = kernel_for(problem.plan)
        assert kernel is not None
        x, lengths = problem.x, problem.lengths
        weights = _packed(kernel, problem)
        if problem.x.shape[0] == 0:
            return Solution((x.new_zeros(0, x.shape[1], problem.initial[0].shape[1]),), problem.initial)
        if lengths is None:
            steps, final = _call(kernel, x.flip(0) if problem.reverse else x, problem.initial, weights)
            return Solution((steps.flip(0) if problem.reverse else steps,), final)
        x = _turned(x, lengths) if problem.reverse else x
        x = torch.where(lengths.mask[..., None], x, 0.0)
        if kernel.hold:
            x, weights = _with_hold(kernel, x, weights, lengths)
        steps, final = _call(kernel, x, problem.initial, weights)
        last = torch.cat([problem.initial[0][None].to(steps.dtype), steps])[lengths.values, torch.arange(lengths.batch, device=x.device)]
        steps = torch.where(lengths.mask[..., None], steps, 0.0)
        return Solution((_turned(steps, lengths) if problem.reverse else steps,), (last, *final[1:]))


def _call(kernel: _Kernel, x: Tensor, initial: tuple[Tensor, ...], weights: list[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
    if kernel.one_step and len(x) == 1:
        last = kernel.one_step(x[0], [s.to(x.dtype) for s in initial], *weights)
        return last[0][None], last
    states = [s[None].to(x.dtype).contiguous() for s in initial]
    # Training or not makes no difference but in what is kept for a gradient; a trace is one graph for both.
    training = torch.is_grad_enabled() or torch._C._get_tracing_state() is not None
    steps, *final = kernel.call(x, states if len(states) > 1 else states[0], weights, True, 1, 0.0, training, False, False)
    if kernel.projection and torch.is_grad_enabled():
        # Torch composes this kernel of operations, of which the inner state after one step knows no projection: its gradient would not be 0 but None.
        final[1] = final[1] + weights[-1].flatten()[:0].sum()
    return steps, tuple(f[0] for f in final)


def _packed(kernel: _Kernel, problem: Problem) -> list[Tensor]:
    """The blocks in torch's order. Torch adds two biases where the equations have one; the second is zero but for what stands in it."""
    stack = problem.weights.stack
    bias = stack(kernel.input_biases)
    second = torch.zeros_like(bias)
    if kernel.recurrent_biases:
        tail = stack(kernel.recurrent_biases)
        second = torch.cat([second[: len(bias) - len(tail)], tail])
    weights = [stack(kernel.input_maps), stack(kernel.recurrent_maps), bias, second]
    return [*weights, stack((kernel.projection,))] if kernel.projection else weights


def _with_hold(kernel: _Kernel, x: Tensor, weights: list[Tensor], lengths: Lengths) -> tuple[Tensor, list[Tensor]]:
    """One more input, 1 past a sequence's end, whose weights drive the gates so far that they stand open or shut to the last bit."""
    flag = (~lengths.mask)[..., None].to(x.dtype)
    units = weights[0].shape[0] // len(kernel.hold)
    formats = (x.dtype, torch.get_autocast_dtype(x.device.type)) if torch.is_autocast_enabled(x.device.type) else (x.dtype,)
    far = min(torch.finfo(f).max for f in formats) / 2
    column = weights[0].new_tensor([far * sign for sign in kernel.hold]).repeat_interleave(units)[:, None]
    return torch.cat([x, flag], 2), [torch.cat([weights[0], column], 1), *weights[1:]]


def _turned(x: Tensor, lengths: Lengths) -> Tensor:
    """Every sequence in the opposite order, its padding left where it is."""
    steps = torch.arange(lengths.steps, device=x.device)[:, None]
    index = torch.where(lengths.mask, lengths.values - 1 - steps, steps)
    return x.gather(0, index[..., None].expand(-1, -1, x.shape[2]))
