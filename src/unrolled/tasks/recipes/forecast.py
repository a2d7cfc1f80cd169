"""The steps to come of series of numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.cells import Cell
from unrolled.data.formats.files import STANDARD_INPUT
from unrolled.data.formats.grouped import first_rows
from unrolled.data.formats.heads import FormatSeen, described
from unrolled.data.panels import Windows
from unrolled.data.panels.feeds import read_feed
from unrolled.errors import ConfigError
from unrolled.models import FORECAST_HEADS, Encoder, InputSizes, Quantiles, StepsAhead
from unrolled.models.heads.distributions import LEVELS
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.forecasting.backtesting import Backtest
from unrolled.tasks.forecasting.learning import ForecastMeasuring, WindowBatches
from unrolled.tasks.forecasting.options import (
    BacktestOptions,
    ForecastTaskOptions,
    PredictOptions,
    ScoringOptions,
    rivals_named,
)
from unrolled.tasks.forecasting.reading import ForecastCodecs, ForecastData, read_forecast_data, shape_of
from unrolled.tasks.forecasting.streaming import said_of_feed, write_stream
from unrolled.tasks.forecasting.trained import TrainedForecaster
from unrolled.tasks.measures.forecast_scores import ForecastScores
from unrolled.tasks.overview import Overview
from unrolled.tasks.recipe import Answering, Recipe, Writing
from unrolled.tasks.task import Task
from unrolled.tasks.trained import Progress


class Forecasting(Recipe[ForecastTaskOptions, ForecastData, ForecastCodecs, StepsAhead, TrainedForecaster]):
    """Learns to forecast series; `frames` are data frames in the place of files."""

    name, noun, options, data_name = "forecast", "a network of forecasts", ForecastTaskOptions, "TABLE"
    symbols = False
    commands = ("predict", "backtest", "evaluate")
    evaluating, predicting, backtesting = (ScoringOptions,), (PredictOptions,), (BacktestOptions,)
    without_file = ""
    help = """Train a network that forecasts series of numbers, with intervals, on TABLE: CSV or parquet, long or wide, one series or
    thousands; see docs/forecasting.md.

    The end of each series is held out; the weights with the lowest loss on it are kept, and the network is measured there beside simple methods.
    """

    def __init__(self, frames: Sequence[Any] = ()) -> None:
        self.frames = frames

    def read(self, configuration: Configuration[ForecastTaskOptions], progress: Progress) -> ForecastData:
        """The tables, or the data frames."""
        options = configuration.options
        progress("reading", 0, 1)
        return read_forecast_data(self.frames or options.data.sources, options.data, options.reading, options.forecast)

    def codecs(self, found: Any) -> ForecastCodecs:
        """Stored codecs."""
        return ForecastCodecs.from_json(found)

    def resolve(self, configuration: Configuration[ForecastTaskOptions], codecs: ForecastCodecs) -> Configuration[ForecastTaskOptions]:
        """With seasons and a context, and how the tables were read."""
        return configuration.replace(forecast=codecs.forecast, reading=codecs.series.options)

    def build(self, configuration: Configuration[ForecastTaskOptions], codecs: ForecastCodecs, cell: Cell) -> StepsAhead:
        """The network for these series."""
        forecast, numbers = codecs.forecast, len(codecs.series.targets)
        kind = FORECAST_HEADS[forecast.loss]
        own = sorted({*LEVELS, *forecast.levels})
        head: Any = kind(numbers, own) if kind is Quantiles else kind(numbers)
        width = Windows(codecs.series.tail.take(np.zeros(0, np.int64)), codecs.series, shape_of(forecast)).width
        encoder = Encoder(InputSizes(numbers=width), configuration.options.model.encoder(), cell)
        return StepsAhead(encoder, head, forecast.levels)

    def task(self, model: StepsAhead, data: ForecastData, configuration: Configuration[ForecastTaskOptions]) -> Task:
        """Windows of the series, and those at their ends."""
        options, shape = configuration.options, shape_of(data.codecs.forecast)
        windows = Windows(data.panel, data.codecs.series, shape)
        held = windows if data.held_out.panel is data.panel else Windows(data.held_out.panel, data.codecs.series, shape)
        seed = options.training.seed
        learner = WindowBatches(model, windows, data.until, options.batches.batch, options.batches.windows, seed)
        measuring = ForecastMeasuring(model, held, data.held_out, rivals_named(options.data.rivals), seed)
        return Task(self.name, model, learner, measuring, data.summary(), options.training.best_by)

    def seen_format(self, configuration: Configuration[ForecastTaskOptions]) -> FormatSeen:
        """The columns of the first table."""
        path = Path(configuration.options.data.sources[0])
        return FormatSeen(
            "table", "as forecasts are of tables", tuple(described(*first_rows(path, configuration.options.reading.encoding)))
        )

    def overview(self, data: ForecastData, configuration: Configuration[ForecastTaskOptions]) -> Overview:
        """The series, as far as they are known."""
        codec, panel = data.codecs.series, data.panel
        more = [name for role in ("known", "past", "static") for name in getattr(codec, role)]
        inputs = tuple(dict.fromkeys((*codec.targets, *more)))
        return Overview(data.summary(), panel.ends, inputs, tuple(codec.targets), data.left_out, {}, len(panel), len(data.held_out))

    def trained(self, model: StepsAhead, codecs: ForecastCodecs, configuration: Configuration[ForecastTaskOptions]) -> TrainedForecaster:
        """The network with what it knows of its series."""
        return TrainedForecaster(model, codecs)

    def evaluate(
        self, trained: TrainedForecaster, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> ForecastScores:
        """Measures of the last rows of each series, beside those of rivals."""
        (scoring,) = parts
        asked = ScoringOptions(**scoring)
        found = trained.evaluate(data, rivals=asked.rivals, errors=asked.errors, bad_rows=asked.bad_rows, progress=progress)
        if asked.plot:
            found.draw(asked.plot)
        return found

    def backtest(self, trained: TrainedForecaster, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress) -> Backtest:
        """The same from several origins."""
        ((values),) = parts
        asked = BacktestOptions(**values)
        found = trained.backtest(
            data, asked.windows, asked.step, rivals=asked.rivals, errors=asked.errors, bad_rows=asked.bad_rows, progress=progress
        )
        if asked.plot:
            found.draw(asked.plot)
        return found

    def predict(self, trained: TrainedForecaster, file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """What comes after the series of a file, or after those that were learnt; of the standard input what comes after each row."""
        ((values),) = parts
        asked = PredictOptions(**values)
        if file == "-":
            return _streaming(trained, asked, how)
        chance = {"samples": asked.samples, "seed": asked.seed}
        found = trained.forecast(file or None, asked.horizon, future=asked.future, bad_rows=asked.bad_rows, **chance)
        if asked.plot:
            found.draw(asked.plot)
        return lambda target: found.write(target, "json" if how.as_json else asked.form or "csv")

    def next_step(self, codecs: ForecastCodecs, configuration: Configuration[ForecastTaskOptions]) -> str:
        """What comes after the series."""
        return "What comes next: unrolled predict {run} --plot fan.png"


def _streaming(trained: TrainedForecaster, asked: PredictOptions, how: Answering) -> Writing:
    """What comes after each row of the standard input, written as soon as the row is there."""
    for name in ("horizon", "future", "plot", "form"):
        if getattr(asked, name) not in (None, "csv", "json"):
            raise ConfigError(f"`{name}` says nothing about a feed, of which the next step is forecast. Leave it out, or pass a TABLE.")
    if how.typed:
        how.say("Type the rows of a table, with their header; end with Ctrl-D.")
    found = said_of_feed(trained.stream(asked.seed), lambda take: read_feed(STANDARD_INPUT, trained.series, take, asked.bad_rows))
    return lambda target: write_stream(found, target, as_json=how.as_json or asked.form == "json")
