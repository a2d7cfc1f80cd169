"""Language modelling: from text files to a trained model that samples, scores and measures."""

from unrolled.tasks.language_model.measure import Measure
from unrolled.tasks.language_model.options import GROUPS, NAME, DataOptions, ModelOptions
from unrolled.tasks.language_model.trained import TrainedLanguageModel, describe

__all__ = ["GROUPS", "NAME", "DataOptions", "Measure", "ModelOptions", "TrainedLanguageModel", "describe"]
