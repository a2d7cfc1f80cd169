"""What a network of forecasts has to know of the series it learnt from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import Frequency, calendar_features
from unrolled.data.panels.clock import Clock
from unrolled.data.panels.covariates import ColumnCodec, column_from_json, encode_columns, learn_columns
from unrolled.data.panels.options import PanelOptions
from unrolled.data.panels.panel import Panel
from unrolled.data.panels.stored import panel_from_json, panel_to_json
from unrolled.data.panels.times import Style
from unrolled.data.vocabulary import damaged
from unrolled.errors import ConfigError, UnrolledError
from unrolled.options import build, table


@dataclass(frozen=True)
class PanelCodec:
    """How tables are read (`options`, with all that was found out), the `clock`, a codec for each column beside the targets, whether numbers to forecast
    had `gaps`, and the end of the series that were learnt, `tail`, from which forecasts go on."""

    options: PanelOptions
    clock: Clock
    targets: tuple[str, ...]
    known: Mapping[str, ColumnCodec]
    past: Mapping[str, ColumnCodec]
    static: Mapping[str, ColumnCodec]
    gaps: bool
    tail: Panel

    @classmethod
    def learn(cls, panel: Panel, learnt: NDArray[np.bool_], options: PanelOptions, rows: int) -> "PanelCodec":
        """From the rows of a panel that are `learnt`, `[S]`; the last `rows` of each history are kept."""
        return cls(
            options,
            panel.clock,
            panel.targets,
            learn_columns(panel.known, learnt),
            learn_columns(panel.past, learnt),
            learn_columns(panel.static),
            bool(np.isnan(panel.values[learnt]).any()),
            panel.last(rows),
        )

    @property
    def kinds(self) -> dict[str, bool]:
        """Whether columns are numbers."""
        columns = {**self.known, **self.past, **self.static}
        return {name: not hasattr(codec, "labels") for name, codec in columns.items()}

    def future(self, panel: Panel) -> NDArray[np.float32]:
        """What is known of each row whether it has come or not, `[S, F]`: the calendar and the known columns."""
        return np.concatenate([self._calendar(panel), encode_columns(self.known, panel.known, len(panel.values))], -1)

    def behind(self, panel: Panel) -> NDArray[np.float32]:
        """What is known of rows that have come, `[S, F]`."""
        return encode_columns(self.past, panel.past, len(panel.values))

    def constants(self, panel: Panel) -> NDArray[np.float32]:
        """What is known of each series, `[N, F]`."""
        return encode_columns(self.static, panel.static, len(panel))

    def _calendar(self, panel: Panel) -> NDArray[np.float32]:
        """What the calendar says of all rows; of series that are on one grid it is asked once."""
        frequency = self.clock.frequency
        if not self.clock.dated or frequency is None:
            return np.zeros((len(panel.values), 0), np.float32)
        found: dict[tuple[Any, int], NDArray[np.float32]] = {}

        def ask(times: NDArray[Any]) -> NDArray[np.float32]:
            return calendar_features(times, frequency, zone=self.options.zone or "", holidays=self.options.days)[0]

        parts = [ask(panel.first[:0])]
        for number, size in enumerate(panel.sizes.tolist()):
            key = (panel.first[number], size)
            if key not in found:
                found[key] = ask(panel.times(number, 0, size))
            parts.append(found[key])
        return np.concatenate(parts)

    def to_json(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        columns = {role: {name: codec.to_json() for name, codec in getattr(self, role).items()} for role in ("known", "past", "static")}
        frequency = None if self.clock.frequency is None else str(self.clock.frequency)
        clock = {"style": self.clock.style.form, "zone": self.clock.style.zone, "frequency": frequency, "step": self.clock.step}
        about = {"options": table(self.options), "clock": clock, "targets": list(self.targets), "gaps": self.gaps}
        return {**about, **columns, "tail": panel_to_json(self.tail)}

    @classmethod
    def from_json(cls, found: Any) -> "PanelCodec":
        """What `to_json` gave. `RunError` for something else."""
        try:
            told = found["clock"]
            frequency = None if told["frequency"] is None else Frequency.parse(str(told["frequency"]))
            clock = Clock(Style(str(told["style"]), str(told["zone"])), frequency, float(told["step"]))
            if not (np.isfinite(clock.step) and clock.step > 0):
                raise damaged("the step from row to row must be above 0")
            columns = {role: {str(n): column_from_json(c) for n, c in found[role].items()} for role in ("known", "past", "static")}
            targets = tuple(map(str, found["targets"]))
            tail = panel_from_json(found["tail"], clock, targets, columns)
            return cls(build(PanelOptions, found["options"]), clock, targets, **columns, gaps=bool(found["gaps"]), tail=tail)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, UnrolledError) and not isinstance(error, ConfigError):
                raise
            raise damaged(f"series must have options, a clock, targets, columns and an end ({error!r})") from None
