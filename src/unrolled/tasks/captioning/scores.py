"""How good a network that writes about pictures is, beside what one would say without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unrolled.data.codecs.text import FORMULA
from unrolled.plain import or_null
from unrolled.tasks.measures.captions import CaptionScores

NAMES = {"constant": "one sentence for all", "nearest": "that of the most similar picture", "blind": "without the picture"}
"""What rivals are called in words."""


@dataclass(frozen=True)
class CaptioningScores:
    """The measures of a network, and by their names those of its `rivals`; perplexities are those of a symbol of the references."""

    scores: CaptionScores
    rivals: Mapping[str, CaptionScores]
    perplexity: float
    perplexities: Mapping[str, float]
    level: str

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        rivals = {
            name: {**scores.to_json(), **({"perplexity": or_null(self.perplexities[name])} if name in self.perplexities else {})}
            for name, scores in self.rivals.items()
        }
        return {**self.scores.to_json(), "perplexity": or_null(self.perplexity), "pictures": self.scores.size, "rivals": rivals}

    @property
    def text(self) -> str:
        """All of it, in lines."""
        scores = self.scores
        edits = f", edit distance {scores.edits.errors / max(scores.edits.length, 1):.2%}" if self.level == FORMULA else ""
        lines = [f"{scores}{edits}, perplexity {self.perplexity:.2f}, over {scores.size:,} pictures"]
        lines += [f"  {NAMES[name]}: {rival}" for name, rival in self.rivals.items()]
        if "blind" in self.perplexities:
            lines[-1] += f", perplexity {self.perplexities['blind']:.2f}"
        lines.append(f"{scores.distinct:,} different sentences, {scores.copied:.0%} of them learnt as they are. BLEU {scores.signature}")
        return "\n".join([*lines, *self.doubts()])

    def doubts(self) -> list[str]:
        """What nobody should miss: a rival that is as good."""
        better = [
            name for name, rival in self.rivals.items() if rival.cider >= self.scores.cider and rival.bleu[-1] >= self.scores.bleu[-1]
        ]
        if "blind" in better:
            return [
                "The picture does not help: without it the network is as good. Learn more pictures, longer, or see them by another `encoder`."
            ]
        told = " and ".join(NAMES[name] for name in better)
        return [f"It is no better than {told}. Learn more pictures, or longer."] if better else []
