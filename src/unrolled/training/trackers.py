"""Runs written down elsewhere, too: in TensorBoard, Weights & Biases, MLflow and trackio."""

import os
import stat
from collections.abc import Callable
from typing import Any

from unrolled.errors import RunError
from unrolled.extras import extra
from unrolled.training.callbacks import Callback, Record, Running
from unrolled.training.task import Outcome

PROJECT = "unrolled"
"""The project, or the experiment, where nothing else is set up by the tracker's own environment variables."""


class TensorBoard(Callback):
    """Events in the run folder."""

    def __init__(self) -> None:
        self._module = extra("torch.utils.tensorboard")

    def began(self, running: Running) -> None:
        """Open the folder `tensorboard`. `RunError` for anything else in its place."""
        events = running.folder.path / "tensorboard"
        if os.path.lexists(events) and not stat.S_ISDIR(events.lstat().st_mode):
            raise RunError(f"{events} is not a folder of the run's own. Move it away, then go on.")
        self._writer = self._module.SummaryWriter(events)

    def recorded(self, record: Record) -> None:
        """Every number of a record."""
        for name, value in _numbers(record).items():
            self._writer.add_scalar(name, value, record["update"])

    def ended(self, outcome: Outcome | None) -> None:
        """Write what is not written yet."""
        self._writer.close()


class _Logged(Callback):
    """A tracker with `init`, `log` and `finish`, as Weights & Biases has them, whose project its environment `variable` names."""

    module: str
    variable: str

    def __init__(self) -> None:
        self._module = extra(self.module)

    def began(self, running: Running) -> None:
        """A run named after the folder, with all its options."""
        name = running.folder.path.resolve().name
        self._module.init(project=os.environ.get(self.variable, PROJECT), name=name, config=_options(running))

    def recorded(self, record: Record) -> None:
        """Every number of a record."""
        self._module.log(_numbers(record), step=record["update"])

    def ended(self, outcome: Outcome | None) -> None:
        """The run is over."""
        self._module.finish()


class WeightsAndBiases(_Logged):
    """A run of Weights & Biases."""

    module, variable = "wandb", "WANDB_PROJECT"


class Trackio(_Logged):
    """A run of trackio."""

    module, variable = "trackio", "TRACKIO_PROJECT"


class MLflow(Callback):
    """A run of MLflow."""

    def __init__(self) -> None:
        self._module = extra("mlflow")

    def began(self, running: Running) -> None:
        """A run named after the folder, with all its options."""
        if "MLFLOW_EXPERIMENT_NAME" not in os.environ:
            self._module.set_experiment(PROJECT)
        self._module.start_run(run_name=running.folder.path.resolve().name)
        self._module.log_params(_options(running))

    def recorded(self, record: Record) -> None:
        """Every number of a record."""
        self._module.log_metrics(_numbers(record), step=record["update"])

    def ended(self, outcome: Outcome | None) -> None:
        """The run is over."""
        self._module.end_run("FINISHED" if outcome is not None else "FAILED")


TRACKERS: dict[str, Callable[[], Callback]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "mlflow": MLflow,
    "trackio": Trackio,
}
"""All of them by the name that `track` has for them."""


def _numbers(record: Record) -> dict[str, float]:
    return {name: value for name, value in record.items() if isinstance(value, float)}


def _options(running: Running) -> dict[str, Any]:
    """All options of a run, in one level."""
    tables = [table for table in running.folder.read_config().values() if isinstance(table, dict)]
    return {name: value for table in tables for name, value in table.items()}
