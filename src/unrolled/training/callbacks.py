"""What is told of a run as it goes on, for whoever wants to watch it, write it down elsewhere, or end it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.errors import ConfigError
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder
from unrolled.training.task import Outcome, Task

Record = Mapping[str, Any]
"""A line of a run's history: `update`, `epoch`, `tokens`, `seconds`, and numbers by name."""


@dataclass(frozen=True)
class Running:
    """A run that begins or goes on: its folder, what it learns, and how."""

    folder: RunFolder
    task: Task
    options: TrainingOptions


class Callback:
    """Is told what happens in a run; each method does nothing unless a subclass says otherwise.

    To end the run early, raise `unrolled.training.Stopped` from `recorded` or `measured`: everything is saved, and it can be resumed. Any other error
    ends it as it stands.
    """

    def began(self, running: Running) -> None:
        """A run begins, or goes on."""

    def recorded(self, record: Record) -> None:
        """Something was written into the history: the training loss now and then, and everything that is measured."""

    def measured(self, record: Record) -> None:
        """The held-out part was measured on the way; the best weights so far are kept already."""

    def ended(self, outcome: Outcome | None) -> None:
        """The run ended; None when an error ended it."""


def callbacks_in(given: Callback | Sequence[Callback] | None) -> tuple[Callback, ...]:
    """One callback, or several. `ConfigError` for a class in the place of an instance of it, and for anything else."""
    found: tuple[Any, ...] = () if given is None else tuple(given) if isinstance(given, list | tuple) else (given,)
    for callback in found:
        if isinstance(callback, type) and issubclass(callback, Callback):
            raise ConfigError(f"`callbacks` must be instances, got the class {callback.__name__}. Make one: {callback.__name__}().")
        if not isinstance(callback, Callback):
            raise ConfigError(f"`callbacks` must be instances of `unrolled.Callback`, got {callback!r:.80}. Make a subclass of it.")
    return found
