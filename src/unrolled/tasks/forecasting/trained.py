"""A trained network of forecasts, ready to use."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.panels import Panel, PanelOptions, Windows, read_panel
from unrolled.data.panels.future import fill_future, require_known
from unrolled.errors import ConfigError, UnrolledWarning
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.models import StepsAhead
from unrolled.tasks.forecasting.answers import SeriesForecasts
from unrolled.tasks.forecasting.backtesting import Backtest
from unrolled.tasks.forecasting.errors import errors_of
from unrolled.tasks.forecasting.options import DIRECT, SIMPLE, rivals_named
from unrolled.tasks.forecasting.predicting import SAMPLES, Forecaster
from unrolled.tasks.forecasting.reading import ForecastCodecs, ForecastData, HeldOut, read_tables, shape_of
from unrolled.tasks.forecasting.renewing import renewed
from unrolled.tasks.forecasting.scoring import learnt_windows, score_windows, windows_at_end
from unrolled.tasks.forecasting.streaming import Streams
from unrolled.tasks.measures.forecast_scores import ForecastScores
from unrolled.tasks.measures.forecasts import Forecasts
from unrolled.tasks.mistakes import TABLES, save_mistakes
from unrolled.tasks.places import require_place
from unrolled.tasks.trained import Progress, Trained


class TrainedForecaster(Trained[StepsAhead, ForecastCodecs]):
    """A network of forecasts with what it knows of its series, as `load` gives it."""

    def __init__(self, model: StepsAhead, codecs: ForecastCodecs) -> None:
        super().__init__("forecast", model, codecs)
        self.series, self.options = codecs.series, codecs.forecast

    @property
    def horizon(self) -> int:
        """The steps that it learnt to forecast."""
        return self.options.horizon or 1

    def forecast(
        self,
        data: Any = None,
        horizon: int | None = None,
        *,
        future: Any = None,
        samples: int = SAMPLES,
        seed: int = 0,
        bad_rows: str | None = None,
    ) -> SeriesForecasts:
        """What comes after the series of `data`, or after those that were learnt: a data frame, a path, or several of either.

        `horizon` is that of training if nothing is said; a recursive network forecasts any. `future` is a table with the columns that are known of the
        steps to come, where `data` has no rows for them. Intervals are calibrated anew by the windows of `data` that came after what was learnt. Of recursive networks `samples` paths are drawn. `bad_rows` is that of training if nothing is said.

        Raises `DataError` for what cannot be read, and where a known column says nothing of a step to come.
        """
        steps = self._steps(horizon)
        panel = self.series.tail if data is None else self._read(data, bad_rows)
        told, everyone = panel.sizes > panel.ends, np.arange(len(panel))
        panel = panel.with_future(steps)
        if future is not None:
            (table,) = read_tables([future], self._reading(bad_rows))
            panel = fill_future(panel, table, self.series.options, self.series.kinds)
        require_known(panel, self.series, everyone, panel.ends, steps, told | (future is not None))
        windows = self._windows(panel, steps)
        forecaster = Forecaster(self.model, samples, seed)
        found, _, _ = forecaster.forecast(windows, everyone, panel.ends)
        found = Forecasts(found.points[:, :steps], found.quantiles[:, :steps], found.levels)
        calibration = renewed(forecaster, windows, HeldOut(panel, everyone, panel.ends), self.series.tail)
        times = [panel.times(number, int(end), steps) for number, end in enumerate(panel.ends)]
        return SeriesForecasts(panel, times, forecaster.calibrated(found, calibration), self.series.options, data)

    def stream(self, seed: int = 0) -> Streams:
        """What takes the rows of a feed one by one, `step(row)`, and says what comes next, in constant memory."""
        return Streams(Forecaster(self.model, seed=seed), self.series, shape_of(self.options))

    def evaluate(
        self,
        data: Any,
        *,
        rivals: str = SIMPLE,
        errors: str | Path | None = None,
        bad_rows: str | None = None,
        progress: Progress | None = None,
    ) -> ForecastScores:
        """Measures of forecasts of the last `horizon` rows of each series, from all rows before them, beside those of rivals.

        The table `errors` gets a row for each number that is not the median, the farthest first."""
        return self.backtest(data, 1, rivals=rivals, errors=errors, bad_rows=bad_rows, progress=progress).scores

    def backtest(
        self,
        data: Any,
        windows: int = 10,
        step: int | None = None,
        *,
        rivals: str = SIMPLE,
        errors: str | Path | None = None,
        bad_rows: str | None = None,
        progress: Progress | None = None,
    ) -> Backtest:
        """Measures of forecasts from several origins of each series, the last of which is `horizon` rows before its end and each other `step`
        rows before the next, or a horizon. The table `errors` is as `evaluate` has it.

        The network is the same for all origins, and intervals are calibrated anew at each, by windows after what was learnt whose truth is known there. Windows that begin before the end of what it learnt from are an `UnrolledWarning`.
        """
        for name, value in (("windows", windows), ("step", 1 if step is None else step)):
            if value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")
        if errors is not None:
            require_place(Path(errors), TABLES, "errors")
        named = rivals_named(rivals)
        held = windows_at_end(self._read(data, bad_rows), self.horizon, windows, step)
        require_known(held.panel, self.series, held.series, held.origins, self.horizon)
        if seen := learnt_windows(held, self.series.tail):
            told = f"{seen:,} of the {len(held):,} windows begin before the end of what the network learnt from, so that their measures flatter it."
            warnings.warn(f"{told} Train with `leave_out`, or pass later rows.", UnrolledWarning, stacklevel=2)
        prepared = self._windows(held.panel, self.horizon)
        tick = None if progress is None else partial(progress, "forecasting")
        forecaster = Forecaster(self.model)
        found, _, _ = forecaster.forecast(prepared, held.series, held.origins, tick)
        calibration = renewed(forecaster, prepared, held, self.series.tail)
        forecasts = forecaster.calibrated(found, calibration)
        if errors is not None:
            save_mistakes(Path(errors), errors_of(prepared, held, forecasts))
        anew = (calibration.factors != forecaster.factors).any()
        as_trained = forecaster.calibrated(found) if anew else None
        return Backtest(score_windows(prepared, held, forecasts, named, as_trained), held, forecasts)

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What `unrolled.inspect` looks at. `ConfigError`: it looks at sequences of symbols or channels, not at windows."""
        raise ConfigError("A network of forecasts reads windows of scaled numbers, which cannot be given as an INPUT. Leave it out.")

    def held_out(self, data: ForecastData, most: int = 1000) -> InspectionInput | None:
        """None: a window has no symbols of its own."""
        return None

    def _steps(self, horizon: int | None) -> int:
        """So many steps as are asked for, if it can forecast them."""
        if horizon is None:
            return self.horizon
        if horizon < 1:
            raise ConfigError(f"`horizon` must be at least 1, got {horizon}.")
        if horizon > self.horizon and self.options.method == DIRECT:
            raise ConfigError(
                f"`horizon` must be at most {self.horizon}, as this network learnt to forecast so many steps at once, got {horizon}. "
                "Train with a longer one, or with `method='recursive'`, which goes on as far as one likes."
            )
        return horizon

    def _reading(self, bad_rows: str | None) -> PanelOptions:
        """How tables are read: as those were that were learnt, but for `bad_rows`."""
        return self.series.options if bad_rows is None else replace(self.series.options, bad_rows=bad_rows)

    def _read(self, data: Any, bad_rows: str | None = None) -> Panel:
        """Series, read as those were that were learnt."""
        several, reading = isinstance(data, Sequence) and not isinstance(data, str), self._reading(bad_rows)
        panel, _ = read_panel(read_tables(data if several else [data], reading), reading, kinds=self.series.kinds, clock=self.series.clock)
        return panel

    def _windows(self, panel: Panel, steps: int) -> Windows:
        """The windows of a panel. One that forecasts fewer steps than it learnt still reads as if it forecast all."""
        steps = max(steps, self.horizon)
        return Windows(panel.with_future(steps), self.series, replace(shape_of(self.options), horizon=steps))
