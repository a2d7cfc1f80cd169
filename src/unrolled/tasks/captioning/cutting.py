"""What sentences are compared by."""

from unrolled.data.codecs.formulas import split_formula
from unrolled.data.codecs.text import FORMULA
from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.tasks.measures.captions import Cut, caption_tokens


def cutter(target: TranscriptCodec) -> Cut:
    """What makes tokens of a text that is compared, whatever a network writes it in: words in lower case without marks; of formulas tokens of LaTeX."""
    cut = split_formula if target.text.level == FORMULA else caption_tokens
    return lambda text: cut(target.plain(text))
