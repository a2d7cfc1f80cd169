"""F6: networks. Input layers read the fields of a batch, an encoder runs recurrent layers over them, an arrangement says to what the
answers belong, and a head what they mean."""

from unrolled.models.arrangements import (
    COPIES,
    Arrangement,
    EachStep,
    EncoderDecoder,
    NextStep,
    Scoring,
    StepsAhead,
    Unaligned,
    Whole,
    language_model,
)
from unrolled.models.attention import ATTENTIONS, SourceAttention
from unrolled.models.bridge import BRIDGES, Bridge
from unrolled.models.decoder import Decoder, DecoderState, Memory
from unrolled.models.embedding import Embedding
from unrolled.models.encoder import Encoder
from unrolled.models.heads import (
    CLASS_HEADS,
    CTC,
    FORECAST_HEADS,
    NUMBER_HEADS,
    Binary,
    ClassHead,
    Distribution,
    Head,
    LinearChain,
    MultiLabel,
    NumberHead,
    Ordinal,
    Quantiles,
    SequenceHead,
    Softmax,
    bio_constraints,
)
from unrolled.models.inputs import NUMBERS, SHAPES, SPELLINGS, WORDS, InputLayer, InputSizes
from unrolled.models.options import (
    EachStepOptions,
    EncoderDecoderOptions,
    EncoderOptions,
    ForecastingOptions,
    NextStepOptions,
    RecurrentOptions,
    WholeOptions,
)
from unrolled.models.pooling import POOLINGS, Pooling
from unrolled.models.window import InputWindow

__all__ = [
    "ATTENTIONS",
    "BRIDGES",
    "CLASS_HEADS",
    "COPIES",
    "CTC",
    "FORECAST_HEADS",
    "NUMBERS",
    "NUMBER_HEADS",
    "POOLINGS",
    "SHAPES",
    "SPELLINGS",
    "WORDS",
    "Arrangement",
    "Binary",
    "Bridge",
    "ClassHead",
    "Decoder",
    "DecoderState",
    "Distribution",
    "EachStep",
    "EachStepOptions",
    "Embedding",
    "Encoder",
    "EncoderDecoder",
    "EncoderDecoderOptions",
    "EncoderOptions",
    "ForecastingOptions",
    "Head",
    "InputLayer",
    "InputSizes",
    "InputWindow",
    "LinearChain",
    "Memory",
    "MultiLabel",
    "NextStep",
    "NextStepOptions",
    "NumberHead",
    "Ordinal",
    "Pooling",
    "Quantiles",
    "RecurrentOptions",
    "Scoring",
    "SequenceHead",
    "Softmax",
    "SourceAttention",
    "StepsAhead",
    "Unaligned",
    "Whole",
    "WholeOptions",
    "bio_constraints",
    "language_model",
]  # fmt: skip
