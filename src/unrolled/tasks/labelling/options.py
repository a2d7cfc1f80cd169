"""What one can ask of a network that labels sequences or their steps."""

from dataclasses import dataclass, replace
from pathlib import Path

from unrolled.data.builtin import PREFIX
from unrolled.data.formats import ReadingOptions
from unrolled.data.sequences import LEVELS
from unrolled.errors import ConfigError
from unrolled.models import ClassifierOptions, TaggerOptions
from unrolled.models.outputs import OUTPUTS
from unrolled.options import option
from unrolled.training import TrainingOptions

WEIGHTS = ("none", "balanced")


@dataclass(frozen=True)
class LabelOptions:
    """What is learnt from which files."""

    sources: tuple[str, ...] = option((), "Files or folders with labelled sequences, or builtin:… examples.")
    validation: tuple[str, ...] = option((), "Labelled sequences to measure on, instead of a part of DATA.")
    held_out: float = option(
        0.1, "The part of DATA, drawn at random, that is measured on and not learnt; 0: none, and the last weights are kept."
    )
    level: str | None = option(
        None, f"How steps are read: {', '.join(LEVELS)}.  [default: both, or char if all words are single characters]"
    )
    lower: bool = option(False, "Read all words in lower case; characters stay as they are.")
    shapes: bool = option(
        False, "Also read the shapes of words, such as Xxx for Apple and X0 for U2, which new words share with known ones."
    )
    vocabulary: int | None = option(None, "Vocabulary size: most words to know; others become <UNK>.  [default: all of the training part]")
    min_count: int | None = option(
        None, "Times that a word must come to be known.  [default: 2 if characters are read as well, so that rare words are spelt; else 1]"
    )
    vectors: str | None = option(None, "Word vectors to begin with: a text file as word2vec and GloVe write it.")
    class_weights: str = option("none", "none, or balanced: rare labels count as much as frequent ones.")

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < 1:
            raise ConfigError(f"`--held-out` must be a fraction from 0 to below 1, got {self.held_out}.")
        if self.level not in (None, *LEVELS):
            raise ConfigError(f"`--level` must be one of {', '.join(LEVELS)}, got {self.level!r}.")
        if self.vocabulary is not None and self.vocabulary < 2:
            raise ConfigError(f"`--vocabulary` must be at least 2, as it counts <UNK>, got {self.vocabulary}.")
        if self.min_count is not None and self.min_count < 1:
            raise ConfigError(f"`--min-count` must be at least 1, got {self.min_count}.")
        if self.class_weights not in WEIGHTS:
            raise ConfigError(f"`--class-weights` must be one of {', '.join(WEIGHTS)}, got {self.class_weights!r}.")

    def resolved(self) -> "LabelOptions":
        """The same with paths that hold wherever one stands."""
        vectors = None if self.vectors is None else str(Path(self.vectors).absolute())
        return replace(self, sources=_absolute(self.sources), validation=_absolute(self.validation), vectors=vectors)


@dataclass(frozen=True)
class ClassOptions(LabelOptions):
    """The same where a label stands for a whole sequence."""

    output: str | None = option(None, f"What labels are: {', '.join(OUTPUTS)}.  [default: softmax, or multi-label with --separator]")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output not in (None, *OUTPUTS):
            raise ConfigError(f"`--output` must be one of {', '.join(OUTPUTS)}, got {self.output!r}.")


def _absolute(sources: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(s if s.startswith(PREFIX) else str(Path(s).absolute()) for s in sources)


@dataclass(frozen=True)
class BatchOptions:
    """How sequences come together, and how they are changed on the way to be learnt from."""

    batch: int = option(32, "Batch size: sequences in a batch, of about the same length.")
    noise: float = option(0.0, "Standard deviation of the noise that is added to standardised numbers in training.")
    shift: int = option(0, "Most rows and columns by which images, read row by row, are moved in training.")

    def __post_init__(self) -> None:
        _require_at_least(self, batch=1, noise=0, shift=0)

    def resolved(self) -> "BatchOptions":
        """The same: nothing is open."""
        return self


@dataclass(frozen=True)
class WindowOptions:
    """In which pieces long sequences are tagged."""

    window: int | None = option(
        None,
        "Most steps of the pieces in which longer sequences are tagged, and learnt in training; a network that reads forwards alone gives the "
        "same tags as without, with --crf too.  [default: whole sequences, or what was said in training]",
    )
    overlap: int = option(0, "Steps that a piece reads of both neighbours, which are tagged there, when there are no states to carry on.")

    def __post_init__(self) -> None:
        _require_at_least(self, window=1, overlap=0)
        if self.overlap and self.window is None:
            raise ConfigError(f"`--overlap {self.overlap}` is that of the pieces of `--window`. Give that too, or leave it out.")


@dataclass(frozen=True)
class TagBatchOptions(WindowOptions, BatchOptions):
    """How sequences whose steps are tagged come together, and in which pieces."""

    def __post_init__(self) -> None:
        BatchOptions.__post_init__(self)
        WindowOptions.__post_init__(self)


def _require_at_least(options: object, **least: float) -> None:
    for name, limit in least.items():
        value = getattr(options, name)
        if value is not None and not value >= limit:
            raise ConfigError(f"`--{name}` must be at least {limit}, got {value}.")


@dataclass(frozen=True)
class LabelTrainingOptions(TrainingOptions):
    """How to train, with what is usual for labels where nothing is said."""

    average: float = option(0.995, "Decay of an exponential moving average of the weights, which is then what is kept; 0: none.")
    clip: float = option(5.0, "Gradient clipping: largest norm of the whole gradient (global-norm clipping); 0: none.")


@dataclass(frozen=True)
class Reading(ReadingOptions):
    """How files are read."""

    def resolved(self) -> "Reading":
        """The same with paths that hold wherever one stands."""
        return replace(self, regions=_absolute(self.regions))


CLASSIFY: dict[str, type] = {
    "data": ClassOptions,
    "reading": Reading,
    "model": ClassifierOptions,
    "batches": BatchOptions,
    "training": LabelTrainingOptions,
}
TAG: dict[str, type] = {**CLASSIFY, "data": LabelOptions, "model": TaggerOptions, "batches": TagBatchOptions}
"""The tables of `config.toml` for each of the two; flags and keywords are their fields."""
