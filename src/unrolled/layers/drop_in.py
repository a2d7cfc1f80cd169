"""`LSTM`, `GRU` and `RNN` with the constructors, shapes, parameters and names of torch.nn's, and all that `Recurrent` adds."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from unrolled.cells import BUILT_IN, Cell
from unrolled.errors import ConfigError, ConfigTypeError, UnrolledWarning
from unrolled.layers.recurrent import Recurrent, State

Device = torch.device | str | None


class _DropIn(Recurrent):
    """A cell that torch.nn has too, with its very parameters: stacked in torch's order, with two biases whose sum is that of the equations.

    `_apart` names gates whose two biases are not added up, with the name of the second in the equations.
    """

    mode: str
    _may_drop_all = True
    _gates: tuple[str, ...]
    _apart: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, cell: Cell, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Device = None, dtype: torch.dtype | None = None, **more: Any) -> None:  # fmt: skip
        if not isinstance(bias, bool):
            raise ConfigTypeError(f"`bias` must be True or False, got {bias!r}.")
        if proj_size != 0 and cell is not BUILT_IN["lstm-projected"]:
            raise ConfigError("`proj_size` is only for LSTM.")
        nn.Module.__init__(self)
        self.bias, self.proj_size = bias, proj_size
        if dropout and num_layers == 1:
            told = f"`dropout={dropout}` drops between layers, and there is one. Use num_layers=2 or more, or leave it out."
            warnings.warn(told, UnrolledWarning, stacklevel=3)
        super().__init__(
            cell, input_size, hidden_size, num_layers, bidirectional=bidirectional, batch_first=batch_first, dropout=dropout, device=device,
            dtype=dtype, **more,
        )  # fmt: skip

    def forward(
        self,
        input: Tensor | Sequence[Tensor] | PackedSequence,
        hx: State | Tensor | None = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        resets: Tensor | None = None,
        return_states: bool = False,
    ) -> Any:
        """See `Recurrent.forward`, whose `x` is `input` here and whose `state` is `hx`, as torch.nn calls them."""
        return super().forward(input, hx, lengths=lengths, resets=resets, return_states=return_states)

    _forward: ClassVar[Callable[..., Any]] = forward

    def extra_repr(self) -> str:
        """The options that differ from the defaults."""
        own = {"bias": (self.bias, True), "proj_size": (self.proj_size, 0)}
        return ", ".join([super().extra_repr(), *(f"{name}={value}" for name, (value, usual) in own.items() if value != usual)])

    def flatten_parameters(self) -> None:
        """Does nothing: here for code that calls it on torch.nn's modules."""

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of every layer and direction, as torch.nn's modules list them."""
        return [[self._stored(name) for name in names] for names in self._names.values()]

    @property
    def _flat_weights(self) -> list[Tensor]:
        return [weight for weights in self.all_weights for weight in weights]

    def _give(self, state: State) -> Any:
        return state if len(state) > 1 else state[0]

    def _blocks(self) -> dict[str, tuple[str, ...]]:
        gates = self._gates
        blocks = {"weight_ih": tuple(f"W_{g}" for g in gates), "weight_hh": tuple(f"R_{g}" for g in gates)}
        if self.bias:
            blocks |= {"bias_ih": tuple(f"b_{g}" for g in gates), "bias_hh": tuple(self._apart.get(g, f"b_{g}") for g in gates)}
        return {**blocks, "weight_hr": ("R_h",)} if self.proj_size else blocks

    def _unit_sizes(self) -> dict[str, int]:
        sizes = super()._unit_sizes()
        return {**sizes, self.cell.recurrence.size_of("h"): self.proj_size} if self.proj_size else sizes


class LSTM(_DropIn):
    """torch.nn.LSTM's drop-in, with the cell `lstm` (`lstm-projected` when `proj_size` is given).

    Takes torch.nn.LSTM's arguments and `Recurrent`'s; returns `(output, (h, c))`.
    """

    mode = "LSTM"
    _gates = ("i", "f", "z", "o")

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
                 bidirectional: bool = False, proj_size: int = 0, device: Device = None, dtype: torch.dtype | None = None, **more: Any) -> None:  # fmt: skip
        whole = isinstance(proj_size, int) and not isinstance(proj_size, bool)
        if not whole or proj_size < 0 or (isinstance(hidden_size, int) and 0 < hidden_size <= proj_size):
            kind = ConfigError if whole else ConfigTypeError
            raise kind(
                f"`proj_size` must be a positive number smaller than hidden_size = {hidden_size}, or 0 for no projection, got {proj_size}."
            )
        cell = BUILT_IN["lstm-projected"] if proj_size else BUILT_IN["lstm"]
        super().__init__(cell, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype, **more)  # fmt: skip


class GRU(_DropIn):
    """torch.nn.GRU's drop-in, with the cell `gru`. Takes torch.nn.GRU's arguments and `Recurrent`'s; returns `(output, h)`."""

    mode = "GRU"
    _gates = ("r", "z", "n")
    _apart = {"n": "d_n"}  # noqa: RUF012

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
                 bidirectional: bool = False, proj_size: int = 0, device: Device = None, dtype: torch.dtype | None = None, **more: Any) -> None:  # fmt: skip
        super().__init__(BUILT_IN["gru"], input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype, **more)  # fmt: skip


class RNN(_DropIn):
    """torch.nn.RNN's drop-in, with the cell `elman` or, for `nonlinearity="relu"`, `elman-relu`; returns `(output, h)`."""

    _gates = ("h",)

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Device = None, dtype: torch.dtype | None = None,
                 **more: Any) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ConfigError(f"`nonlinearity` must be 'tanh' or 'relu', got {nonlinearity!r}.")
        self.nonlinearity, self.mode = nonlinearity, f"RNN_{nonlinearity.upper()}"
        cell = BUILT_IN["elman"] if nonlinearity == "tanh" else BUILT_IN["elman-relu"]
        super().__init__(cell, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype, **more)  # fmt: skip
