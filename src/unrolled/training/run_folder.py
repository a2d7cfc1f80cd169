"""A run on disk: plain data in one folder, used by one process at a time."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomli_w
from filelock import FileLock, Timeout
from torch import Tensor, nn

from unrolled.errors import RunError
from unrolled.extras import is_installed
from unrolled.training.checkpoint import load_into, load_tensors, parameters_of, save_tensors, save_text
from unrolled.training.history import History
from unrolled.training.plot import plot_losses

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = 1
CONFIG = "config.toml"
WEIGHTS = "model.safetensors"
CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.jsonl"
WATCH = "watch.jsonl"
PICTURE = "loss.png"
LOCK = ".lock"


class RunFolder:
    """The folder of a run.

    `config.toml` (everything that was asked for), `model.safetensors` (the weights that were best on the held-out part), `checkpoint.safetensors`
    (all that is needed to go on), `metrics.jsonl`, `watch.jsonl` if the run was watched, `loss.png`, and the task's own text files.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.history, self.watched = History(self.path / METRICS), History(self.path / WATCH)

    def __str__(self) -> str:
        return str(self.path)

    def require_new(self) -> None:
        """`RunError` if there is something in the folder already."""
        if self.path.is_dir() and {p.name for p in self.path.iterdir()} <= {LOCK}:
            return
        if self.path.exists():
            raise RunError(f"{self} is there already. Choose another folder with `out`, or go on in it with `resume`.")

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the folder, which is made if need be, for this process. `RunError` if another one has it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / LOCK, timeout=0)
            lock.acquire()
        except Timeout:
            raise RunError(f"Another process is training in {self}. Wait for it, or choose another folder with `out`.") from None
        except OSError as error:
            raise RunError(f"{self} cannot be written: {error.strerror}. Choose another folder with `out`.") from None
        try:
            yield
        finally:
            lock.release()

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Store what was asked for."""
        save_text(self.path / CONFIG, tomli_w.dumps({"format": FORMAT, **config}))

    def read_config(self) -> dict[str, Any]:
        """What was asked for, as plain values. `RunError` if this is no run, or one of another format."""
        if not self.path.is_dir():
            raise RunError(f"There is no run folder {self}. Train one with `unrolled train`, or look at the spelling.")
        text = self.read_text(CONFIG)
        try:
            config = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise RunError(f"{self.path / CONFIG} is not TOML: {error}. Take it from a copy of the run.") from None
        if config.get("format") != FORMAT:
            raise RunError(f"{self.path / CONFIG} must have `format = {FORMAT}`, got {config.get('format')!r}: another version wrote it.")
        return config

    def read_text(self, name: str) -> str:
        """A text file of the run. `RunError` if it is missing or is not text."""
        path = self.path / name
        try:
            return path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise RunError(f"{path} is damaged: it is not UTF-8 text (byte {error.start}). Take it from a copy of the run.") from None
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror}. {self} is not a run folder, or not a whole one.") from None

    def write_text(self, name: str, text: str) -> None:
        """Store a text file of the task's own."""
        save_text(self.path / name, text)

    def save_weights(self, model: nn.Module) -> None:
        """Store the model's weights as those of the run."""
        save_tensors(self.path / WEIGHTS, parameters_of(model))

    def load_weights(self, model: nn.Module) -> None:
        """Give the model the weights of the run. `RunError` if they are missing, damaged, or those of another model."""
        path = self.path / WEIGHTS
        load_into(parameters_of(model), load_tensors(path)[0], path)

    def has_checkpoint(self) -> bool:
        """Whether there is something to go on from."""
        return (self.path / CHECKPOINT).exists()

    def save_checkpoint(self, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
        """Store all that is needed to go on, in place of what was stored before."""
        save_tensors(self.path / CHECKPOINT, tensors, metadata)

    def load_checkpoint(self) -> tuple[dict[str, Tensor], dict[str, str]]:
        """What `save_checkpoint` stored last."""
        return load_tensors(self.path / CHECKPOINT)

    def load_into(self, own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
        """Copy the checkpoint's tensors over those of the same name; `RunError` unless they fit."""
        load_into(own, given, self.path / CHECKPOINT)

    def draw(self, unit: str) -> None:
        """Draw the history, where matplotlib is installed."""
        if is_installed("matplotlib"):
            plot_losses(self.path / PICTURE, self.history.records(), unit)


def fresh_folder(name: str, parent: str = "runs") -> Path:
    """`runs/name`, or the first of `runs/name-2`, `runs/name-3` … that does not exist."""
    path, number = Path(parent, name), 1
    while path.exists():
        number += 1
        path = Path(parent, f"{name}-{number}")
    return path
