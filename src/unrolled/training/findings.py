"""The training doctor: what looks wrong in the readings of a run, on which figures that rests, and what to try."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from unrolled.layers import RUNAWAY
from unrolled.training.history import History
from unrolled.training.readings import Numbers, Readings, kept_loss, losses, lost_starts

FEWEST = 5
"""Records below which only the losses are compared."""

PEAK, CLIPPED = 100.0, 0.5
"""A gradient explodes when it is so many times its median; clipping is the rule when it meets so many of the updates of the later half."""

VANISHED = 1e-3
"""The gradient of a recurrent layer beside the largest of any layer, below which it vanishes."""

LARGE, SMALL = 0.05, 1e-4
"""What an update changes in a layer, beside the layer's norm, while the learning rate is high. About 0.001 is usual, and 0.002 to 0.01 was
measured where characters are learnt well with AdamW."""

SATURATED = 0.9
"""The part of a gate's values at its ends from which it is stuck there."""

RAN_AWAY = 1e-3
"""The part of a state's values that may have run away: one of a thousand cells is still mended by others."""

LEARNT, RISEN, OVERFITTED = 0.99, 1.2, 1.05
"""Losses beside what they were at first, at their lowest, and where the held-out part was best."""

APART, NATS = 2.0, 0.5
"""How many times the training loss that of the held-out part may be, and by how much it may be above it where both are small."""

ROWS = 0.01
"""The part of the embeddings that one update reaches."""


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong.

    `says` is a sentence with the figures that it rests on; `figure` is the one that was compared with `limit`. `cure` says what to try, with
    the `options` of training that it concerns; `where` is the layer, gate or table, or empty for the whole network.
    """

    name: str
    says: str
    figure: float
    limit: float
    cure: str
    options: tuple[str, ...]
    where: str = ""

    def __str__(self) -> str:
        return f"{self.says} (limit {self.limit:g}). {self.cure}"


Check = Callable[[Readings], Iterator[Finding]]


def diagnose(readings: Readings) -> list[Finding]:
    """All that looks wrong, what concerns the whole run first; of fewer than `FEWEST` records only what the losses say."""
    return [finding for check in (CHECKS if len(readings.update) >= FEWEST else (_starts, _held_out)) for finding in check(readings)]


def diagnose_losses(history: History) -> list[Finding]:
    """What the losses alone say, which is all that is known of a run that was not watched."""
    return [*_never_recover(*lost_starts(history)), *_far_above(losses(history), kept_loss(history))]


def report(readings: Readings) -> str:
    """The findings as plain text, after a line on what was seen."""
    findings = diagnose(readings)
    count, last = len(readings.update), readings.update[-1]
    seen = f"Looked at {count} of {last:,.0f} updates: gradient {np.median(readings.gradient_norm):.3g} in the middle, "
    seen += f"{readings.peak.max():.3g} at most; {_clip_rate(readings):.0%} of the later ones clipped."
    told = [f"- {finding}" for finding in findings]
    if count < FEWEST:
        told.append("These are too few to say more: train longer, or give `watch_every` a smaller number.")
    return "\n".join([seen, *(told or ["Nothing looks wrong."])])


def _exploding(readings: Readings) -> Iterator[Finding]:
    usual, worst = float(np.median(readings.gradient_norm)), int(readings.peak.argmax())
    times = readings.peak[worst] / max(usual, 1e-30)
    if times > PEAK:
        says = f"The gradient explodes: by update {readings.update[worst]:,.0f} its norm was {readings.peak[worst]:.3g}, {times:.3g} times the median"
        cure = "Try a lower `learning_rate`, a smaller `clip`, fewer steps back with `backprop`, or a cell with gates (`cell='lstm'`)."
        yield Finding("exploding", says, times, PEAK, cure, ("learning_rate", "clip", "backprop", "cell"))


def _clipped(readings: Readings) -> Iterator[Finding]:
    rate = _clip_rate(readings)
    if rate > CLIPPED:
        usual = np.median(readings.gradient_norm)
        says = f"Most gradients are clipped: {rate:.0%} of the updates in the later half, where the median norm is {usual:.3g}"
        cure = "If the loss falls well, try a `clip` above that norm, and else a lower `learning_rate`."
        yield Finding("clipped", says, rate, CLIPPED, cure, ("clip", "learning_rate"))


def _vanishing(readings: Readings) -> Iterator[Finding]:
    gradients = readings.gradients()
    largest = np.max(list(gradients.values()), 0)
    for layer in dict.fromkeys(p.layer for p in readings.parameters if p.gate != p.layer):
        part = _median(gradients[layer] / np.maximum(largest, 1e-30), _late(readings))
        if part < VANISHED:
            says = f"The gradient vanishes on its way to `{layer}`: it has {part:.2g} of the norm of the largest one"
            cure = "Try `residual`, fewer `layers`, a cell with gates (`cell='lstm'`), or a shorter `window`."
            yield Finding("vanishing", says, part, VANISHED, cure, ("residual", "layers", "cell", "window"), layer)


def _updates(readings: Readings) -> Iterator[Finding]:
    high = readings.learning_rate >= readings.learning_rate.max() / 2
    ratios = {layer: _median(ratio, high) for layer, ratio in readings.ratios().items()}
    layer, most = max(ratios.items(), key=lambda item: np.nan_to_num(item[1]))
    options, rate = ("learning_rate",), readings.learning_rate.max()
    if most > LARGE:
        says = f"Updates are too large: each changes `{layer}` by {most:.2g} of its norm at a learning rate of {rate:.2g}"
        yield Finding("updates too large", says, most, LARGE, f"Try `learning_rate={rate / 3:.1g}`.", options, layer)
    if most < SMALL:
        says = f"Updates are too small: each changes every layer by {most:.2g} of its norm at most, at a learning rate of {rate:.2g}"
        yield Finding("updates too small", says, most, SMALL, f"Try `learning_rate={rate * 10:.1g}`.", options, layer)


def _saturated(readings: Readings) -> Iterator[Finding]:
    ends = {gate: [_median(part, _late(readings)) for part in parts.T] for gate, parts in readings.gates.items()}
    stuck = {gate: parts for gate, parts in ends.items() if sum(parts) > SATURATED}
    if stuck:
        worst = max(stuck, key=lambda gate: sum(stuck[gate]))
        told = ", ".join(f"`{gate}` ({low:.0%} at the lower end, {high:.0%} at the upper)" for gate, (low, high) in stuck.items())
        says = f"Hardly any gradient passes saturated gates: {told}"
        cure = "Try a lower `learning_rate`, more `weight_decay`, or smaller inputs."
        yield Finding("saturated", says, sum(stuck[worst]), SATURATED, cure, ("learning_rate", "weight_decay"), worst)


def _runaway(readings: Readings) -> Iterator[Finding]:
    for state, values in readings.states.items():
        part, largest = _median(values[:, 1], _late(readings)), np.nanmax(values[:, 0])
        if part > RAN_AWAY:
            says = f"Cells run away: {part:.2g} of the values of `{state}` are beyond {RUNAWAY:g}, the largest is {largest:.3g}; where a tanh passes no gradient"
            cure = "Try a higher `reset_probability`, a lower `learning_rate`, or a cell whose states are bounded (`cell='gru'`)."
            yield Finding("runaway cells", says, part, RAN_AWAY, cure, ("reset_probability", "learning_rate", "cell"), state)


def _starts(readings: Readings) -> Iterator[Finding]:
    yield from _never_recover(*readings.starts)


def _never_recover(lost: int, parts: int) -> Iterator[Finding]:
    # Where all are lost nothing was learnt, which others say.
    if 0 < lost < parts:
        says = f"The network does not always know how to begin: {lost} of {parts} parts of the held-out text, each begun anew, are predicted no better "
        says += "than by frequency"
        cure = "Try a higher `reset_probability`, longer training, or a lower `learning_rate`."
        yield Finding("starts that never recover", says, lost / parts, 0.0, cure, ("reset_probability", "learning_rate"))


def _loss(readings: Readings) -> Iterator[Finding]:
    """Whether it fell, and stayed where it fell."""
    first, *_, last = means = [float(np.median(part)) for part in np.array_split(readings.loss, FEWEST)]
    first = max(first, float(readings.loss[0]))
    if last > LEARNT * first:
        says = f"Nothing is learnt: the loss was {first:.4g} at first and is {last:.4g} at the end, {last / first:.3g} of it"
        cure = "Try another `learning_rate`, first ten times lower, then ten times higher, and look at a few examples of the data."
        yield Finding("not learning", says, last / first, LEARNT, cure, ("learning_rate",))
    elif last > RISEN * min(means) and last > first / 10:
        says = f"The loss rises again: it was {min(means):.4g} and is {last:.4g} at the end, {last / min(means):.3g} times that"
        cure = f"Try `learning_rate={readings.learning_rate.max() / 3:.1g}` or more `warmup`."
        yield Finding("loss rising", says, last / min(means), RISEN, cure, ("learning_rate", "warmup"))


def _overfitting(readings: Readings) -> Iterator[Finding]:
    if len(readings.held_out) < 2:
        return
    updates, losses = readings.held_out.T
    best = int(losses.argmin())
    times = losses[-1] / losses[best]
    before, after = (readings.loss[where] for where in (readings.update <= updates[best], readings.update > updates[best]))
    if times > OVERFITTED and len(before) and len(after) and np.median(after[-FEWEST:]) < np.median(before[-FEWEST:]):
        says = f"It overfits: since update {updates[best]:,.0f} the held-out loss rose from {losses[best]:.4g} to {losses[-1]:.4g}, {times:.3g} times that, "
        says += "while the training loss fell"
        cure = "Try more `dropout` or `weight_decay`, a smaller `hidden`, more data, or `patience` to stop earlier."
        yield Finding("overfitting", says, times, OVERFITTED, cure, ("dropout", "weight_decay", "hidden", "patience"))


def _held_out(readings: Readings) -> Iterator[Finding]:
    yield from _far_above(readings.loss, readings.kept)


def _far_above(training: Numbers, kept: float) -> Iterator[Finding]:
    """Whether the held-out loss is far above the training losses `[N]` of the end, or worse than that of the network before it learnt.

    Dropout and label smoothing raise the training loss alone, which makes this milder.
    """
    if not len(training):
        return
    last = float(np.median(training[-max(len(training) // FEWEST, 1) :]))
    limit = max(last + NATS, min(APART * last, float(training[0])))
    if kept > limit:
        says = f"What is learnt does not hold for the held-out part: its loss is {kept:.4g} with the weights that were kept, where the training loss "
        says += f"was {training[0]:.4g} at first and {last:.4g} at the end"
        cure = "Look whether the held-out part is like the rest, or name another as `validation`; then try a lower `learning_rate`, longer "
        cure += "training, more data, or more `dropout`."
        yield Finding("held-out loss far above", says, kept, limit, cure, ("validation", "learning_rate", "dropout"))


def _starving(readings: Readings) -> Iterator[Finding]:
    for table, parts in readings.rows.items():
        part = _median(parts, np.isfinite(parts))
        if part < ROWS:
            says = f"The embeddings `{table}` starve: an update reaches {part:.2g} of them, the others only decay"
            cure = "Try a smaller `vocabulary`, a larger `batch`, or `weight_decay=0`."
            yield Finding("embedding starving", says, part, ROWS, cure, ("vocabulary", "batch", "weight_decay"), table)


CHECKS: tuple[Check, ...] = (
    _starts, _loss, _held_out, _overfitting, _exploding, _clipped, _updates, _vanishing, _saturated, _runaway, _starving,
)  # fmt: skip


def _late(readings: Readings) -> np.ndarray:
    """The records of the later half of the updates."""
    late: np.ndarray = readings.update > readings.update[-1] / 2
    return late


def _clip_rate(readings: Readings) -> float:
    """Over the updates of the later half."""
    late = _late(readings)
    return float(np.average(readings.clip_rate[late], weights=np.diff(readings.update, prepend=0)[late]))


def _median(values: Numbers, which: np.ndarray) -> float:
    """Of those that were recorded; NaN, which no limit is compared with, where none was."""
    known = values[which & np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
