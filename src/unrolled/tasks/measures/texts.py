"""How close texts come to their references, by the measures that the field agrees on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.data.words import normal, split_words
from unrolled.errors import DataError
from unrolled.extras import extra

Cut = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class TextScores:
    """Measures of `size` texts beside their references.

    `bleu` (Papineni et al. 2002) and `chrf` (Popović 2015) go from 0 to 100, as sacreBLEU counts them (Post 2018, A Call for Clarity in
    Reporting BLEU Scores); the signatures say how. `exact` is the share of texts that are one of their references, whatever the blanks.
    `token_accuracy` is the share of tokens that stand where the reference has them, of those of the longer of the two, each text beside
    the reference that it agrees with most.
    """

    size: int
    bleu: float
    chrf: float
    exact: float
    token_accuracy: float
    bleu_signature: str
    chrf_signature: str

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        names = ("bleu", "chrf", "exact", "token_accuracy", "bleu_signature", "chrf_signature")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        return f"BLEU {self.bleu:.2f}, chrF {self.chrf:.2f}, exact {self.exact:.2%}, tokens {self.token_accuracy:.2%}"


def score_texts(texts: Sequence[str], references: Sequence[Sequence[str]], *, cut: Cut = split_words, tokenize: str = "13a") -> TextScores:
    """Texts beside their references, of which each has at least one, and not all need as many; all in Unicode's form NFC.

    `cut` says what a token is for `token_accuracy`, `tokenize` names a tokenizer of sacreBLEU (`zh`, `char`, … for languages without
    blanks). No text, a text without reference, and lists of different lengths are a `DataError`.
    """
    if not texts or len(texts) != len(references) or not all(references):
        told = f"{len(texts)} texts and {len(references)} lists of references, {sum(not some for some in references)} of them empty"
        raise DataError(f"There must be at least one text, and at least one reference for each, got {told}.")
    texts, references = list(map(normal, texts)), [list(map(normal, some)) for some in references]
    # A list for the first reference of each text, one for the second, …; None says that a text has no more.
    most = max(map(len, references))
    lists = [[some[i] if i < len(some) else None for some in references] for i in range(most)]
    metrics = extra("sacrebleu.metrics")
    measures = metrics.BLEU(tokenize=tokenize), metrics.CHRF()
    bleu, chrf = (measure.corpus_score(list(texts), lists) for measure in measures)
    signatures = (str(measure.get_signature()) for measure in measures)
    same = sum(_plain(text) in map(_plain, some) for text, some in zip(texts, references, strict=True))
    return TextScores(
        len(texts), float(bleu.score), float(chrf.score), same / len(texts), _token_accuracy(texts, references, cut), *signatures
    )


def _plain(text: str) -> str:
    return " ".join(text.split())


def _token_accuracy(texts: Sequence[str], references: Sequence[Sequence[str]], cut: Cut) -> float:
    agreeing = total = 0
    for text, some in zip(texts, references, strict=True):
        found = cut(text)
        counts = []
        for reference in some:
            wanted = cut(reference)
            counts.append((sum(map(str.__eq__, found, wanted)), max(len(found), len(wanted))))
        best = max(counts, key=lambda count: (count[0] / max(count[1], 1), count[1]))
        agreeing, total = agreeing + best[0], total + best[1]
    return agreeing / max(total, 1)
