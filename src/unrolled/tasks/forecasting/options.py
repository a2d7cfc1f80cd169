"""What one can ask of a network of forecasts."""

from dataclasses import dataclass, replace

from unrolled.data.builtin import absolute
from unrolled.data.formats.bad_rows import BAD_ROWS, ERROR, require_known
from unrolled.data.panels import PanelOptions
from unrolled.data.panels.options import several
from unrolled.data.panels.shape import BASES, BEST, NOTHING, SEASONAL
from unrolled.errors import ConfigError
from unrolled.models import FORECAST_HEADS, Distribution, ForecastingOptions
from unrolled.options import option
from unrolled.tasks.configuration import Options
from unrolled.tasks.forecasting.statistical import STATISTICAL
from unrolled.tasks.mistakes import ErrorOptions
from unrolled.tasks.places import PICTURES
from unrolled.training import TrainingOptions

DIRECT, RECURSIVE = "direct", "recursive"
METHODS = (DIRECT, RECURSIVE)

SIMPLE, NONE = "simple", "none"
BAD_ROWS_HELP = f"What becomes of rows that cannot be read: {', '.join(BAD_ROWS)}.  [default: as in training]"
RIVALS_HELP = f"Methods beside the network: {SIMPLE}, {NONE}, or beside the simple ones {', '.join(STATISTICAL)} with commas between, which need unrolled[rivals]."


def rivals_named(text: str) -> tuple[str, ...]:
    """The rivals that are named with commas between; the simple ones are among them unless there are none. `ConfigError` for others."""
    names = several(text)
    if names == (NONE,):
        return ()
    for name in names:
        if name not in (SIMPLE, *STATISTICAL):
            raise ConfigError(f"`rivals` must be {SIMPLE}, {NONE}, or of {', '.join(STATISTICAL)} some with commas between, got {name!r}.")
    return tuple(dict.fromkeys((SIMPLE, *names)))


LOSSES = tuple(name for name, head in FORECAST_HEADS.items() if issubclass(head, Distribution))


@dataclass(frozen=True)
class ForecastDataOptions:
    """What is learnt from which tables."""

    sources: tuple[str, ...] = option((), "Tables with series: CSV, or parquet. Rows of one series may stand in several.")
    validation: tuple[str, ...] = option((), "Tables to measure on, instead of the ends of the series in TABLE.")
    held_out: float = option(
        0.1, "Held-out part at the end of each series, which is measured on and not learnt; from 1 on a number of rows; 0: none."
    )
    rivals: str = option(SIMPLE, RIVALS_HELP, rare=True)
    leave_out: int = option(
        0, "Rows at the end of each series that are not looked at, so that `unrolled evaluate` and `unrolled backtest` can measure on them."
    )

    def __post_init__(self) -> None:
        if not (0 <= self.held_out < 1 or (self.held_out >= 1 and self.held_out == int(self.held_out))):
            raise ConfigError(f"`held_out` must be a fraction from 0 to below 1, or a whole number of rows, got {self.held_out}.")
        rivals_named(self.rivals)
        if self.leave_out < 0:
            raise ConfigError(f"`leave_out` must be at least 0, got {self.leave_out}.")

    def resolved(self) -> "ForecastDataOptions":
        """The same with paths that hold wherever one stands."""
        return replace(self, sources=absolute(self.sources), validation=absolute(self.validation))


@dataclass(frozen=True)
class ForecastOptions:
    """What is forecast, and from what."""

    horizon: int | None = option(None, "Steps to forecast. It must be given.")
    context: int | None = option(
        None, "Steps before the horizon that are read one by one.  [default: from the horizon, the seasons and the length of the series]"
    )
    season: str | None = option(
        None, "Steps after which a season begins anew, with commas between several; 0: none.  [default: by the frequency, such as 24,168]"
    )
    quantiles: str = option("0.1,0.5,0.9", "Levels of the quantiles that are written, with commas between.")
    method: str = option(
        DIRECT,
        "direct: all steps of the horizon at once; recursive: step by step, each from draws of those before it (DeepAR), for any horizon and streams.",
    )
    loss: str = option("quantiles", f"How numbers are taken to be distributed: {', '.join(LOSSES)}; the last two are for counts.")
    residual_of: str | None = option(
        None,
        f"Learn the rest above something simple: {', '.join(BASES)}, which is a mean of all by how near each came in the past.  [default: best; none for counts]",
        rare=True,
    )

    def __post_init__(self) -> None:
        for name in ("horizon", "context"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")
        for name, known in (("method", METHODS), ("loss", LOSSES), ("residual_of", (None, *BASES))):
            if getattr(self, name) not in known:
                raise ConfigError(f"`{name}` must be one of {', '.join(filter(None, known))}, got {getattr(self, name)!r}.")
        if self.counts and self.residual_of not in (None, NOTHING):
            raise ConfigError(
                f"`loss={self.loss!r}` is for counts as they are, and `residual_of` takes something away. Leave one of them out."
            )
        if self.residual_of in SEASONAL and self.seasons == ():
            raise ConfigError(f"`residual_of={self.residual_of!r}` needs seasons, and `season=0` says that there are none.")
        _ = self.levels

    @property
    def counts(self) -> bool:
        """Whether counts are forecast as they are."""
        head = FORECAST_HEADS[self.loss]
        return bool(head.counts)

    @property
    def seasons(self) -> tuple[int, ...] | None:
        """The seasons, shortest first; None where they are to be found out. `ConfigError` for what are none."""
        if self.season is None:
            return None
        try:
            found = sorted({int(part) for part in several(self.season)})
        except ValueError:
            found = [-1]
        if found and (found[0] < 0 or 1 in found):
            raise ConfigError(f"`season` must be whole numbers of at least 2 with commas between, or 0, got {self.season!r}.")
        return tuple(season for season in found if season)

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels of quantiles, which rise. `ConfigError` for what are none."""
        try:
            found = sorted({float(part) for part in several(self.quantiles)})
        except ValueError:
            found = []
        if not found or not all(0 < level < 1 for level in found):
            raise ConfigError(f"`quantiles` must be numbers between 0 and 1 with commas between, got {self.quantiles!r}.")
        return tuple(found)

    def resolved(self) -> "ForecastOptions":
        """The same: what is open is found out from the series. `ConfigError` without a horizon."""
        if self.horizon is None:
            raise ConfigError("`horizon` must say how many steps are to be forecast. Pass it, such as `horizon=24`.")
        return self

    def decided(self, seasons: tuple[int, ...], context: int) -> "ForecastOptions":
        """With what was found out from the series."""
        if self.residual_of in SEASONAL and not seasons:
            raise ConfigError(
                f"`residual_of={self.residual_of!r}` needs a season, and none is known that most series have twice. Pass `season`, or another base."
            )
        simple = NOTHING if self.counts else BEST
        return replace(self, season=",".join(map(str, seasons)) or "0", context=context, residual_of=self.residual_of or simple)


DRAWN, EACH = 6400, 8
"""Windows of an epoch if nothing is said, and as many times each of them at most: short series are learnt in few updates, and soon too well."""


@dataclass(frozen=True)
class ForecastBatchOptions:
    """How windows come together."""

    batch: int = option(64, "Batch size: windows in a batch.", rare=True)
    windows: int | None = option(
        None,
        f"Windows that an epoch draws at random from all series.  [default: {DRAWN}, but at most {EACH} times as many as there are]",
        rare=True,
    )

    def __post_init__(self) -> None:
        for name in ("batch", "windows"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")

    def resolved(self) -> "ForecastBatchOptions":
        """The same: nothing is open."""
        return self


EPOCHS = 20


@dataclass(frozen=True)
class ForecastTrainingOptions(TrainingOptions):
    """How to train, with what was measured to be good for windows of series where nothing is said."""

    epochs: int | None = option(None, f"Epochs: each draws as many windows as `windows` says.  [default: {EPOCHS}]")
    updates: int | None = option(None, "Updates of the weights to train for, instead of `epochs`.", rare=True)
    clip: float = option(1.0, "Gradient clipping: largest norm of the whole gradient (global-norm clipping); 0: none.", rare=True)
    average: float = option(0.99, "Decay of an exponential moving average of the weights, which is then what is kept; 0: none.", rare=True)
    best_by: str | None = option(
        None,
        "Measure of the held-out part by which the best weights are kept, and `patience` goes; a wrong name lists those that there are.",
        rare=True,
    )
    watch: bool = option(False, "Record gradients, updates and gates on the way, and say in the end what looks wrong with them.", rare=True)
    evaluations: int = option(20, "How often the held-out part is measured.", rare=True)

    def resolved(self) -> "ForecastTrainingOptions":
        """The same with what was left open decided."""
        return self if self.epochs or self.updates or self.minutes else replace(self, epochs=EPOCHS)


@dataclass(frozen=True)
class ForecastTaskOptions(Options):
    """All options of the task."""

    data: ForecastDataOptions
    reading: PanelOptions
    forecast: ForecastOptions
    model: ForecastingOptions
    batches: ForecastBatchOptions
    training: ForecastTrainingOptions


@dataclass(frozen=True)
class ScoringOptions(ErrorOptions):
    """What stands beside a network, the picture of it, and what was wrong."""

    rivals: str = option(SIMPLE, RIVALS_HELP)
    plot: str | None = option(
        None, "Draw what was forecast, or how errors grow with the horizon, into this PNG, SVG or PDF file.", written=PICTURES
    )
    bad_rows: str | None = option(None, BAD_ROWS_HELP)

    def __post_init__(self) -> None:
        rivals_named(self.rivals)
        require_known(self.bad_rows or ERROR)


@dataclass(frozen=True)
class BacktestOptions(ScoringOptions):
    """From where is forecast."""

    windows: int = option(10, "Windows of each series: origins from which is forecast.")
    step: int | None = option(None, "Rows from one origin to the next.  [default: the horizon]")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("windows", "step"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")


FORMS = ("csv", "json", "parquet")


@dataclass(frozen=True)
class PredictOptions:
    """How far is forecast, from what, and how it is written."""

    horizon: int | None = option(None, "Steps to forecast.  [default: as in training]")
    future: str | None = option(None, "Table with the `known` columns of the steps to come, if TABLE has no rows for them.")
    samples: int = option(200, "Paths that a recursive network draws of each series.")
    seed: int = option(0, "Seed of the draws.")
    form: str | None = option(None, f"How forecasts are written: {', '.join(FORMS)}.  [default: csv]")
    plot: str | None = option(None, "Draw a fan chart of the first series into this PNG, SVG or PDF file.", written=PICTURES)
    bad_rows: str | None = option(None, BAD_ROWS_HELP)

    def __post_init__(self) -> None:
        require_known(self.bad_rows or ERROR)
        for name in ("horizon", "samples"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")
        if self.form not in (None, *FORMS):
            raise ConfigError(f"`form` must be one of {', '.join(FORMS)}, got {self.form!r}.")
        if not 0 <= self.seed < 2**63:
            raise ConfigError(f"`seed` must be a whole number from 0 to 2^63 - 1, got {self.seed}.")
