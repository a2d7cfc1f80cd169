"""What a translator gives: translations, and how good they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.data.parts import Tally
from unrolled.data.vocabulary import END
from unrolled.plain import or_null
from unrolled.tasks.measures.texts import TextScores


@dataclass(frozen=True)
class Translation:
    """What was written after a source.

    `log_probability` is the natural log P(text, end | source), `score` what it was ranked by. `read` and `written` are the symbols of both
    sides, ends included, and `weights` `[written, read]` how much each written symbol looked at each one that was read, or None.
    """

    text: str
    score: float
    log_probability: float
    read: tuple[str, ...]
    written: tuple[str, ...]
    weights: np.ndarray | None


NOTHING = Translation("", 0.0, 0.0, (END,), (END,), None)
"""What an empty source is translated by."""


@dataclass(frozen=True)
class TranslationScores:
    """How good translations of `scores.size` sources are, beside the `copied` sources themselves; the `perplexity` of a symbol of their
    references, ends included; and how many pairs were read, and which not used."""

    scores: TextScores
    copied: TextScores
    perplexity: float
    tally: Tally

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return {
            **self.scores.to_json(),
            "perplexity": or_null(self.perplexity),
            "baseline_bleu": self.copied.bleu,
            "baseline_exact": self.copied.exact,
            "sequences": self.scores.size,
            "pairs": self.tally.pairs,
            "left_out": self.tally.left_out,
        }

    @property
    def text(self) -> str:
        """All of it, in lines."""
        copied = f"the sources themselves: BLEU {self.copied.bleu:.2f}, exact {self.copied.exact:.2%}"
        line = f"{self.tally}\n{self.scores}, perplexity {self.perplexity:.3f}, over {self.scores.size:,} sources ({copied})"
        return f"{line}\nBLEU {self.scores.bleu_signature}\nchrF {self.scores.chrf_signature}"
