"""Forecasts of the next step while rows come, in constant memory."""

import csv
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TextIO

import numpy as np
import torch

from unrolled.data.batches import Batch
from unrolled.data.panels import Panel, PanelCodec, Window, Windows, table_of_frame
from unrolled.data.panels.feeds import FeedRow, add_row, begin_feed, feed_row
from unrolled.data.panels.future import require_known
from unrolled.data.panels.shape import WindowShape
from unrolled.errors import DataError, UnrolledWarning
from unrolled.models import NUMBERS
from unrolled.models.encoder import State
from unrolled.tasks.forecasting.answers import SeriesForecasts
from unrolled.tasks.forecasting.predicting import Forecaster
from unrolled.tasks.measures.forecasts import Forecasts

_ONLY = np.zeros(1, np.int64)
"""The series of a stream."""


class SeriesStream:
    """The forecasts of one series. A recursive network carries its state from row to row; scale and state are found anew from the rows that are kept
    whenever a context has passed. A direct one reads the rows that are kept at each step."""

    def __init__(self, forecaster: Forecaster, codec: PanelCodec, shape: WindowShape, panel: Panel) -> None:
        self.forecaster, self.codec, self.panel = forecaster, codec, panel
        self.shape = replace(shape, horizon=shape.context) if shape.recursive else shape
        self.keep = shape.context + shape.reach
        self._required = replace(codec, known={name: column for name, column in codec.known.items() if not column.gaps})
        # So many steps have come since scale and state were found, and so many were read.
        self._come = self._read = self.shape.horizon
        self._announced = self._moved = False
        self.state: State = ()

    def step(self, row: FeedRow) -> SeriesForecasts | None:
        """Take a row, and say what comes next; None while nothing says what is known of that."""
        empty = bool(self.codec.known) and bool(np.isnan(row.values).all())
        # Rows that are in order alone are those of an announced step after it was announced, whether its numbers are known or not.
        announced = empty and not (self._announced and row.time is None)
        self.panel, passed, moved = add_row(self.panel, row, self.keep, announced=announced)
        self._announced = announced
        if moved and not self._moved:
            self._moved = True
            told = f"{row.place}: the time does not lie on the steps of the frequency {self.panel.clock}, and is taken to be at the nearest one."
            warnings.warn(f"{told} Nothing is said of other rows of the series that do not.", UnrolledWarning, stacklevel=2)
        self._come += passed + (not announced)
        if self.codec.known and not announced:
            return None
        if self._read > self._come:
            # What is known of this step was read already: its numbers are not known.
            return None
        require_known(self.panel, self._required, _ONLY, self.panel.ends, 1)
        found = self._carried() if self.shape.recursive else self._anew()
        times = [self.panel.times(0, int(self.panel.ends[0]), 1)]
        return SeriesForecasts(self.panel, times, self.forecaster.calibrated(found), self.codec.options)

    def _anew(self) -> Forecasts:
        windows = Windows(self.panel.with_future(self.shape.horizon), self.codec, self.shape)
        found, _, _ = self.forecaster.forecast(windows, _ONLY, self.panel.ends)
        return Forecasts(found.points[:, :1], found.quantiles[:, :1], found.levels)

    @torch.inference_mode()
    def _carried(self) -> Forecasts:
        if self._come >= self.shape.horizon:
            self._anchor()
        steps = range(self._read, self._come + 1)
        rows = self.panel.last(len(steps)).with_future(1)
        at = rows.ends[:, None] - np.arange(len(steps))[::-1]
        beside = Windows(rows, self.codec, self.shape).beside(_ONLY, at, rows.ends)
        for number, step in enumerate(steps):
            if step:
                place = self.path.shape[1] - self.shape.horizon + step - 1
                self.path[:, place] = (rows.values[at[0, number] - 1] - self.window.centre) / self.window.spread
            numbers, self.base = self.windows.refill(self.window, self.path, self.shape.context + step, beside[:, number])
            self.scores, self.state = self.forecaster.model(Batch({NUMBERS: torch.from_numpy(numbers)[None]}), self.state)
        self._read = self._come + 1
        return self._say()

    def _anchor(self) -> None:
        """Scale and state from the rows that are kept."""
        self.windows = Windows(self.panel.with_future(self.shape.horizon), self.codec, self.shape)
        self.window: Window = self.windows.get(_ONLY, self.panel.ends)
        self.path = self.window.path.copy()
        past = Batch({NUMBERS: torch.from_numpy(self.window.numbers[: self.shape.context])})
        _, self.state = self.forecaster.model.encoder(past)
        self._come = self._read = 0

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
        self._begin: Callable[[Panel], SeriesStream] = lambda panel: SeriesStream(forecaster, codec, shape, panel)
        self.codec = codec
        self._streams: dict[str, SeriesStream] = {}

    def step(self, row: FeedRow | Mapping[str, Any]) -> SeriesForecasts | None:
        """What comes after a row in its series; a row may be a mapping of cells by their columns.

        Where columns are known of the future, a row without numbers says what they are at the next step, and that step is forecast; after other rows it
        is None. So it is after one that says again what a step is that was forecast, whose numbers are then not known.
        """
        if isinstance(row, Mapping):
            row = feed_row(table_of_frame({name: [cell] for name, cell in row.items()}, "the row"), self.codec)
        stream = self._streams.get(row.name)
        if stream is None:
            stream = self._streams[row.name] = self._begin(begin_feed(self.codec, row))
        return stream.step(row)


def said_of_feed(
    streams: Streams, read: Callable[[Callable[[FeedRow], SeriesForecasts | None]], Iterable[SeriesForecasts | None]]
) -> Iterator[SeriesForecasts]:
    """What comes next in the series of some rows, which `read` takes one by one. `DataError` where no row says what is known of a step to come, after the last one."""
    said, place = False, ""

    def take(row: FeedRow) -> SeriesForecasts | None:
        nonlocal place
        place = row.place
        return streams.step(row)

    for found in read(take):
        if found is not None:
            said = True
            yield found
    if place and not said:
        known, targets = ", ".join(streams.codec.known), ", ".join(streams.codec.targets)
        raise DataError(
            f"{place} is the last row, and none said what {known} will be at a step to come, so that nothing was forecast. "
            f"Let a row with {known} and without {targets} follow each row."
        )


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
