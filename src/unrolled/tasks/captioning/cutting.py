"""What sentences are compared by."""

from unrolled.data.codecs.formulas import split_formula
from unrolled.data.codecs.text import CHAR, FORMULA
from unrolled.tasks.measures.captions import Cut, caption_tokens


def cutter(level: str) -> Cut:
    """What makes tokens of a text that is compared: characters, tokens of LaTeX, or words in lower case without marks."""
    known: dict[str, Cut] = {CHAR: list, FORMULA: split_formula}
    return known.get(level, caption_tokens)
