"""Codecs: one for each field of an example. Each learns from the training part alone, encodes, decodes, and is stored as JSON."""

from unrolled.data.codecs.codec import TargetCodec, Targets
from unrolled.data.codecs.frames import FrameCodec
from unrolled.data.codecs.inputs import Encoded, InputCodec
from unrolled.data.codecs.labels import LabelCodec
from unrolled.data.codecs.numbers import NumberCodec
from unrolled.data.codecs.pairs import PairCodec
from unrolled.data.codecs.senses import Senses
from unrolled.data.codecs.sound import SoundCodec
from unrolled.data.codecs.text import TextCodec
from unrolled.data.codecs.tokens import TokenCodec
from unrolled.data.codecs.values import ValueCodec

__all__ = [
    "Encoded",
    "FrameCodec",
    "InputCodec",
    "LabelCodec",
    "NumberCodec",
    "PairCodec",
    "Senses",
    "SoundCodec",
    "TargetCodec",
    "Targets",
    "TextCodec",
    "TokenCodec",
    "ValueCodec",
]
