"""Networks of forecasts as estimators of scikit-learn."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import UnrolledWarning
from unrolled.tasks import train_forecaster
from unrolled.tasks.estimator_data import Numbered, as_table, is_table
from unrolled.tasks.estimators import Network


class Forecaster(Network):
    """What comes next in series of numbers; see `unrolled.train_forecaster`. `horizon` steps are forecast, from `context` steps, with seasons of so many.

    Series are arrays `[T]` or `[T, K]` of any lengths, the rows of one array, or one series `[T]`; or the tables that `train_forecaster` takes, a frame of pandas,
    polars or pyarrow or a mapping of columns, whose columns are named by `options`: `{"series": "shop", "time": "day", "target": "sold"}`.
    """

    task = "forecast"

    def __init__(
        self,
        horizon: int = 1,
        *,
        context: int | None = None,
        season: Any = None,
        cell: Any = "lstm",
        hidden: int | None = None,
        layers: int | None = None,
        dropout: float | None = None,
        epochs: int | None = None,
        updates: int | None = None,
        batch: int | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        held_out: float | None = None,
        patience: int | None = None,
        options: Mapping[str, Any] | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.horizon, self.context, self.season, self.cell, self.hidden, self.layers = horizon, context, season, cell, hidden, layers
        self.dropout, self.epochs, self.updates, self.batch = dropout, epochs, updates, batch
        self.learning_rate, self.weight_decay, self.held_out, self.patience = learning_rate, weight_decay, held_out, patience
        self.options, self.random_state, self.verbose = options, random_state, verbose

    def fit(self, X: Any, y: Any = None) -> "Forecaster":
        """Learn from series."""
        self._learn(X if is_table(X) else as_table(X), None)
        return self

    def _train(self, data: Any, targets: Any, **options: Any) -> None:
        columns: dict[str, Any] = {}
        if isinstance(data, Numbered):
            columns = {"series": "series", "time": "time", "target": [name for name in data if name not in ("series", "time")]}
        train_forecaster(data, **columns, **options)

    def predict(self, X: Any = None) -> NDArray[np.float64]:
        """The medians of what comes after each series, or after those that were learnt, `[N, horizon]`, or `[N, horizon, K]` of several numbers."""
        points: NDArray[np.float64] = self.trained_.forecast(X if X is None or is_table(X) else as_table(X)).points
        return points[..., 0] if points.shape[-1] == 1 else points

    def score(self, X: Any, y: Any = None) -> float:
        """The negative mean absolute error of forecasts of the last `horizon` steps of each series, from what comes before them."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnrolledWarning)
            return -float(self.trained_.evaluate(X if is_table(X) else as_table(X)).mae)
