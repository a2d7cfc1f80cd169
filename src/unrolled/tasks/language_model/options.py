"""What one can ask of a language model."""

from dataclasses import dataclass, replace
from pathlib import Path

from unrolled.cells import Cell
from unrolled.data.builtin import PREFIX
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

    sources: tuple[str, ...] = option((), "Text files, or builtin:python-docs, builtin:python-source.")
    validation: tuple[str, ...] = option((), "Text to measure on, instead of the end of DATA.")
    held_out: float = option(0.1, "The part at the end of DATA that is measured on and not learnt.")
    level: str | None = option(None, "char or word.  [default: char, or word if --vocabulary is given]")
    vocabulary: int | None = option(None, f"Most symbols to know; others become <UNK>.  [default: all characters, or {WORDS} words]")
    encoding: str = option("utf-8", "How the files are encoded.")

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1:
            raise ConfigError(
                f"`--held-out` must be a fraction above 0 and below 1, as the best weights are chosen by it, got {self.held_out}."
            )

    def resolved(self) -> "DataOptions":
        """The same with what was left open decided, and with paths that hold wherever one stands."""
        level = self.level or ("char" if self.vocabulary is None else "word")
        size = WORDS if level == "word" and self.vocabulary is None else self.vocabulary
        return replace(self, level=level, vocabulary=size, sources=_absolute(self.sources), validation=_absolute(self.validation))


def _absolute(sources: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(s if s.startswith(PREFIX) else str(Path(s).absolute()) for s in sources)


@dataclass(frozen=True)
class ModelOptions:
    """The network."""

    cell: str = option("lstm", "A built-in cell's name, or a file of equations.")
    hidden: int = option(512, "Units in every layer.")
    layers: int = option(1, "Layers, one above the other.")
    embedding: int | None = option(
        None, f"Columns of the input vectors; 0 for one-hot input.  [default: as there are symbols, at most {COLUMNS}]"
    )
    dropout: float = option(0.25, "Part of what layers give that is dropped in training.")
    recurrent_dropout: float = option(0.0, "Part of what recurrent maps read that is dropped, the same for a whole window.")
    initial_state: str = option("zeros", "zeros, or learned.")
    residual: bool = option(False, "Add a layer's input to its output.")
    tied: bool = option(False, "Use the input vectors for the output too.")
    engine: str = option("auto", "The engine that must run.")

    def resolved(self) -> "ModelOptions":
        """The same: what is open is decided by `for_symbols`."""
        return self

    def for_symbols(self, symbols: int) -> "ModelOptions":
        """The same with what was left open decided, for a vocabulary of so many symbols; more columns than symbols would be idle."""
        if self.embedding is not None:
            return self
        columns = min(self.hidden, COLUMNS, max(symbols // 16 * 16, 16))
        return replace(self, embedding=self.hidden if self.tied else columns)

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
                engine=self.engine,
            )
        except UnrolledError:
            raise
        except (RuntimeError, MemoryError):
            raise ConfigError(f"A network with `--hidden {self.hidden}` and `--layers {self.layers}` does not fit in memory.") from None


GROUPS: dict[str, type] = {"data": DataOptions, "model": ModelOptions, "streams": StreamOptions, "training": TrainingOptions}
"""The tables of `config.toml`; flags and the keywords of `train_language_model` are their fields."""
