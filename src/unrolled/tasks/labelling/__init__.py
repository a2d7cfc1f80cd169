"""Labelling: one label for a sequence, or one for every step, from labelled files to a trained model that predicts and is scored."""

from unrolled.tasks.labelling.options import WindowOptions
from unrolled.tasks.labelling.scores import Scores
from unrolled.tasks.labelling.trained import TrainedLabeller

__all__ = ["Scores", "TrainedLabeller", "WindowOptions"]
