"""The forecasts of a network beside those of simpler methods: who is best, and whether that is more than an accident."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.extras import extra
from unrolled.labels import literal
from unrolled.plain import or_null
from unrolled.tasks.measures.forecasts import MEASURES, ForecastMeasures, Forecasts, NaiveErrors, Numbers, measure, pinball
from unrolled.tasks.pictures import save_picture

FEWEST = 8
"""Windows without overlap from which on a difference is compared with how much it varies; of fewer nothing but their mean is known."""

SURE = 2.0
"""So many standard errors a mean difference must have to be no accident."""

NETWORK = "network"

_MUCH = 10
"""From so many times on a loss is not said to be some percent higher."""

_HIGHEST = 3
"""How many times as high as the network's largest error the picture is."""

_POINTS, _SPREAD = "scaled absolute error (as in MASE)", "scaled quantile loss"

_COLUMNS = {"MASE": "mase", "sMAPE": "smape", "MAE": "mae", "RMSE": "rmse", "RMSSE": "rmsse", "WQL": "wql"}


@dataclass(frozen=True)
class Duel:
    """By how much the network's loss is lower than a rival's, as a part of the rival's, and how many standard errors that is; 0 for few windows."""

    gain: float
    errors: float

    @property
    def won(self) -> bool:
        """Whether the network is better, and not by accident."""
        return self.gain > 0 and abs(self.errors) >= SURE

    @property
    def lost(self) -> bool:
        """Whether the rival is better, and not by accident."""
        return self.gain < 0 and abs(self.errors) >= SURE


@dataclass(frozen=True)
class ForecastScores(ForecastMeasures):
    """Measures of a network, those of its `rivals` by name, and `targets`: those of each number by its name, if there are several.

    `points` and `spread` say how it stands beside each rival in absolute error and in quantile loss, both scaled as MASE is, so that large series
    do not decide alone. `windows` of `series` were forecast, `horizon` steps ahead; `apart` of them lie so far apart that they do not overlap.
    `as_trained` is the coverage that intervals would have had with the factors of training, where they were calibrated anew.
    """

    rivals: Mapping[str, ForecastMeasures]
    targets: Mapping[str, ForecastMeasures]
    points: Mapping[str, Duel]
    spread: Mapping[str, Duel]
    series: int
    windows: int
    apart: int
    horizon: int
    as_trained: Mapping[float, float] = field(default_factory=dict)

    def __str__(self) -> str:
        coverage = "".join(
            f", {share:.0%} interval covers {_known(found, '.1%')}" for share, found in self.coverage.items() if share == max(self.coverage)
        )
        mase, smape, mae, wql = _known(self.mase, ".3f"), _known(self.smape, ".2f"), _known(self.mae, ".4g"), _known(self.wql, ".4f")
        return f"MASE {mase}, sMAPE {smape}, MAE {mae}, WQL {wql}{coverage}"

    @property
    def text(self) -> str:
        """A table with a line for each method, the best of each column marked with a star, and what it says in words."""
        return "\n".join([*self._table(), *self._renewed(), *self.verdict])

    @property
    def verdict(self) -> list[str]:
        """Sentences: what is not measured, what the network does not beat, and what to try."""
        if np.isnan(self.mae):
            return ["Nothing is known of what came in these windows, so that nothing is measured."]
        found = [said for what, duels in ((_POINTS, self.points), (_SPREAD, self.spread)) for said in _beside(what, duels, self._few)]
        left_out = [*self._left_out()]
        if found:
            return [*left_out, *found, _advice(self)]
        wins = f"{f'{self._few} the' if self._few else 'The'} network beats all rivals in {_POINTS} and in {_SPREAD}."
        total = [name for name, rival in self.rivals.items() if rival.mae < self.mae or rival.wql < self.wql]
        if not total:
            return [*left_out, wins]
        return [*left_out, wins, f"Where large series count for more, in MAE or WQL, these are better: {', '.join(total)}.", _advice(self)]

    def _renewed(self) -> Iterator[str]:
        """What calibration at the origins did."""
        if told := [
            f"{share:.0%} intervals cover {_known(self.coverage[share], '.1%')}, and would have covered {_known(found, '.1%')}"
            for share, found in self.as_trained.items()
        ]:
            yield f"Calibrated anew at each origin by the windows before it, {'; '.join(told)} as training left them."

    @property
    def _few(self) -> str:
        """How sentences begin where windows are too few; nothing where they are not."""
        if self.apart >= FEWEST:
            return ""
        overlap = f", of which {self.apart} do{'es' * (self.apart == 1)} not overlap," if self.apart < self.windows else ","
        return f"On {self.windows} window{'s' * (self.windows != 1)}{overlap} too few to tell from accident,"

    def _left_out(self) -> Iterator[str]:
        """Sentences about numbers that are left out of means."""
        found: dict[tuple[str, ...], list[str]] = {}
        for name, each in self.targets.items():
            found.setdefault(tuple(title for title, key in _COLUMNS.items() if np.isnan(getattr(each, key))), []).append(name)
        for titles, names in found.items():
            if len(titles) == len(_COLUMNS):
                yield f"Nothing is known of {', '.join(names)} in these windows: what is measured is the mean of the others."
            elif titles and len(names) < len(self.targets):
                yield f"{', '.join(titles)} cannot be known of {', '.join(names)}, and {'is' if len(titles) == 1 else 'are'} the mean of the others."

    def measures(self) -> dict[str, float]:
        """Numbers for the log of a run."""
        plain = {name: getattr(self, name) for name in MEASURES}
        return plain | {f"coverage_{round(100 * share)}": value for share, value in self.coverage.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        sizes = {"series": self.series, "windows": self.windows, "horizon": self.horizon}
        several = {"targets": {name: each.to_json() for name, each in self.targets.items()}} if len(self.targets) > 1 else {}
        trained = {"coverage_as_trained": {f"{share:g}": or_null(value) for share, value in self.as_trained.items()}}
        return {
            **super().to_json(),
            **trained,
            **sizes,
            **several,
            "rivals": {name: rival.to_json() for name, rival in self.rivals.items()},
        }

    def draw(self, path: str | Path) -> None:
        """Draw mean absolute error and coverage by horizon into a picture, the network beside its rivals."""
        figure = extra("matplotlib.figure").Figure(figsize=(10, 4), layout="constrained")
        extra("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        steps = np.arange(1, self.horizon + 1)
        for name, each in {**self.rivals, NETWORK: self}.items():
            style = {"color": "black", "linewidth": 2} if name == NETWORK else {"linewidth": 1}
            left.plot(steps, each.by_horizon["mae"], label=literal(name), **style)
        # Hopeless rivals would flatten all others.
        left.set_ylim(0, _HIGHEST * np.nanmax(self.by_horizon["mae"]) or None)
        left.set_ylabel("mean absolute error")
        for share in self.coverage:
            (line,) = right.plot(steps, self.by_horizon[f"coverage {share:g}"], label=f"{share:.0%} interval")
            right.axhline(share, color=line.get_color(), linewidth=1, linestyle=":")
        right.set_ylabel("share inside the interval of the network")
        right.set_ylim(0, 1.02)
        for axes in (left, right):
            axes.set_xlabel("steps ahead")
            axes.grid(alpha=0.3)
            if axes.lines:
                axes.legend(frameon=False, fontsize=8, ncols=2)
        save_picture(figure, path)

    def _table(self) -> list[str]:
        methods: dict[str, ForecastMeasures] = {NETWORK: self, **self.rivals}
        share = max(self.coverage, key=lambda each: (each == 0.8, each), default=None)
        lines = [["", *_COLUMNS, *([] if share is None else [f"in {share:.0%}", "width"])]]
        best = {key: np.nanmin([getattr(each, key) for each in methods.values()] + [np.inf]) for key in _COLUMNS.values()}
        for name, each in methods.items():
            cells = [_shown(getattr(each, key), getattr(each, key) == best[key]) for key in _COLUMNS.values()]
            band = [] if share is None else [f"{_known(each.coverage[share], '.1%')} ", _shown(each.width[share], False)]
            lines.append([name, *cells, *band])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        sizes = f"{self.windows:,} window{'s' * (self.windows != 1)} of {self.series:,} series, {self.horizon} steps ahead:"
        return [sizes, *("  ".join(_aligned(line, widths)).rstrip() for line in lines)]


def score_forecasts(
    true: Numbers,
    forecasts: Forecasts,
    naive: NaiveErrors,
    rivals: Mapping[str, Forecasts],
    as_trained: Forecasts | None = None,
    *,
    series: NDArray[np.int64] | None = None,
    origins: NDArray[np.int64] | None = None,
    names: Sequence[str] = (),
) -> ForecastScores:
    """Forecasts and those of rivals against the truth `[N, H, K]`, in which NaN is left out.

    `as_trained` are the same forecasts with the factors of training, if they have others. `naive` are the in-sample errors of the history before each window; `series` and `origins` `[N]` say to which series a window belongs and at which
    of its rows the horizon begins, if not each to one of its own; and `names` are those of the K numbers.
    """
    owners = np.arange(len(true)) if series is None else series
    begins = np.zeros(len(true), np.int64) if origins is None else origins
    numbers = {name: slice(at, at + 1) for at, name in enumerate(names)}
    own = measure(true, forecasts, naive, owners)

    def duels(loss: Callable[[Numbers, Forecasts, NaiveErrors], Numbers]) -> dict[str, Duel]:
        alone = loss(true, forecasts, naive)
        return {name: _duel(alone, loss(true, each, naive), owners, begins, true.shape[1]) for name, each in rivals.items()}

    return ForecastScores(
        **vars(own),
        rivals={name: measure(true, each, naive, owners) for name, each in rivals.items()},
        targets={name: _of_number(true, forecasts, naive, owners, at) for name, at in numbers.items()},
        points=duels(_scaled_errors),
        spread=duels(_scaled_losses),
        series=len(np.unique(owners)),
        windows=len(true),
        apart=without_overlap(owners, begins, true.shape[1]),
        horizon=true.shape[1],
        as_trained={} if as_trained is None else measure(true, as_trained, naive, owners).coverage,
    )


def _of_number(true: Numbers, forecasts: Forecasts, naive: NaiveErrors, owners: NDArray[np.int64], at: slice) -> ForecastMeasures:
    alone = Forecasts(forecasts.points[..., at], forecasts.quantiles[:, :, at], forecasts.levels)
    return measure(true[..., at], alone, NaiveErrors(naive.absolute[:, at], naive.squared[:, at]), owners)


def _scaled_errors(true: Numbers, forecasts: Forecasts, naive: NaiveErrors) -> Numbers:
    """The mean scaled absolute error of each window, `[N]`."""
    return _of_windows(np.abs(true - forecasts.points), naive)


def _scaled_losses(true: Numbers, forecasts: Forecasts, naive: NaiveErrors) -> Numbers:
    """The mean scaled quantile loss of each window, `[N]`."""
    return _of_windows(2 * pinball(true, forecasts.quantiles, forecasts.levels).mean(-1), naive)


def _of_windows(losses: Numbers, naive: NaiveErrors) -> Numbers:
    # A history that never changed gives no scale.
    scaled = losses / np.where(naive.absolute > 0, naive.absolute, 1.0)[:, None]
    known = (~np.isnan(scaled)).sum((1, 2))
    return np.where(known, np.nansum(scaled, (1, 2)) / np.maximum(known, 1), np.nan)


def _duel(own: Numbers, rival: Numbers, series: NDArray[np.int64], origins: NDArray[np.int64], horizon: int) -> Duel:
    """The paired difference of losses of windows, beside its standard error.

    Windows that overlap say much of the same, and count as many as there is room for beside each other: the losses of windows of which n share each
    step vary together by 1, (n - 1) / n, …, 1 / n, so that their mean varies as that of every n-th one does.
    """
    known = ~np.isnan(own - rival)
    apart, total = (rival - own)[known], rival[known].sum()
    mean = float(apart.mean()) if len(apart) else 0.0
    if not mean:
        return Duel(0.0, 0.0)
    gain = float(apart.sum() / total) if total > 0 else -np.inf
    count = without_overlap(series[known], origins[known], horizon)
    if count < FEWEST:
        return Duel(gain, 0.0)
    error = float(apart.std() / np.sqrt(count - 1))
    return Duel(gain, mean / error if error else np.copysign(np.inf, mean))


def without_overlap(series: NDArray[np.int64], origins: NDArray[np.int64], horizon: int) -> int:
    """How many of some windows there is room for beside each other, from the first to the last one of each series."""
    names, places, counts = np.unique(series, return_inverse=True, return_counts=True)
    first, last = np.full(len(names), np.iinfo(np.int64).max), np.full(len(names), -1)
    np.minimum.at(first, places, origins)
    np.maximum.at(last, places, origins)
    return int(np.minimum((last - first) // horizon + 1, counts).sum())


def _beside(what: str, duels: Mapping[str, Duel], few: str) -> Iterator[str]:
    """Sentences about the rivals that a network does not beat; `few` begins them where windows are too few."""
    lost = {name: duel for name, duel in duels.items() if (duel.gain < 0 if few else duel.lost)}
    level = [name for name, duel in duels.items() if name not in lost and not (duel.gain > 0 if few else duel.won)]
    the = f"{few} the" if few else "The"
    if lost:
        higher = (name if np.isinf(duel.gain) else f"{name} ({_times(-duel.gain)})" for name, duel in lost.items())
        yield f"{the} network's {what} is HIGHER than that of {', '.join(higher)}."
    if level:
        yield f"{the} network's {what} is not lower than that of {', '.join(level)}{'' if few else ' by more than accident'}."


def _times(more: float) -> str:
    """By what part a loss is higher, or how many times as high it is."""
    if more < _MUCH - 1:
        return f"{more:.1%} higher"
    return f"{more + 1:.0f} times as high" if more < 1000 else "more than 1,000 times as high"


def _advice(scores: ForecastScores) -> str:
    """What to try where a network does not beat all rivals."""
    if exact := [name for name, rival in scores.rivals.items() if rival.mae == 0]:
        are, them = ("is", "it") if len(exact) == 1 else ("are", "one of them")
        return f"{', '.join(exact)} {are} exact, as where numbers never change: there is nothing to learn. Take {them}."
    if any(name.startswith(("last value", "drift")) and not duel.won for name, duel in scores.points.items()):
        walk = " Where the last value is as good, as with prices, there may be nothing to learn: then take it."
    else:
        walk = ""
    return f"Try a longer `context`, other `season`s, another `residual_of`, more epochs, columns that are `known` of the future, or more series.{walk}"


def _known(value: float, form: str) -> str:
    """A number as it is said, or a dash for one that is not known."""
    return "–" if np.isnan(value) else format(value, form)


def _shown(value: float, best: bool) -> str:
    """A number of a table with a place for the star."""
    return f"{_known(value, '.4g')}{'*' if best else ' '}"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in enumerate(zip(line, widths, strict=True))]
