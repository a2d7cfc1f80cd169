"""A run on disk: plain data in one folder, used by one process at a time."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from unrolled.errors import RunError
from unrolled.extras import is_installed
from unrolled.files import LARGEST, UNFINISHED, locked, read_file, require_folder, require_ordinary, sweep
from unrolled.later import Later
from unrolled.plain import from_toml
from unrolled.training.history import History
from unrolled.training.plot import plot_losses

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unrolled.training import checkpoint
else:
    checkpoint = Later("unrolled.training.checkpoint")

FORMAT = 1
CONFIG = "config.toml"
WEIGHTS = "model.safetensors"
CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.jsonl"
WATCH = "watch.jsonl"
PICTURE = "loss.png"
STUDY = "study.toml"
"""What a folder with the folders of several runs has instead of a configuration."""
MODEL = "model."
"""How the names of weights begin in a checkpoint."""

CELL, CODECS = "recurrence.cell", "codecs.json"
"""The files that tasks write beside the configuration, and before it."""

LOCK = ".lock"

BEST_BY, TRAINED = "best_by", "trained_seconds"
"""What the last record of a run has, and no other: by which measure the weights were kept, and how long they were learnt, without measuring them in the end."""

_LARGEST = {CONFIG: 4 << 20, CELL: 1 << 20}
"""Bytes that text files may have which are not read as fast as they come."""


class RunFolder:
    """The folder of a run.

    `config.toml` (everything that was asked for), `model.safetensors` (the weights that were best on the held-out part), `checkpoint.safetensors`
    (all that is needed to go on), `metrics.jsonl`, `watch.jsonl` if the run was watched, `loss.png`, and the task's own text files. The
    configuration is written first of what makes a run, and after what it needs: without it the folder holds no run yet.

    With `numbered`, a new run takes the first of `path`, `path-2`, `path-3` … that is free, which is `path` from then on.
    """

    def __init__(self, path: str | os.PathLike[str], *, numbered: bool = False) -> None:
        self.path = Path(path)
        self._numbered = numbered

    def __str__(self) -> str:
        return str(self.path)

    @property
    def history(self) -> History:
        """What was measured."""
        return History(self.path / METRICS)

    @property
    def watched(self) -> History:
        """What was watched."""
        return History(self.path / WATCH)

    @property
    def begun(self) -> bool:
        """Whether there is a run in it."""
        return os.path.lexists(self.path / CONFIG)

    @property
    def finished(self) -> bool:
        """Whether the weights that were kept were measured, which is the last that a run does; one that holds nothing out never is."""
        return any(BEST_BY in record for record in self.history.records()[-1:])

    def inside(self, name: str) -> "RunFolder":
        """The folder of one of the runs inside, there or to come. `RunError` for a link, or anything else that is no folder, in its place."""
        run = RunFolder(self.path / name)
        run._require_own()
        return run

    @property
    def new(self) -> bool:
        """Whether there is nothing in its place but what a run leaves behind that was stopped before it had begun."""
        names = self._names()
        return not os.path.lexists(self.path) if names is None else names <= {LOCK, CELL, CODECS}

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take the folder for a new run, so that no other process does; it goes again if it stays empty and this fails.

        `RunError` if there is something in it already, or if it cannot be made.
        """
        made = self._make()
        self.require_new()
        try:
            yield
        except BaseException:
            with suppress(OSError):
                for folder in made:
                    folder.rmdir()
            raise

    def _make(self) -> list[Path]:
        """Make the folder; gives those that were not there, the innermost first."""
        first, number = self.path, 1
        while True:
            missing = [folder for folder in (self.path, *self.path.parents) if not os.path.lexists(folder)]
            try:
                self.path.mkdir(parents=True)
                return missing
            except FileExistsError:
                if not self._numbered:
                    return []
            except OSError as error:
                raise self._unwritable(error) from None
            number += 1
            self.path = first.with_name(f"{first.name}-{number}")

    def require_new(self) -> None:
        """`RunError` unless the folder holds nothing but what a run leaves behind that was stopped before it had begun."""
        if not self.new or not self.path.is_dir():
            raise RunError(f"{self} is there already. Choose another folder with `out`, or go on in it with `resume`.")

    def _names(self) -> set[str] | None:
        """What lies in the folder; None where it is none."""
        try:
            return {name for name in os.listdir(self.path) if not name.startswith(UNFINISHED)}
        except OSError:
            return None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the folder for this process, and clear up what killed ones left in it. `RunError` if another one has it."""
        if os.path.lexists(self.path.parent / STUDY):
            self._require_own()
        self._require_ordinary()
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.path / LOCK))
            except BlockingIOError:
                raise RunError(f"Another process is training in {self}. Wait for it, or choose another folder with `out`.") from None
            except OSError as error:
                raise self._unwritable(error) from None
            sweep(self.path, 0.0)
            yield

    def _require_own(self) -> None:
        """`RunError` for something in the place of a run inside another folder that leads out of it, or is no folder."""
        try:
            require_folder(self.path)
        except OSError as error:
            raise RunError(
                f"{self} cannot be used as the folder of a run inside {self.path.parent}: {error.strerror}. Move it away; `resume` then trains this run anew."
            ) from None

    def _require_ordinary(self) -> None:
        """`RunError` for a link, or anything else that is no ordinary file, in the place of one of the run's own."""
        for name in (LOCK, CONFIG, CELL, CODECS, WEIGHTS, CHECKPOINT, METRICS, WATCH, PICTURE, STUDY):
            try:
                require_ordinary(self.path / name)
            except OSError as error:
                raise RunError(
                    f"{self.path / name} cannot be used: {error.strerror}. Take it away, or choose another folder with `out`."
                ) from None

    def _unwritable(self, error: OSError) -> RunError:
        return RunError(f"{self} cannot be written: {error.strerror or error}. Choose another folder with `out`.")

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Store what was asked for."""
        checkpoint.save_text(self.path / CONFIG, tomli_w.dumps({"format": FORMAT, **config}))

    def read_config(self) -> dict[str, Any]:
        """What was asked for, as plain values. `RunError` if this is no run, or one of another format."""
        try:
            there = stat.S_ISDIR(self.path.stat().st_mode)
        except PermissionError as error:
            raise RunError(f"{self} cannot be read: {error.strerror}. Give yourself the right to enter the folders above it.") from None
        except OSError:
            there = False
        if not there:
            raise RunError(f"There is no run folder {self}. Train one with `unrolled train`, or look at the spelling.")
        if os.path.lexists(self.path / STUDY):
            raise RunError(f"{self} holds the folders of several runs (`unrolled compare {self}` lists them). Name one of these.")
        if (self._names() or set()) <= {LOCK, CELL, CODECS}:
            raise RunError(f"{self} holds no run yet. Begin one in it with `out`.")
        text = self.read_text(CONFIG)
        try:
            config = from_toml(text)
        except ValueError as error:
            raise RunError(f"{self.path / CONFIG} is not TOML: {error}. Take it from a copy of the run.") from None
        if config.get("format") != FORMAT:
            raise RunError(f"{self.path / CONFIG} must have `format = {FORMAT}`, got {config.get('format')!r}: another version wrote it.")
        return config

    def read_text(self, name: str) -> str:
        """A text file of the run. `RunError` if it is missing or is not text."""
        path = self.path / name
        try:
            return read_file(path, _LARGEST.get(name, LARGEST)).decode("utf-8")
        except UnicodeDecodeError as error:
            raise RunError(f"{path} is damaged: it is not UTF-8 text (byte {error.start}). Take it from a copy of the run.") from None
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror}. {self} is not a run folder, or not a whole one.") from None

    def write_text(self, name: str, text: str) -> None:
        """Store a text file of the task's own."""
        checkpoint.save_text(self.path / name, text)

    def save_weights(self, model: "nn.Module") -> None:
        """Store the model's weights as those of the run."""
        checkpoint.save_tensors(self.path / WEIGHTS, checkpoint.parameters_of(model))

    def load_weights(self, model: "nn.Module") -> None:
        """Give the model the weights of the run. `RunError` if they are missing, damaged, or those of another model."""
        path = self.path / WEIGHTS
        checkpoint.load_into(checkpoint.parameters_of(model), checkpoint.load_tensors(path)[0], path)

    def require_same(self, model: "nn.Module", name: str) -> None:
        """`RunError` unless the weights in one of the run's files, if it is there, are those of such a model; their numbers are not read."""
        path, prefix = self.path / name, MODEL if name == CHECKPOINT else ""
        if os.path.lexists(path):
            found = checkpoint.map_tensors(path)[0].items()
            own = {key.removeprefix(prefix): tensor for key, tensor in found if key.startswith(prefix)}
            checkpoint.require_same(checkpoint.parameters_of(model), own, path)

    def has_checkpoint(self) -> bool:
        """Whether there is something to go on from."""
        return os.path.lexists(self.path / CHECKPOINT)

    def has_weights(self) -> bool:
        """Whether there are weights of a run."""
        return self.begun and os.path.lexists(self.path / WEIGHTS)

    def save_checkpoint(self, tensors: "Mapping[str, Tensor]", metadata: Mapping[str, str]) -> None:
        """Store all that is needed to go on, in place of what was stored before."""
        checkpoint.save_tensors(self.path / CHECKPOINT, tensors, metadata)

    def load_checkpoint(self) -> "tuple[dict[str, Tensor], dict[str, str]]":
        """What `save_checkpoint` stored last."""
        return checkpoint.load_tensors(self.path / CHECKPOINT)

    def load_into(self, own: "Mapping[str, Tensor]", given: "Mapping[str, Tensor]") -> None:
        """Copy the checkpoint's tensors over those of the same name; `RunError` unless they fit."""
        checkpoint.load_into(own, given, self.path / CHECKPOINT)

    def draw(self, unit: str) -> None:
        """Draw the history, where matplotlib is installed."""
        if is_installed("matplotlib"):
            plot_losses(self.path / PICTURE, self.history.records(), unit)
