"""Which of the two ways a network goes."""

from typing import Any

from unrolled.models import EncoderDecoder
from unrolled.tasks.transcription.by_attention import ByAttention
from unrolled.tasks.transcription.by_ctc import ByCTC
from unrolled.tasks.transcription.options import TranscribeOptions
from unrolled.tasks.transcription.reading import Codecs
from unrolled.tasks.transcription.ways import Network, Way


def way_of(model: Network, codecs: Codecs, options: TranscribeOptions) -> Way[Any]:
    """That of a network."""
    return ByAttention(model, codecs, options) if isinstance(model, EncoderDecoder) else ByCTC(model, codecs, options)
