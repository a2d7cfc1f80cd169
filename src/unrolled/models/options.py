"""What one can ask of a network."""

from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any

from unrolled.errors import ConfigError
from unrolled.models.attention import ATTENTIONS
from unrolled.models.bridge import BRIDGES
from unrolled.models.frames import FLATTEN, MEAN, POINTS, require_pooling
from unrolled.models.pooling import POOLINGS
from unrolled.options import option

MOST_EMBEDDING = 256
"""Largest embedding size of a network of next steps if nothing is said."""

SUBSAMPLINGS = (1, 2, 4, 8, 16)
"""Of how many steps one can be made."""

OUTPUTS = ("joint", "independent")
"""How the keys of a frame are predicted."""

MOST_LAYERS = 1000
"""More of them would take minutes to make."""


@dataclass(frozen=True)
class RecurrentOptions:
    """The recurrent layers of a network, and what each of their steps reads. `ConfigError` for a value that an option cannot have."""

    cell: str = option(
        "lstm", "Cell: the name of a built-in one, or a file of equations; several, with commas between, are trained in turn."
    )
    hidden: int = option(128, "Hidden size: units of every layer and direction.")
    layers: int = option(1, "Number of layers, one above the other; 0 for none: a feed-forward network.")
    dropout: float = option(0.0, "Dropout: part of what layers give that is dropped in training.")
    recurrent_dropout: float = option(
        0.0, "Part of what recurrent maps read that is dropped, the same for all steps of a sequence.", rare=True
    )
    initial_state: str = option("zeros", "Initial state: zeros, or learned.", rare=True)
    residual: bool = option(False, "Add the input of a layer to its output.", rare=True)
    input_window: int = option(
        1, "Steps whose inputs each step reads: those around it, or those before it where the network cannot read ahead.", rare=True
    )
    engine: str = option("auto", "Engine that must run the recurrent layers: native, torch or eager.", rare=True)

    def __post_init__(self) -> None:
        if not 0 <= self.layers <= MOST_LAYERS:
            raise ConfigError(f"`layers` must be from 0 to {MOST_LAYERS}, got {self.layers}.")
        if self.hidden < 1:
            raise ConfigError(f"`hidden` must be at least 1, got {self.hidden}.")
        if self.input_window < 1:
            raise ConfigError(f"`input_window` must be at least 1, which is the step itself, got {self.input_window}.")
        if not self.layers and (self.recurrent_dropout or self.residual or self.initial_state != "zeros"):
            told = "`layers=0` has no recurrent layers, and `recurrent_dropout`, `residual` and `initial_state` say something of these."
            raise ConfigError(f"{told} Leave them out.")

    def resolved(self) -> Any:
        """The same with what was left open decided."""
        return self


@dataclass(frozen=True)
class EncoderOptions(RecurrentOptions):
    """How each step is read, and the recurrent layers over the steps.

    With a `grid` above 0 every place of a frame is a step: so many has the longer side at most, and `rows` says whether rows are read by
    recurrent layers. What attends to them has flags for these.
    """

    bidirectional: bool = option(True, "Read every sequence from its end, too.")
    embedding: int = option(100, "Embedding size of words; 0 for one-hot input.")
    dropout: float = option(0.33, "Dropout: part of the embeddings, and of what layers give, that is dropped in training.")
    input_dropout: float | None = option(None, "Part of the embeddings that is dropped instead.  [default: as `dropout`]", rare=True)
    characters: int = option(32, "Embedding size of the characters that spell a word; 0 for one-hot input.", rare=True)
    character_hidden: int = option(48, "Hidden size, in each direction, of the network that reads the characters of a word.", rare=True)
    convolution: int = option(
        0, "Convolutional front end: channels of each of three convolutions of 3, 7 and 11 steps; 0: none.", rare=True
    )
    filters: int = option(16, "Channels of the first of the convolutions that read a frame; the last have four times as many.", rare=True)
    frame_features: int = option(128, "Numbers that a frame becomes before the recurrent layers read it.", rare=True)
    frame_pooling: str = option(
        FLATTEN,
        f"How the last planes of a frame become these: {FLATTEN} (all places), {MEAN}, or {POINTS} (where the mass of each plane lies).",
        rare=True,
    )
    grid: int = option(0, "")
    rows: bool = option(False, "")
    subsampling: int = option(1, "Steps of which convolutions make one before the recurrent layers read it: 1, 2, 4, 8 or 16.", rare=True)
    word_dropout: float = option(0.02, "Part of the words that are read as <UNK> in training.", rare=True)
    rare_dropout: float = option(
        0.0,
        "R, with which a word that is seen N times is also read as <UNK> in R / (R + N) of them: the rarer, the more. Good for names.",
        rare=True,
    )
    freeze_vectors: bool = option(False, "Leave given word vectors as they are.", rare=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.convolution < 0:
            raise ConfigError(f"`convolution` must be at least 0, got {self.convolution}.")
        if self.subsampling not in SUBSAMPLINGS:
            raise ConfigError(f"`subsampling` must be one of {', '.join(map(str, SUBSAMPLINGS))}, got {self.subsampling}.")
        for name in ("filters", "frame_features"):
            if getattr(self, name) < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        require_pooling(self.frame_pooling)
        if self.convolution and not self.bidirectional:
            raise ConfigError(
                "`convolution` reads steps that are still to come, which `bidirectional=False` must not. Leave one of them out."
            )

    @property
    def input_dropped(self) -> float:
        """The dropout of embeddings."""
        return self.dropout if self.input_dropout is None else self.input_dropout


@dataclass(frozen=True)
class WholeOptions(EncoderOptions):
    """The network that gives one answer to a sequence."""

    pooling: str = option("max", f"Pooling: how all steps become one vector: {', '.join(POOLINGS)}.")


@dataclass(frozen=True)
class EachStepOptions(EncoderOptions):
    """The network that gives an answer to every step."""


@dataclass(frozen=True)
class NextStepOptions(RecurrentOptions):
    """The network that says what comes next."""

    hidden: int = option(512, "Hidden size: units of every layer.")
    embedding: int | None = option(None, f"Embedding size; 0 for one-hot input.  [default: as there are symbols, at most {MOST_EMBEDDING}]")
    dropout: float = option(0.25, "Dropout: part of what layers give that is dropped in training.")
    tied: bool = option(False, "Weight tying: the output layer reads the embeddings.", rare=True)
    lines: bool | None = option(None, "Begin anew with each line.  [default: no for texts, yes for event logs]", rare=True)

    def encoder(self) -> EncoderOptions:
        """How the steps are read: in one direction, and with the embeddings left whole, which was measured to be better."""
        return encoder_options(self, bidirectional=False, embedding=self.embedding or 0, input_dropout=0.0, word_dropout=0.0)


@dataclass(frozen=True)
class MusicOptions(NextStepOptions):
    """The network that says which notes come next; each piece begins anew, so that `lines` has no flag."""

    hidden: int = option(256, "Hidden size: units of every layer.")
    embedding: int | None = option(None, f"Embedding size of events.  [default: as there are symbols, at most {MOST_EMBEDDING}]", rare=True)
    lines: bool | None = option(None, "")
    output: str = option(
        "joint", "Keys of a frame: joint, from the lowest up, each knowing those below it (NADE); or independent, each by itself."
    )
    chord_hidden: int = option(128, "Units that know the keys below a key, where the output is joint.", rare=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output not in OUTPUTS:
            raise ConfigError(f"`output` must be one of {', '.join(OUTPUTS)}, got {self.output!r}.")
        if self.chord_hidden < 1:
            raise ConfigError(f"`chord_hidden` must be at least 1, got {self.chord_hidden}.")


@dataclass(frozen=True)
class ForecastingOptions(RecurrentOptions):
    """The network that says how the steps to come are distributed."""

    hidden: int = option(64, "Hidden size: units of every layer.")
    dropout: float = option(0.1, "Dropout: part of what layers give that is dropped in training.")

    def encoder(self) -> EncoderOptions:
        """How the steps are read: in one direction."""
        return encoder_options(self, bidirectional=False)


@dataclass(frozen=True)
class NextFramesOptions(RecurrentOptions):
    """The network that says the next frames of a clip."""

    hidden: int = option(32, "Hidden size: channels of every layer.")
    kernel_size: int = option(3, "Kernel: places in each dimension that a map reads, an odd number.")
    patch: int = option(4, "Side of the squares of pixels that are read as one place; 1: each pixel by itself.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input_window != 1:
            raise ConfigError("`input_window` is for rows of numbers, and here frames are read. Leave it out.")
        if self.kernel_size < 1 or self.kernel_size % 2 == 0:
            raise ConfigError(f"`kernel_size` must be odd and at least 1, got {self.kernel_size}.")
        if self.patch < 1:
            raise ConfigError(f"`patch` must be at least 1, got {self.patch}.")


@dataclass(frozen=True)
class EncoderDecoderOptions(RecurrentOptions):
    """The network that reads a sequence and then writes another one; `cell` reads, and `decoder_cell` writes."""

    decoder_cell: str | None = option(None, "Cell of the decoder.  [default: that of the encoder]", rare=True)
    hidden: int = option(256, "Hidden size: units of every layer and direction.")
    decoder_hidden: int | None = option(None, "Hidden size of the decoder.  [default: that of the encoder]", rare=True)
    layers: int = option(1, "Number of layers of the encoder, and of the decoder.")
    bidirectional: bool = option(True, "Read every source from its end, too.")
    embedding: int = option(128, "Embedding size; 0 for one-hot input.")
    shared: bool = option(False, "Give a symbol the same embedding in source and target, which then have one vocabulary.", rare=True)
    tied: bool = option(False, "Weight tying: the output layer reads the embeddings of the target.", rare=True)
    attention: str = option("general", f"Attention over the source: {', '.join(ATTENTIONS)}.")
    input_feeding: bool = option(False, "Input feeding: each step reads what the one before saw of the source; slower.", rare=True)
    bridge: str = option("map", f"How the states of the decoder begin: {', '.join(BRIDGES)}.", rare=True)
    copy: bool = option(False, "Copy mechanism: symbols of the source can be copied, unknown ones too.", rare=True)
    dropout: float = option(0.2, "Dropout: part of the embeddings, and of what layers give, that is dropped in training.")
    word_dropout: float = option(0.0, "Part of the symbols of the source that are read as <UNK> in training.", rare=True)
    target_dropout: float = option(
        0.0, "Word dropout of the target: part of its symbols that the decoder reads as <UNK> in training.", rare=True
    )
    bag_of_words: float = option(
        0.0,
        "Weight of a loss of the symbols of the target in any order, said by a summary of the source alone: teaches to read before writing.",
        rare=True,
    )
    label_smoothing: float = option(0.1, "Label smoothing: part of the probability that is spread over all symbols.", rare=True)
    scheduled_sampling: float = option(
        0.0, "Scheduled sampling: part of the steps that read, in training, what the network itself wrote; slower.", rare=True
    )
    doubly_stochastic: float = option(
        0.0, "Weight of a penalty on parts of the source that the attention passes over (doubly stochastic attention).", rare=True
    )
    bfloat16: bool = option(
        False, "Multiply by the output matrix in bfloat16 in training: faster for large vocabularies where the processor can.", rare=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers < 1:
            raise ConfigError(f"`layers` must be at least 1 here, as a decoder goes on from states, got {self.layers}.")
        if self.attention not in ATTENTIONS:
            raise ConfigError(f"`attention` must be one of {', '.join(ATTENTIONS)}, got {self.attention!r}.")
        if self.bridge not in BRIDGES:
            raise ConfigError(f"`bridge` must be one of {', '.join(BRIDGES)}, got {self.bridge!r}.")
        if self.decoder_hidden is not None and self.decoder_hidden < 1:
            raise ConfigError(f"`decoder_hidden` must be at least 1, got {self.decoder_hidden}.")
        if self.attention == "none" and (self.input_feeding or self.copy):
            name = "input_feeding" if self.input_feeding else "copy"
            raise ConfigError(f"`{name}` needs attention over the source, got `attention='none'`. Choose another one, or leave it out.")
        for name in ("doubly_stochastic", "bag_of_words"):
            if not 0 <= getattr(self, name) < inf:
                raise ConfigError(f"`{name}` must be a number of at least 0, got {getattr(self, name)}.")
        for name in ("label_smoothing", "scheduled_sampling", "target_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"`{name}` must be a part from 0 to 1, got {getattr(self, name)}.")

    def resolved(self) -> "EncoderDecoderOptions":
        """The same with what was left open decided."""
        hidden = self.hidden if self.decoder_hidden is None else self.decoder_hidden
        return replace(self, decoder_cell=self.decoder_cell or self.cell, decoder_hidden=hidden)

    def encoder(self) -> EncoderOptions:
        """How sources are read."""
        return encoder_options(self, rare_dropout=0.0)


def encoder_options(options: RecurrentOptions, **others: Any) -> EncoderOptions:
    """The options of an encoder that `options` have as well, with `others` in the place of the rest."""
    return EncoderOptions(**{**_shared(options, EncoderOptions), **others})


def encoder_decoder_options(options: RecurrentOptions, **others: Any) -> EncoderDecoderOptions:
    """Those of an encoder and a decoder, likewise."""
    return EncoderDecoderOptions(**{**_shared(options, EncoderDecoderOptions), **others})


def _shared(options: RecurrentOptions, wanted: type) -> dict[str, Any]:
    """What `options` say of the fields that a dataclass has as well."""
    names = {field.name for field in fields(wanted)} & {field.name for field in fields(options)}
    return {name: getattr(options, name) for name in names}
