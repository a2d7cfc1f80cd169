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
    """The measures of a network, and by their names those of its `rivals`; perplexities are those of a symbol of the references. `cut` sentences have as many
    symbols as they may have, `longest`."""

    scores: CaptionScores
    rivals: Mapping[str, CaptionScores]
    perplexity: float
    perplexities: Mapping[str, float]
    level: str
    cut: int = 0
    longest: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        rivals = {
            name: {**scores.to_json(), **({"perplexity": or_null(self.perplexities[name])} if name in self.perplexities else {})}
            for name, scores in self.rivals.items()
        }
        more = {"perplexity": or_null(self.perplexity), "pictures": self.scores.size, "cut": self.cut}
        return {**self.scores.to_json(), **more, "rivals": rivals}

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
        """What nobody should miss: rivals that are as good by both measures, or better by one, and sentences that may be cut."""
        by_both, by_one = list[str](), list[str]()
        for name, rival in self.rivals.items():
            pairs = {"BLEU": (rival.bleu[-1], self.scores.bleu[-1]), "CIDEr": (rival.cider, self.scores.cider)}
            if all(theirs >= ours for theirs, ours in pairs.values()):
                by_both.append(name)
            else:
                by_one += [f"By {measure} it is worse than {NAMES[name]}." for measure, (theirs, ours) in pairs.items() if theirs > ours]
        told = list[str]()
        if by_both and self.scores.exact == 1:
            told.append(
                f"Every sentence is right, and so is {' and '.join(NAMES[name] for name in by_both)}: harder pictures would tell them apart."
            )
        elif "blind" in by_both:
            told.append(
                "The picture does not help: without it the network is as good. Learn more pictures, longer, or see them by another `encoder`."
            )
        elif by_both:
            told.append(f"It is no better than {' and '.join(NAMES[name] for name in by_both)}. Learn more pictures, or longer.")
        return [*told, *by_one, *([told_cut(self.cut, self.longest)] if self.cut else [])]


def told_cut(count: int, longest: int) -> str:
    """That sentences may be cut."""
    one = "1 sentence has" if count == 1 else f"{count:,} sentences have"
    return f"{one} {counted(longest)}, the most that `longest` allows, and may be cut. Raise `longest`, or train longer."


def counted(tokens: int) -> str:
    """So many tokens in words."""
    return f"{tokens:,} token{'' if tokens == 1 else 's'}"
