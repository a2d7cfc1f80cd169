"""What all contenders of a case share: the cell, our layer with its weights, the input, the lengths, the cotangent."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import unrolled as un
from side_by_side.cases import STEP, Case, draw_lengths
from unrolled.cells import find_cell
from unrolled.engines import Weights

USERS_CELL = un.Cell(
    "minimal-gated-unit",
    """
    f[t] = sigmoid(W_f @ x[t] + R_f @ h[t-1] + b_f)
    n[t] = tanh(W_n @ x[t] + R_n @ (f[t] * h[t-1]) + b_n)
    h[t] = (1 - f[t]) * h[t-1] + f[t] * n[t]
    """,
    reference="Zhou et al. (2016), Minimal Gated Unit for Recurrent Neural Networks",
)
"""Stands for the cell of one's own, which no library has a kernel for."""

DROP_INS: dict[str, Callable[..., un.Recurrent]] = {"lstm": un.LSTM, "gru": un.GRU, "elman": un.RNN}

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Contender:
    """One way to compute a case.

    `call` is what the timer sees and `before` runs ahead of each call, outside the timer. `results` gives, after a call, the output as
    `y` and in training the gradients of the input, as `x`, and of each named block of parameters. `engine` tells which of our engines ran.
    """

    name: str
    call: Callable[[], object]
    results: Callable[[], Arrays]
    before: Callable[[], None] = lambda: None
    engine: Callable[[], str] = lambda: ""


class Material:
    """The shared part of a case, drawn from a fixed seed."""

    def __init__(self, case: Case, engine: str) -> None:
        torch.manual_seed(0)
        self.case, self.dtype = case, getattr(torch, case.dtype)
        self.layer = make_layer(case, engine)
        for parameter in self.layer.parameters():
            if parameter.dim() == 1:
                torch.nn.init.normal_(parameter, std=0.1)
        self.x = torch.randn(case.steps, case.batch, case.inputs, dtype=self.dtype)
        self.cotangent = torch.randn(case.steps, case.batch, case.units, dtype=self.dtype)
        drawn = draw_lengths(case)
        self.lengths = None if drawn is None else torch.tensor(drawn)

    @property
    def vectors(self) -> list[str]:
        """The names of biases, peepholes and the like."""
        return [p.name for p in self.layer.cell.recurrence.parameters if not p.is_matrix]

    @property
    def blocks(self) -> list[str]:
        """The names of all blocks of parameters."""
        return [p.name for p in self.layer.cell.recurrence.parameters]

    @property
    def real_steps(self) -> int:
        """Steps that are no padding, over all sequences."""
        return self.case.steps * self.case.batch if self.lengths is None else int(self.lengths.sum())

    @property
    def gflop(self) -> float:
        """10^9 operations in the matrix products of one call; training counts three times the forward pass."""
        recurrence = self.layer.cell.recurrence
        entries = sum(self.layer.block(product.matrix).numel() for product in recurrence.products)
        return 2e-9 * entries * self.real_steps * (3 if self.case.mode == "train" else 1)


def make_layer(case: Case, engine: str) -> un.Recurrent:
    """Our layer for the case's cell: the drop-in where there is one, as its users have it."""
    options = {"engine": engine, "dtype": getattr(torch, case.dtype)}
    if case.cell in DROP_INS:
        return DROP_INS[case.cell](case.inputs, case.units, **options)
    cell = USERS_CELL if case.cell == USERS_CELL.name else find_cell(case.cell)
    return un.Recurrent(cell, case.inputs, case.units, **options)


def block_gradient(layer: un.Recurrent, name: str) -> Tensor:
    """The gradient of a named block, or of both parts of one that is a sum, which is the same."""
    stored = [layer.get_parameter(parameter).grad for parameter in layer._names[0, 0]]
    return Weights(layer._layouts[0, 0], stored).parts(name)[0]


def is_training(case: Case) -> bool:
    """Whether gradients are asked for."""
    return case.mode == "train"


def is_step(case: Case) -> bool:
    """Whether one step of a stream is asked for."""
    return case.mode == STEP
