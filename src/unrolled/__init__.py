"""Recurrent networks written as their equations.

`import unrolled as un` loads nothing heavy: each public name brings what it needs when it is first used, so that the floors below the
engines work without torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unrolled import cells as cells
    from unrolled import data as data
    from unrolled import inspect as inspect
    from unrolled.cells import Cell as Cell
    from unrolled.layers import GRU as GRU
    from unrolled.layers import LSTM as LSTM
    from unrolled.layers import RNN as RNN
    from unrolled.layers import Recurrent as Recurrent
    from unrolled.tasks import load as load
    from unrolled.tasks import train_captioner as train_captioner
    from unrolled.tasks import train_classifier as train_classifier
    from unrolled.tasks import train_forecaster as train_forecaster
    from unrolled.tasks import train_language_model as train_language_model
    from unrolled.tasks import train_musician as train_musician
    from unrolled.tasks import train_regressor as train_regressor
    from unrolled.tasks import train_tagger as train_tagger
    from unrolled.tasks import train_transcriber as train_transcriber
    from unrolled.tasks import train_translator as train_translator
    from unrolled.tasks.comparing import compare as compare
    from unrolled.tasks.estimators import SequenceClassifier as SequenceClassifier
    from unrolled.tasks.estimators import SequenceRegressor as SequenceRegressor
    from unrolled.tasks.estimators import SequenceTagger as SequenceTagger
    from unrolled.tasks.forecasting.estimator import Forecaster as Forecaster
    from unrolled.tasks.looking import look as look
    from unrolled.tasks.several import study as study
    from unrolled.tasks.tuning import tune as tune
    from unrolled.training import Callback as Callback

__version__ = "0.1.0"

_HOME = {
    "Callback": "unrolled.training",
    "Cell": "unrolled.cells",
    "Recurrent": "unrolled.layers",
    "LSTM": "unrolled.layers",
    "GRU": "unrolled.layers",
    "RNN": "unrolled.layers",
    "compare": "unrolled.tasks.comparing",
    "Forecaster": "unrolled.tasks.forecasting.estimator",
    "SequenceClassifier": "unrolled.tasks.estimators",
    "SequenceRegressor": "unrolled.tasks.estimators",
    "SequenceTagger": "unrolled.tasks.estimators",
    "load": "unrolled.tasks",
    "look": "unrolled.tasks.looking",
    "study": "unrolled.tasks.several",
    "train_captioner": "unrolled.tasks",
    "tune": "unrolled.tasks.tuning",
    "train_classifier": "unrolled.tasks",
    "train_forecaster": "unrolled.tasks",
    "train_language_model": "unrolled.tasks",
    "train_musician": "unrolled.tasks",
    "train_regressor": "unrolled.tasks",
    "train_tagger": "unrolled.tasks",
    "train_transcriber": "unrolled.tasks",
    "train_translator": "unrolled.tasks",
}
_MODULES = {"cells", "data", "errors", "inspect"}

__all__ = [
    "GRU", "LSTM", "RNN", "Callback", "Cell", "Forecaster", "Recurrent", "SequenceClassifier", "SequenceRegressor", "SequenceTagger", "cells",
    "compare", "data", "errors", "inspect", "load", "look", "study", "train_classifier", "train_forecaster", "train_language_model", "train_musician",
    "train_regressor", "train_tagger", "train_transcriber", "train_translator", "tune",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _MODULES:
        return import_module(f"unrolled.{name}")
    raise AttributeError(f"module 'unrolled' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
