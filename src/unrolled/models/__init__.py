"""F6: networks for the arrangements of inputs and outputs."""

from unrolled.models.classifier import Classifier
from unrolled.models.crf import LinearChain, bio_constraints
from unrolled.models.encoder import Encoder
from unrolled.models.inputs import InputLayer, Inputs, InputSizes, Spellings
from unrolled.models.language_model import LanguageModel
from unrolled.models.options import ClassifierOptions, EncoderOptions, TaggerOptions
from unrolled.models.outputs import OUTPUTS, Binary, MultiLabel, Ordinal, Output, Softmax
from unrolled.models.pooling import POOLINGS, Pooling
from unrolled.models.tagger import Tagger

__all__ = [
    "OUTPUTS", "POOLINGS", "Binary", "Classifier", "ClassifierOptions", "Encoder", "EncoderOptions", "InputLayer", "InputSizes", "Inputs",
    "LanguageModel", "LinearChain", "MultiLabel", "Ordinal", "Output", "Pooling", "Softmax", "Spellings", "Tagger", "TaggerOptions",
    "bio_constraints",
]  # fmt: skip
