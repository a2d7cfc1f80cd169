"""F7: training. The loop, truncated back-propagation through time, checkpoints, run folders, history, and what is shown on the way."""

from unrolled.training.display import Display, Silent, display_here
from unrolled.training.loop import train
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import RunFolder
from unrolled.training.task import Outcome, Task
from unrolled.training.truncated import Piece, StreamOptions, Truncated

__all__ = [
    "Display",
    "Outcome",
    "Piece",
    "RunFolder",
    "Silent",
    "StreamOptions",
    "Task",
    "TrainingOptions",
    "Truncated",
    "display_here",
    "train",
]
