"""What one can ask of a network that writes a sequence after reading another one."""

import math
from dataclasses import dataclass, replace

from unrolled.data.builtin import PREFIX, absolute
from unrolled.data.codecs import TextCodec
from unrolled.data.codecs.text import LEVELS, SUBWORDS
from unrolled.data.formats.pair_options import DividedPairOptions
from unrolled.data.vocabulary import TEXTS
from unrolled.decoding import BeamOptions
from unrolled.errors import ConfigError
from unrolled.models import EncoderDecoderOptions
from unrolled.options import option
from unrolled.tasks.configuration import Options
from unrolled.tasks.folds import FoldOptions
from unrolled.training import TrainingOptions

SUBWORD_KINDS = ("bpe", "unigram")
"""How subwords are found."""

LONGEST = 1e6
"""The most symbols that one may ask for, for each symbol of a source."""


@dataclass(frozen=True)
class TranslateOptions(FoldOptions):
    """What is learnt from which pairs."""

    sources: tuple[str, ...] = option((), "Files of pairs, or builtin:… pairs.")
    validation: tuple[str, ...] = option(
        (), "Pairs to measure on, instead of a part of PAIRS; beside `source` and `target` two aligned files, or more with references."
    )
    held_out: float = option(
        0.05, "Held-out part of all sources, drawn at random, or from 1 on their number, which is measured on and not learnt; 0: none."
    )
    batch: int = option(64, "Batch size: pairs in a batch, of about the same lengths.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 <= self.held_out < 1 or (self.held_out >= 1 and float(self.held_out).is_integer())):
            raise ConfigError(f"`held_out` must be a fraction from 0 to below 1, or a number of sources, got {self.held_out}.")
        if self.batch < 1:
            raise ConfigError(f"`batch` must be at least 1, got {self.batch}.")

    @property
    def made_up(self) -> bool:
        """Whether all pairs are built-in ones, which are strings of characters."""
        return bool(self.sources) and all(source.startswith(PREFIX) for source in self.sources)

    def resolved(self) -> "TranslateOptions":
        """The same with paths that hold wherever one stands."""
        return replace(self, sources=absolute(self.sources), validation=absolute(self.validation))


@dataclass(frozen=True)
class Reading(DividedPairOptions):
    """How files of pairs are read."""

    def resolved(self) -> "Reading":
        """The same: `unrolled.data.formats.pairs.resolve_pairs` knows whether `source` is a file."""
        return self


@dataclass(frozen=True)
class SymbolOptions:
    """How both sides of pairs become ids."""

    level: str | None = option(None, f"Tokens of texts: {', '.join(LEVELS)}.  [default: subword, or char for builtin:… pairs]")
    vocabulary: int | None = option(None, f"Vocabulary size of a side.  [default: all, or {SUBWORDS} subwords]")
    min_count: int = option(1, "Times that a character or word must come to be known.", rare=True)
    subwords: str = option("bpe", f"Tokenizer of subwords: {', '.join(SUBWORD_KINDS)}.", rare=True)
    reverse_source: bool = option(False, "Read sources from their end.", rare=True)

    def __post_init__(self) -> None:
        if self.level not in (None, *LEVELS):
            raise ConfigError(f"`level` must be one of {', '.join(LEVELS)}, got {self.level!r}.")
        if self.subwords not in SUBWORD_KINDS:
            raise ConfigError(f"`subwords` must be one of {', '.join(SUBWORD_KINDS)}, got {self.subwords!r}.")
        if self.vocabulary is not None and self.vocabulary <= len(TEXTS):
            raise ConfigError(f"`vocabulary` must be more than {len(TEXTS)}, as it counts {' '.join(TEXTS)}, got {self.vocabulary}.")
        if self.min_count < 1:
            raise ConfigError(f"`min_count` must be at least 1, got {self.min_count}.")

    def resolved(self) -> "SymbolOptions":
        """The same: the level is known when the pairs are."""
        return self


@dataclass(frozen=True)
class TranslationTraining(TrainingOptions):
    """How to train, with what is usual for pairs where nothing is said."""

    average: float = option(0.995, "Decay of an exponential moving average of the weights, which is then what is kept; 0: none.", rare=True)


@dataclass(frozen=True)
class DrawingOptions:
    """How texts are drawn for sources; see `TrainedTranslator.sample`."""

    prompt: str | None = option(None, "The source.")
    prompts: str | None = option(None, "File with a source on each line, or - for the standard input.")
    length: int | None = option(None, "Symbols to write, at most.  [default: as the source asks for]")
    stop: str | None = option(None, "Stop before this text.")
    temperature: float = option(1.0, "Below 1 safer, above 1 bolder, 0 always the likeliest.")
    top_k: int = option(0, "Choose among the k likeliest only; 0: among all.")
    top_p: float = option(1.0, "Choose among the likeliest that together reach p.")
    repetition_penalty: float = option(1.0, "Above 1: what was written becomes less likely.")
    count: int = option(1, "How many texts for each source.")
    seed: int | None = option(None, "The same seed writes the same text.")


@dataclass(frozen=True)
class SearchOptions:
    """How what is written is searched for."""

    beam: int | None = option(None, "Beam size: sequences carried on side by side; 1 is greedy search.  [default: as many as `nbest`]")
    nbest: int = option(1, "How many of the best sequences to give.")
    length_penalty: float = option(0.6, "Length penalty: power of the length that log P is divided by; 0 prefers short sequences.")
    coverage_penalty: float = option(0.0, "Coverage penalty: how much it costs not to look at parts of the source.")
    prefix: str = option("", "What every sequence must begin with.")
    limit: float = option(2.0, "Most symbols written for each symbol of the source, and 50 more.")

    def __post_init__(self) -> None:
        if not 0 <= self.limit <= LONGEST:
            raise ConfigError(f"`limit` must be a number from 0 to {LONGEST:g}, got {self.limit}.")
        if self.nbest < 1:
            raise ConfigError(f"`nbest` must be at least 1, got {self.nbest}.")
        self.beam_options()

    def beam_options(self) -> BeamOptions:
        """The same as the search takes it; `<UNK>` is not written."""
        return BeamOptions(
            self.nbest if self.beam is None else self.beam,
            self.nbest,
            self.length_penalty,
            self.coverage_penalty,
            end=TextCodec.end,
            forbidden=(TextCodec.unknown,),
        )

    def most(self, source: int) -> int:
        """The most symbols that are written after a source of so many symbols."""
        return math.ceil(self.limit * source) + 50


@dataclass(frozen=True)
class TranslationOptions(Options):
    """All options of the task."""

    data: TranslateOptions
    reading: Reading
    symbols: SymbolOptions
    model: EncoderDecoderOptions
    training: TranslationTraining
