"""What a run gives in the end."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import torch

from unrolled.errors import NotFiniteError, RunError
from unrolled.files import UNFINISHED
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.models import Arrangement
from unrolled.training import RunFolder
from unrolled.training.history import Curves
from unrolled.training.run_folder import LOCK

if TYPE_CHECKING:
    from unrolled.inspect.report import Section

Progress = Callable[[str, int, int], None]
"""Is told what is being done, and how much is done of how much."""

D = TypeVar("D", bound="Prepared")
C = TypeVar("C", bound="Codecs")
M = TypeVar("M", bound=Arrangement)


class Codecs(Protocol):
    """What a run has to know of its data to be used later: a codec for each field."""

    def to_json(self) -> Any:
        """All of it, ready for JSON."""


class Prepared(Protocol):
    """Data that is ready to be learnt. `fingerprint` identifies it: a run goes on only with the data that it was begun with."""

    @property
    def fingerprint(self) -> str:
        """Equal exactly when the data is."""

    @property
    def codecs(self) -> Any:
        """Learnt from its training part."""


class Measured(Protocol):
    """What was measured: for programs as JSON, and for people as text."""

    @property
    def text(self) -> str:
        """All of it in words, as many lines as it takes."""

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""


@contextmanager
def computing(what: str) -> Iterator[None]:
    """What is not finite inside is said to be what the network computes for `what`."""
    try:
        yield
    except NotFiniteError:
        raise not_finite(what) from None


def require_finite(value: float, what: str) -> None:
    """`NotFiniteError` for a value that is NaN or infinite."""
    if not isfinite(value):
        raise not_finite(what)


def not_finite(what: str) -> NotFiniteError:
    """That a network has no answer to something."""
    return NotFiniteError(
        f"What the network computes for {what} is not finite, so that it says nothing. Its weights are too large, or the numbers that it "
        "reads: scale these, or train again with a lower `learning_rate` or gradient clipping (`clip`)."
    )


class Trained(ABC, Generic[M, C]):
    """A network with the codecs of its data, as `load` gives it.

    `model` is the network, in evaluation mode; `task` is the name of its recipe. `folder` is that of its run. `looks_itself` says whether it has
    `sections` of its own for `unrolled inspect`.
    """

    looks_itself: ClassVar[bool] = False

    def __init__(self, task: str, model: M, codecs: C) -> None:
        self.task, self.model, self.codecs = task, model, codecs
        self.folder: RunFolder | None = None

    def __fspath__(self) -> str:
        """The path of its run: it stands wherever the folder of a run may, as in `from_run=model` and `unrolled.compare(model, other)`."""
        return str(self._run.path)

    @property
    def history(self) -> Curves:
        """What was measured while it was trained, as arrays."""
        return Curves(self._run.history.records())

    def save(self, out: str | Path) -> Path:
        """Copy its run to a new folder, from which `load` gives it again. `RunError` if there is something there already."""
        new = RunFolder(out)
        with new.taken():
            shutil.copytree(self._run.path, new.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(LOCK, f"{UNFINISHED}*"))
        return new.path

    @property
    def _run(self) -> RunFolder:
        if self.folder is None:
            raise RunError("This network was not loaded from a run folder, so that there is none to look into.")
        return self.folder

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.model.parameters()).device

    @abstractmethod
    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What `unrolled.inspect` looks at: a text, or the first sequence of a file and some of the others; `most` steps of each."""

    def sections(self, given: str | Path | None, data: Any) -> "Sequence[Section] | None":
        """Sections of its own about an input, or, without one, about the `data` that it learnt from, if that is there; None of what is looked into by its
        `inspection_input`."""
        return None

    @abstractmethod
    def held_out(self, data: Any, most: int = 1000) -> InspectionInput | None:
        """The same of what was held out when the `data` was learnt; None where nothing was."""

    def to_json(self) -> dict[str, Any]:
        """What it is, as plain values by name."""
        layers = self.model.recurrent
        size = sum(p.numel() for p in self.model.parameters())
        cell = None if layers is None else layers.cell.name
        return {"task": self.task, "cell": cell, "parameters": size, "codecs": self.codecs.to_json()}
