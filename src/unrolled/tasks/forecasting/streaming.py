"""Forecasts of the next step while rows come, in constant memory."""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TextIO

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.batches import Batch
from unrolled.data.panels import Panel, PanelCodec, Window, Windows, table_of_frame
from unrolled.data.panels.feeds import FeedRow, add_row, begin_feed, feed_row
from unrolled.data.panels.shape import WindowShape
from unrolled.errors import ConfigError
from unrolled.models import NUMBERS
from unrolled.tasks.forecasting.answers import SeriesForecasts
from unrolled.tasks.forecasting.predicting import Forecaster
from unrolled.tasks.measures.forecasts import Forecasts


class SeriesStream:
    """The forecasts of one series. A recursive network carries its state from row to row; scale and state are found anew from the rows that are kept
    whenever a context has passed. A direct one reads the rows that are kept at each step."""

    def __init__(self, forecaster: Forecaster, codec: PanelCodec, shape: WindowShape, panel: Panel) -> None:
        self.forecaster, self.codec, self.panel = forecaster, codec, panel
        self.shape = replace(shape, horizon=shape.context) if shape.recursive else shape
        self.keep = shape.context + shape.reach
        self._step = self.shape.horizon

    def step(self, row: FeedRow) -> SeriesForecasts:
        """Take a row, and say what comes next."""
        self.panel, passed = add_row(self.panel, row, self.keep)
        end = int(self.panel.ends[0])
        found = self._carried(row, passed) if self.shape.recursive else self._anew()
        times = [self.panel.times(0, end, 1)]
        return SeriesForecasts(self.panel, times, self.forecaster.calibrated(found), self.codec.options)

    def _anew(self) -> Forecasts:
        windows = Windows(self.panel.with_future(self.shape.horizon), self.codec, self.shape)
        found, _, _ = self.forecaster.forecast(windows, np.zeros(1, np.int64), self.panel.ends)
        return Forecasts(found.points[:, :1], found.quantiles[:, :1], found.levels)

    @torch.inference_mode()
    def _carried(self, row: FeedRow, passed: int) -> Forecasts:
        if self._step + passed + 1 >= self.shape.horizon:
            self._anchor()
        else:
            for values in [*np.full((passed, len(row.values)), np.nan), row.values]:
                self._advance(values)
        return self._say()

    def _anchor(self) -> None:
        """Scale and state from the rows that are kept."""
        self.windows = Windows(self.panel.with_future(self.shape.horizon), self.codec, self.shape)
        self.window: Window = self.windows.get(np.zeros(1, np.int64), self.panel.ends)
        self.path = self.window.path.copy()
        past = Batch({NUMBERS: torch.from_numpy(self.window.numbers[: self.shape.context])})
        _, self.state = self.forecaster.model.encoder(past)
        self._step = 0
        self._read()

    def _advance(self, values: NDArray[np.float64]) -> None:
        """A number more: the next step reads it."""
        place = self.path.shape[1] - self.shape.horizon + self._step
        self.path[:, place] = (values - self.window.centre) / self.window.spread
        self._step += 1
        self._read()

    def _read(self) -> None:
        numbers, self.base = self.windows.refill(self.window, self.path, self.shape.context + self._step)
        self.scores, self.state = self.forecaster.model(Batch({NUMBERS: torch.from_numpy(numbers)[None]}), self.state)

    def _say(self) -> Forecasts:
        scale = torch.from_numpy(self.window.scale.astype(np.float32))[None] if self.shape.counts else None
        levels = self.forecaster.levels
        found = self.forecaster.model.head.quantiles(self.scores, (*levels, 0.5), scale).double().numpy()
        if not self.shape.counts:
            found = found * self.window.scale[..., None] + self.base[..., None]
        return Forecasts(found[..., -1].swapaxes(0, 1), found[..., :-1].swapaxes(0, 1), levels)


class Streams:
    """The streams of all series of a feed, each begun when its first row comes."""

    def __init__(self, forecaster: Forecaster, codec: PanelCodec, shape: WindowShape) -> None:
        if codec.known:
            names = ", ".join(codec.known)
            raise ConfigError(
                f"What comes next in a feed depends on {names}, which are not known of it yet. Pass a TABLE, with a `future`."
            )
        self._begin: Callable[[Panel], SeriesStream] = lambda panel: SeriesStream(forecaster, codec, shape, panel)
        self._codec = codec
        self._streams: dict[str, SeriesStream] = {}

    def step(self, row: FeedRow | Mapping[str, Any]) -> SeriesForecasts:
        """What comes after a row in its series; a row may be a mapping of cells by their columns."""
        if isinstance(row, Mapping):
            row = feed_row(table_of_frame({name: [cell] for name, cell in row.items()}, "the row"), self._codec)
        stream = self._streams.get(row.name)
        if stream is None:
            stream = self._streams[row.name] = self._begin(begin_feed(self._codec, row))
        return stream.step(row)


def write_stream(found: Iterable[SeriesForecasts], file: TextIO, *, as_json: bool) -> None:
    """Each forecast as soon as it is there, as a line of a table or an object."""
    writer = csv.writer(file, lineterminator="\n")
    for number, each in enumerate(found):
        if as_json:
            each.write_json(file)
        else:
            rows = each.rows()
            if number == 0:
                writer.writerow(rows[0])
            writer.writerows(rows[1:])
        file.flush()
