"""How close sentences come to several references: CIDEr-D, ROUGE-L, BLEU of 1 to 4 words, and what else is said of captions."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import exp, log
from typing import Any

import numpy as np
import regex

from unrolled.data.words import split_words
from unrolled.errors import DataError
from unrolled.extras import extra
from unrolled.tasks.measures.edits import Edits, edits

Tokens = Sequence[str]
Cut = Callable[[str], Tokens]

ORDERS = (1, 2, 3, 4)
"""Of how many tokens the pieces are that are compared."""

SPREAD = 6.0
"""σ of CIDEr-D, in tokens by which lengths differ."""

BETA = 1.2
"""How much more recall counts than precision in ROUGE-L."""

_MARKS = regex.compile(r"(?:\p{P}\p{M}*|\n)+")
_WITHOUT_BLANKS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}[\p{L}&&\p{Line_Break=SA}]]", regex.V1)
_CHARACTER = regex.compile(r"\X")

Pieces = tuple["Counter[tuple[str, ...]]", ...]


@dataclass(frozen=True)
class CaptionScores:
    """Measures of sentences of `size` pictures beside their references.

    `bleu` holds those of 1 to 4 tokens (Papineni et al. 2002), from 0 to 100 as sacreBLEU counts them; `cider` is CIDEr-D (Vedantam et al. 2015), from 0
    to 10, and `rouge_l` ROUGE-L (Lin 2004), from 0 to 1, both as the evaluation of COCO counts them. `exact` is the share of sentences that
    are one of their references. `edits` are those of tokens to the nearest reference. `distinct` is how many different sentences there are, and
    `copied` the share of them that was learnt as it is.
    """

    size: int
    bleu: tuple[float, ...]
    cider: float
    rouge_l: float
    exact: float
    edits: Edits
    distinct: int
    copied: float
    signature: str = field(default="", compare=False)

    def to_json(self) -> dict[str, Any]:
        """Plain values by name; `bleu` is that of 4."""
        orders = {f"bleu{order}": score for order, score in zip(ORDERS, self.bleu, strict=True)}
        rate = self.edits.errors / max(self.edits.length, 1)
        more = {"cider": self.cider, "rouge_l": self.rouge_l, "exact": self.exact, "edit_distance": rate}
        return {"bleu": self.bleu[-1], **orders, **more, "distinct": self.distinct, "copied": self.copied}

    def __str__(self) -> str:
        bleu = "/".join(f"{score:.1f}" for score in self.bleu)
        return f"BLEU-1…4 {bleu}, CIDEr {self.cider:.3f}, ROUGE-L {self.rouge_l:.3f}, exact {self.exact:.2%}"


def score_captions(
    found: Sequence[str], references: Sequence[Sequence[str]], *, cut: Cut, learnt: Callable[[Tokens], bool] = lambda _: False
) -> CaptionScores:
    """Sentences beside their references, of which each has at least one. `cut` makes tokens of one; `learnt` says whether one was learnt as it is.

    No sentence, one without reference, and lists of different lengths are a `DataError`.
    """
    if not found or len(found) != len(references) or not all(references):
        told = f"{len(found)} sentences and {len(references)} lists of references, {sum(not some for some in references)} of them empty"
        raise DataError(f"There must be at least one sentence, and at least one reference for each, got {told}.")
    said, wanted = [cut(text) for text in found], [[cut(text) for text in some] for some in references]
    nearest = [min((edits(one, tokens) for one in some), key=lambda e: e.errors) for tokens, some in zip(said, wanted, strict=True)]
    scores, signature = bleus(said, wanted)
    return CaptionScores(
        len(found),
        scores,
        float(np.mean(cider_d(said, wanted))),
        float(np.mean([rouge_l(tokens, some) for tokens, some in zip(said, wanted, strict=True)])),
        sum(not errors.errors for errors in nearest) / len(found),
        sum(nearest, Edits()),
        len({*map(tuple, said)}),
        sum(map(learnt, said)) / len(found),
        signature,
    )


def bleus(said: Sequence[Tokens], references: Sequence[Sequence[Tokens]], orders: Sequence[int] = ORDERS) -> tuple[tuple[float, ...], str]:
    """BLEU of up to so many tokens, from 0 to 100, and how sacreBLEU counted the last one."""
    most = max(map(len, references))
    lists = [[" ".join(some[i]) if i < len(some) else None for some in references] for i in range(most)]
    metrics = extra("sacrebleu.metrics")
    measures = [metrics.BLEU(max_ngram_order=order, tokenize="none", force=True) for order in orders]
    scores = tuple(float(measure.corpus_score([" ".join(tokens) for tokens in said], lists).score) for measure in measures)
    return scores, str(measures[-1].get_signature())


def pieces_of(tokens: Tokens) -> Pieces:
    """How often each piece of 1 to 4 tokens comes."""
    return tuple(Counter(zip(*(tokens[at:] for at in range(order)), strict=False)) for order in ORDERS)


class Weights:
    """How much pieces tell: log N / df, where df of N pictures have a piece in their references."""

    def __init__(self, references: Sequence[Sequence[Pieces]]) -> None:
        self.size = log(max(len(references), 1))
        self.known = Counter[tuple[str, ...]]()
        for some in references:
            self.known.update({piece for pieces in some for counts in pieces for piece in counts})

    def vectors(self, pieces: Pieces) -> list[dict[tuple[str, ...], float]]:
        """How often pieces come, times how much they tell, for each order."""
        return [{piece: n * (self.size - log(max(self.known[piece], 1))) for piece, n in counts.items()} for counts in pieces]


def cider_d(found: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> list[float]:
    """CIDEr-D of each sentence, from 0 to 10 (Vedantam et al. 2015, "CIDEr: Consensus-based image description evaluation", section 6): the mean over
    references and orders of the cosine of weighted counts, which are clipped at those of the reference, less where lengths differ.
    """
    wanted = [[pieces_of(tokens) for tokens in some] for some in references]
    weights = Weights(wanted)
    return [
        10 * float(np.mean([_alike(weights, pieces_of(tokens), one) for one in some])) for tokens, some in zip(found, wanted, strict=True)
    ]


def _alike(weights: Weights, first: Pieces, second: Pieces) -> float:
    """The mean over orders. Lengths are those in pairs of tokens, as the evaluation of COCO has them."""
    shorter = first[1].total() - second[1].total()
    found = 0.0
    for a, b in zip(weights.vectors(first), weights.vectors(second), strict=True):
        norms = (sum(v * v for v in a.values()) * sum(v * v for v in b.values())) ** 0.5
        common = sum(min(value, b[piece]) * b[piece] for piece, value in a.items() if piece in b)
        found += common / norms if norms else 0.0
    return found / len(ORDERS) * exp(-(shorter**2) / (2 * SPREAD**2))


def rouge_l(found: Tokens, references: Sequence[Tokens]) -> float:
    """ROUGE-L of a sentence (Lin 2004, "ROUGE: A package for automatic evaluation of summaries"): the F measure of the longest common subsequence, with the
    best precision and the best recall that any reference gives."""
    longest = [(_common(found, one), len(one)) for one in references]
    precision = max(n for n, _ in longest) / max(len(found), 1)
    recall = max(n / max(size, 1) for n, size in longest)
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision) if precision and recall else 0.0


def _common(first: Tokens, second: Tokens) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for token in first:
        before = 0
        for at, other in enumerate(second, 1):
            before, row[at] = row[at], before + 1 if token == other else max(row[at], row[at - 1])
    return row[-1]


def central(sentences: Sequence[Sequence[Tokens]], count: int) -> list[tuple[int, int]]:
    """The picture and the place of each of so many sentences, those that are most like all others together by the weighted counts of CIDEr, lengths apart."""
    pieces = [[pieces_of(tokens) for tokens in some] for some in sentences]
    weights, centre = Weights(pieces), dict[tuple[str, ...], float]()
    vectors = [[_unit(weights.vectors(one)) for one in some] for some in pieces]
    for piece, value in chain.from_iterable(vector.items() for some in vectors for vector in some):
        centre[piece] = centre.get(piece, 0.0) + value
    scores = {
        (picture, place): sum(value * (centre[piece] - value) for piece, value in vector.items())
        for picture, some in enumerate(vectors)
        for place, vector in enumerate(some)
    }
    return sorted(scores, key=lambda at: (-scores[at], at))[:count]


def _unit(vectors: Sequence[dict[tuple[str, ...], float]]) -> dict[tuple[str, ...], float]:
    """The vectors of all orders, each of length 1, together."""
    norms = [sum(v * v for v in vector.values()) ** 0.5 or 1.0 for vector in vectors]
    return {piece: value / norm for vector, norm in zip(vectors, norms, strict=True) for piece, value in vector.items()}


def caption_tokens(text: str) -> list[str]:
    """The words of a sentence as captions are compared: in lower case, by Unicode's rules, without marks unless there is nothing else; of scripts that put
    no blanks between words, such as Chinese, Japanese and Thai, the characters."""
    words = split_words(text.lower())
    kept = [word for word in words if not _MARKS.fullmatch(word)]
    return [token for word in kept or words for token in (_CHARACTER.findall(word) if _WITHOUT_BLANKS.search(word) else [word])]
