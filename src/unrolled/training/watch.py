"""What goes on in a network while it learns, recorded now and then: gradients, updates, gates."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from unrolled.layers import RUNAWAY, Recurrent, every_line
from unrolled.layers.parameters import parameter_name
from unrolled.models.embedding import Embedding
from unrolled.training.history import History
from unrolled.training.state import Position

SHARE = 0.03
"""The part of a run's time that recording may take where nobody says how often it is done."""

SPACING = 0.005
"""The part of the time up to then that lies between two records at least, so that those of a long run are not too many."""

ROWS, STEPS = 4, 128
"""Rows of a batch, and steps of these, whose gates are looked at."""


class Watch:
    """Looks at some of the updates of a run, and changes none of them.

    With `every` it records the first update and each so many after it. With None it records as often as costs `SHARE` of the time;
    `enabled` False records nothing. `history` is the file; a record has, beside the position, what `after_step` is given, the
    largest gradient norm since the last record and the number of clipped updates so far:

    - `gradient`, `weight`, `step`: norms of each parameter's gradient before it is clipped, of the parameter, and of what the optimiser
      changed in it.
    - `rows`: for each embedding the part of its rows that had a gradient.
    - `gates`: for each line whose last function has `ends`, the parts of its values at the lower and the upper end.
    - `states`: for each state the size of its largest value, and the part of its values that ran away.
    """

    def __init__(self, model: nn.Module, history: History, *, enabled: bool, every: int | None) -> None:
        self.history = history
        self._enabled, self._every = enabled, every
        self._parameters = dict(model.named_parameters())
        self._layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, Recurrent)}
        tables = (name for name, module in model.named_modules() if isinstance(module, Embedding))
        self._tables = [name for name in (f"{table}.weight" for table in tables) if name in self._parameters]
        self._looking, self._next, self._cost = False, 0.0, 0.0
        self._hooks: list[RemovableHandle] = []
        self._calls: dict[str, tuple[Any, ...]] = {}
        self._found: dict[str, Any] = {}
        self._before: dict[str, Tensor] = {}

    def cut(self, size: int) -> None:
        """Forget what was recorded when the file had more bytes: a resumed run goes through it again."""
        if self.history.exists():
            self.history.cut(size)

    def begin(self, updates: int) -> None:
        """An update is about to begin, after so many; what recurrent layers are called with is kept if it is to be recorded."""
        due = time.perf_counter() >= self._next if self._every is None else updates % self._every == 0
        self._looking = self._enabled and due
        if self._looking:
            self._calls = {}
            self._hooks = [layer.register_forward_pre_hook(self._keep(name), with_kwargs=True) for name, layer in self._layers.items()]

    @torch.no_grad()
    def before_step(self) -> None:
        """The gradient of the update is whole; it is not clipped yet."""
        if not self._looking:
            return
        begun = time.perf_counter()
        self._release()
        gradients = {name: p.grad for name, p in self._parameters.items() if p.grad is not None}
        self._before = {name: self._parameters[name].detach().clone() for name in gradients}
        self._found = {
            "gradient": _norms(gradients),
            "weight": _norms(self._before),
            "rows": {name: _part(gradients[name].any(-1)) for name in self._tables if name in gradients},
            **self._inside(),
        }
        self._cost = time.perf_counter() - begun

    @torch.no_grad()
    def after_step(self, at: Position, record: Mapping[str, float]) -> None:
        """The parameters are updated, and the run stands `at` a new place: adds a record, of which `record` is a part."""
        if not self._looking:
            return
        begun = time.perf_counter()
        step = _norms({name: self._parameters[name] - before for name, before in self._before.items()})
        self.history.add({**at.told(), **record, "peak": at.peak, "clipped": at.clipped, **self._found, "step": step})
        at.peak, self._before, self._looking = 0.0, {}, False
        now = time.perf_counter()
        self._next = now + max((self._cost + now - begun) / SHARE, SPACING * at.seconds)

    def _keep(self, name: str) -> Callable[..., None]:
        """A hook that keeps some rows of the first call of a layer."""

        def hook(layer: Recurrent, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
            given = {**dict(zip(("x", "state"), arguments, strict=False)), **named}
            if name not in self._calls and isinstance(given["x"], Tensor) and not layer.batch_first:
                self._calls[name] = _sample(layer, **given)

        return hook

    def _release(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _inside(self) -> dict[str, dict[str, list[float]]]:
        """The parts of every gate's values at its ends, and how large states are, in the calls that were kept."""
        gates, states = {}, {}
        for name, call in self._calls.items():
            layer, (x, state, lengths, resets) = self._layers[name], call
            ends = {e.name: getattr(e.expression, "ends", None) for e in layer.cell.recurrence.equations}
            real = slice(None) if lengths is None else torch.arange(len(x), device=x.device)[:, None] < lengths
            for lines in every_line(layer, x, state, lengths=lengths, resets=resets):
                for line, values in lines.values.items():
                    end, inside, where = ends[line], values[real], f"{name}.{parameter_name(line, lines.place)}"
                    if end is not None and inside.numel():
                        gates[where] = [_part(inside <= end[0]), _part(inside >= end[1])]
                    if line in layer.cell.states and inside.numel():
                        states[where] = [_short(float(inside.abs().max())), _part(inside.abs() > RUNAWAY)]
        return {"gates": gates, "states": states}


def _sample(
    layer: Recurrent, x: Tensor, state: Any = None, lengths: Any = None, resets: Tensor | None = None, return_states: bool = False
) -> tuple[Any, ...]:
    """The first rows and steps of what a layer is called with."""
    x = x.detach()[:STEPS, :ROWS]
    states = (state,) if isinstance(state, Tensor) else state
    return (
        x.to(next(layer.parameters()).dtype) if x.is_floating_point() else x,
        None if states is None else tuple(s.detach()[:, :ROWS] for s in states),
        None if lengths is None else torch.as_tensor(lengths, device=x.device)[:ROWS].clamp(max=STEPS),
        None if resets is None else resets[:STEPS, :ROWS],
    )


def _norms(tensors: Mapping[str, Tensor]) -> dict[str, float]:
    """The norm of each, with one wait for the device."""
    found = torch.stack(torch._foreach_norm(list(tensors.values()))).tolist() if tensors else []
    return {name: _short(norm) for name, norm in zip(tensors, found, strict=True)}


def _part(true: Tensor) -> float:
    """How much of it is true."""
    return _short(float(true.float().mean()))


def _short(value: float) -> float:
    """Four digits."""
    return float(f"{value:.4g}")
