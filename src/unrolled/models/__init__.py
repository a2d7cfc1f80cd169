"""F6: networks for the arrangements of inputs and outputs."""

from unrolled.models.attention import ATTENTIONS, SourceAttention
from unrolled.models.bridge import BRIDGES, Bridge
from unrolled.models.classifier import Classifier
from unrolled.models.crf import LinearChain, bio_constraints
from unrolled.models.decoder import Decoder, DecoderState, Memory
from unrolled.models.encoder import Encoder
from unrolled.models.encoder_decoder import EncoderDecoder
from unrolled.models.inputs import InputLayer, Inputs, InputSizes, Spellings
from unrolled.models.language_model import LanguageModel
from unrolled.models.options import ClassifierOptions, EncoderDecoderOptions, EncoderOptions, TaggerOptions
from unrolled.models.outputs import OUTPUTS, Binary, MultiLabel, Ordinal, Output, Softmax
from unrolled.models.pooling import POOLINGS, Pooling
from unrolled.models.tagger import Tagger

__all__ = [
    "ATTENTIONS", "BRIDGES", "OUTPUTS", "POOLINGS", "Binary", "Bridge", "Classifier", "ClassifierOptions", "Decoder", "DecoderState",
    "Encoder", "EncoderDecoder", "EncoderDecoderOptions", "EncoderOptions", "InputLayer", "InputSizes", "Inputs", "LanguageModel",
    "LinearChain", "Memory", "MultiLabel", "Ordinal", "Output", "Pooling", "Softmax", "SourceAttention", "Spellings", "Tagger",
    "TaggerOptions", "bio_constraints",
]  # fmt: skip
