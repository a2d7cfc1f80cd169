"""Where the gradient goes: its norm at every step and layer back in time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.errors import ConfigError, ShapeError
from unrolled.inspect.subject import Input, Looked, SomeLengths, Subject, read_subject
from unrolled.inspect.walk import walk, where
from unrolled.inspect.wording import rate_of, sentence, verdict
from unrolled.models import Scoring
from unrolled.shapes import expect_shape

Loss = Callable[[Tensor], Tensor]
"""`outputs or scores [T, B, n] -> losses [T, B]`, or `[B]` where there is one loss for a sequence."""


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """Norms of the gradient of each sequence's loss.

    `states` has for each state of the cell `[L, D, T, B]`: the gradient by that state's value after step t, over all ways on from there.
    `inputs` `[T, B]` is the gradient by x[t], `loss` `[B]` the loss, of step `at` `[B]` alone (-1 where there is none) or of the whole sequence
    where `at` is None. Norms are 0 where no gradient arrives. `lengths` `[B]`.
    """

    states: Mapping[str, np.ndarray]
    inputs: np.ndarray
    loss: np.ndarray
    at: np.ndarray | None
    lengths: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """The norm by all states of a layer and direction together, `[L, D, T, B]`."""
        return np.sqrt(np.sum([norms**2 for norms in self.states.values()], 0))

    @property
    def rate(self) -> np.ndarray:
        """The factor per step by which `total` changes on its way back, as long as it is 0.1 % of the largest: `[L, D]`, the median over the
        sequences; NaN where it goes nowhere."""
        return np.array([[self._rate(norms, direction == 1) for direction, norms in enumerate(layer)] for layer in self.total])

    @property
    def verdict(self) -> str:
        """How the gradient changes on its way back, in a sentence."""
        rates, total = self.rate, self.total
        steps = [max(map(len, self._back(total[0, d], d == 1)), default=0) for d in range(rates.shape[1])]
        said = {where(place, rates.shape): verdict(rate, steps[place[1]]) for place, rate in np.ndenumerate(rates)}
        return sentence("On its way back, the gradient", said)

    def _rate(self, norms: np.ndarray, reverse: bool) -> float:
        """The median over the sequences."""
        rates = [rate_of(np.arange(len(back)), back) for back in self._back(norms, reverse)]
        return float(np.nanmedian(rates)) if not np.isnan(rates).all() else np.nan

    def _back(self, norms: np.ndarray, reverse: bool) -> list[np.ndarray]:
        """Of each sequence the norms by the distance from the step whose loss it is; a reverse direction goes back towards the end."""
        ends = np.where(self.lengths > 0, 0, -1) if reverse else self.lengths - 1
        starts = ends if self.at is None else self.at
        each = zip(starts, self.lengths, norms.T, strict=True)
        return [n[:0] if start < 0 else n[start:end] if reverse else n[start::-1] for start, end, n in each]


def gradient_flow(
    layer_or_model: Looked,
    x: Input,
    targets: Tensor | None = None,
    *,
    at: int | None = -1,
    lengths: SomeLengths = None,
    loss: Loss | None = None,
) -> GradientFlow:
    """The norm of the gradient of a loss at every step of every layer, by exact back-propagation in double precision.

    Args:
        layer_or_model, x, lengths: a layer or a model, and what it is called with.
        targets: what should come out: of a language model the symbols of `x` itself, each from those before it, if nothing is said; tags
            `[T, B]` or labels `[B]` of the other models, which need them.
        at: the step whose loss is looked at, from the end of each sequence where negative; None for the sum over all steps. A classifier
            and a conditional random field have one loss for the whole sequence.
        loss: given the scores of a model or the output of a layer; what the model learns from if nothing is said, and of a layer half
            the sum of squares, whose gradient begins as the output itself.

    Raises `ConfigError` for missing targets or an impossible `at`, `ShapeError` for losses or targets that do not fit.
    """
    itself = isinstance(layer_or_model, Scoring) and layer_or_model.predicts_input
    if itself and targets is None and loss is None and isinstance(x, Tensor):
        if x.dim() and len(x) < 2:
            raise ShapeError(
                f"`x` must have at least two symbols, got {len(x)}: a language model predicts each from those before it. Pass more."
            )
        x, targets = x[:-1], x[1:]
        lengths = None if lengths is None else (torch.as_tensor(lengths) - 1).clamp(min=0)
    subject = read_subject(layer_or_model, x, lengths)
    inputs = subject.x.clone().requires_grad_()
    with torch.enable_grad():
        y, after = walk(subject, inputs)
        losses = _losses(subject, y, targets, loss)
        steps = _step_of_each(subject, at) if losses.dim() == 2 else None
        each = losses if losses.dim() == 1 else _chosen(losses.masked_fill(~subject.lengths.mask, 0), steps)
        nodes = [s for place in after for states in place for s in states]
        found = torch.autograd.grad(each.sum(), [inputs, *nodes], allow_unused=True, materialize_grads=True)
    return _flow(subject, found, each, steps)


def _flow(subject: Subject, gradients: tuple[Tensor, ...], losses: Tensor, steps: Tensor | None) -> GradientFlow:
    """The gradients by the inputs, and by each state of each step of each place."""
    layer, real = subject.layer, subject.lengths.mask
    names = layer.cell.states
    norms = torch.stack([g.norm(dim=-1) for g in gradients[1:]]).detach()
    norms = norms.view(layer.num_layers, 1 + layer.bidirectional, len(real), len(names), -1).masked_fill(~real[:, None], 0)
    return GradientFlow(
        {name: norms[:, :, :, k].cpu().numpy() for k, name in enumerate(names)},
        gradients[0].norm(dim=-1).cpu().numpy(),
        losses.detach().cpu().numpy(),
        None if steps is None else steps.cpu().numpy(),
        subject.lengths.values.cpu().numpy(),
    )


def _losses(subject: Subject, y: Tensor, targets: Tensor | None, loss: Loss | None) -> Tensor:
    """`[T, B]`, or `[B]`."""
    model, ends, (steps, batch) = subject.model, subject.lengths.values, y.shape[:2]
    scores = y if subject.pooling is None else subject.pooling(y, ends)
    scores = scores if subject.head is None else subject.head(scores)
    if loss is not None:
        found = loss(scores)
        if found.dim() != 1:
            expect_shape("loss", found.shape, "[T, B] or [B]", [steps, batch], "Return a loss for each step, or for each sequence.")
        return found
    if subject.head is None:
        return scores.square().sum(-1) / 2
    if targets is None:
        raise ConfigError(f"`{type(model).__name__}` needs `targets`: labels [B] or tags [T, B]. Or pass a `loss` of its scores.")
    assert isinstance(model, Scoring)
    targets = (targets if targets.is_floating_point() else targets.long()).to(y.device)
    if model.once:
        return model.losses_of(scores, targets)
    targets = targets.reshape(steps, -1) if targets.dim() == 1 else targets
    expect_shape("targets", targets.shape[:2], "[T, B]", [steps, batch], "Pass one target for each step.")
    real = subject.lengths.mask.view(steps, batch, *[1] * (targets.dim() - 2))
    return model.losses_of(scores, targets.masked_fill(~real, 0), ends)


def _step_of_each(subject: Subject, at: int | None) -> Tensor | None:
    """The step of each sequence `[B]`, -1 where it has none."""
    if at is None:
        return None
    ends, total = subject.lengths.values, len(subject.x)
    if not -total <= at < total:
        raise ConfigError(f"`at` must lie between {-total} and {total - 1}, the steps of `x`, got {at}.")
    steps = ends + at if at < 0 else torch.full_like(ends, at)
    return torch.where((steps < 0) | (steps >= ends), -1, steps)


def _chosen(losses: Tensor, steps: Tensor | None) -> Tensor:
    """The losses `[B]` at the steps, or over all steps."""
    if steps is None:
        return losses.sum(0)
    return losses.gather(0, steps.clamp(min=0)[None])[0].masked_fill(steps < 0, 0)
