"""What one can ask of a network that writes down what is said."""

from dataclasses import dataclass, replace

from unrolled.data.builtin import absolute
from unrolled.data.codecs.text import CHAR, LEVELS, SUBWORDS
from unrolled.data.formats.options import DividedReadingOptions, ReadingOptions
from unrolled.data.sound.waves import LEAST_RATE, MOST_RATE
from unrolled.decoding.prefixes import PrefixOptions
from unrolled.errors import ConfigError
from unrolled.models import EncoderDecoderOptions, EncoderOptions
from unrolled.models.options import encoder_decoder_options
from unrolled.options import option
from unrolled.tasks.configuration import Options
from unrolled.tasks.folds import FoldOptions
from unrolled.tasks.places import PICTURES
from unrolled.tasks.sequences.options import SequenceTrainingOptions, SoundOptions, VaryingOptions

SYMBOL_EMBEDDING = 64
"""The embedding size of what a decoder has written."""

FORMS = ("text", "srt", "vtt", "textgrid")
"""How texts with times are written, beside JSON."""


@dataclass(frozen=True)
class TranscribeDataOptions(SoundOptions, FoldOptions):
    """What is learnt from which recordings."""

    sources: tuple[str, ...] = option((), "Recordings with what is said in them: folders, archives, or tables with paths.")
    validation: tuple[str, ...] = option((), "Recordings to measure on, instead of a part of DATA.")
    held_out: float = option(0.1, "Held-out part of DATA, drawn at random, which is measured on and not learnt; 0: none.")
    level: str = option(CHAR, f"Symbols of texts: {', '.join(LEVELS)}.")
    lower: bool = option(False, "Learn all texts in lower case.")
    alphabet: str | None = option(
        None,
        'Characters of which texts consist, such as "abcdefghijklmnopqrstuvwxyz\'"; others are read as blanks.  [default: all that come]',
        rare=True,
    )
    lexicon: str | None = option(
        None, "File with the phones of words, a word a line, which are then the symbols; as Kaldi and CMUdict have it.", rare=True
    )
    vocabulary: int | None = option(None, f"Vocabulary size of the texts.  [default: all, or {SUBWORDS} subwords]", rare=True)
    min_count: int = option(1, "Times that a symbol must come to be known; others become <UNK>.", rare=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_audible()
        if not 0 <= self.held_out < 1:
            raise ConfigError(f"`held_out` must be a fraction from 0 to below 1, got {self.held_out}.")
        if self.level not in LEVELS:
            raise ConfigError(f"`level` must be one of {', '.join(LEVELS)}, got {self.level!r}.")
        if self.lexicon is not None and (self.level != CHAR or self.vocabulary is not None):
            raise ConfigError("With a `lexicon` symbols are phones. Leave `level` and `vocabulary` out.")
        if self.min_count < 1:
            raise ConfigError(f"`min_count` must be at least 1, got {self.min_count}.")

    def resolved(self) -> "TranscribeDataOptions":
        """The same with paths that hold wherever one stands."""
        lexicon = None if self.lexicon is None else absolute((self.lexicon,))[0]
        return replace(self, sources=absolute(self.sources), validation=absolute(self.validation), lexicon=lexicon)


def _with_columns(options: ReadingOptions) -> dict[str, str]:
    """`input` and `target` under the names that they have here."""
    asked = {"input": getattr(options, "audio", None), "target": getattr(options, "text", None)}
    return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True)
class TranscriptReading(DividedReadingOptions):
    """How recordings and their texts are read of which a part is learnt and a part held out."""

    audio: str | None = option(None, "Column or key with the files of sound.  [default: the one that names such files]")
    text: str | None = option(None, "Column or key with what is said.  [default: text, sentence, transcript or the like]")

    def resolved(self) -> "TranscriptReading":
        """The same with the columns that were named where all formats look for them."""
        return replace(self, **_with_columns(self), audio=None, text=None)  # type: ignore[arg-type]


@dataclass(frozen=True)
class OtherTranscriptReading(ReadingOptions):
    """How other recordings are read."""

    audio: str | None = option(None, "Column or key with the files of sound.  [default: as in training]")
    text: str | None = option(None, "Column or key with what is said.  [default: as in training]")


@dataclass(frozen=True)
class UnalignedOptions(EncoderOptions):
    """The network that writes down what is said: the defaults fit some minutes to some hours of sound.

    What is about words to read has no explanation, and so no flag.
    """

    hidden: int = option(160, "Hidden size: units of every layer and direction.")
    layers: int = option(2, "Number of layers, one above the other.")
    dropout: float = option(0.1, "Dropout: part of what layers give that is dropped in training.")
    embedding: int = option(0, "")
    input_dropout: float | None = option(None, "")
    characters: int = option(0, "")
    character_hidden: int = option(1, "")
    word_dropout: float = option(0.0, "")
    rare_dropout: float = option(0.0, "")
    freeze_vectors: bool = option(False, "")
    subsampling: int = option(4, "Steps of which convolutions make one before the recurrent layers read it: 1, 2, 4, 8 or 16.")
    attention: bool = option(False, "Write by a decoder that looks at the sound, as translators do, in the place of CTC.")

    def decoder(self) -> EncoderDecoderOptions:
        """Those of that decoder; `ConfigError` for layers that it cannot have."""
        return encoder_decoder_options(self, embedding=SYMBOL_EMBEDDING, attention="additive")


@dataclass(frozen=True)
class TranscribeBatchOptions(VaryingOptions):
    """How recordings come together, and how they are varied on the way to be learnt from."""

    batch: int = option(16, "Batch size: recordings in a batch, of about the same length.")
    short_first: int = option(1, "First epochs in which the shortest recordings come first.", rare=True)
    frequency_masks: int = option(2, "Groups of bands of sound, or of channels, that are blanked in training (SpecAugment).", rare=True)
    time_masks: int = option(2, "Stretches of time that are blanked in training (SpecAugment).", rare=True)
    speed: float = option(0.1, "Part by which sound, or other numbers, are played faster or slower in training.", rare=True)
    noise: float = option(0.05, "Standard deviation of the noise that is added to standardised numbers in training.", rare=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("batch", 1), ("short_first", 0)):
            if not getattr(self, name) >= least:
                raise ConfigError(f"`{name}` must be at least {least}, got {getattr(self, name)}.")

    def resolved(self) -> "TranscribeBatchOptions":
        """The same: nothing is open."""
        return self


@dataclass(frozen=True)
class TranscribeTrainingOptions(SequenceTrainingOptions):
    """How to train."""

    average: float = option(0.98, "Decay of an exponential moving average of the weights, which is then what is kept; 0: none.", rare=True)


@dataclass(frozen=True)
class TranscribeOptions(Options):
    """All options of the task."""

    data: TranscribeDataOptions
    reading: TranscriptReading
    model: UnalignedOptions
    batches: TranscribeBatchOptions
    training: TranscribeTrainingOptions


@dataclass(frozen=True)
class DecodingOptions:
    """How texts are found; see `PrefixOptions`."""

    beam: int = option(1, "Beam size; 1 takes the most probable symbol at each step.")
    nbest: int = option(1, "Best texts to write of each recording, as many as the beam at most.")
    language_model: str | None = option(None, "Run of `unrolled train lm`, over the same symbols, that has its say in the beam.")
    weight: float = option(0.5, "Weight of the language model.")
    bonus: float = option(0.0, "What each symbol adds to the score, against texts that are too short.", rare=True)
    words: str | None = option(None, "File with the words that texts may consist of, one a line.", rare=True)

    def __post_init__(self) -> None:
        if self.searches and self.beam < 2:
            asked = "language_model" if self.language_model else "words"
            raise ConfigError(f"`{asked}` has its say in a beam, got `beam={self.beam}`. Take `beam=16` or the like.")
        self.search()

    @property
    def searches(self) -> bool:
        """Whether more than the steps themselves has a say."""
        return self.language_model is not None or self.words is not None

    def search(self, forbidden: tuple[int, ...] = ()) -> PrefixOptions:
        """The same for the search."""
        return PrefixOptions(self.beam, self.nbest, self.weight, self.bonus, forbidden)


@dataclass(frozen=True)
class FormOptions:
    """How texts are written."""

    form: str = option("text", f"What is written beside JSON: {', '.join(FORMS)}, the last three with times.")
    spectrogram: str | None = option(
        None,
        "Draw the spectrogram of a recording, with its symbols and words under it and what moved each symbol, into this PNG, SVG or PDF file; several into numbered ones.",
        written=PICTURES,
    )
    stream: bool = option(False, "Hear raw 16-bit samples of one channel from the standard input, and write words as they come.")
    rate: int | None = option(None, "Samples a second of what is heard with `stream`.  [default: those of the network]")

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise ConfigError(f"`form` must be one of {', '.join(FORMS)}, got {self.form!r}.")
        if self.rate is not None and not self.stream:
            raise ConfigError("`rate` is that of the sound that comes with `stream`; files say their own. Leave it out, or take `stream`.")
        if self.rate is not None and not LEAST_RATE <= self.rate <= MOST_RATE:
            raise ConfigError(f"`rate` must be from {LEAST_RATE:,} to {MOST_RATE:,} samples a second, got {self.rate:,}.")
