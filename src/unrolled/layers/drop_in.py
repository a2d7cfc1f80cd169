"""`LSTM`, `GRU` and `RNN` with the constructors, shapes and `state_dict` keys of torch.nn's, and all that `Recurrent` adds."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from unrolled import cells
from unrolled.cells import Cell
from unrolled.engines import Layout
from unrolled.errors import ConfigError
from unrolled.layers.parameters import parameter_name
from unrolled.layers.recurrent import Recurrent

SINGLE = "bias"
INPUT_BIAS, RECURRENT_BIAS = "bias_ih", "bias_hh"


class _DropIn(Recurrent):
    """A cell that torch.nn has too, with its parameters stacked in torch's order.

    The equations have one bias where torch adds two. So there is one parameter, `bias_l0`, with all the vectors of the equations;
    `state_dict` writes it as torch's pair and `load_state_dict` adds the pair up again.
    """

    _gates: tuple[str, ...]
    _second: tuple[str, ...] = ()

    def __init__(self, cell: Cell, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, *, proj_size: int = 0, **more: Any) -> None:  # fmt: skip
        if not isinstance(bias, bool):
            raise ConfigError(f"`bias` must be True or False, got {bias!r}.")
        nn.Module.__init__(self)
        self.bias, self.proj_size = bias, proj_size
        super().__init__(
            cell, input_size, hidden_size, num_layers, bidirectional=bidirectional, batch_first=batch_first, dropout=dropout, **more
        )
        self.register_state_dict_post_hook(_write_torch_biases)
        self.register_load_state_dict_pre_hook(_read_torch_biases)

    def flatten_parameters(self) -> None:
        """Does nothing: here for code that calls it on torch.nn's modules."""

    def _layout(self) -> Layout:
        layout = {"weight_ih": tuple(f"W_{g}" for g in self._gates), "weight_hh": tuple(f"R_{g}" for g in self._gates)}
        if self.bias:
            layout[SINGLE] = (*(f"b_{g}" for g in self._gates), *self._second)
        return {**layout, "weight_hr": ("R_h",)} if self.proj_size else layout

    def _unit_sizes(self) -> dict[str, int]:
        sizes = super()._unit_sizes()
        return {**sizes, self.cell.recurrence.size_of("h"): self.proj_size} if self.proj_size else sizes

    def _initialise_like_torch(self) -> None:
        """The very numbers that torch.nn draws from the same random seed."""
        bound = 1 / math.sqrt(self.hidden_size)
        drawn = {
            key: nn.init.uniform_(torch.empty_like(value), -bound, bound) for key, value in self.state_dict().items() if not _is_state(key)
        }
        self.load_state_dict(drawn, strict=False)


class LSTM(_DropIn):
    """torch.nn.LSTM's drop-in, with the cell `lstm` (`lstm-projected` when `proj_size` is given).

    Takes torch.nn.LSTM's arguments and `Recurrent`'s; returns `(output, (h, c))`.
    """

    _gates = ("i", "f", "z", "o")

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
                 bidirectional: bool = False, proj_size: int = 0, **more: Any) -> None:  # fmt: skip
        whole = isinstance(proj_size, int) and not isinstance(proj_size, bool)
        if not whole or proj_size < 0 or (isinstance(hidden_size, int) and 0 < hidden_size <= proj_size):
            raise ConfigError(
                f"`proj_size` must be a positive number smaller than hidden_size = {hidden_size}, or 0 for no projection, got {proj_size}."
            )
        cell = cells.LSTM_PROJECTED if proj_size else cells.LSTM
        super().__init__(cell, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size=proj_size, **more)


class GRU(_DropIn):
    """torch.nn.GRU's drop-in, with the cell `gru`. Takes torch.nn.GRU's arguments and `Recurrent`'s; returns `(output, h)`."""

    _gates = ("r", "z", "n")
    _second = ("d_n",)

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
                 bidirectional: bool = False, **more: Any) -> None:  # fmt: skip
        super().__init__(
            cells.GRU, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, **_without_projection(more)
        )

    def _give(self, state: tuple[Tensor, ...]) -> Any:
        return state[0]


class RNN(_DropIn):
    """torch.nn.RNN's drop-in, with the cell `elman` or, for `nonlinearity="relu"`, `elman-relu`; returns `(output, h)`."""

    _gates = ("h",)

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, **more: Any) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ConfigError(f"`nonlinearity` must be 'tanh' or 'relu', got {nonlinearity!r}.")
        self.nonlinearity = nonlinearity
        cell = cells.ELMAN if nonlinearity == "tanh" else cells.ELMAN_RELU
        super().__init__(cell, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, **_without_projection(more))

    def _give(self, state: tuple[Tensor, ...]) -> Any:
        return state[0]


def _without_projection(options: dict[str, Any]) -> dict[str, Any]:
    if options.get("proj_size"):
        raise ConfigError("`proj_size` is only for LSTM.")
    return {k: v for k, v in options.items() if k != "proj_size"}


def _is_state(key: str) -> bool:
    return "_0_l" in key


def _names(module: Recurrent, prefix: str) -> list[tuple[str, str, str]]:
    """For each layer and direction the keys of the one bias and of torch's two."""
    return [tuple(prefix + parameter_name(n, place) for n in (SINGLE, INPUT_BIAS, RECURRENT_BIAS)) for place in module._places]  # type: ignore[misc]


def _write_torch_biases(module: _DropIn, state: dict[str, Any], prefix: str, metadata: Any) -> None:
    pairs = {single: (first, second) for single, first, second in _names(module, prefix)}
    items = list(state.items())
    state.clear()
    for key, value in items:
        if key not in pairs:
            state[key] = value
            continue
        count = len(module._gates) * module.hidden_size
        other = torch.zeros_like(value[:count])
        if module._second:
            other[-(len(value) - count) :] = value[count:]
        state.update(zip(pairs[key], (value[:count], other), strict=True))


def _read_torch_biases(module: _DropIn, state: dict[str, Any], prefix: str, *_: Any) -> None:
    for single, first, second in _names(module, prefix):
        if first in state and second in state:
            given, other = state.pop(first), state.pop(second)
            tail = len(module._second) * module.hidden_size
            own = len(other) - tail
            state[single] = torch.cat([given[:own] + other[:own], given[own:], other[own:]])
