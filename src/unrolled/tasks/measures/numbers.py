"""How near predicted numbers come to true ones."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError
from unrolled.extras import extra
from unrolled.labels import literal
from unrolled.tasks.measures.labels import LONGER
from unrolled.tasks.pictures import save_picture

DRAWN = 5000
"""Most points of a picture."""


@dataclass(frozen=True)
class NumberMeasures:
    """The part of the variance that is explained, the mean absolute error and the root of the mean squared one."""

    r2: float
    mae: float
    rmse: float

    def __str__(self) -> str:
        return f"R² {self.r2:.4f}, MAE {self.mae:.4g}, RMSE {self.rmse:.4g}"


@dataclass(frozen=True)
class NumberScores(NumberMeasures):
    """Measures of `size` predictions of K numbers each, for `sequences` sequences; `unit` says whether each is for a sequence or a step.

    `r2` is the mean over the K numbers, the others are over all numbers; `targets` has the measures of each number by its name.
    `baseline_mae` and `baseline_rmse` are those of always saying the mean of what was learnt, whose R² is
    0 or less. `true` and `predicted` are `[size, K]`.
    """

    size: int
    baseline_mae: float
    baseline_rmse: float
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]
    sequences: int
    unit: str
    targets: Mapping[str, NumberMeasures]

    def __str__(self) -> str:
        return f"{super().__str__()} (always the mean: MAE {self.baseline_mae:.4g}, RMSE {self.baseline_rmse:.4g})"

    @property
    def text(self) -> str:
        """All of it in a line, and a line for each number if there are several."""
        each = [f"  {name}: {measures}" for name, measures in self.targets.items()]
        return "\n".join([f"{self}, over {self.size:,} {self.unit}", *(each if len(each) > 1 else [])])

    @property
    def warning(self) -> str:
        """That always saying the mean is as good."""
        better = self.rmse < self.baseline_rmse or self.mae < self.baseline_mae
        return "" if better else f"WARNING: what was learnt is of no use: always saying the mean is as near. {LONGER}"

    def measures(self) -> dict[str, float]:
        """Numbers for the log of a run."""
        return {"r2": self.r2, "mae": self.mae, "rmse": self.rmse}

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        sizes = {self.unit: self.size, "sequences": self.sequences}
        each = {name: asdict(measures) for name, measures in self.targets.items()}
        return {**self.measures(), "baseline_mae": self.baseline_mae, "baseline_rmse": self.baseline_rmse, **sizes, "targets": each}

    def draw_calibration(self, path: str | Path) -> None:
        """Numbers have no probabilities of being right."""
        raise ConfigError("`calibration` is about labels, and these are numbers. Leave it out.")

    def draw(self, path: str | Path) -> None:
        """Draw predicted numbers against true ones into a picture (PNG, SVG or PDF), a panel for each of the K; on the line they are equal."""
        count = min(self.true.shape[1], 6)
        figure = extra("matplotlib.figure").Figure(figsize=(4 * count, 4), layout="constrained")
        extra("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
        some = np.linspace(0, self.size - 1, min(self.size, DRAWN)).astype(int)
        for column, (name, axes) in enumerate(zip(self.targets, np.ravel(figure.subplots(1, count)), strict=False)):
            true, predicted = self.true[some, column], self.predicted[some, column]
            ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
            axes.plot(ends, ends, color="grey", linewidth=1)
            axes.scatter(true, predicted, s=8, alpha=0.5)
            axes.set_xlabel("true" if count == 1 else f"true {literal(name)}")
            axes.set_ylabel("predicted")
        save_picture(figure, path)


def score_numbers(
    true: NDArray[Any],
    predicted: NDArray[Any],
    mean: NDArray[Any],
    *,
    sequences: int | None = None,
    unit: str = "sequences",
    names: Sequence[str] = (),
) -> NumberScores:
    """Numbers `[N, K]` beside the true ones, of so many `sequences`, or N; `mean` `[K]` is that of what was learnt, `names` are those of the
    numbers, if they have some.

    A number that never changes explains everything or nothing: its R² is 1 if it is always right, but for rounding, and else 0.
    """
    errors, guess = predicted - true, mean - true
    residual, total = (errors**2).sum(0), ((true - true.mean(0)) ** 2).sum(0)
    constant, right = (true == true[:1]).all(0), (np.abs(errors) <= 1e-9 * np.abs(true)).all(0)
    r2 = np.where(constant, right, 1 - residual / np.where(constant, 1, total))
    each = zip(r2.tolist(), np.abs(errors).mean(0).tolist(), np.sqrt((errors**2).mean(0)).tolist(), strict=True)
    named = names or [f"number {column + 1}" for column in range(len(r2))]
    return NumberScores(
        r2=float(r2.mean()),
        mae=float(np.abs(errors).mean()),
        rmse=float(np.sqrt((errors**2).mean())),
        size=len(true),
        baseline_mae=float(np.abs(guess).mean()),
        baseline_rmse=float(np.sqrt((guess**2).mean())),
        true=true,
        predicted=predicted,
        sequences=len(true) if sequences is None else sequences,
        unit=unit,
        targets={name: NumberMeasures(*measures) for name, measures in zip(named, each, strict=True)},
    )
