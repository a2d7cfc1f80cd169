"""How windows of series are learnt from, and what is measured of them on the way."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from unrolled.data.columns import Places
from unrolled.data.panels import Window, Windows
from unrolled.extras import extra
from unrolled.models import StepsAhead
from unrolled.tasks.forecasting.conformal import FEW, Calibration, crossed_coverage
from unrolled.tasks.forecasting.options import DRAWN, EACH, SIMPLE
from unrolled.tasks.forecasting.predicting import Forecaster, truth_of
from unrolled.tasks.forecasting.predicting import batch_of as network_batch
from unrolled.tasks.forecasting.reading import HeldOut
from unrolled.tasks.forecasting.scoring import score_windows
from unrolled.tasks.measures.forecast_scores import ForecastScores
from unrolled.tasks.measures.forecasts import Forecasts, Numbers
from unrolled.training import Objective
from unrolled.training.criterion import LOSS, Criterion
from unrolled.training.task import Measures, Tick

CALIBRATED, BETWEEN = 200, 4
"""Where fewer windows are held out, others that begin between them calibrate, too: up to so many, and at most so many for each."""

MOST_MEASURED = 2000
"""Held-out windows that are measured on the way, at most."""


class WindowBatches:
    """`count` windows in an epoch, drawn at random from the first `until` `[N]` rows of each series, other ones in each epoch, the same in every run with this `seed`."""

    def __init__(self, model: StepsAhead, windows: Windows, until: Places, batch: int, count: int | None, seed: int) -> None:
        self.model, self.windows, self.until, self.batch, self.seed = model, windows, until, batch, seed
        shape = windows.shape
        # A context of which half is there says enough of its scale; a shorter series is used as far as it goes.
        self._least = np.maximum(np.minimum(shape.context // 2, until - shape.horizon), 1)
        self._totals = np.cumsum(np.maximum(until - self._least, 0))
        self.count = count or max(min(DRAWN, EACH * int(self._totals[-1])), 1)
        self.batches = -(-self.count // batch)
        self._drawn = self._draw(0)

    def _draw(self, epoch: int) -> Places:
        chance, total = np.random.default_rng([self.seed, epoch]), int(self._totals[-1])
        if total <= 4 * self.count:
            return np.concatenate([chance.permutation(total) for _ in range(-(-self.count // total))])[: self.count]
        return chance.integers(0, total, self.count)

    def begin(self, epoch: int) -> None:
        """Other windows than in the epoch before."""
        self._drawn = self._draw(epoch)

    def _window(self, batch: int) -> Window:
        drawn = self._drawn[batch * self.batch : (batch + 1) * self.batch]
        series = np.searchsorted(self._totals, drawn, side="right")
        before = np.concatenate([[0], self._totals])[series]
        return self.windows.get(series, self._least[series] + drawn - before, self.until[series])

    def objective(self, batches: range) -> Objective:
        """Of the windows of some batches."""
        found = [self._window(batch) for batch in batches]
        known = sum(int((~np.isnan(window.targets)).sum()) for window in found)
        return Objective(max(known, 1), self._losses(found))

    def _losses(self, windows: list[Window]) -> Iterator[Tensor]:
        device = next(self.model.parameters()).device
        for window in windows:
            yield self.model.loss(network_batch(window, self.windows.shape.counts, device))[0]

    def try_out(self) -> None:
        """The loss of one window."""
        window = self.windows.get(np.zeros(1, np.int64), self._least[:1], self.until[:1])
        self.model.loss(network_batch(window, self.windows.shape.counts, next(self.model.parameters()).device))

    def state_dict(self) -> dict[str, Tensor]:
        """Nothing is carried from batch to batch."""
        return {}

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Nothing."""


class ForecastMeasuring:
    """The loss of held-out windows, measures of their forecasts, and how rivals do on them.

    Each measurement calibrates the network's intervals anew on these windows, so that the weights that are kept have the factors that fit them.
    """

    unit = "loss per number"
    criteria = (LOSS, Criterion("WQL", lowest=True), Criterion("MAE", lowest=True), Criterion("MASE", lowest=True))

    def __init__(self, model: StepsAhead, windows: Windows, held: HeldOut, rivals: Sequence[str], seed: int) -> None:
        self.model, self.windows, self.held, self.rivals = model, windows, held, rivals
        self.forecaster = Forecaster(model, seed=seed)
        self.size = len(held) * windows.shape.horizon * model.head.numbers
        chance = np.random.default_rng(seed)
        self._some = np.sort(chance.permutation(len(held))[:MOST_MEASURED])
        self._between = _between(held, windows.shape.horizon)
        self.scores: ForecastScores | None = None
        self.coverages: tuple[dict[float, float], dict[float, float]] = ({}, {})

    def require(self) -> None:
        """The library of statistical rivals."""
        if set(self.rivals) - {SIMPLE}:
            extra("statsforecast")

    def measure(self, tick: Tick, *, exactly: bool) -> Measures:
        """The loss, and measures of forecasts; `exactly` of all windows, beside rivals."""
        which = np.arange(len(self.held)) if exactly else self._some
        series, origins = self.held.series[which], self.held.origins[which]
        forecasts, total, count = self.forecaster.forecast(self.windows, series, origins, tick)
        true = truth_of(self.windows, series, origins)
        if exactly:
            self.coverages = crossed_coverage(true, forecasts)
        else:
            self._calibrate(true, forecasts)
        held = HeldOut(self.held.panel, series, origins)
        self.scores = score_windows(self.windows, held, self.forecaster.calibrated(forecasts), self.rivals if exactly else ())
        return {**({"held_out": total / count} if count else {}), **self.scores.measures()}

    def _calibrate(self, true: Numbers, forecasts: Forecasts) -> None:
        count = len(true)
        if len(self._between):
            between, _, _ = self.forecaster.forecast(self.windows, self._between.series, self._between.origins)
            true = np.concatenate([true, truth_of(self.windows, self._between.series, self._between.origins)])
            forecasts = forecasts.and_those(between)
        self.model.calibration.copy_(torch.from_numpy(Calibration.fit(true, forecasts, count).factors))

    def describe(self, measures: Measures) -> str:
        """Loss and measures."""
        loss = f"loss {measures['held_out']:.4f}, " if "held_out" in measures else ""
        return f"{loss}{self.scores}"

    def remarks(self, measures: Measures, best: float | None) -> Iterator[str]:
        """The rivals, who is best, and what calibration did."""
        if self.scores is None:
            return
        yield self.scores.text
        if len(self.held) < FEW:
            yield (
                f"Intervals rest on {len(self.held)} held-out window{'s' * (len(self.held) != 1)}, too few to know how wide they must be, and may be much too narrow. "
                "Hold out more (`held_out`), or forecast a shorter `horizon`."
            )
        before, after = self.coverages
        for share, found in before.items():
            if share in after:
                yield (
                    f"Intervals of {share:.0%} covered {found:.1%} of the held-out numbers; calibrated on one half of the windows they cover "
                    f"{after[share]:.1%} of the other. What is written is calibrated on all of them."
                )


def _between(held: HeldOut, horizon: int) -> HeldOut:
    """Windows that begin between those that are held out, beside each other, of each series."""
    count = min(CALIBRATED // max(len(held), 1), BETWEEN, horizon)
    same = np.flatnonzero(held.series[:-1] == held.series[1:]) if count > 1 else np.zeros(0, np.int64)
    steps = horizon * np.arange(1, count) // max(count, 1)
    origins = held.origins[same][:, None] + steps
    return HeldOut(held.panel, np.repeat(held.series[same], len(steps)), origins.ravel())
