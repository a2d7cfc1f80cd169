"""F7: training. The loop, truncated back-propagation through time, checkpoints, run folders, history, what is shown on the
way, and what a run looks like inside. What is in it is loaded when it is first used, so that run folders are listed without torch."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unrolled.training.callbacks import Callback as Callback
    from unrolled.training.callbacks import Running as Running
    from unrolled.training.display import Display as Display
    from unrolled.training.display import Silent as Silent
    from unrolled.training.display import display_here as display_here
    from unrolled.training.findings import FEWEST as FEWEST
    from unrolled.training.findings import Finding as Finding
    from unrolled.training.findings import diagnose as diagnose
    from unrolled.training.findings import diagnose_losses as diagnose_losses
    from unrolled.training.findings import report as report
    from unrolled.training.interrupt import Stopped as Stopped
    from unrolled.training.loop import train as train
    from unrolled.training.options import TrainingOptions as TrainingOptions
    from unrolled.training.readings import Readings as Readings
    from unrolled.training.readings import read_watch as read_watch
    from unrolled.training.run_folder import RunFolder as RunFolder
    from unrolled.training.task import Objective as Objective
    from unrolled.training.task import Outcome as Outcome
    from unrolled.training.task import Task as Task
    from unrolled.training.truncated import State as State
    from unrolled.training.truncated import StreamOptions as StreamOptions
    from unrolled.training.truncated import Truncated as Truncated

_HOME = {
    "Callback": "callbacks",
    "Running": "callbacks",
    "Display": "display",
    "Silent": "display",
    "display_here": "display",
    "FEWEST": "findings",
    "Finding": "findings",
    "diagnose": "findings",
    "diagnose_losses": "findings",
    "report": "findings",
    "Stopped": "interrupt",
    "train": "loop",
    "TrainingOptions": "options",
    "Readings": "readings",
    "read_watch": "readings",
    "RunFolder": "run_folder",
    "Objective": "task",
    "Outcome": "task",
    "Task": "task",
    "State": "truncated",
    "StreamOptions": "truncated",
    "Truncated": "truncated",
}

__all__ = [
    "FEWEST",
    "Callback",
    "Display",
    "Finding",
    "Objective",
    "Outcome",
    "Readings",
    "RunFolder",
    "Running",
    "Silent",
    "State",
    "Stopped",
    "StreamOptions",
    "Task",
    "TrainingOptions",
    "Truncated",
    "diagnose",
    "diagnose_losses",
    "display_here",
    "read_watch",
    "report",
    "train",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"unrolled.training.{_HOME[name]}"), name)
    raise AttributeError(f"module 'unrolled.training' has no attribute {name!r}")
