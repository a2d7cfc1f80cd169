"""Networks for the arrangements of inputs and outputs: what comes next, one answer to a sequence or to a picture, one to every
step, the steps that are to come, and another sequence."""

from unrolled.models.arrangements.arrangement import Arrangement, Scoring
from unrolled.models.arrangements.captioner import Captioner, blinded
from unrolled.models.arrangements.each_step import EachStep
from unrolled.models.arrangements.encoder_decoder import COPIES, EncoderDecoder
from unrolled.models.arrangements.glimpses import Glimpses
from unrolled.models.arrangements.next_frames import FRAME_LOSSES, NextFrames
from unrolled.models.arrangements.next_step import NextStep, language_model
from unrolled.models.arrangements.steps_ahead import StepsAhead
from unrolled.models.arrangements.unaligned import Unaligned
from unrolled.models.arrangements.whole import Whole

__all__ = [
    "COPIES",
    "FRAME_LOSSES",
    "Arrangement",
    "Captioner",
    "EachStep",
    "EncoderDecoder",
    "Glimpses",
    "NextFrames",
    "NextStep",
    "Scoring",
    "StepsAhead",
    "Unaligned",
    "Whole",
    "blinded",
    "language_model",
]
