"""How much each earlier input still moves the state, and the output."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.inspect.influence import Features, influence, plan_passes
from unrolled.inspect.subject import Input, Looked, SomeLengths, Subject, read_subject
from unrolled.inspect.wording import percent

MOST_STEPS = 100
"""Up to so many steps are looked at without being chosen."""


@dataclass(frozen=True, eq=False)
class Memory:
    """Frobenius norms of exact Jacobians with respect to every input x[s].

    `at` `[A, B]` are the steps t that were chosen in each sequence, -1 where it has no such step. `state` `[A, T, B]` is ‖∂h[t]/∂x[s]‖, and
    `output` the same for the scores of a model, None where there are none; of a classifier, which gives one output for each sequence, it is
    `[1, T, B]`. `lengths` `[B]`. `sampled` says what was left out or estimated, and is empty where nothing was.
    """

    at: np.ndarray
    state: np.ndarray
    output: np.ndarray | None
    lengths: np.ndarray
    sampled: str = ""

    @property
    def share(self) -> np.ndarray:
        """`state`, so that it adds up to 1 over s; 0 where nothing is remembered."""
        return _shares(self.state)

    @property
    def output_share(self) -> np.ndarray | None:
        """`output`, so that it adds up to 1 over s."""
        return None if self.output is None else _shares(self.output)

    @property
    def summary(self) -> str:
        """What the last chosen step of the first sequence remembers, in a sentence."""
        if not self.at.size or self.at[-1, 0] < 0:
            return "There is no step to remember anything."
        step = int(self.at[-1, 0])
        recent = self.share[-1, : step + 1, 0][::-1].cumsum()
        count = int(np.searchsorted(recent, recent[-1] / 2) + 1)
        last = "the last step" if count == 1 else f"the last {count} steps"
        return f"Of what moves the state at step {step}, half comes from {last}; the first input has {percent(self.share[-1, 0, 0])}."


def memory(
    layer_or_model: Looked,
    x: Input,
    at: int | Sequence[int] | np.ndarray | None = None,
    lengths: SomeLengths = None,
    *,
    layer: int | None = None,
    state: str | None = None,
    probes: int | None = None,
    seed: int = 0,
) -> Memory:
    """The norms ‖∂h[t]/∂x[s]‖ and, of a model, ‖∂scores[t]/∂x[s]‖.

    Args:
        layer_or_model, x, lengths: a layer or a model, and what it is called with. The derivative is by the vector that the first layer
            reads: the embedding of a symbol, or its one-hot vector where there is none.
        at: the step t, from the end of each sequence where negative; several; `[A, B]` with one of its own for each sequence; or None for
            all steps, of which 100, evenly spaced, are taken where there are more.
        layer, state: a layer other than the last, a state other than the output. Then nothing is said of the model's scores.
        probes: how many random combinations of the units are taken instead of each unit; None for all units unless that would take
            minutes, and any number of at least H for all.
        seed: of the random combinations.

    A network of both directions has its two states side by side in h[t]. Raises `ConfigError` for a step, layer or state that there is not.
    """
    subject = read_subject(layer_or_model, x, lengths)
    steps, note = _chosen(subject, at)
    notes = [note]
    found, note = norms_of_state(subject, steps, layer, state, probes, seed)
    notes.append(note)
    whole = subject.head is not None and layer is None and state is None
    output, note = _output(subject, steps, probes, seed) if whole else (None, "")
    sampled = "; ".join(dict.fromkeys(n for n in (*notes, note) if n))
    return Memory(steps.cpu().numpy(), found, output, subject.lengths.values.cpu().numpy(), sampled)


def norms_of_state(
    subject: Subject, at: Tensor, layer: int | None, state: str | None, probes: int | None, seed: int
) -> tuple[np.ndarray, str]:
    """‖∂h[t]/∂x[s]‖ as `[A, T, B]` for the steps `at` `[A, B]`, -1 for none, and what was estimated."""
    units = torch.eye(_width(subject, layer, state), dtype=subject.x.dtype, device=subject.x.device)
    passes = plan_passes(subject, at, units, subject.causal, probes, seed)
    return influence(subject, _states(subject, layer, state), passes).cpu().numpy(), passes.note


def _chosen(subject: Subject, at: int | Sequence[int] | np.ndarray | None) -> tuple[Tensor, str]:
    """The steps `[A, B]` from the beginning, -1 where there is none, and what was left out."""
    total, batch = subject.x.shape[:2]
    note = ""
    if at is None:
        count = min(total, MOST_STEPS)
        at = np.linspace(0, total - 1, count).round().astype(int)
        note = f"{count} of {total} steps t, evenly spaced" if count < total else ""
    given = np.asarray(at)
    if given.dtype.kind not in "iu" or given.ndim > 2 or (given.ndim == 2 and given.shape[1] != batch):
        raise ConfigError(
            f"`at` must be a whole number, several, or [A, B] with B = {batch}, got {given.dtype} of shape {list(given.shape)}."
        )
    if given.size and not -total <= given.min() <= given.max() < total:
        raise ConfigError(f"`at` must lie between {-total} and {total - 1}, the steps of `x`, got {given.min()} to {given.max()}.")
    steps = torch.as_tensor(given, device=subject.x.device).reshape(-1, given.shape[1] if given.ndim == 2 else 1).expand(-1, batch).long()
    ends = subject.lengths.values
    steps = torch.where(steps < 0, steps + ends, steps)
    return torch.where((steps < 0) | (steps >= ends), -1, steps), note


def _width(subject: Subject, layer: int | None, state: str | None) -> int:
    sizes = subject.layer.state_sizes
    if state is not None and state not in sizes:
        raise ConfigError(f"The cell {subject.layer.cell.name!r} has no state {state!r}. It has {', '.join(sizes)}.")
    if state is None and layer is None:
        return subject.layer.output_size
    return sizes[state or subject.layer.cell.recurrence.output] * (1 + subject.layer.bidirectional)


def _states(subject: Subject, number: int | None, name: str | None) -> Features:
    """What is differentiated: the layers' output, or a state of one of them."""
    layer = subject.layer
    if number is None and name is None:
        return lambda x, lengths, resets: layer(x, lengths=lengths, resets=resets)[0]
    if number is not None and not -layer.num_layers <= number < layer.num_layers:
        raise ConfigError(f"There is no layer {number}: there are {layer.num_layers}, from 0.")
    which = layer.cell.states.index(name or layer.cell.recurrence.output)
    number = (layer.num_layers - 1 if number is None else number) % layer.num_layers

    def features(x: Tensor, lengths: Tensor, resets: Tensor | None) -> Tensor:
        history: Tensor = layer(x, lengths=lengths, resets=resets, return_states=True)[2][which]
        return torch.cat(list(history.unflatten(0, (layer.num_layers, -1))[number]), -1)

    return features


def _output(subject: Subject, steps: Tensor, count: int | None, seed: int) -> tuple[np.ndarray, str]:
    """The norms for the scores W y + b, which are those for R y with W = Q R: so never more passes than y has columns."""
    assert subject.head is not None
    basis = subject.head.weight
    basis = torch.linalg.qr(basis).R if len(basis) > basis.shape[1] else basis
    layer, pooling = subject.layer, subject.pooling
    features, causal = _states(subject, None, None), subject.causal
    if pooling is not None:
        steps, causal = (subject.lengths.values - 1)[None], False
        features = lambda x, lengths, resets: pooling(layer(x, lengths=lengths, resets=resets)[0], lengths)  # noqa: E731
    passes = plan_passes(subject, steps, basis, causal, count, seed)
    return influence(subject, features, passes).cpu().numpy(), passes.note


def _shares(norms: np.ndarray) -> np.ndarray:
    total = norms.sum(1, keepdims=True)
    return np.divide(norms, total, out=np.zeros_like(norms), where=total > 0)
