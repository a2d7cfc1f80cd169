"""What a layer owns: the parameters of every place in a stack, by the names that the equations give them."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from math import isfinite, prod
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from unrolled.cells import Cell
from unrolled.compiler import make_plan
from unrolled.engines import WeightLayout, Weights
from unrolled.equations import Along, Fixed, Made, Parameter, Part, Spread
from unrolled.errors import ConfigError, ConfigTypeError, ShapeError
from unrolled.layers.computed import Computed
from unrolled.layers.initialise import initialise, initialise_like_torch
from unrolled.layers.made import KeptBlocks, fixed, make
from unrolled.layers.planes import Planes, factors
from unrolled.layers.sizes import part_sizes, sizes_in_layer

Place = tuple[int, int]
"""A layer and a direction: 0 forward, 1 reverse."""


class NamedParameters(nn.Module):
    """The parameters of a cell in every layer and direction, each under its name in the equations and its place: `R_f_l0`."""

    def __init__(
        self,
        cell: Cell,
        input_size: int | Sequence[int],
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
        self._given_parts = part_sizes(cell, input_size)
        self.input_size = input_size if isinstance(input_size, int) else sum(input_size)
        self.hidden_size, self.num_layers, self.planes = hidden_size, num_layers, planes
        for layer in range(num_layers):
            self._check_width(layer)
        self._plan = make_plan(cell.recurrence)
        self._places = list(itertools.product(range(num_layers), range(2 if bidirectional else 1)))
        self._units = [self._sizes(0)[cell.recurrence.size_of(s)] for s in cell.states]
        self._made = [p for p in cell.recurrence.parameters if p.made is not None]
        self._sources = sorted(frozenset[str]().union(*(p.made.names for p in self._made if p.made)))
        self._kept = KeptBlocks()
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
        if any(p.name == name for p in self.cell.recurrence.hidden):
            return self._source(name, place).detach()
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
            if any(stored not in self._parameters for stored in self._stored_names(name, place)):
                raise ConfigError(
                    f"The block {name!r} is computed from a parameter that is parametrised or pruned. Load it before that is done."
                )
            given[name] = tensor
        for gate in negative:
            if not any(name.endswith(f"_{gate}") for name in given):
                raise ConfigError(f"`negative` must name gates of what is loaded, got {gate!r}. Loaded are {', '.join(given)}.")
        weights = self._weights_at(place)
        for name, tensor in given.items():
            first, *others = self._parts(name, place, weights)
            first.copy_(-tensor if name.rpartition("_")[2] in negative else tensor)
            for other in others:
                other.zero_()

    def reset_parameters(self, scheme: str = "unrolled") -> None:
        """Initialise anew.

        `"unrolled"`: input maps uniform after Glorot & Bengio (2010), recurrent maps orthogonal (Saxe et al. 2014), vectors zero but for
        what the cell's `init` says, learned initial states zero. `"torch"`: everything uniform within 1 / sqrt(H), as torch.nn does.
        Of a kernel the input map's bound counts all places that it reads, the recurrent map is orthogonal as `[rows, columns * places]`,
        and H is multiplied by the places of the largest kernel.
        """
        if scheme not in ("unrolled", "torch"):
            raise ConfigError(f"There is no scheme {scheme!r}. Choose 'unrolled' or 'torch'.")
        with torch.no_grad():
            if scheme == "torch":
                self._initialise_like_torch()
            else:
                for place in self._places:
                    weights = self._weights_at(place)
                    initialise({p.name: self._parts(p.name, place, weights) for p in self.cell.recurrence.learned}, self.cell)
            for name, place in itertools.product(self._learned_states, self._places):
                self.get_parameter(parameter_name(f"{name}_0", place)).fill_(self.cell.begin.get(name, 0.0))

    def _apply(self, fn: Any, recurse: bool = True) -> "NamedParameters":
        super()._apply(fn, recurse)
        self._nothing = fn(self._nothing)
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._plan = make_plan(self.cell.recurrence)

    def _initialise_like_torch(self) -> None:
        for place in self._places:
            weights, units = self._weights_at(place), self.hidden_size * self._places_read()
            learned = [t for p in self.cell.recurrence.learned for t in self._parts(p.name, place, weights)]
            initialise_like_torch(learned if self._made else weights.stored, units)

    def _kernel(self, parameter: Parameter) -> tuple[int, ...]:
        """The places that a matrix reads in each dimension of a plane; none of a vector, or where there are no planes."""
        return self.planes.kernel_of(parameter.form) if self.planes and parameter.is_matrix else ()

    def _places_read(self) -> int:
        return max((prod(self._kernel(p)) for p in self.cell.recurrence.learned), default=1)

    def _blocks(self) -> dict[str, tuple[str, ...]]:
        """Which stored parameter holds which named blocks, see `WeightLayout`; here each block is stored under its own name."""
        return {p.name: (p.name,) for p in self.cell.recurrence.parameters}

    def _unit_sizes(self) -> dict[str, int]:
        """The number of units that each size label of the recurrence stands for, where the cell does not say it."""
        return dict.fromkeys(self.cell.recurrence.labels, self.hidden_size)

    def _sizes(self, layer: int) -> dict[str, int]:
        """The number of units of every label, with the layer's input, whose label is `"x"`."""
        width, parts = self.input_size, self._given_parts
        if layer:
            first = self._sizes(0)
            others = [first[label] for _, label in self.cell.recurrence.parts[1:]]
            width = self.output_size + sum(others)
            parts = (self.output_size, *others) if self.cell.recurrence.parts else ()
        return sizes_in_layer(self.cell, {**self._unit_sizes(), "x": width}, self.hidden_size, parts)

    @property
    def output_size(self) -> int:
        """The columns of the output: the units of the output state, or of all of them, in both directions if there are two."""
        recurrence, sizes = self.cell.recurrence, self._sizes(0)
        return (2 if self.bidirectional else 1) * sum(sizes[recurrence.size_of(s)] for s in recurrence.states[: recurrence.outputs])

    @property
    def _learned_states(self) -> tuple[str, ...]:
        """The states whose beginning is learnt; steps are counted from 0."""
        counted = self.cell.recurrence.counters
        return tuple(s for s in self.cell.states if s not in counted) if self.initial_state == "learned" else ()

    @property
    def state_sizes(self) -> dict[str, int]:
        """The units of each state of the cell, in order, the output state first."""
        return dict(zip(self.cell.states, self._units, strict=True))

    def _register(self, place: Place, options: dict[str, Any]) -> None:
        """Create the parameters of one layer and direction, uninitialised."""
        sizes = self._sizes(place[0])
        rows = self._layouts[place].rows
        recurrence = self.cell.recurrence
        space = self.planes.space if self.planes else ()
        on_plane = factors(recurrence) if space else ()
        for stored, blocks in self._blocks().items():
            first = recurrence.parameter(blocks[0])
            if first.made is not None:
                continue
            others = (sizes[first.columns], *self._kernel(first)) if first.is_matrix else space if first.name in on_plane else ()
            shape = (sum(rows[b] for b in blocks), *others)
            self.register_parameter(parameter_name(stored, place), nn.Parameter(torch.empty(shape, **options)))
        for p in (p for p in recurrence.hidden if p.made is None):
            inner = tuple(self._divided(p, sizes[label]) for label in (p.rows, p.columns) if label)
            shape = (*((p.form.blocks,) if p.form.blocks > 1 else ()), *inner, *self._kernel(p))
            self.register_parameter(parameter_name(p.name, place), nn.Parameter(torch.empty(shape, **options)))
        for p in (p for p in (*recurrence.parameters, *recurrence.hidden) if isinstance(p.made, (Fixed, Part))):
            self.register_buffer(_buffer_name(p.name, place), self._fixed(p, sizes), persistent=False)
        for name in self._learned_states:
            units = self.state_sizes[name]
            if not isfinite(self.cell.begin.get(name, 0.0)):
                raise ConfigError(
                    f"The state {name!r} of the cell {self.cell.name!r} begins with {self.cell.begin[name]}, from which nothing can be learnt. "
                    "Use initial_state='zeros'."
                )
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
        layout = self._layouts[place]
        if not self._made:
            return Weights(layout, [self._stored(name) for name in self._names[place]])
        sources = [self._source(name, place) for name in self._sources]
        made = self._kept.get(place, sources, lambda: {p.name: self._block_of(p, place, layout.rows[p.name]) for p in self._made})
        names = zip(layout.blocks, self._names[place], strict=True)
        return Weights(layout, [made[block] if block in made else self._stored(stored) for block, stored in names])

    def _block_of(self, parameter: Parameter, place: Place, rows: int) -> Tensor:
        """A block that is fixed, or made of others. A map along a matrix is known without its numbers."""
        match parameter.made:
            case Along():
                return self._nothing.new_empty(0, self._sizes(place[0])[parameter.columns])
            case Spread(scalar):
                return self._source(scalar, place).expand(rows)
            case Made() as made:
                return make(made, lambda name: self._source(name, place))
        return self._source(parameter.name, place)

    def _source(self, name: str, place: Place) -> Tensor:
        """A block that is learnt or fixed."""
        own = self._buffers.get(_buffer_name(name, place))
        return self._stored(parameter_name(name, place)) if own is None else own

    def _parts(self, name: str, place: Place, weights: Weights) -> list[Tensor]:
        """Where a learnt block lies: in one tensor, or two, of which it is the sum."""
        return weights.parts(name) if name in weights.layout.rows else [self._source(name, place)]

    def _stored_names(self, name: str, place: Place) -> list[str]:
        places = self._layouts[place].places
        return [self._names[place][number] for number, _ in places[name]] if name in places else [parameter_name(name, place)]

    def _fixed(self, parameter: Parameter, sizes: Mapping[str, int]) -> Tensor:
        recurrence = self.cell.recurrence
        rows, columns = sizes[parameter.rows], sizes[parameter.columns] if parameter.is_matrix else None
        if isinstance(parameter.made, Fixed):
            return fixed(f"`fixed.{parameter.name}` of cell {self.cell.name!r}", parameter.made.how, rows, columns, self._nothing)
        assert isinstance(parameter.made, Part)
        names = [name for name, _ in recurrence.parts]
        above = sum(sizes[label] for _, label in recurrence.parts[: names.index(parameter.made.name)])
        return torch.eye(sizes["x"], dtype=self._nothing.dtype, device=self._nothing.device)[above : above + rows].contiguous()

    def _divided(self, parameter: Parameter, size: int) -> int:
        blocks = parameter.form.blocks
        if size % blocks:
            raise ConfigError(
                f"The cell {self.cell.name!r} reads {parameter.name!r} in {blocks} blocks, which must divide its sizes, got {size}. "
                f"Choose a multiple of {blocks}."
            )
        return size // blocks

    def _check_width(self, layer: int) -> None:
        recurrence = self.cell.recurrence
        try:
            sizes = self._sizes(layer)
        except ConfigError as error:
            told = "A deeper layer reads the output of the one below as the first part of its input, and the others as they are given. "
            raise ConfigError(f"{error} {told}Use num_layers=1.") if layer and recurrence.parts else error from None
        width = sizes["x"]
        if recurrence.size_of(recurrence.output) == "x" and width != self.hidden_size:
            raise ConfigError(
                f"The cell {self.cell.name!r} reads x[t] unit by unit, so the input of layer {layer} must have hidden_size = {self.hidden_size} columns, got {width}."
            )
        if layer and any(sizes[recurrence.size_of(s)] != self._sizes(0)[recurrence.size_of(s)] for s in self.cell.states):
            raise ConfigError(
                f"The cell {self.cell.name!r} keeps x[t] as a state, so the inputs of all layers must have as many columns, got {self.input_size} and {width} in layer {layer}. "
                "Use one layer, or as many units as inputs."
            )


def _buffer_name(block: str, place: Place) -> str:
    return parameter_name(f"fixed {block.replace('.', ' ')}", place)


def parameter_name(stored: str, place: Place) -> str:
    """A stored parameter's attribute name, with torch.nn's suffixes: `_l0`, `_l1_reverse`."""
    layer, direction = place
    return f"{stored}_l{layer}{'_reverse' if direction else ''}"
