"""How a layer's parameters begin."""

import math

import torch
from torch.nn import init

from unrolled.cells import Cell
from unrolled.engines import Weights
from unrolled.equations.recurrence import INPUT_MAP


def initialise(weights: Weights, cell: Cell) -> None:
    """Each named block by its kind: input maps Glorot-uniform, recurrent maps orthogonal, vectors as the cell says or zero.

    Of a vector that is the sum of two the first has it all.
    """
    for block in weights.layout.rows:
        kind = cell.recurrence.parameter(block)
        for number, values in enumerate(weights.parts(block)):
            if not kind.is_matrix:
                values.fill_(0.0 if number else cell.init.get(block, 0.0))
            elif kind.kind == INPUT_MAP:
                init.xavier_uniform_(values)
            else:
                # The decomposition behind an orthogonal matrix wants single or double precision.
                exact = torch.promote_types(values.dtype, torch.float32)
                values.copy_(init.orthogonal_(torch.empty(values.shape, device=values.device, dtype=exact)))


def initialise_like_torch(weights: Weights, hidden_size: int) -> None:
    """Every stored tensor uniform within 1 / sqrt(H): the very numbers that torch.nn draws from the same random seed, where it has the cell."""
    bound = 1 / math.sqrt(hidden_size)
    for tensor in weights.stored:
        init.uniform_(tensor, -bound, bound)
