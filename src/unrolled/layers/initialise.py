"""How a layer's parameters begin."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import init

from unrolled.cells import Cell
from unrolled.cells.beginnings import Beginning
from unrolled.equations import Parameter
from unrolled.equations.recurrence import INPUT_MAP, SCALAR


def initialise(parts: Mapping[str, Sequence[Tensor]], cell: Cell) -> None:
    """Each learnt block as the cell says, or by its kind: input maps Glorot-uniform, recurrent maps orthogonal, vectors zero.

    Of a vector that is the sum of two the first has it all. Blocks of a matrix begin one by one.
    """
    later: dict[str, Beginning] = {}
    for block, (first, *others) in ((name, tensors) for name, tensors in parts.items() if tensors):
        beginning = cell.beginnings.get(block)
        for other in others:
            other.zero_()
        if beginning is not None and beginning.rule == "minus":
            later[block] = beginning
        else:
            parameter = cell.recurrence.parameter(block)
            for part in first if parameter.form.blocks > 1 else [first]:
                _begin(part, parameter, beginning)
    for block, beginning in later.items():
        parts[block][0].copy_(-parts[beginning.other][0])


def _begin(values: Tensor, parameter: Parameter, beginning: Beginning | None) -> None:
    if beginning is not None:
        _as_said(values, beginning)
    elif parameter.kind == SCALAR or not parameter.is_matrix:
        values.zero_()
    elif parameter.kind == INPUT_MAP:
        init.xavier_uniform_(values)
    else:
        _orthogonal(values)


def _as_said(values: Tensor, beginning: Beginning) -> None:
    numbers = beginning.numbers
    match beginning.rule:
        case "number":
            values.fill_(numbers[0])
        case "uniform":
            values.uniform_(*numbers)
        case "normal":
            values.normal_(0.0, numbers[0])
        case "orthogonal":
            _orthogonal(values)
        case "glorot":
            init.xavier_uniform_(values)
        case "identity":
            init.eye_(values) if values.dim() == 2 else init.dirac_(values)
        case "ones":
            values.fill_(1.0)
        case "chrono":  # Tallec & Ollivier (2018), Can recurrent neural networks warp time?, section 2.2
            values.uniform_(1.0, numbers[0] - 1.0).log_()
        case _:
            values.zero_()


def _orthogonal(values: Tensor) -> None:
    # The decomposition behind an orthogonal matrix wants single or double precision.
    exact = torch.promote_types(values.dtype, torch.float32)
    values.copy_(init.orthogonal_(torch.empty(values.shape, device=values.device, dtype=exact)))


def initialise_like_torch(stored: Sequence[Tensor], hidden_size: int) -> None:
    """Every stored tensor uniform within 1 / sqrt(H): the very numbers that torch.nn draws from the same random seed, where it has the cell."""
    bound = 1 / math.sqrt(hidden_size)
    for tensor in stored:
        init.uniform_(tensor, -bound, bound)
