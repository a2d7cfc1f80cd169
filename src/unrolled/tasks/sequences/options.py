"""What one can ask of a network that says something of sequences, or of their steps."""

from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from unrolled.data.builtin import absolute
from unrolled.data.codecs import SoundCodec
from unrolled.data.codecs.sound import SPEAKER, STANDARDISATIONS
from unrolled.data.dataset import LEVELS
from unrolled.data.formats.options import DividedReadingOptions
from unrolled.data.sound.waves import LEAST_RATE, MOST_RATE
from unrolled.errors import ConfigError
from unrolled.options import option
from unrolled.tasks.configuration import Options
from unrolled.tasks.folds import FoldOptions
from unrolled.tasks.sequences.frame_options import ClipOptions
from unrolled.training import TrainingOptions

WEIGHTS = ("none", "balanced")

FLIPS = ("none", "across", "both")
"""In which mirrors clips may be shown."""


@dataclass(frozen=True)
class SoundOptions:
    """How sound is heard, where sequences are recordings."""

    rate: int | None = option(
        None, "Samples a second to which sound is brought.  [default: those of the first file, at most 16000]", rare=True
    )
    mels: int | None = option(
        None,
        "Bands of the mel scale that are heard of sound; 0: the samples themselves.  [default: 80, or 40 for at most 8000 samples a second]",
        rare=True,
    )
    frame_length: float = option(25.0, "Milliseconds of sound in a frame, which is a step.", rare=True)
    frame_step: float = option(10.0, "Milliseconds from one frame of sound to the next.", rare=True)
    standardise: str = option(
        "training",
        f"By what the bands of sound are standardised: {', '.join(STANDARDISATIONS)} (those of one `group` together).",
        rare=True,
    )
    top_db: float | None = option(
        None,
        "Decibels below the loudest moment of a recording from which on bands are cut off, so that rooms and loudness differ less; 30 or so.",
        rare=True,
    )

    def require_audible(self) -> None:
        """`ConfigError` for values that no sound can have."""
        if self.rate is not None and not LEAST_RATE <= self.rate <= MOST_RATE:
            raise ConfigError(f"`rate` must be from {LEAST_RATE} to {MOST_RATE} samples a second, got {self.rate}.")
        if self.mels is not None and self.mels < 0:
            raise ConfigError(f"`mels` must be at least 0, got {self.mels}.")
        if not (0 < self.frame_length < inf and 0 < self.frame_step < inf):
            raise ConfigError(f"`frame_length` and `frame_step` must be above 0, got {self.frame_length} and {self.frame_step}.")
        if self.top_db is not None and not 0 < self.top_db < inf:
            raise ConfigError(f"`top_db` must be a number of decibels above 0, got {self.top_db}.")
        if self.standardise not in STANDARDISATIONS:
            raise ConfigError(f"`standardise` must be one of {', '.join(STANDARDISATIONS)}, got {self.standardise!r}.")

    def require_speakers(self, group: str | None) -> None:
        """`ConfigError` if speakers are to be standardised, and nothing says who speaks."""
        if self.standardise == SPEAKER and group is None:
            raise ConfigError("`standardise='speaker'` needs `group`, which says who speaks. Name the column, key or field.")

    def codec(self, found: int) -> SoundCodec:
        """How recordings are heard of which the first has so many samples a second."""
        frames = {"length": self.frame_length, "step": self.frame_step}
        return SoundCodec.choose(found, rate=self.rate, mels=self.mels, **frames, by=self.standardise, top_db=self.top_db)


@dataclass(frozen=True)
class SequenceDataOptions(ClipOptions, SoundOptions, FoldOptions):
    """What is learnt from which files."""

    sources: tuple[str, ...] = option((), "Files or folders with sequences, or builtin:… examples.")
    validation: tuple[str, ...] = option((), "Files to measure on, instead of a part of DATA.")
    held_out: float = option(0.1, "Held-out part of DATA, drawn at random, which is measured on and not learnt; 0: none.")
    level: str | None = option(
        None, f"How tokens are read: {', '.join(LEVELS)}.  [default: both, or char if all tokens are single characters]"
    )
    lower: bool = option(False, "Read all words in lower case; characters stay as they are.", rare=True)
    shapes: bool = option(
        False, "Also read the shapes of words, such as Xxx for Apple and X0 for U2, which new words share with known ones.", rare=True
    )
    vocabulary: int | None = option(None, "Vocabulary size: most words to know; others become <UNK>.  [default: all of the training part]")
    min_count: int | None = option(
        None, "Times that a word must come to be known.  [default: 2 if characters are read as well; else 1]", rare=True
    )
    vectors: str | None = option(
        None, "Pretrained word vectors to begin with: a file as word2vec writes it, text or binary, or GloVe.", rare=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_audible()
        self.require_visible()
        if not 0 <= self.held_out < 1:
            raise ConfigError(f"`held_out` must be a fraction from 0 to below 1, got {self.held_out}.")
        if self.level not in (None, *LEVELS):
            raise ConfigError(f"`level` must be one of {', '.join(LEVELS)}, got {self.level!r}.")
        if self.vocabulary is not None and self.vocabulary < 2:
            raise ConfigError(f"`vocabulary` must be at least 2, as it counts <UNK>, got {self.vocabulary}.")
        if self.min_count is not None and self.min_count < 1:
            raise ConfigError(f"`min_count` must be at least 1, got {self.min_count}.")

    def resolved(self) -> "SequenceDataOptions":
        """The same with paths that hold wherever one stands."""
        vectors = None if self.vectors is None else str(Path(self.vectors).absolute())
        return replace(self, sources=absolute(self.sources), validation=absolute(self.validation), vectors=vectors)


@dataclass(frozen=True)
class LabelOptions(SequenceDataOptions):
    """The same for labels."""

    class_weights: str = option("none", "Class weights: none, or balanced: rare labels count as much as frequent ones.", rare=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.class_weights not in WEIGHTS:
            raise ConfigError(f"`class_weights` must be one of {', '.join(WEIGHTS)}, got {self.class_weights!r}.")


@dataclass(frozen=True)
class VaryingOptions:
    """How sequences of numbers, such as sound, are varied on the way to be learnt from."""

    noise: float = option(0.0, "Standard deviation of the noise that is added to standardised numbers in training.", rare=True)
    speed: float = option(0.0, "Part by which sound, or other numbers, are played faster or slower in training.", rare=True)
    warp: float = option(
        0.0, "Part by which the frequencies of sound are raised or lowered in training, as other voices would; 0.15 or so.", rare=True
    )
    frequency_masks: int = option(0, "Groups of bands of sound, or of channels, that are blanked in training (SpecAugment).", rare=True)
    frequency_width: float = option(0.15, "Most of all bands that each of them has.", rare=True)
    time_masks: int = option(0, "Stretches of time that are blanked in training (SpecAugment).", rare=True)
    time_width: int = option(10, "Most steps that each of them has, so that no word is lost.", rare=True)

    def __post_init__(self) -> None:
        for name, most in (
            ("noise", 1e6),
            ("speed", 0.9),
            ("warp", 0.5),
            ("frequency_masks", 100),
            ("frequency_width", 1),
            ("time_masks", 100),
            ("time_width", 10**6),
        ):
            if not 0 <= getattr(self, name) <= most:
                raise ConfigError(f"`{name}` must be from 0 to {most:g}, got {getattr(self, name)}.")


OF_NUMBERS = ("noise", "speed", "warp", "frequency_masks", "time_masks")
"""Those of them that do something by themselves."""


@dataclass(frozen=True)
class ClipVariation:
    """How pictures and videos are varied on the way to be learnt from."""

    shift: int = option(
        0,
        "Most rows and columns by which images, read row by row, pictures and videos, or frames and bands of sound are moved in training.",
        rare=True,
    )
    flip: str = option(
        "none",
        f"Mirror in which half of all pictures and videos are shown in training: {', '.join(FLIPS)} (left for right, and also upside down).",
        rare=True,
    )
    zoom: float = option(
        0.0, "Part of the sides of pictures and videos that is cut off in training, at most, and the rest scaled up.", rare=True
    )
    brightness: float = option(
        0.0, "Standard deviations by which pictures and videos are made brighter or darker in training, at most.", rare=True
    )
    drop_frames: float = option(0.0, "Part of the frames that show the one before in training.", rare=True)

    def __post_init__(self) -> None:
        _require_at_least(self, shift=0, brightness=0)
        if self.flip not in FLIPS:
            raise ConfigError(f"`flip` must be one of {', '.join(FLIPS)}, got {self.flip!r}.")
        for name in ("zoom", "drop_frames"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must be a part from 0 to below 1, got {getattr(self, name)}.")


@dataclass(frozen=True)
class BatchOptions(VaryingOptions, ClipVariation):
    """How sequences come together, and how they are changed on the way to be learnt from."""

    batch: int = option(32, "Batch size: sequences in a batch, of about the same length.")

    def __post_init__(self) -> None:
        VaryingOptions.__post_init__(self)
        ClipVariation.__post_init__(self)
        _require_at_least(self, batch=1)

    def resolved(self) -> "BatchOptions":
        """The same: nothing is open."""
        return self


@dataclass(frozen=True)
class WindowOptions:
    """In which pieces the steps of long sequences are answered."""

    window: int | None = option(
        None,
        "Most steps of the pieces into which longer sequences are cut, in training too; a network that reads forwards alone gives the "
        "same answers as without.  [default: whole sequences, or what was said in training]",
        rare=True,
    )
    overlap: int = option(0, "Steps that a piece also reads of both neighbours, where no states are carried on.", rare=True)

    def __post_init__(self) -> None:
        _require_at_least(self, window=1, overlap=0)
        if self.overlap and self.window is None:
            raise ConfigError(f"`overlap={self.overlap}` is that of the pieces of `window`. Give that too, or leave it out.")


@dataclass(frozen=True)
class StepBatchOptions(WindowOptions, BatchOptions):
    """How sequences come together whose steps are answered, and in which pieces."""

    def __post_init__(self) -> None:
        BatchOptions.__post_init__(self)
        WindowOptions.__post_init__(self)


def _require_at_least(options: object, **least: float) -> None:
    for name, limit in least.items():
        value = getattr(options, name)
        if value is not None and not value >= limit:
            raise ConfigError(f"`{name}` must be at least {limit}, got {value}.")


@dataclass(frozen=True)
class SequenceTrainingOptions(TrainingOptions):
    """How to train, with what is usual for sequences where nothing is said."""

    average: float = option(0.995, "Decay of an exponential moving average of the weights, which is then what is kept; 0: none.", rare=True)
    clip: float = option(5.0, "Gradient clipping: largest norm of the whole gradient (global-norm clipping); 0: none.")


@dataclass(frozen=True)
class Reading(DividedReadingOptions):
    """How files are read."""

    def resolved(self) -> "Reading":
        """The same with paths that hold wherever one stands."""
        labels = None if self.labels is None else absolute((self.labels,))[0]
        digits = None if self.digits is None else absolute((self.digits,))[0]
        return replace(self, regions=absolute(self.regions), labels=labels, digits=digits)


class SequenceOptions(Options):
    """The options that all recipes for sequences have."""

    data: SequenceDataOptions
    reading: Reading
    batches: BatchOptions
    training: TrainingOptions
