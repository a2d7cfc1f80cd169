"""What one can ask of a language model."""

from dataclasses import dataclass, replace
from pathlib import Path

from unrolled.cells import Cell
from unrolled.data.builtin import PREFIX
from unrolled.data.formats import ReadingOptions
from unrolled.data.vocabulary import EVENT, Vocabulary
from unrolled.errors import ConfigError, UnrolledError
from unrolled.models import LanguageModel
from unrolled.options import option
from unrolled.training import StreamOptions, TrainingOptions

NAME = "lm"

WORDS = 10_000
"""Words that a vocabulary has if nothing is said."""

COLUMNS = 256
"""Most columns of the input vectors if nothing is said."""


@dataclass(frozen=True)
class DataOptions:
    """What is read, and into which symbols."""

    sources: tuple[str, ...] = option((), "Text files, or builtin:python-docs, builtin:python-source; event logs with --case.")
    validation: tuple[str, ...] = option((), "Text or event log to measure on, instead of the end of DATA.")
    held_out: float = option(0.1, "The part at the end of DATA that is measured on and not learnt.")
    level: str | None = option(None, "char or word.  [default: char, or word if --vocabulary is given]")
    vocabulary: int | None = option(
        None, f"Vocabulary size: most symbols to know; others become <UNK>.  [default: all characters or activities, or {WORDS} words]"
    )
    case: str | None = option(None, "Column of event logs that says to which case an event belongs: each case is a line of activities.")
    activity: str | None = option(None, "Column of event logs that says what happened.")
    time: str | None = option(None, "Column of event logs with the time, in seconds or as ISO dates.  [default: in order]")
    encoding: str = option("utf-8", "How the files are encoded.")

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1:
            raise ConfigError(
                f"`--held-out` must be a fraction above 0 and below 1, as the best weights are chosen by it, got {self.held_out}."
            )
        if self.case is None and (self.activity is not None or self.time is not None):
            raise ConfigError("`--activity` and `--time` are columns of event logs, which need `--case` too. Pass it, or leave them out.")
        if self.case is not None and self.level not in (None, EVENT):
            raise ConfigError(f"`--level {self.level}` is for texts, and with `--case` activities are learnt. Leave one of them out.")

    @property
    def reading(self) -> ReadingOptions | None:
        """How event logs are read; None for texts."""
        if self.case is None:
            return None
        return ReadingOptions(case=self.case, activity=self.activity, time=self.time, encoding=self.encoding)

    def resolved(self) -> "DataOptions":
        """The same with what was left open decided, and with paths that hold wherever one stands."""
        text = "char" if self.vocabulary is None else "word"
        level = self.level or (text if self.case is None else EVENT)
        size = WORDS if level == "word" and self.vocabulary is None else self.vocabulary
        return replace(self, level=level, vocabulary=size, sources=_absolute(self.sources), validation=_absolute(self.validation))


def _absolute(sources: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(s if s.startswith(PREFIX) else str(Path(s).absolute()) for s in sources)


@dataclass(frozen=True)
class ModelOptions:
    """The network."""

    cell: str = option("lstm", "A built-in cell's name, or a file of equations.")
    hidden: int = option(512, "Hidden size: units in every layer.")
    layers: int = option(1, "Number of layers, one above the other.")
    embedding: int | None = option(None, f"Embedding size; 0 for one-hot input.  [default: as there are symbols, at most {COLUMNS}]")
    dropout: float = option(0.25, "Dropout: part of what layers give that is dropped in training.")
    recurrent_dropout: float = option(0.0, "Part of what recurrent maps read that is dropped, the same for a whole window.")
    initial_state: str = option("zeros", "zeros, or learned.")
    residual: bool = option(False, "Add a layer's input to its output.")
    tied: bool = option(False, "Use the input vectors for the output too.")
    lines: bool | None = option(None, "Forget everything at the end of a line.  [default: no for texts, yes for event logs]")
    engine: str = option("auto", "The engine that must run.")

    def resolved(self) -> "ModelOptions":
        """The same: what is open is decided by `for_vocabulary`."""
        return self

    def for_vocabulary(self, vocabulary: Vocabulary) -> "ModelOptions":
        """The same with what was left open decided; more columns than symbols would be idle."""
        lines = self.lines if self.lines is not None else vocabulary.level == EVENT
        columns = self.hidden if self.tied else min(self.hidden, COLUMNS, max(vocabulary.size // 16 * 16, 16))
        return replace(self, lines=lines, embedding=columns if self.embedding is None else self.embedding)

    def build(self, symbols: int, cell: Cell) -> LanguageModel:
        """The network, for so many symbols and with this cell. `ConfigError` for options that cannot be."""
        try:
            return LanguageModel(
                symbols,
                cell,
                self.hidden,
                self.layers,
                embedding=self.embedding or 0,
                dropout=self.dropout,
                recurrent_dropout=self.recurrent_dropout,
                initial_state=self.initial_state,
                residual=self.residual,
                tied=self.tied,
                line_end=Vocabulary.end if self.lines else None,
                engine=self.engine,
            )
        except UnrolledError:
            raise
        except (RuntimeError, MemoryError):
            raise ConfigError(f"A network with `--hidden {self.hidden}` and `--layers {self.layers}` does not fit in memory.") from None


@dataclass(frozen=True)
class TextReading:
    """How other files are read by a trained model."""

    case: str | None = option(None, "Column of event logs that says to which case an event belongs, if not as in training.")
    activity: str | None = option(None, "Column of event logs that says what happened, if not as in training.")
    time: str | None = option(None, "Column of event logs with the time, if not as in training.")
    encoding: str | None = option(None, "How the files are encoded.  [default: utf-8, or as in training]")


@dataclass(frozen=True)
class LanguageTrainingOptions(TrainingOptions):
    """How to train, with what was measured to be best for texts where nothing is said."""

    learning_rate: float = option(5e-3, "Learning rate of AdamW at its highest.")


GROUPS: dict[str, type] = {"data": DataOptions, "model": ModelOptions, "streams": StreamOptions, "training": LanguageTrainingOptions}
"""The tables of `config.toml`; flags and the keywords of `train_language_model` are their fields."""
