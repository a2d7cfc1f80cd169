"""Pairs of sequences, such as a sentence and its translation: read from files, limited, divided, and made up by rules to try things out."""

from unrolled.data.pairs.builtin import BUILTIN_PAIRS
from unrolled.data.pairs.codings import Codings
from unrolled.data.pairs.options import PairOptions
from unrolled.data.pairs.pair import Pair
from unrolled.data.pairs.parts import Tally, divide, shortened, together, usable
from unrolled.data.pairs.reading import FORMATS, read_pairs

__all__ = ["BUILTIN_PAIRS", "FORMATS", "Codings", "Pair", "PairOptions", "Tally", "divide", "read_pairs", "shortened", "together", "usable"]
