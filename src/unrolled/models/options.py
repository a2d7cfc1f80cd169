"""What one can ask of a network that reads sequences."""

import math
from dataclasses import dataclass, replace

from unrolled.errors import ConfigError
from unrolled.models.attention import ATTENTIONS
from unrolled.models.bridge import BRIDGES
from unrolled.models.pooling import POOLINGS
from unrolled.options import option


@dataclass(frozen=True)
class EncoderOptions:
    """How each step is read, and the recurrent layers over the steps."""

    cell: str = option("lstm", "A built-in cell's name, or a file of equations.")
    hidden: int = option(128, "Hidden size: units in every layer and direction.")
    layers: int = option(1, "Number of layers, one above the other.")
    bidirectional: bool = option(True, "Read every sequence from its end, too.")
    embedding: int = option(100, "Embedding size: columns of the words' vectors; 0 for one-hot input.")
    characters: int = option(32, "Columns of the vectors of a word's characters; 0 for one-hot input.")
    character_hidden: int = option(48, "Units, in each direction, of the network that composes a word of its characters.")
    convolution: int = option(
        0, "Channels of each of three convolutions, of 3, 7 and 11 steps, that the recurrent layers read beside each step; 0: none."
    )
    dropout: float = option(0.33, "Dropout: part of the input vectors, and of what layers give, that is dropped in training.")
    recurrent_dropout: float = option(0.0, "Part of what recurrent maps read that is dropped, the same for a whole sequence.")
    word_dropout: float = option(0.02, "Part of the words that are read as <UNK> in training.")
    rare_dropout: float = option(
        0.0, "R, with which a word that is seen N times is also read as <UNK> in R / (R + N) of them: the rarer, the more. Good for names."
    )
    freeze_vectors: bool = option(False, "Leave given word vectors as they are.")
    residual: bool = option(False, "Add a layer's input to its output.")
    engine: str = option("auto", "The engine that must run.")

    def __post_init__(self) -> None:
        if self.convolution < 0:
            raise ConfigError(f"`--convolution` must be at least 0, got {self.convolution}.")
        if self.convolution and not self.bidirectional:
            raise ConfigError(
                "`--convolution` reads steps that are still to come, which `--no-bidirectional` must not. Leave one of them out."
            )

    def resolved(self) -> "EncoderOptions":
        """The same: nothing is left open."""
        return self


@dataclass(frozen=True)
class ClassifierOptions(EncoderOptions):
    """The network that gives one label to a sequence."""

    pooling: str = option("max", f"How the steps become one vector: {', '.join(POOLINGS)}.")


@dataclass(frozen=True)
class TaggerOptions(EncoderOptions):
    """The network that gives a tag to every step."""

    entity_margin: float = option(
        0.0, "Nats by which tags of entities must be ahead of O in training, so that fewer are missed and more are wrong."
    )
    crf: bool = option(False, "Score whole sequences of tags: a linear-chain conditional random field.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.entity_margin < math.inf:
            raise ConfigError(f"`--entity-margin` must be a number of at least 0, got {self.entity_margin}.")


@dataclass(frozen=True)
class EncoderDecoderOptions:
    """The network that writes a sequence after reading another one."""

    cell: str = option("lstm", "A built-in cell's name, or a file of equations.")
    decoder_cell: str | None = option(None, "The cell that writes.  [default: the one that reads]")
    hidden: int = option(256, "Hidden size: units in every layer and direction.")
    decoder_hidden: int | None = option(None, "Units in every layer that writes.  [default: as --hidden]")
    layers: int = option(1, "Number of layers, one above the other, that read, and of those that write.")
    bidirectional: bool = option(True, "Read every source from its end, too.")
    embedding: int = option(128, "Embedding size: columns of the symbols' vectors; 0 for one-hot input.")
    shared: bool = option(False, "Give a symbol the same vector in source and target, which then have one vocabulary.")
    tied: bool = option(False, "Let the output layer read the vectors of the target's symbols.")
    attention: str = option("general", f"How each step looks at the source: {', '.join(ATTENTIONS)}.")
    input_feeding: bool = option(False, "Let each step read what the one before saw of the source; training is slower.")
    bridge: str = option("map", f"How the writer's states begin, from the reader's last ones: {', '.join(BRIDGES)}.")
    copy: bool = option(False, "Let symbols be copied from the source, unknown ones too.")
    dropout: float = option(0.2, "Dropout: part of the vectors, and of what layers give, that is dropped in training.")
    word_dropout: float = option(0.0, "Part of the source's symbols that are read as <UNK> in training.")
    label_smoothing: float = option(0.1, "Part of the probability that is learnt to be spread over all symbols.")
    scheduled_sampling: float = option(0.0, "Part of the steps that read, in training, what the network itself wrote; slower.")
    bfloat16: bool = option(
        False, "Multiply by the output matrix in bfloat16 in training: faster for large vocabularies where the processor can."
    )
    engine: str = option("auto", "The engine that must run.")

    def __post_init__(self) -> None:
        if self.attention not in ATTENTIONS:
            raise ConfigError(f"`--attention` must be one of {', '.join(ATTENTIONS)}, got {self.attention!r}.")
        if self.bridge not in BRIDGES:
            raise ConfigError(f"`--bridge` must be one of {', '.join(BRIDGES)}, got {self.bridge!r}.")
        if self.decoder_hidden is not None and self.decoder_hidden < 1:
            raise ConfigError(f"`--decoder-hidden` must be at least 1, got {self.decoder_hidden}.")
        if self.attention == "none" and (self.input_feeding or self.copy):
            flag = "--input-feeding" if self.input_feeding else "--copy"
            raise ConfigError(f"`{flag}` needs attention over the source, got `--attention none`. Choose another one, or leave it out.")
        for name in ("label_smoothing", "scheduled_sampling"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"`--{name.replace('_', '-')}` must be a part from 0 to 1, got {getattr(self, name)}.")

    def resolved(self) -> "EncoderDecoderOptions":
        """The same with what was left open decided."""
        hidden = self.hidden if self.decoder_hidden is None else self.decoder_hidden
        return replace(self, decoder_cell=self.decoder_cell or self.cell, decoder_hidden=hidden)
