"""What makes a layer convolutional: its options, and planes of channels where other layers have numbers."""

from dataclasses import dataclass
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from unrolled.engines import Convolutions
from unrolled.equations import Form, Recurrence
from unrolled.errors import ConfigError, ConfigTypeError, ShapeError

AXES = {1: "W", 2: "H, W", 3: "D, H, W"}
"""The dimensions of space as torch calls them."""


@dataclass(frozen=True)
class Planes:
    """The kernel of all maps whose text gives none, the convolutions of a layer, and the size of its planes where it is fixed, else none."""

    kernel: tuple[int, ...]
    convolutions: Convolutions
    space: tuple[int, ...] = ()

    @property
    def dimensions(self) -> int:
        """How many dimensions space has: 1, 2 or 3."""
        return len(self.kernel)

    def kernel_of(self, form: Form) -> tuple[int, ...]:
        """The kernel of a matrix that is read so."""
        return (form.kernel,) * self.dimensions if form.kernel else self.kernel


def read_planes(kernel_size: object, dilation: object, space: object, *, convolves: bool) -> Planes | None:
    """The checked options of a layer, of a cell whose text says whether it `convolves`; None for one that does not. Raises `ConfigError`."""
    if convolves and kernel_size is None:
        kernel_size = 1
    if kernel_size is None:
        for name, value, usual in (("dilation", dilation, 1), ("space", space, None)):
            if value != usual:
                raise ConfigError(
                    f"`{name}={value!r}` is for a convolutional layer. Give its kernel, as in kernel_size=3, or leave it out."
                )
        return None
    fixed = () if space is None else _numbers("space", space, None)
    # A single number says nothing of how many dimensions there are: they are those of `space`, or two.
    kernel = _numbers("kernel_size", kernel_size, len(fixed) or None)
    for size in kernel:
        if size % 2 == 0:
            raise ConfigError(
                f"`kernel_size` must be odd, so that a plane keeps its size and each place its neighbours on both sides, got {kernel_size!r}. "
                f"Use {size - 1} or {size + 1}."
            )
    return Planes(kernel, Convolutions(_numbers("dilation", dilation, len(kernel))), fixed)


def _numbers(name: str, value: object, dimensions: int | None) -> tuple[int, ...]:
    """A whole number for each dimension of space, from one for all or one for each."""
    given: tuple[Any, ...] = tuple(value) if isinstance(value, (tuple, list)) else (value,) * (dimensions or 2)
    single = not isinstance(value, (tuple, list))
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in given) or (name == "space" and single):
        wanted = "a tuple with a whole number for each dimension" if name == "space" else "a whole number or a tuple of them"
        raise ConfigTypeError(f"`{name}` must be {wanted}, got {value!r}.")
    if len(given) not in AXES or min(given) < 1:
        raise ConfigError(f"`{name}` must have one, two or three dimensions of at least 1, got {value!r}.")
    if dimensions is not None and len(given) != dimensions:
        raise ConfigError(f"`{name}={value!r}` has {len(given)} dimensions, but there are {dimensions}. Give one number for each.")
    return given


def factors(recurrence: Recurrence) -> frozenset[str]:
    """The vectors that multiply what a step computes, such as peepholes; what is only added, such as a bias, is not among them."""
    read = [*(e.expression for e in recurrence.equations), *(p.operand for p in recurrence.products)]
    products = {node for expression in read for node in sp.preorder_traversal(expression) if isinstance(node, sp.Mul)}
    found = {
        factor.name
        for node in products
        for factor in node.args
        if factor.is_Symbol and len([a for a in node.args if a.args or a.is_Symbol]) > 1
    }
    return frozenset(found & {p.name for p in recurrence.parameters if not p.is_matrix})


def check_planes(x: Any, planes: Planes, channels: int, *, unbatched: bool) -> None:
    """Raise a `ShapeError` for an input that is not `[T, B, C, *space]`, or unbatched without the B."""
    if not isinstance(x, Tensor):
        raise ShapeError(f"`x` must be a tensor or a PackedSequence, got {type(x).__name__}.")
    axes, dimensions = AXES[planes.dimensions], planes.dimensions
    if not x.is_floating_point():
        raise ShapeError(
            f"`x` of a convolutional layer must be real numbers [T, B, C, {axes}], got {x.dtype}. Convert pixels with `.float()`."
        )
    if x.dim() - dimensions not in ((2, 3) if unbatched else (3,)):
        expected = " or, unbatched, ".join([f"[T, B, C, {axes}]", *([f"[T, C, {axes}]"] if unbatched else [])])
        fits = x.dim() - 3
        others = f" For {fits} of space, give the layer kernel_size={planes.kernel[:1] * fits}." if fits in AXES else ""
        raise ShapeError(f"`x` must have shape {expected}, as kernel_size={planes.kernel}, got {list(x.shape)}.{others}")
    found, space = x.shape[-dimensions - 1], tuple(x.shape[-dimensions:])
    if found != channels:
        raise ShapeError(
            f"`x` must have input_size = {channels} channels, got {found}: channels stand before the plane, [T, B, C, {axes}], here {list(x.shape)}."
        )
    if 0 in space or (planes.space and space != planes.space):
        wanted = f"space = {list(planes.space)}" if planes.space else "at least one place in each dimension"
        raise ShapeError(f"The planes of `x` must have {wanted}, got {list(space)}.")


def channels_first(y: Tensor) -> Tensor:
    """`[T, B, *space, n]` as `[T, B, n, *space]`, without a copy."""
    if y.requires_grad and not torch.compiler.is_compiling():
        # A gradient that comes with the places last would be gone through against its order in memory, at every step.
        y.register_hook(Tensor.contiguous)
    return y.movedim(-1, 2)


def read_space(space: object, planes: Planes | None) -> tuple[int, ...]:
    """The checked size of the planes of a state that is made before there is an input; empty for a layer without planes."""
    if planes is None:
        if space is not None:
            raise ConfigError(f"`space={space!r}` is for a convolutional layer. Leave it out.")
        return ()
    if space is None and not planes.space:
        raise ConfigError(f"The state needs planes of some size. Give `space=({AXES[planes.dimensions]})`, in numbers.")
    found = planes.space if space is None else _numbers("space", space, planes.dimensions)
    if planes.space and found != planes.space:
        raise ConfigError(f"`space` of this layer is {planes.space}, got {space!r}. Leave it out.")
    return found
