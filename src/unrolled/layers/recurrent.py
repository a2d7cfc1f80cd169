"""A cell over time: depth, direction, lengths, initial states, dropout."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from unrolled.cells import Cell, find_cell
from unrolled.compiler import make_plan
from unrolled.engines import Layout, Lengths, Problem, Solution, Weights, choose, lay_together, read_lengths, stacks
from unrolled.engines.choice import check_engine
from unrolled.equations.recurrence import RECURRENT_MAP
from unrolled.errors import ConfigError, EngineError, ShapeError
from unrolled.layers.checks import Arrangement, arrange, as_parameters, check_options, check_range, check_state, in_reverse, read_resets
from unrolled.layers.initialise import initialise, initialise_like_torch

State = tuple[Tensor, ...]
Place = tuple[int, int]
"""A layer and a direction: 0 forward, 1 reverse."""


class Recurrent(nn.Module):
    """Any cell, run over sequences.

    Args:
        cell: a `Cell`, a built-in cell's name, or a cell file's path.
        input_size: I, the columns of the input.
        hidden_size: H, the units of every state.
        num_layers: L; the output of each layer is the input of the next.
        bidirectional: a second network reads each sequence from its end; outputs are joined, `[T, B, 2 H]`.
        batch_first: inputs and outputs are `[B, T, …]`; states are not affected.
        dropout: probability with which the outputs of all layers but the last are dropped in training.
        recurrent_dropout: the same for what the recurrent maps read, with one mask for a whole row (Gal & Ghahramani 2016).
        initial_state: `"zeros"`, or `"learned"` for parameters of that name, zero at first.
        residual: from the second layer on, a layer's input is added to its output.
        engine: `"auto"`, or the name of the engine that must run; see `explain`.

    Raises `ConfigError` for a value that an option cannot have.
    """

    _empty: Tensor

    def __init__(
        self,
        cell: Cell | str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        batch_first: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        initial_state: str = "zeros",
        residual: bool = False,
        engine: str = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if dtype is not None and not dtype.is_floating_point:
            raise ConfigError(f"`dtype` must be a floating-point type, got {dtype}.")
        # A cell without parameters has a dtype and a device too.
        self.register_buffer("_empty", torch.empty(0, device=device, dtype=dtype), persistent=False)
        self.cell = find_cell(cell)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bidirectional, self.batch_first, self.residual = bidirectional, batch_first, residual
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.initial_state, self.engine = initial_state, check_engine(engine)
        check_options(vars(self))
        for layer in range(num_layers):
            self._check_width(layer)
        self._plan = make_plan(self.cell.recurrence)
        self._last = ""
        self._weights = {
            place: Weights(self._layout(), {p.name: self._sizes(place[0])[p.rows] for p in self.cell.recurrence.parameters})
            for place in self._places()
        }
        for place in self._places():
            self._register(place, {"device": device, "dtype": dtype})
        self._lay_together()
        self.reset_parameters()

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: State | Tensor | None = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        resets: Tensor | None = None,
        return_states: bool = False,
    ) -> Any:
        """Run over whole sequences.

        Args:
            x: `[T, B, I]`; whole numbers `[T, B]`, each standing for a one-hot vector; unbatched `[T, I]` or `[T]`; or a PackedSequence.
            state: one `[L * D, B, n]` tensor per state of the cell, output first; None for the initial state.
            lengths: `[B]`, the number of real steps of each sequence, from 0 to T, on any device, in any order.
            resets: boolean `[T, B]`, true at each step at which a new sequence begins in a row that holds several, one after the other.
                Every layer's states are set back to the initial ones there, between the same two steps in both directions, so that the
                row gives what its sequences give one by one. At step 0 and past a row's end they do nothing.
            return_states: also give every state of every layer at every step.

        Returns:
            `(output, state)`: the last layer's output `[T, B, D * H]`, 0 past each end, and the states after the last real step. A
            sequence of length 0 gives its initial state back. With `return_states` a third item: for each state `[L * D, T, B, n]`.

        Raises `ShapeError` for a shape, dtype or length that does not fit; `EngineError` if the engine that was named cannot run this.
        """
        x, arrangement, packed_lengths = arrange(x, self.batch_first, self.input_size)
        if packed_lengths is not None and lengths is not None:
            raise ShapeError("`lengths` was given with a PackedSequence, which brings its own. Leave one of them out.")
        lengths = packed_lengths if packed_lengths is not None else lengths
        real = None if lengths is None else read_lengths(lengths, x.shape[0], x.shape[1], x.device)
        cuts = None if resets is None else read_resets(resets, x, arrangement)
        self._check_input(x, real)
        steps, final, history = self._run(x, self._initial(state, x, arrangement), real, cuts, return_states)
        result = arrangement.steps(steps, real.values if real else None), self._give(tuple(arrangement.state(f) for f in final))
        return (*result, tuple(arrangement.every_step(h) for h in history)) if return_states else result

    def step(self, x_t: Tensor, state: State | Tensor | None = None) -> Any:
        """One step of a stream, in constant memory.

        `x_t` is `[B, I]`, or whole numbers `[B]`; unbatched `[I]`, or a single whole number. Returns `(output, state)`, the output
        `[B, H]`. Steps one after the other give what `forward` gives. Raises `ConfigError` for a bidirectional layer.
        """
        if self.bidirectional:
            raise ConfigError(
                "A bidirectional layer cannot stream: its reverse direction starts at the end of the sequence. Use bidirectional=False."
            )
        if not isinstance(x_t, Tensor) or x_t.dim() - x_t.is_floating_point() not in (0, 1):
            got = list(x_t.shape) if isinstance(x_t, Tensor) else type(x_t).__name__
            raise ShapeError(f"`x_t` must be one step: a tensor [B, I], or whole numbers [B]; unbatched [I] or []. Got {got}.")
        time = 1 if self.batch_first and x_t.dim() > x_t.is_floating_point() else 0
        y, state = self(x_t.unsqueeze(time), state)
        return y.squeeze(time), state

    def block(self, name: str, layer: int = 0, reverse: bool = False) -> Tensor:
        """One named block of parameters, as in the equations: `block("R_f")` is the forget gate's recurrent map `[H, H]`.

        It is a view without a gradient: reading shows the present values, writing changes the parameter.
        """
        if (layer, int(reverse)) not in self._weights:
            raise ConfigError(
                f"There is no layer {layer}{' in reverse' if reverse else ''}: {self.num_layers} layers, bidirectional={self.bidirectional}."
            )
        known = [block for blocks in self._layout().values() for block in blocks]
        if name not in known:
            raise ConfigError(f"The cell {self.cell.name!r} has no stored block {name!r}. It has {', '.join(known)}.")
        return self._weights_at((layer, int(reverse))).block(name).detach()

    def explain(self) -> str:
        """Which engine runs this layer as it stands (training or not, on its device), why, and what the last call ran on."""
        some = self._like()
        lines = [f"cell {self.cell.name!r}, {self.num_layers} x {self.hidden_size} units, input {self.input_size}"]
        for title, x in (
            ("dense input", some.new_zeros(1, 0, self.input_size)),
            ("whole numbers (one-hot)", torch.zeros(1, 0, dtype=torch.long, device=some.device)),
        ):
            # A batch of nothing, for which a dropout mask draws no random numbers.
            problem = self._problem((0, 0), x, tuple(some.new_zeros(0, n) for n in self._units()), None, None, every_state=False)
            try:
                self._check_input(x, None)
                choice = choose(self.engine, problem)
                lines.append(f"{title}: engine {choice.engine.name} ({choice.why})")
            except (ShapeError, EngineError) as error:
                lines.append(f"{title}: refused ({error})")
        return "\n".join([*lines, f"last call: {self._last or 'none yet'}"])

    def reset_parameters(self, scheme: str = "unrolled") -> None:
        """Initialise anew.

        `"unrolled"`: input maps uniform after Glorot & Bengio (2010), recurrent maps orthogonal (Saxe et al. 2014), vectors zero but for
        what the cell's `init` says, learned initial states zero. `"torch"`: everything uniform within 1 / sqrt(H), as torch.nn does.
        """
        if scheme not in ("unrolled", "torch"):
            raise ConfigError(f"There is no scheme {scheme!r}. Choose 'unrolled' or 'torch'.")
        with torch.no_grad():
            if scheme == "torch":
                self._initialise_like_torch()
            else:
                for place in self._places():
                    initialise(self._weights_at(place), self._layout(), self.cell)
            for name, place in itertools.product(self.cell.states if self.initial_state == "learned" else (), self._places()):
                self.get_parameter(parameter_name(f"{name}_0", place)).zero_()

    def _apply(self, fn: Any, recurse: bool = True) -> "Recurrent":
        kind = self._like().dtype, self._like().device
        super()._apply(fn, recurse)
        if kind != (self._like().dtype, self._like().device):
            self._lay_together()
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._lay_together()

    def extra_repr(self) -> str:
        """The options that differ from the defaults."""
        options = ("bidirectional", "batch_first", "dropout", "recurrent_dropout", "residual")
        said = [f"{o}={getattr(self, o)}" for o in options if getattr(self, o)]
        return ", ".join([self.cell.name, str(self.input_size), str(self.hidden_size), f"num_layers={self.num_layers}", *said])

    def _initialise_like_torch(self) -> None:
        for place in self._places():
            initialise_like_torch(self._weights_at(place), self._layout(), self.hidden_size)

    def _lay_together(self) -> None:
        """What engines read as one matrix lies together in memory, so that a step of a stream copies no weights."""
        for names, place in itertools.product(stacks(self._plan), self._places()):
            keys = [parameter_name(name, place) for name in names]
            if len(keys) > 1 and all(self._parameters.get(key) is not None for key in keys):
                lay_together([self.get_parameter(key) for key in keys])

    def _layout(self) -> Layout:
        """Which stored parameter holds which named blocks; here each block is stored under its own name."""
        return {p.name: (p.name,) for p in self.cell.recurrence.parameters}

    def _give(self, state: State) -> Any:
        """The state as the caller expects it."""
        return state

    def _unit_sizes(self) -> dict[str, int]:
        """The number of units that each size label of the recurrence stands for."""
        return dict.fromkeys(self.cell.recurrence.labels, self.hidden_size)

    def _sizes(self, layer: int) -> dict[str, int]:
        """The same with the layer's input, whose label is `"x"`."""
        return {**self._unit_sizes(), "x": self.input_size if layer == 0 else self._output_size()}

    def _units(self) -> list[int]:
        """The number of units of each state."""
        sizes = self._sizes(0)
        return [sizes[self.cell.recurrence.size_of(s)] for s in self.cell.states]

    def _output_size(self) -> int:
        sizes = self._unit_sizes()
        return (2 if self.bidirectional else 1) * sizes[self.cell.recurrence.size_of(self.cell.recurrence.output)]

    def _places(self) -> Iterator[Place]:
        return ((layer, direction) for layer in range(self.num_layers) for direction in range(2 if self.bidirectional else 1))

    def _register(self, place: Place, options: dict[str, Any]) -> None:
        """Create the parameters of one layer and direction, uninitialised."""
        sizes = self._sizes(place[0])
        rows = self._weights[place].rows
        for stored, blocks in self._layout().items():
            first = self.cell.recurrence.parameter(blocks[0])
            shape = (sum(rows[b] for b in blocks), *((sizes[first.columns],) if first.is_matrix else ()))
            self.register_parameter(parameter_name(stored, place), nn.Parameter(torch.empty(shape, **options)))
        for name, units in zip(self.cell.states, self._units(), strict=True) if self.initial_state == "learned" else ():
            self.register_parameter(parameter_name(f"{name}_0", place), nn.Parameter(torch.empty(units, **options)))

    def _like(self) -> Tensor:
        """A tensor with the layer's dtype and device."""
        return next(self.parameters(), self._empty)

    def _weights_at(self, place: Place) -> Weights:
        return self._weights[place].using({stored: getattr(self, parameter_name(stored, place)) for stored in self._layout()})

    def _check_width(self, layer: int) -> None:
        width = self._sizes(layer)["x"]
        if "x" in self.cell.recurrence.labels and width != self.hidden_size:
            raise ConfigError(
                f"The cell {self.cell.name!r} reads x[t] unit by unit, so the input of layer {layer} must have hidden_size = {self.hidden_size} columns, got {width}."
            )

    def _check_input(self, x: Tensor, lengths: Lengths | None) -> None:
        if not x.is_floating_point():
            if self.cell.recurrence.reads_input_by_unit:
                raise ShapeError(
                    f"The cell {self.cell.name!r} reads x[t] unit by unit, so `x` must be numbers [T, B, I], got {x.dtype} for one-hot vectors."
                )
            check_range(x, lengths, self.input_size)
            return
        weight = self._like()
        if x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
            raise ShapeError(f"`x` has dtype {x.dtype} but the parameters have {weight.dtype}. Convert one of them with `.to(dtype)`.")

    def _initial(self, state: Any, x: Tensor, arrangement: Arrangement) -> State:
        """Every state `[L * D, B, n]` before the first step."""
        places, batch = list(self._places()), x.shape[1]
        if state is not None:
            given = check_state(state, self.cell.states, len(places), batch, self._units(), arrangement.batched)
            return as_parameters(given, self.cell.states, self._like())
        if self.initial_state == "learned":
            learned = ([getattr(self, parameter_name(f"{name}_0", place)) for place in places] for name in self.cell.states)
            return tuple(torch.stack(list[Tensor](rows))[:, None].expand(-1, batch, -1) for rows in learned)
        weight = self._like()
        return tuple(weight.new_zeros(len(places), batch, units) for units in self._units())

    def _problem(
        self, place: Place, x: Tensor, initial: State, lengths: Lengths | None, resets: Tensor | None, *, every_state: bool
    ) -> Problem:
        masks = None
        if self.training and self.recurrent_dropout:
            sizes = self._unit_sizes()
            widths = {sizes[p.columns] for p in self.cell.recurrence.parameters if p.kind == RECURRENT_MAP}
            rows = initial[0].detach()
            masks = {n: functional.dropout(rows.new_ones(len(rows), n), self.recurrent_dropout) for n in sorted(widths)}
        if resets is not None and place[1]:
            resets = in_reverse(resets)
        return Problem(self._plan, self._weights_at(place), x, initial, lengths, bool(place[1]), masks, every_state, resets)

    def _run(
        self, x: Tensor, initial: State, lengths: Lengths | None, resets: Tensor | None, every_state: bool
    ) -> tuple[Tensor, State, State]:
        """All layers and directions: the last output, the final states, and the history of every state (empty unless asked for)."""
        solutions: list[Solution] = []
        for layer in range(self.num_layers):
            here: list[Solution] = []
            for direction in range(2 if self.bidirectional else 1):
                at = tuple(s[len(solutions) + len(here)] for s in initial)
                problem = self._problem((layer, direction), x, at, lengths, resets, every_state=every_state)
                choice = choose(self.engine, problem)
                self._last = f"engine {choice.engine.name} ({choice.why})"
                here.append(choice.engine.run(problem))
            y = torch.cat([s.steps[0] for s in here], -1) if self.bidirectional else here[0].steps[0]
            x = y + x if self.residual and layer else y
            if layer < self.num_layers - 1:
                x = functional.dropout(x, self.dropout, self.training)
            solutions += here
        # Autocast leaves some states in its own dtype; the parameters' is what the next call takes, with autocast or without.
        final = tuple(torch.stack(states).to(initial[0].dtype) for states in zip(*(s.final for s in solutions), strict=True))
        history = tuple(torch.stack(states) for states in zip(*(s.steps for s in solutions), strict=True)) if every_state else ()
        return x, final, history


def parameter_name(stored: str, place: Place) -> str:
    """A stored parameter's attribute name, with torch.nn's suffixes: `_l0`, `_l1_reverse`."""
    layer, direction = place
    return f"{stored}_l{layer}{'_reverse' if direction else ''}"
