"""F7: training. The loop, truncated back-propagation through time, checkpoints, run folders, history, what is shown on the
way, and what a run looks like inside."""

from unrolled.training.callbacks import Callback, Running
from unrolled.training.display import Display, Silent, display_here
from unrolled.training.findings import FEWEST, Finding, diagnose, diagnose_losses, report
from unrolled.training.interrupt import Stopped
from unrolled.training.loop import train
from unrolled.training.options import TrainingOptions
from unrolled.training.readings import Readings, read_watch
from unrolled.training.run_folder import RunFolder
from unrolled.training.task import Objective, Outcome, Task
from unrolled.training.truncated import State, StreamOptions, Truncated

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
