"""A recipe: what makes a task out of fields, codecs, an arrangement, a head and measures."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf
from typing import Any, ClassVar, Generic, TextIO, TypeVar

from unrolled.cells import Cell
from unrolled.data.formats.heads import FormatSeen
from unrolled.errors import ConfigError
from unrolled.plain import or_null
from unrolled.tasks.configuration import Configuration, G
from unrolled.tasks.overview import Overview
from unrolled.tasks.task import Task
from unrolled.tasks.trained import C, D, M, Measured, Progress, Trained
from unrolled.training.task import Measures

T = TypeVar("T", bound=Trained[Any, Any])

Writing = Callable[[TextIO], None]
"""Writes everything that was asked for."""


@dataclass(frozen=True)
class Answering:
    """How predictions are written: as JSON or as the format has them, and whether somebody waits for each at a terminal.

    `say` tells people something beside what is written.
    """

    as_json: bool
    typed: bool
    say: Callable[[str], None]


@dataclass(frozen=True)
class Written:
    """A text that a network writes, piece by piece, after a prompt, which is its first piece where it goes on with it."""

    prompt: str
    pieces: Iterable[str]


@dataclass(frozen=True)
class Scored:
    """The natural log-probability of a text, or of what is in a file; and of each of its tokens, as far as these are of interest. `name` is what JSON calls it."""

    sentence: str
    log_probability: float
    tokens: tuple[str, ...] = ()
    log_probabilities: tuple[float, ...] = ()
    name: str = "sentence"

    @property
    def perplexity(self) -> float:
        """Of one of the tokens."""
        mean = -self.log_probability / max(len(self.tokens), 1)
        return exp(mean) if mean < 700 else inf

    def to_json(self, *, tokens: bool = False) -> dict[str, Any]:
        """Plain values by name."""
        found: dict[str, Any] = {self.name: self.sentence, "log_probability": self.log_probability}
        if self.tokens:
            found["perplexity"] = or_null(self.perplexity)
        return {**found, "tokens": [list(pair) for pair in zip(self.tokens, self.log_probabilities, strict=True)]} if tokens else found


class Recipe(ABC, Generic[G, D, C, M, T]):
    """A task: what `unrolled train` has a command for, over its options G, data D, codecs C, network M and trained result T.

    `name` is that of the command, `help` its text, and `data_name` what its data is called there. `noun` is what a
    network of it is called, `commands` are those that its runs can be used with, `evaluating`, `predicting`, `sampling`, `scoring` and `backtesting`
    the option dataclasses of some of them; `without_file` is what is predicted of where no file is named, and `reads_many` says that it reads
    several files, one after another. `options` is the dataclass of all its options; its group "data" has `sources`, and "model" has `cell`.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    data_name: ClassVar[str] = "DATA"
    noun: ClassVar[str]
    commands: ClassVar[tuple[str, ...]]
    evaluating: ClassVar[tuple[type, ...]] = ()
    predicting: ClassVar[tuple[type, ...]] = ()
    sampling: ClassVar[tuple[type, ...]] = ()
    scoring: ClassVar[tuple[type, ...]] = ()
    backtesting: ClassVar[tuple[type, ...]] = ()
    without_file: ClassVar[str] = "-"
    reads_many: ClassVar[bool] = False
    options: type[G]

    known: Any = None
    """Codecs of the run that another one begins from, which those of the data widen; None where there is none."""

    widens: ClassVar[bool] = False
    """Whether it widens them; if not, only weights of the same shapes are taken over, and the symbols must be the same."""

    symbols: ClassVar[bool] = True
    """Whether its codecs have symbols, and not only scales of numbers."""

    widen: bool = True
    """Whether symbols that these do not have are added to them."""

    def known_from(self, task: str, found: Any) -> Any:
        """The codecs of a run of a task whose `to_json` gave this, as far as they fit this one. `ConfigError` where they do not."""
        if task != self.name:
            raise ConfigError(
                f"`from_run` names a run of the task {task!r}, of which {self.noun} can take nothing. Name one of the task {self.name!r}."
            )
        return self.codecs(found)

    def require_known(self, codecs: C) -> None:
        """`ConfigError` if the data has other symbols than the run that is begun from, and these cannot be widened."""
        if self.symbols and not self.widens and self.known.to_json() != codecs.to_json():
            raise ConfigError(
                f"`from_run` names a run with other symbols than DATA has, and {self.noun} cannot add any. Give the options of that run, or begin without it."
            )

    @abstractmethod
    def read(self, configuration: Configuration[G], progress: Progress) -> D:
        """The data that the configuration names."""

    @abstractmethod
    def codecs(self, found: Any) -> C:
        """The codecs whose `to_json` gave this. `RunError` for something else."""

    def agree(self, configuration: Configuration[G], codecs: C) -> bool:
        """Whether a configuration and codecs can be those of one run."""
        return True

    @abstractmethod
    def resolve(self, configuration: Configuration[G], codecs: C) -> Configuration[G]:
        """With what was left open until the data was known."""

    @abstractmethod
    def build(self, configuration: Configuration[G], codecs: C, cell: Cell) -> M:
        """The network, fresh. `ConfigError` for options that cannot be."""

    @abstractmethod
    def task(self, model: M, data: D, configuration: Configuration[G]) -> Task:
        """What the training loop runs."""

    @abstractmethod
    def seen_format(self, configuration: Configuration[G]) -> FormatSeen:
        """The format of the data that the configuration names."""

    @abstractmethod
    def overview(self, data: D, configuration: Configuration[G]) -> Overview:
        """What there is to learn from in the data."""

    @abstractmethod
    def trained(self, model: M, codecs: C, configuration: Configuration[G]) -> T:
        """What a user gets in the end; `model` is in evaluation mode."""

    def rivals(self, configuration: Configuration[G], codecs: C, cell: Cell) -> Mapping[str, Configuration[G]]:
        """By their names the configurations of networks that learn the same data after one with a configuration, and beside which it is measured."""
        return {}

    def beside(self, measures: Measures, rivals: Mapping[str, Measures]) -> Sequence[str]:
        """What is said of the exact measures of a network beside those of `rivals`."""
        return ()

    @abstractmethod
    def evaluate(self, trained: T, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress) -> Measured:
        """Measures of a network on files; `parts` are options of each of `evaluating`."""

    def predict(self, trained: T, file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """What a network says of a file; `parts` are options of each of `predicting`."""
        raise NotImplementedError(f"{self.noun} predicts nothing of files")

    def predict_files(self, trained: T, files: Sequence[str], parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """What it says of files, of which there is one unless it `reads_many`."""
        (file,) = files
        return self.predict(trained, file, parts, how)

    def sample(self, trained: T, parts: Sequence[Mapping[str, Any]], say: Callable[[str], None]) -> Iterable[Written]:
        """What a network writes, for people; `parts` are options of each of `sampling`, and `say` tells something beside."""
        raise NotImplementedError(f"{self.noun} writes nothing")

    def likelihoods(
        self, trained: T, given: Sequence[str], parts: Sequence[Mapping[str, Any]], say: Callable[[str], None]
    ) -> tuple[Sequence[Scored], bool]:
        """How likely each of some texts or files is, and whether these are lines of one file; `parts` are options of each of `scoring`."""
        raise NotImplementedError(f"{self.noun} scores nothing")

    def backtest(self, trained: T, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress) -> Measured:
        """Measures of forecasts from several origins; `parts` are options of each of `backtesting`."""
        raise NotImplementedError(f"{self.noun} forecasts nothing")

    @abstractmethod
    def next_step(self, codecs: C, configuration: Configuration[G]) -> str:
        """What one does with a run, as a sentence in which `{run}` stands for its folder."""


AnyRecipe = Recipe[Any, Any, Any, Any, Any]
