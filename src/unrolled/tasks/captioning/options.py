"""What one can ask of a network that writes sentences about pictures and videos."""

from dataclasses import dataclass, fields, replace
from typing import ClassVar

from unrolled.data.builtin import absolute
from unrolled.data.codecs.text import CHAR, FORMULA, SUBWORD, SUBWORDS, WORD
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.pictures.seeing import OUTSIDE
from unrolled.decoding import BeamOptions
from unrolled.errors import ConfigError
from unrolled.models import BRIDGES, EncoderDecoderOptions, EncoderOptions
from unrolled.models.pretrained import EFFICIENTNET
from unrolled.options import option
from unrolled.tasks.configuration import Options
from unrolled.tasks.folds import FoldOptions
from unrolled.tasks.sequences.frame_options import FrameOptions
from unrolled.tasks.sequences.options import ClipVariation
from unrolled.tasks.translation.options import SearchOptions, TranslationTraining

CNN, FEATURES = "cnn", "features"
ENCODERS = (CNN, EFFICIENTNET, FEATURES)
"""What sees pictures: a convolutional network that is learnt, one that is frozen, or whoever made files of features."""

TARGETS = (WORD, CHAR, SUBWORD, FORMULA)
"""What sentences may be cut into."""


@dataclass(frozen=True)
class CaptionDataOptions(FrameOptions, ClipVariation, FoldOptions):
    """What is learnt from which pictures."""

    encoders: ClassVar[tuple[str | None, ...]] = ENCODERS

    sources: tuple[str, ...] = option(
        (), "Tables or JSON files of pictures with sentences, or folders with a text file beside each picture."
    )
    validation: tuple[str, ...] = option((), "Pictures to measure on, instead of a part of DATA.")
    held_out: float = option(0.1, "Held-out part of all pictures, drawn at random, which is measured on and not learnt; 0: none.")
    encoder: str = option(
        CNN, f"What sees pictures: {', '.join(ENCODERS)} (files of arrays in their places: of frames of videos, or places of pictures)."
    )
    outside: str = option(OUTSIDE, "")
    level: str = option(WORD, f"Tokens of sentences: {', '.join(TARGETS)} (of LaTeX).")
    lower: bool = option(True, "Learn sentences in lower case.", rare=True)
    vocabulary: int | None = option(None, f"Vocabulary size.  [default: all, or {SUBWORDS} subwords]", rare=True)
    min_count: int = option(1, "Times that a word must come to be known; others become <UNK>.", rare=True)
    batch: int = option(32, "Batch size: sentences in a batch, each with its picture.")

    def __post_init__(self) -> None:
        super().__post_init__()
        ClipVariation.__post_init__(self)
        self.require_visible()
        varied = [field.name for field in fields(ClipVariation) if getattr(self, field.name) != field.default]
        if varied and self.encoder != CNN:
            raise ConfigError(
                f"`{varied[0]}` varies pictures that a network of its own learns to see, got `encoder={self.encoder}`. Leave it out."
            )
        if not 0 <= self.held_out < 1:
            raise ConfigError(f"`held_out` must be a fraction from 0 to below 1, got {self.held_out}.")
        if self.level not in TARGETS:
            raise ConfigError(f"`level` must be one of {', '.join(TARGETS)}, got {self.level!r}.")
        for name in ("min_count", "batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {getattr(self, name)}.")

    def resolved(self) -> "CaptionDataOptions":
        """The same with paths that hold wherever one stands, and formulas as they are written."""
        lower = self.lower and self.level != FORMULA
        return replace(self, sources=absolute(self.sources), validation=absolute(self.validation), lower=lower)


@dataclass(frozen=True)
class CaptionReading(CaptionOptions):
    """How pictures are read that are learnt."""

    def resolved(self) -> "CaptionReading":
        """The same with a folder that holds wherever one stands."""
        return self if self.images is None else replace(self, images=absolute((self.images,))[0])


@dataclass(frozen=True)
class CaptionModelOptions(EncoderDecoderOptions):
    """The network that sees and then writes; `cell` is that of all its recurrent layers.

    What is about symbols to read has no explanation, and so no flag.
    """

    hidden: int = option(256, "Hidden size: units of what is seen of each place, and of the decoder.")
    layers: int = option(1, "Number of layers of the decoder, and of the encoder of videos.")
    bidirectional: bool = option(True, "Read the frames of videos from their end, too.")
    embedding: int = option(128, "Embedding size of words; 0 for one-hot input.")
    attention: str = option("additive", "Attention over the places of a picture, or the frames of a video: none, additive, dot, general.")
    bridge: str = option(
        "summary",
        f"How the states of the decoder begin, from the last ones of the encoder, or from all that it gave: {', '.join(BRIDGES)}.",
        rare=True,
    )
    dropout: float = option(0.3, "Dropout: part of the embeddings, and of what layers give, that is dropped in training.")
    grid: int = option(8, "Places that the longer side of a picture has at most in the planes that attention looks at.", rare=True)
    rows: bool = option(False, "Read every row of these places by a bidirectional recurrent layer, as lines of writing need it.", rare=True)
    filters: int = option(32, "Channels of the first of the convolutions that see a picture; the last have four times as many.", rare=True)
    frame_features: int = option(128, "Numbers that a place of a picture, or a frame of a video, becomes.", rare=True)
    frame_pooling: str = option("points", "How a frame of a video becomes these: flatten, mean, or points.", rare=True)
    blind: bool = option(True, "Also learn a network that sees nothing, to say beside it what the picture is worth.", rare=True)
    shared: bool = option(False, "")
    copy: bool = option(False, "")
    word_dropout: float = option(0.0, "")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.grid < 1:
            raise ConfigError(f"`grid` must be at least 1, got {self.grid}.")
        self.eyes(moving=False)

    def eyes(self, *, moving: bool) -> EncoderOptions:
        """How pictures are seen: place by place; or videos, frame by frame, by recurrent layers."""
        if moving:
            return self.encoder()
        of_places = {"layers": 0, "bidirectional": False, "recurrent_dropout": 0.0, "residual": False, "initial_state": "zeros"}
        return replace(self.encoder(), **of_places, grid=self.grid, rows=self.rows)  # type: ignore[arg-type]

    def encoder(self) -> EncoderOptions:
        """How the frames of videos are read."""
        return replace(super().encoder(), grid=0, rows=False)


@dataclass(frozen=True)
class WritingOptions:
    """How sentences are searched for, or drawn."""

    beam: int | None = option(
        None, "Beam size: sentences carried on side by side; 1 is greedy search.  [default: 5, or as many as `nbest`]"
    )
    nbest: int = option(1, "How many of the best sentences to give.")
    length_penalty: float = option(0.6, "Length penalty: power of the length that log P is divided by; 0 prefers short sentences.")
    prefix: str = option("", "What every sentence must begin with, also one that is drawn.")
    longest: int | None = option(
        None,
        "Most tokens of a sentence, of words, characters or whatever it is written in.  [default: a quarter more than any that was learnt]",
    )
    sampled: float | None = option(None, "Draw sentences at this temperature, instead of searching for the most probable ones.", rare=True)
    draw_seed: int = option(0, "Seed of what is drawn.", rare=True)

    def __post_init__(self) -> None:
        if self.longest is not None and self.longest < 1:
            raise ConfigError(f"`longest` must be at least 1, got {self.longest}.")
        if self.sampled is not None and self.beam is not None:
            raise ConfigError("`sampled` draws sentences, and `beam` is of the search. Leave one of them out.")
        self.beam_options()

    def beam_options(self) -> BeamOptions:
        """The same as the search takes it; `<UNK>` is not written."""
        width = max(5, self.nbest) if self.beam is None else self.beam
        return SearchOptions(width, self.nbest, self.length_penalty).beam_options()


@dataclass(frozen=True)
class CaptionTraining(TranslationTraining):
    """How to train."""

    learning_rate: float = option(1e-3, "Learning rate of AdamW at its highest.")


@dataclass(frozen=True)
class CaptioningOptions(Options):
    """All options of the task."""

    data: CaptionDataOptions
    reading: CaptionReading
    model: CaptionModelOptions
    training: CaptionTraining
