"""A cell over time: depth, direction, lengths, initial states, dropout."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.fx import Proxy
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from unrolled.cells import Cell, find_cell
from unrolled.engines import Engine, Lengths, Problem, Solution, choose, read_lengths, run_in_segments, solve_nothing
from unrolled.engines.choice import check_engine
from unrolled.equations.linear import linear_in_states
from unrolled.equations.recurrence import RECURRENT_MAP
from unrolled.errors import ConfigError, EngineError, ShapeError
from unrolled.layers.checks import (
    Arrangement,
    are_batched,
    arrange,
    as_parameters,
    check_options,
    check_range,
    check_state,
    in_reverse,
    join_parts,
    read_resets,
)
from unrolled.layers.dropout import dropout
from unrolled.layers.parameters import NamedParameters, Place, parameter_name
from unrolled.layers.planes import AXES, read_planes, read_space
from unrolled.layers.steps import KnownSteps, Preparing, can_be_known
from unrolled.layers.stream import Stream

State = tuple[Tensor, ...]


class Recurrent(NamedParameters):
    """Any cell, run over sequences.

    Args:
        cell: a `Cell`, a built-in cell's name, or a cell file's path.
        input_size: I, the columns of the input; or the columns of each of its parts, for a cell that names them.
        hidden_size: H, the units of every state.
        num_layers: L; the output of each layer is the input of the next, or its first part in a cell that names parts: the others, such as
            times, are read by every layer as they are given.
        bidirectional: a second network reads each sequence from its end; outputs are joined, `[T, B, 2 H]`.
        batch_first: inputs and outputs are `[B, T, …]`; states are not affected.
        dropout: probability with which the outputs of all layers but the last are dropped in training.
        recurrent_dropout: the same for what the recurrent maps read, with one mask for a whole row (Gal & Ghahramani 2016).
        initial_state: `"zeros"`, or `"learned"` for parameters of that name, zero at first.
        residual: from the second layer on, a layer's input is added to its output.
        checkpoint_steps: in training, keep the states of every so many steps alone and compute the rest again on the way back: for
            sequences too long for memory, at the price of one more forward pass; with `resets` all is computed twice.
        kernel_size: makes the layer convolutional: every matrix of the cell becomes a kernel `[rows, columns, *kernel_size]`, with stride 1
            and zeros around the plane, and runs over inputs `[T, B, C, *space]`, C = input_size, with states of H channels. Odd: one
            number for planes of two dimensions, or a tuple of one, two or three. In a cell that names its convolutions, `conv(W, 3)`, it is
            the kernel of all other maps, 1 unless given; such a cell has planes of as many dimensions as `kernel_size` or `space`, else two.
        dilation: of the kernels: how far apart in the plane the places stand that they read; a number or a tuple.
        space: the size of all planes, as `(32, 32)`. Then vectors that multiply, such as peepholes, have a number for each place, `[n, *space]`
            (Shi et al. 2015, Convolutional LSTM Network), instead of one for each channel.
        bfloat16_weights: read every matrix rounded to bfloat16, which takes half the memory traffic; parameters, sums, states and gradients
            stay as they are. For float32 layers.
        engine: `"auto"`, or the name of the engine that must run; see `explain`.

    Raises `ConfigError` for a value that an option cannot have.
    """

    _may_drop_all: ClassVar[bool] = False

    def __init__(
        self,
        cell: Cell | str,
        input_size: int | Sequence[int],
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        batch_first: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        initial_state: str = "zeros",
        residual: bool = False,
        checkpoint_steps: int | None = None,
        bfloat16_weights: bool = False,
        kernel_size: int | Sequence[int] | None = None,
        dilation: int | Sequence[int] = 1,
        space: Sequence[int] | None = None,
        engine: str = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_options(
            input_size=input_size, hidden_size=hidden_size, num_layers=num_layers, bidirectional=bidirectional, batch_first=batch_first,
            dropout=dropout, recurrent_dropout=recurrent_dropout, initial_state=initial_state, residual=residual,
            checkpoint_steps=checkpoint_steps, bfloat16_weights=bfloat16_weights, may_drop_all=self._may_drop_all,
        )  # fmt: skip
        cell = find_cell(cell)
        planes = read_planes(kernel_size, dilation, space, convolves=cell.recurrence.convolves)
        super().__init__(cell, input_size, hidden_size, num_layers, bidirectional, initial_state, device, dtype, planes)
        self.batch_first, self.residual = batch_first, residual
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.checkpoint_steps, self.bfloat16_weights = checkpoint_steps, bfloat16_weights
        self.engine, self._last, self._steps = check_engine(engine), ("", ""), KnownSteps()

    def forward(
        self,
        x: Tensor | Sequence[Tensor] | PackedSequence,
        state: State | Tensor | None = None,
        *,
        lengths: Tensor | Sequence[int] | None = None,
        resets: Tensor | None = None,
        return_states: bool = False,
    ) -> Any:
        """Run over whole sequences.

        Args:
            x: `[T, B, I]`, or a tuple of such for the parts of the input that a cell names; whole numbers `[T, B]`, each standing for a
                one-hot vector; unbatched `[T, I]` or `[T]`; or a PackedSequence. For a convolutional layer `[T, B, I, *space]`, of real numbers.
            state: one `[L * D, B, n]` tensor per state of the cell, output first; None for the initial state. `[L * D, B, n, *space]` for a
                convolutional layer, as all that is returned has `n, *space` where there is `n`.
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
        if isinstance(x, Proxy):
            # torch.fx goes into all modules but torch's own; a layer is one operation, as torch's layers are.
            options = {"lengths": lengths, "resets": resets, "return_states": return_states}
            said = {name: value for name, value in options.items() if value is not None and value is not False}
            return x.tracer.create_proxy("call_module", x.tracer.path_of_module(self), (x, state), said)
        x, arrangement, packed_lengths = arrange(join_parts(x, self.cell, self.planes), self.batch_first, self.input_size, self.planes)
        if packed_lengths is not None and lengths is not None:
            raise ShapeError("`lengths` was given with a PackedSequence, which brings its own. Leave one of them out.")
        lengths = packed_lengths if packed_lengths is not None else lengths
        real = None if lengths is None else read_lengths(lengths, x.shape[0], x.shape[1], x.device)
        cuts = None if resets is None else read_resets(resets, x, arrangement)
        self._check_input(x, real)
        steps, final, history = self._run(x, self._initial(state, x, arrangement), real, cuts, return_states)
        result = arrangement.steps(steps, real.values if real else None), self._give(tuple(arrangement.state(f) for f in final))
        return (*result, tuple(arrangement.every_step(h) for h in history)) if return_states else result

    _forward: ClassVar[Callable[..., Any]] = forward

    def step(self, x_t: Tensor, state: State | Tensor | None = None) -> Any:
        """One step of a stream, in constant memory.

        `x_t` is `[B, I]`, or whole numbers `[B]`; unbatched `[I]`, or a single whole number; `[B, I, *space]` or `[I, *space]` for a
        convolutional layer. Returns `(output, state)`, the output
        `[B, H]`. Steps one after the other give what `forward` gives. Raises `ConfigError` for a bidirectional layer.
        """
        if not torch.compiler.is_compiling() and (taken := self._steps.take(self, x_t, state)) is not None:
            return taken[0], self._give(taken[1])
        if self.bidirectional:
            raise ConfigError(
                "A bidirectional layer cannot stream: its reverse direction starts at the end of the sequence. Use bidirectional=False."
            )
        x_t = join_parts(x_t, self.cell, self.planes)
        batched = are_batched(x_t, self.planes)
        time = 1 if self.batch_first and batched else 0
        y, after = self(x_t.unsqueeze(time), state)
        if batched and self.planes is None and not torch.compiler.is_compiling():
            self._prepare_steps(x_t, after)
        return y.squeeze(time), after

    def stream(self, batch: int = 1, *, space: Sequence[int] | None = None) -> Stream:
        """A stream of so many sequences side by side: an object with a state of its own, whose `step(x_t)` asks for no memory.

        A convolutional layer, which does ask for it, must know the planes of its state, as in space=(32, 32), if it does not already.
        """
        return Stream(self, batch, space)

    def __prepare_scriptable__(self) -> Any:
        """`ConfigError`: torch.jit.script reads the text of Python, and what a layer runs is made from its equations."""
        raise ConfigError(
            f"torch.jit.script cannot read {type(self).__name__}. Use torch.export.export or torch.compile; or torch.jit.trace, for one length of sequences."
        )

    def _prepare_steps(self, x_t: Tensor, state: Any) -> None:
        """After a step that has passed all checks: prepare the next of its kind, if the engine can."""
        ours = type(self).forward is type(self)._forward and "forward" not in self.__dict__
        if torch.is_grad_enabled() or not ours or not x_t.is_cpu or not can_be_known(self):
            return
        states = (state,) if isinstance(state, Tensor) else state
        x, calls, told = x_t[None], [], ("", "")
        for layer, _ in self._places:
            problem = self.problem((layer, 0), x, tuple(s[layer] for s in states), None, None, every_state=False)
            choice = choose(self.engine, problem)
            prepared = choice.engine.prepare(problem) if isinstance(choice.engine, Preparing) else None
            if prepared is None:
                return
            calls.append(prepared)
            x, told = problem.initial[0][None], (choice.engine.name, choice.why)
        self._steps.keep(self, x_t, states, calls, told)

    def explain(self) -> str:
        """Which engine runs this layer as it stands (training or not, on its device), why, and what the last call ran on."""
        some = self._like()
        linear = linear_in_states(self.cell.recurrence)
        form = f", linear in the state, {linear}" if linear else ""
        lines = [f"cell {self.cell.name!r}, {self.num_layers} x {self.hidden_size} units, input {self.input_size}{form}"]
        # A batch of nothing, for which a dropout mask draws no random numbers.
        inputs = {"dense input": some.new_zeros(1, 0, self.input_size)}
        if self.planes:
            inputs = {f"planes [{AXES[self.planes.dimensions]}]": some.new_zeros(1, 0, *(1,) * self.planes.dimensions, self.input_size)}
        else:
            inputs["whole numbers (one-hot)"] = torch.zeros(1, 0, dtype=torch.long, device=some.device)
        for title, x in inputs.items():
            problem = self.problem(
                (0, 0), x, tuple(some.new_zeros(0, *x.shape[2:-1], n) for n in self._units), None, None, every_state=False
            )
            try:
                self._check_input(x, None)
                choice = choose(self.engine, problem)
                lines.append(f"{title}: engine {choice.engine.name} ({choice.why})")
            except (ShapeError, EngineError) as error:
                lines.append(f"{title}: refused ({error})")
        name, why = self._last
        return "\n".join([*lines, f"last call: engine {name} ({why})" if name else "last call: none yet"])

    def extra_repr(self) -> str:
        """The options that differ from the defaults."""
        options = ("bidirectional", "batch_first", "dropout", "recurrent_dropout", "residual", "checkpoint_steps", "bfloat16_weights")
        said = [f"{o}={getattr(self, o)}" for o in options if getattr(self, o)]
        if self.planes:
            said.append(f"kernel_size={self.planes.kernel}, dilation={self.planes.convolutions.dilation}")
            said += [f"space={self.planes.space}"] if self.planes.space else []
        return ", ".join([self.cell.name, str(self.input_size), str(self.hidden_size), f"num_layers={self.num_layers}", *said])

    def _give(self, state: State) -> Any:
        """The state as the caller expects it."""
        return state

    def _check_input(self, x: Tensor, lengths: Lengths | None) -> None:
        weight = self._like()
        if x.device != weight.device or x.layout != torch.strided:
            raise ShapeError(
                f"`x` must be a dense tensor on {weight.device}, where the parameters are, got {x.layout} on {x.device}. "
                f"Move it with `.to({str(weight.device)!r})`."
            )
        if not x.is_floating_point():
            if self.cell.recurrence.reads_input_by_unit:
                raise ShapeError(
                    f"The cell {self.cell.name!r} reads x[t] unit by unit, so `x` must be numbers [T, B, I], got {x.dtype} for one-hot vectors."
                )
            check_range(x, lengths, self.input_size)
            return
        if x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
            raise ShapeError(f"`x` has dtype {x.dtype} but the parameters have {weight.dtype}. Convert one of them with `.to(dtype)`.")

    def _initial(self, state: Any, x: Tensor, arrangement: Arrangement) -> State:
        """Every state `[L * D, B, n]`, or `[L * D, B, *space, n]`, before the first step."""
        batch, space = x.shape[1], x.shape[2:-1]
        if state is None:
            return self._begin(batch, space)
        given = check_state(state, self.cell.states, len(self._places), batch, self._units, arrangement.batched, space)
        return tuple(arrangement.inside(s) for s in as_parameters(given, self.cell.states, self._like()))

    def begin(self, batch: int, space: Sequence[int] | None = None) -> State:
        """Every state `[L * D, B, n]` before the first step, where the caller gives none.

        Those of a convolutional layer are `[L * D, B, n, *space]`, with the layer's `space` or the one given. `ConfigError` when there is none.
        """
        states = self._begin(batch, read_space(space, self.planes))
        return tuple(s.movedim(-1, 2) for s in states) if self.planes else states

    def _begin(self, batch: int, space: Sequence[int]) -> State:
        """The same with channels last."""
        if self.initial_state == "learned":
            learned, several = self._learned_states, (1,) * (1 + len(space))
            rows = {name: torch.stack([self._stored(parameter_name(f"{name}_0", place)) for place in self._places]) for name in learned}
            counted = self._like().new_zeros(len(self._places), 1)
            begun = ((rows.get(name, counted), units) for name, units in self.state_sizes.items())
            return tuple(first.view(len(first), *several, -1).expand(-1, batch, *space, units) for first, units in begun)
        weight, values = self._like(), [self.cell.begin.get(name, 0.0) for name in self.cell.states]
        return tuple(weight.new_full((len(self._places), batch, *space, n), value) for n, value in zip(self._units, values, strict=True))

    def problem(
        self, place: Place, x: Tensor, initial: State, lengths: Lengths | None, resets: Tensor | None, *, every_state: bool
    ) -> Problem:
        """What an engine is asked to compute at one place; `initial` has its states `[B, n]`, `resets` are as for `forward`."""
        masks = None
        if self.training and self.recurrent_dropout:
            recurrence, sizes = self.cell.recurrence, self._sizes(place[0])
            widths = {sizes[p.columns] for p in recurrence.parameters if p.kind == RECURRENT_MAP and p.name not in recurrence.constant}
            rows = initial[0].detach()
            alike = (len(rows), *(1,) * (rows.dim() - 2))  # A channel is dropped in all of its plane.
            masks = {n: functional.dropout(rows.new_ones(*alike, n), self.recurrent_dropout) for n in sorted(widths)}
        if resets is not None and place[1]:
            resets = in_reverse(resets)
        convolutions = self.planes.convolutions if self.planes else None
        return Problem(
            self._plan, self._weights_at(place), x, initial, lengths, bool(place[1]), masks, every_state, resets, self.bfloat16_weights,
            convolutions,
        )  # fmt: skip

    def beside(self, below: Tensor, given: Tensor) -> Tensor:
        """What a deeper layer reads: the output `below` it, joined with all parts of the `given` input but the first, where the cell names parts."""
        parts = self.cell.recurrence.parts
        return torch.cat([below, given[..., self._sizes(0)[parts[0][1]] :]], -1) if parts else below

    def _solve(self, engine: Engine, problem: Problem) -> Solution:
        if problem.x.shape[0] == 0 or problem.x.shape[1] == 0:
            return solve_nothing(problem)
        steps = self.checkpoint_steps
        if steps is None or not torch.is_grad_enabled() or problem.x.shape[0] <= steps:
            return engine.run(problem)
        return run_in_segments(engine.run, problem, steps)

    def _run(
        self, x: Tensor, initial: State, lengths: Lengths | None, resets: Tensor | None, every_state: bool
    ) -> tuple[Tensor, State, State]:
        """All layers and directions: the last output, the final states, and the history of every state (empty unless asked for)."""
        solutions: list[Solution] = []
        outputs = self.cell.recurrence.outputs
        states = list(zip(*(s.unbind() for s in initial), strict=True))
        given = read = x
        for layer in range(self.num_layers):
            here: list[Solution] = []
            for direction in range(2 if self.bidirectional else 1):
                at = states[len(solutions) + len(here)]
                problem = self.problem((layer, direction), read, at, lengths, resets, every_state=every_state or outputs > 1)
                choice = choose(self.engine, problem)
                object.__setattr__(self, "_last", (choice.engine.name, choice.why))  # A module's own way costs ten times as much.
                here.append(self._solve(choice.engine, problem))
            parts = [steps for s in here for steps in s.steps[:outputs]]
            y = torch.cat(parts, -1) if len(parts) > 1 else parts[0]
            x = y + x if self.residual and layer else y
            if layer < self.num_layers - 1:
                x = dropout(x, self.dropout, self.training)
                read = self.beside(x, given)
            solutions += here
        # Autocast leaves some states in its own dtype; the parameters' is what the next call takes, with autocast or without.
        kind = initial[0].dtype
        together = (torch.stack(states) for states in zip(*(s.final for s in solutions), strict=True))
        final = tuple(f if f.dtype == kind else f.to(kind) for f in together)
        history = tuple(torch.stack(states) for states in zip(*(s.steps for s in solutions), strict=True)) if every_state else ()
        return x, final, history
