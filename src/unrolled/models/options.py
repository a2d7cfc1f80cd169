"""What one can ask of a network that reads sequences."""

from dataclasses import dataclass

from unrolled.models.pooling import POOLINGS
from unrolled.options import option


@dataclass(frozen=True)
class EncoderOptions:
    """How each step is read, and the recurrent layers over the steps."""

    cell: str = option("lstm", "A built-in cell's name, or a file of equations.")
    hidden: int = option(128, "Units in every layer and direction.")
    layers: int = option(1, "Layers, one above the other.")
    bidirectional: bool = option(True, "Read every sequence from its end, too.")
    embedding: int = option(100, "Columns of the words' vectors; 0 for one-hot input.")
    characters: int = option(32, "Columns of the vectors of a word's characters; 0 for one-hot input.")
    character_hidden: int = option(48, "Units, in each direction, of the network that composes a word of its characters.")
    dropout: float = option(0.33, "Part of the input vectors, and of what layers give, that is dropped in training.")
    recurrent_dropout: float = option(0.0, "Part of what recurrent maps read that is dropped, the same for a whole sequence.")
    word_dropout: float = option(0.02, "Part of the words that are read as <UNK> in training.")
    freeze_vectors: bool = option(False, "Leave given word vectors as they are.")
    residual: bool = option(False, "Add a layer's input to its output.")
    engine: str = option("auto", "The engine that must run.")

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

    recall: float = option(
        0.0, "Nats by which tags of entities must be ahead of O in training, so that fewer are missed and more are wrong."
    )
    crf: bool = option(False, "Score whole sequences of tags: a linear-chain conditional random field.")
