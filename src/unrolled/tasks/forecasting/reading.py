"""Tables of series, read: what is learnt, and the windows that are held out."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.builtin import expanded
from unrolled.data.columns import Places
from unrolled.data.panels import ColumnTable, Panel, PanelCodec, PanelOptions, read_panel, table_of_frame
from unrolled.data.panels.future import require_known
from unrolled.data.panels.layouts import UNNAMED
from unrolled.data.panels.options import COLUMNS, ROWS
from unrolled.data.panels.shape import Numbers, WindowShape
from unrolled.data.panels.tables import read_table
from unrolled.data.vocabulary import damaged
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.options import build, table
from unrolled.tasks.forecasting.options import RECURSIVE, ForecastDataOptions, ForecastOptions
from unrolled.tasks.forecasting.rivals import seasons_of

LONGEST_CONTEXT = 512
"""Steps of a context if nothing is said, at most."""

MOST_NAMED = 5
"""Constant series that a summary names; of more it says their number alone."""


@dataclass(frozen=True)
class HeldOut:
    """Windows of a panel by the `series` and the `origins` where their horizons begin, `[W]`; `panel` has a future after each history."""

    panel: Panel
    series: Places
    origins: Places

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True)
class ForecastCodecs:
    """What a run knows of its series, and what of them it forecasts, with all that was found out."""

    series: PanelCodec
    forecast: ForecastOptions

    def to_json(self) -> dict[str, Any]:
        """Both, ready for JSON."""
        return {"series": self.series.to_json(), "forecast": table(self.forecast)}

    @classmethod
    def from_json(cls, found: Any) -> "ForecastCodecs":
        """What `to_json` gave. `RunError` for something else."""
        try:
            return cls(PanelCodec.from_json(found["series"]), build(ForecastOptions, found["forecast"]).resolved())
        except (KeyError, TypeError, AttributeError, ConfigError) as error:
            raise damaged(f"forecasts must have series and options ({error!r})") from None


@dataclass(frozen=True)
class ForecastData:
    """The data of a run: a panel with a future after each history, of which the first `until` `[N]` rows are learnt, and what is held out; the columns
    `left_out` have no role."""

    codecs: ForecastCodecs
    panel: Panel
    until: Places
    held_out: HeldOut
    fingerprint: str
    left_out: tuple[str, ...] = ()

    def summary(self) -> str:
        """What is learnt, from what, and how much of it there is."""
        panel, codec, forecast = self.panel, self.codecs.series, self.codecs.forecast
        rows = int(self.until.sum())
        missing = sum(int(np.isnan(numbers).sum()) for numbers in self._learnt())
        gaps = f", in which {missing:,} number{'s are' if missing > 1 else ' is'} missing" if missing else ""
        columns = [f"{role} {', '.join(found)}" for role in ("known", "past", "static") if (found := getattr(codec, role))]
        held = f"{len(self.held_out):,} window{'' if len(self.held_out) == 1 else 's'} held out"
        return (
            f"{len(panel):,} series, {rows:,} rows to learn{gaps}, {held}.{self._short()}{self._constant()} Target: {', '.join(codec.targets)}, "
            f"{codec.clock} ({codec.options.time or 'in order'}). Horizon {forecast.horizon}, context {forecast.context}, seasons "
            f"{', '.join(map(str, forecast.seasons or ())) or 'none'}; {forecast.method}, {forecast.loss}, above {forecast.residual_of}"
            f"{''.join(f'; {each}' for each in columns)}."
        )

    def _learnt(self) -> list[Numbers]:
        """The numbers of each series that are learnt, each `[T, K]`."""
        return [self.panel.history(number)[:until] for number, until in enumerate(self.until.tolist())]

    def _short(self) -> str:
        short = int((self.until < (self.codecs.forecast.context or 1) + (self.codecs.forecast.horizon or 1)).sum())
        if not short:
            return ""
        are, go = ("is", "it goes") if short == 1 else ("are", "they go")
        return f" {short:,} series {are} shorter than a window and used as far as {go}."

    def _constant(self) -> str:
        """How many series have a target that never changes; which, if they are few."""
        targets = self.panel.targets
        found = {}
        for name, numbers in zip(self.panel.names, self._learnt(), strict=True):
            known = ~np.isnan(numbers)
            same = np.where(known, numbers, -np.inf).max(0, initial=-np.inf) == np.where(known, numbers, np.inf).min(0, initial=np.inf)
            flat = [target for target, is_flat in zip(targets, same & (known.sum(0) > 1), strict=True) if is_flat]
            if flat:
                found[name] = name if len(targets) == 1 else f"{name} ({', '.join(flat)})"
        if not found:
            return ""
        named = len(found) <= MOST_NAMED and [*found.values()] != [UNNAMED]
        return f" {len(found):,} series {'is' if len(found) == 1 else 'are'} constant{': ' + ', '.join(found.values()) if named else ''}."


def read_tables(sources: Sequence[Any], options: PanelOptions) -> list[ColumnTable]:
    """Tables of files, of those that a pattern such as `*.csv` means, and of data frames."""
    if not len(sources):
        raise DataError("There is no table to read. Pass a path or a data frame, or several of them.")
    found: list[ColumnTable] = []
    for source in sources:
        if isinstance(source, str | Path):
            found += [read_table(Path(name), options.encoding, options.bad_rows) for name in expanded([str(source)])]
        else:
            found.append(table_of_frame(source))
    return found


def read_forecast_data(sources: Sequence[Any], data: ForecastDataOptions, reading: PanelOptions, forecast: ForecastOptions) -> ForecastData:
    """Read tables, and set apart what is held out: windows at the end of each series."""
    if not sources:
        told = "A run that learnt from a data frame is resumed from Python, with the same one."
        raise ConfigError(f"There is no TABLE to learn from. Pass CSV or parquet files with series; see docs/forecasting.md. {told}")
    tables = read_tables(sources, reading)
    panel, found = read_panel(tables, reading)
    _require_horizon(data, forecast)
    whole, left_out = panel, _left_out(tables[0], panel, found)
    if data.leave_out:
        panel = _left(panel, data.leave_out)
    if forecast.counts:
        _require_counts(panel, forecast)
    horizon = forecast.horizon or 1
    decided = _decide(panel, forecast, horizon)
    shape = shape_of(decided)
    until, held = _divide(panel, data, horizon)
    panel = panel.with_future(horizon)
    learnt = np.arange(len(panel.values)) - np.repeat(panel.starts[:-1], panel.sizes) < np.repeat(until, panel.sizes)
    codec = PanelCodec.learn(panel, learnt, found, shape.context + shape.reach)
    if data.validation:
        other, _ = read_panel(read_tables(data.validation, reading), found, kinds=codec.kinds, clock=codec.clock)
        held = _beside_each_other(other, horizon)
    else:
        held = HeldOut(panel, held.series, held.origins)
    require_known(held.panel, codec, held.series, held.origins, horizon)
    return ForecastData(ForecastCodecs(codec, decided), panel, until, held, _fingerprint(whole, held), left_out)


def _left_out(table: ColumnTable, panel: Panel, options: PanelOptions) -> tuple[str, ...]:
    """The columns of a table that have no role; none where each row is a series."""
    series = panel.names if options.layout == COLUMNS else (options.series,)
    used = {options.time, *series, *panel.targets, *panel.known, *panel.past, *panel.static}
    return () if options.layout == ROWS else tuple(name for name in table.columns if name not in used)


def shape_of(forecast: ForecastOptions) -> WindowShape:
    """The windows of decided options."""
    return WindowShape(
        forecast.context or 1,
        forecast.horizon or 1,
        forecast.seasons or (),
        forecast.residual_of or "none",
        recursive=forecast.method == RECURSIVE,
        counts=forecast.counts,
    )


def _left(panel: Panel, rows: int) -> Panel:
    shortest = int(panel.ends.min())
    if shortest <= rows:
        raise ConfigError(f"`leave_out={rows}` leaves nothing of the shortest series, which has {shortest} rows. Leave out fewer.")
    return panel.cut(rows)


def _require_horizon(data: ForecastDataOptions, forecast: ForecastOptions) -> None:
    if data.held_out >= 1 and forecast.horizon and data.held_out < forecast.horizon:
        raise ConfigError(
            f"`held_out` must be at least the horizon, {forecast.horizon} rows, as windows of it are measured, got {data.held_out:g}."
        )


def _require_counts(panel: Panel, forecast: ForecastOptions) -> None:
    """`DataError` for numbers that are no counts."""
    with np.errstate(invalid="ignore"):
        wrong = np.argwhere((panel.values < 0) | (panel.values != np.round(panel.values)) & ~np.isnan(panel.values))
    if len(wrong):
        row, target = wrong[0].tolist()
        series = int(np.searchsorted(panel.starts, row, side="right")) - 1
        time = panel.clock.style.text(panel.times(series, row - int(panel.starts[series]), 1)[0])
        raise DataError(
            f"`loss={forecast.loss!r}` is for counts, whole numbers from 0, and {panel.targets[target]} of the series {panel.names[series]!r} is "
            f"{panel.values[row, target]:g} at {time}. Use another `loss`."
        )


def _divide(panel: Panel, data: ForecastDataOptions, horizon: int) -> tuple[Places, HeldOut]:
    """How many rows of each series are learnt, and the windows of the rest; series that are too short for both are learnt as a whole."""
    if data.validation or not data.held_out:
        return panel.ends, HeldOut(panel, panel.ends[:0], panel.ends[:0])
    rows = data.held_out * panel.ends if data.held_out < 1 else np.full(len(panel), data.held_out)
    wished = np.maximum(np.round(rows / horizon).astype(np.int64), 1)
    counts = np.minimum(wished, np.maximum((panel.ends - horizon) // horizon, 0))
    if not counts.any():
        raise ConfigError(
            f"No series has 2 x {horizon} rows, so that one horizon could be held out and another one learnt; the longest has "
            f"{int(panel.ends.max())}. Take a shorter `horizon`, or `held_out=0`."
        )
    return panel.ends - counts * horizon, _last_windows(panel, counts, horizon)


def _beside_each_other(panel: Panel, horizon: int) -> HeldOut:
    """All windows of other series, beside each other up to their ends."""
    counts = (panel.ends - 1) // horizon
    if not counts.any():
        longest = int(panel.ends.max())
        raise DataError(
            f"No series of `validation` has more rows than the horizon, {horizon}: the longest has {longest}. Pass longer ones."
        )
    return _last_windows(panel.with_future(horizon), counts, horizon)


def _last_windows(panel: Panel, counts: Places, horizon: int) -> HeldOut:
    """So many windows of each series, beside each other up to its end."""
    series = np.repeat(np.arange(len(panel)), counts)
    back = horizon * np.concatenate([np.arange(count, 0, -1) for count in counts])
    return HeldOut(panel, series, panel.ends[series] - back)


def _decide(panel: Panel, forecast: ForecastOptions, horizon: int) -> ForecastOptions:
    """With seasons and a context."""
    usual = panel.clock.frequency.seasons if panel.clock.frequency is not None else ()
    seasons = seasons_of(usual, panel.ends) if forecast.seasons is None else forecast.seasons
    if long := sorted({*seasons} - {*seasons_of(seasons, panel.ends)}):
        told = f"Most series do not have two seasons of {', '.join(map(str, long))} rows, and what is said of these rests on little or nothing."
        warnings.warn(f"{told} Pass a shorter `season`, or longer series.", UnrolledWarning, stacklevel=2)
    longest = int(np.median(panel.ends))
    wished = max(
        [2 * horizon, *(2 * season for season in seasons[:1]), *(season for season in seasons if season <= LONGEST_CONTEXT // 2), 16]
    )
    return forecast.decided(seasons, forecast.context or max(min(wished, LONGEST_CONTEXT, longest // 2), 1))


def _fingerprint(panel: Panel, held: HeldOut) -> str:
    digest = blake2b(digest_size=16)
    for each in (panel, held.panel):
        digest.update(repr((each.names, each.targets, each.first.tolist(), each.ends.tolist())).encode())
        digest.update(each.values.tobytes())
        for columns in (each.known, each.past, each.static):
            for name, cells in columns.items():
                digest.update(name.encode())
                digest.update(repr(cells.tolist()).encode() if cells.dtype == object else cells.tobytes())
    return digest.hexdigest()
