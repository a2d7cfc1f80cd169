"""How a layer's parameters begin."""

import math

import torch
from torch.nn import init

from unrolled.cells import Cell
from unrolled.engines import Layout, Weights
from unrolled.equations.recurrence import INPUT_MAP


def initialise(weights: Weights, layout: Layout, cell: Cell) -> None:
    """Each named block by its kind: input maps Glorot-uniform, recurrent maps orthogonal, vectors as the cell says or zero."""
    for block in (b for blocks in layout.values() for b in blocks):
        kind = cell.recurrence.parameter(block)
        values = weights.block(block)
        if not kind.is_matrix:
            values.fill_(cell.init.get(block, 0.0))
        elif kind.kind == INPUT_MAP:
            init.xavier_uniform_(values)
        else:
            # The decomposition behind an orthogonal matrix wants single or double precision.
            values.copy_(
                init.orthogonal_(torch.empty(values.shape, device=values.device, dtype=torch.promote_types(values.dtype, torch.float32)))
            )


def initialise_like_torch(weights: Weights, layout: Layout, hidden_size: int) -> None:
    """Every block uniform within 1 / sqrt(H)."""
    bound = 1 / math.sqrt(hidden_size)
    for block in (b for blocks in layout.values() for b in blocks):
        init.uniform_(weights.block(block), -bound, bound)
