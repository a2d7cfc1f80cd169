"""What every task has in common: options, knowledge of its data, a network, a loop, a result."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from torch import nn

from unrolled.cells import Cell
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.summary import Answering, Summary, Writing
from unrolled.training import Task

Progress = Callable[[str, int, int], None]
"""Is told what is being done, and how much is done of how much."""


class Knowledge(Protocol):
    """What a run has to know of its data to be used later: vocabularies, labels, means."""

    def to_json(self) -> str:
        """All of it as JSON."""


class Material(Protocol):
    """Data that is ready to be learnt. `fingerprint` identifies it: a run goes on only with the data that it was begun with."""

    @property
    def fingerprint(self) -> str:
        """Equal exactly when the data is."""

    @property
    def knowledge(self) -> Any:
        """What was found out about it; see `Knowledge`."""


class ReadyTask(Task, Protocol):
    """A task that is about to be trained."""

    def try_out(self) -> None:
        """One step of the network, so that an engine that was named and cannot run it says so before anything is written."""

    def summary(self) -> str:
        """What is learnt from how much, in a few words."""


class Recipe(Protocol):
    """A task: what `unrolled train` has a command for.

    `name` is that of the command, `help` its text, and `data_name` what its data is called there. `noun` is what a
    network of it is called, `commands` are those that its runs can be used with, `evaluating` and `predicting` the option dataclasses of two of
    them. `groups` are the option dataclasses by their tables in `config.toml`; "data" has `sources`,
    "model" has `cell`, and "training" is a `TrainingOptions`. `file` is the name under which the knowledge lies in a run folder.
    """

    name: str
    groups: Mapping[str, type]
    file: str
    help: str
    data_name: str
    noun: str
    commands: tuple[str, ...]
    evaluating: tuple[type, ...]
    predicting: tuple[type, ...]

    def read(self, configuration: Configuration, progress: Progress) -> Material:
        """The data that the configuration names."""

    def from_json(self, text: str) -> Any:
        """The knowledge that `to_json` wrote. `RunError` for something else."""

    def resolve(self, configuration: Configuration, knowledge: Any) -> Configuration:
        """With what was left open until the data was known."""

    def build(self, configuration: Configuration, knowledge: Any, cell: Cell) -> nn.Module:
        """The network, fresh. `ConfigError` for options that cannot be."""

    def task(self, model: Any, material: Any, configuration: Configuration) -> ReadyTask:
        """What the training loop runs."""

    def trained(self, model: Any, knowledge: Any, configuration: Configuration) -> Any:
        """What a user gets in the end; `model` is in evaluation mode."""

    def evaluate(self, trained: Any, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress) -> Summary:
        """Measures of a network on files; `parts` are options of each of `evaluating`."""

    def predict(self, trained: Any, file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """What a network says of a file; `parts` are options of each of `predicting`."""

    def next_step(self, knowledge: Any, configuration: Configuration) -> str:
        """What one does with a run, as a sentence in which `{run}` stands for its folder."""
