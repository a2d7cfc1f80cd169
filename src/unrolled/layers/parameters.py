"""What a layer owns: the parameters of every place in a stack, by the names that the equations give them."""

import itertools
from collections.abc import Collection, Mapping
from math import prod
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from unrolled.cells import Cell
from unrolled.compiler import make_plan
from unrolled.engines import WeightLayout, Weights
from unrolled.errors import ConfigError, ConfigTypeError, ShapeError
from unrolled.layers.computed import Computed
from unrolled.layers.initialise import initialise, initialise_like_torch
from unrolled.layers.planes import Planes, factors

Place = tuple[int, int]
"""A layer and a direction: 0 forward, 1 reverse."""


class NamedParameters(nn.Module):
    """The parameters of a cell in every layer and direction, each under its name in the equations and its place: `R_f_l0`."""

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        initial_state: str,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
        planes: Planes | None = None,
    ) -> None:
        super().__init__()
        if dtype is not None and not isinstance(dtype, torch.dtype):
            raise ConfigTypeError(f"`dtype` must be a type of torch's, such as torch.float32, got {dtype!r}.")
        if dtype is not None and not dtype.is_floating_point:
            raise ConfigError(f"`dtype` must be a floating-point type, got {dtype}.")
        # A cell without parameters has a dtype and a device too. It is no buffer, as those belong to what a layer has learnt.
        self._nothing = torch.empty(0, device=device, dtype=dtype)
        self.cell, self.bidirectional, self.initial_state = cell, bidirectional, initial_state
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.planes = planes
        for layer in range(num_layers):
            self._check_width(layer)
        self._plan = make_plan(cell.recurrence)
        self._places = list(itertools.product(range(num_layers), range(2 if bidirectional else 1)))
        self._units = [self._sizes(0)[cell.recurrence.size_of(s)] for s in cell.states]
        self._names = {place: [parameter_name(stored, place) for stored in self._blocks()] for place in self._places}
        self._layouts = {
            place: WeightLayout(self._blocks(), {p.name: self._sizes(place[0])[p.rows] for p in cell.recurrence.parameters})
            for place in self._places
        }
        for place in self._places:
            self._register(place, {"device": device, "dtype": dtype})
        self.reset_parameters()

    @property
    def places(self) -> tuple[Place, ...]:
        """Every layer and direction, in the order in which states have them."""
        return tuple(self._places)

    def block(self, name: str, layer: int = 0, reverse: bool = False) -> Tensor:
        """One named block of parameters, as in the equations: `block("R_f")` is the forget gate's recurrent map `[H, H]`.

        It is a view without a gradient: reading shows the present values, writing changes the parameter. A block that is computed (a sum
        of two biases, or of a parameter that is parametrised or pruned) can be read alone: to write to it in place is a `ConfigError`.
        """
        place = layer, int(reverse)
        if place not in self._layouts:
            raise ConfigError(
                f"There is no layer {layer}{' in reverse' if reverse else ''}: {self.num_layers} layers, bidirectional={self.bidirectional}."
            )
        places = self._layouts[place].places
        if not places.get(name):
            known = ", ".join(block for block, found in places.items() if found)
            raise ConfigError(f"The cell {self.cell.name!r} has no stored block {name!r}. It has {known}.")
        stored = [self._names[place][number] for number, _ in places[name]]
        value = self._weights_at(place).block(name).detach()
        if len(stored) == 1 and stored[0] in self._parameters:
            return value
        return Computed.of(value, f"The block {name!r} is computed from {' and '.join(map(repr, stored))}")

    @torch.no_grad()
    def load_blocks(
        self, blocks: Mapping[str, ArrayLike], layer: int = 0, reverse: bool = False, *, negative: Collection[str] = ()
    ) -> None:
        """Bring weights over by their names in the equations, as arrays or tensors: `{"W_u": [H, I], "R_u": [H, H], "b_u": [H], …}`.

        Gates in `negative` enter with their sign turned, blocks `W_u`, `R_u` and `b_u` of gate `u`: another toolkit's gate may keep what this
        one's lets in, and sigmoid(-a) is 1 - sigmoid(a). So does the update gate of ONNX's and Keras' GRU beside `u` of `gru-reset-before`.
        Where torch has two biases the first has all of it. Raises `ConfigError` for a name or gate that there is not, a block that is computed
        otherwise, and `ShapeError` for a shape that does not fit; then nothing is changed.
        """
        place, given = (layer, int(reverse)), dict[str, Tensor]()
        for name, value in blocks.items():
            block, tensor = self.block(name, layer, reverse), torch.as_tensor(value)
            if tensor.shape != block.shape:
                raise ShapeError(f"The block {name!r} must have shape {list(block.shape)}, got {list(tensor.shape)}. Transpose or cut it.")
            if any(self._names[place][number] not in self._parameters for number, _ in self._layouts[place].places[name]):
                raise ConfigError(
                    f"The block {name!r} is computed from a parameter that is parametrised or pruned. Load it before that is done."
                )
            given[name] = tensor
        for gate in negative:
            if not any(name.endswith(f"_{gate}") for name in given):
                raise ConfigError(f"`negative` must name gates of what is loaded, got {gate!r}. Loaded are {', '.join(given)}.")
        weights = self._weights_at(place)
        for name, tensor in given.items():
            first, *others = weights.parts(name)
            first.copy_(-tensor if name.rpartition("_")[2] in negative else tensor)
            for other in others:
                other.zero_()

    def reset_parameters(self, scheme: str = "unrolled") -> None:
        """Initialise anew.

        `"unrolled"`: input maps uniform after Glorot & Bengio (2010), recurrent maps orthogonal (Saxe et al. 2014), vectors zero but for
        what the cell's `init` says, learned initial states zero. `"torch"`: everything uniform within 1 / sqrt(H), as torch.nn does.
        Of a kernel the input map's bound counts all places that it reads, the recurrent map is orthogonal as `[rows, columns * places]`,
        and H is multiplied by the places.
        """
        if scheme not in ("unrolled", "torch"):
            raise ConfigError(f"There is no scheme {scheme!r}. Choose 'unrolled' or 'torch'.")
        with torch.no_grad():
            if scheme == "torch":
                self._initialise_like_torch()
            else:
                for place in self._places:
                    initialise(self._weights_at(place), self.cell)
            for name, place in itertools.product(self.cell.states if self.initial_state == "learned" else (), self._places):
                self.get_parameter(parameter_name(f"{name}_0", place)).zero_()

    def _apply(self, fn: Any, recurse: bool = True) -> "NamedParameters":
        super()._apply(fn, recurse)
        self._nothing = fn(self._nothing)
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._plan = make_plan(self.cell.recurrence)

    def _initialise_like_torch(self) -> None:
        for place in self._places:
            initialise_like_torch(self._weights_at(place), self.hidden_size * prod(self.planes.convolutions.kernel if self.planes else ()))

    def _blocks(self) -> dict[str, tuple[str, ...]]:
        """Which stored parameter holds which named blocks, see `WeightLayout`; here each block is stored under its own name."""
        return {p.name: (p.name,) for p in self.cell.recurrence.parameters}

    def _unit_sizes(self) -> dict[str, int]:
        """The number of units that each size label of the recurrence stands for."""
        return dict.fromkeys(self.cell.recurrence.labels, self.hidden_size)

    def _sizes(self, layer: int) -> dict[str, int]:
        """The same with the layer's input, whose label is `"x"`."""
        return {**self._unit_sizes(), "x": self.input_size if layer == 0 else self.output_size}

    @property
    def output_size(self) -> int:
        """The columns of the output: the output state's units, in both directions if there are two."""
        sizes = self._unit_sizes()
        return (2 if self.bidirectional else 1) * sizes[self.cell.recurrence.size_of(self.cell.recurrence.output)]

    @property
    def state_sizes(self) -> dict[str, int]:
        """The units of each state of the cell, in order, the output state first."""
        return dict(zip(self.cell.states, self._units, strict=True))

    def _register(self, place: Place, options: dict[str, Any]) -> None:
        """Create the parameters of one layer and direction, uninitialised."""
        sizes = self._sizes(place[0])
        rows = self._layouts[place].rows
        kernel, space = (self.planes.convolutions.kernel, self.planes.space) if self.planes else ((), ())
        on_plane = factors(self.cell.recurrence) if space else ()
        for stored, blocks in self._blocks().items():
            first = self.cell.recurrence.parameter(blocks[0])
            others = (sizes[first.columns], *kernel) if first.is_matrix else space if first.name in on_plane else ()
            shape = (sum(rows[b] for b in blocks), *others)
            self.register_parameter(parameter_name(stored, place), nn.Parameter(torch.empty(shape, **options)))
        for name, units in zip(self.cell.states, self._units, strict=True) if self.initial_state == "learned" else ():
            if f"{name}_0" in self._blocks():
                raise ConfigError(
                    f"The cell {self.cell.name!r} has a vector {f'{name}_0'!r}, which is what the learned initial state of {name!r} is called. "
                    "Give the vector another name, or use initial_state='zeros'."
                )
            self.register_parameter(parameter_name(f"{name}_0", place), nn.Parameter(torch.empty(units, **options)))

    def _like(self) -> Tensor:
        """A tensor with the layer's dtype and device."""
        own = next(iter(self._parameters.values()), None)
        return next(self.parameters(), self._nothing) if own is None else own

    def _stored(self, name: str) -> Tensor:
        """A parameter as it stands. Most are in torch's own dict, which is fast; one that is computed (parametrised, pruned) is not."""
        own = self._parameters.get(name)
        return getattr(self, name) if own is None else own

    def _weights_at(self, place: Place) -> Weights:
        return Weights(self._layouts[place], [self._stored(name) for name in self._names[place]])

    def _check_width(self, layer: int) -> None:
        width = self._sizes(layer)["x"]
        if "x" in self.cell.recurrence.labels and width != self.hidden_size:
            raise ConfigError(
                f"The cell {self.cell.name!r} reads x[t] unit by unit, so the input of layer {layer} must have hidden_size = {self.hidden_size} columns, got {width}."
            )


def parameter_name(stored: str, place: Place) -> str:
    """A stored parameter's attribute name, with torch.nn's suffixes: `_l0`, `_l1_reverse`."""
    layer, direction = place
    return f"{stored}_l{layer}{'_reverse' if direction else ''}"
