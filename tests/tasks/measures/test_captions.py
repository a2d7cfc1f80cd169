from collections import Counter
from math import exp, log, sqrt

import numpy as np
import pytest

from unrolled.data.words import normal
from unrolled.errors import DataError
from unrolled.tasks.measures.captions import bleus, caption_tokens, central, cider_d, rouge_l, score_captions

FOUND = ["a dog runs on grass", "two men play", "a red ball ball"]
REFERENCES = [
    ["a dog runs in the grass", "the dog is running"],
    ["two men are playing football"],
    ["a red ball on grass", "a ball", "the red ball rolls away from a dog on the grass"],
]


def tokens():
    return [text.split() for text in FOUND], [[text.split() for text in some] for some in REFERENCES]


def by_hand(found, references):
    """CIDEr-D over all pieces at once: vectors of NumPy over one vocabulary of pieces for each order."""

    def pieces(words, order):
        return Counter(tuple(words[i : i + order]) for i in range(len(words) - order + 1))

    scores = np.zeros(len(found))
    for order in (1, 2, 3, 4):
        names = sorted({p for some in [*references, *[[f] for f in found]] for words in some for p in pieces(words, order)})
        df = np.array([sum(any(name in pieces(words, order) for words in some) for some in references) for name in names])
        idf = log(len(references)) - np.log(np.maximum(df, 1))
        vector = lambda words: np.array([pieces(words, order)[name] for name in names]) * idf  # noqa: E731, B023
        for i, (words, some) in enumerate(zip(found, references, strict=True)):
            for other in some:
                a, b = vector(words), vector(other)
                norms = sqrt((a**2).sum() * (b**2).sum())
                cosine = (np.minimum(a, b) * b).sum() / norms if norms else 0
                scores[i] += 10 / 4 / len(some) * cosine * exp(-((len(words) - len(other)) ** 2) / 72)
    return scores


def test_cider_is_that_of_vectors_and_of_the_evaluation_of_coco():
    found, references = tokens()
    # What pycocoevalcap 1.2 gives.
    expected = [1.5662525349036938, 2.0573463670772036, 1.8445235804712043]
    np.testing.assert_allclose(cider_d(found, references), expected, rtol=1e-12)
    np.testing.assert_allclose(by_hand(found, references), expected, rtol=1e-12)


def test_rouge_is_that_of_the_evaluation_of_coco():
    found, references = tokens()
    expected = [0.7155425219941348, 0.47843137254901963, 0.8798076923076923]
    np.testing.assert_allclose([rouge_l(f, r) for f, r in zip(found, references, strict=True)], expected, rtol=1e-12)
    assert rouge_l([], references[0]) == 0 == rouge_l(["cat"], references[0])


def test_bleu_counts_pieces_with_all_references():
    found, references = tokens()
    scores, signature = bleus(found, references)
    # Of the words "on" is in no reference of the first, and "ball" in none of the last twice.
    brevity = exp(1 - 14 / 12)
    assert scores[0] == pytest.approx(100 * brevity * (4 + 2 + 3) / 12)
    assert scores[1] == pytest.approx(100 * brevity * sqrt(9 / 12 * (2 + 1 + 2) / 9))
    assert "tok:none" in signature


def test_what_else_is_said_of_captions():
    found = ["A dog!", "a dog", "a cat", "no"]
    references = [["the dog", "a dog"], ["a bird"], ["a black cat"], ["yes"]]
    scores = score_captions(found, references, cut=caption_tokens, learnt=lambda words: list(words) == ["a", "dog"])
    assert (scores.exact, scores.distinct, scores.copied) == (0.25, 3, 0.5)
    assert (scores.edits.errors, scores.edits.length) == (1 + 1 + 1, 2 + 2 + 3 + 1)
    assert scores.to_json()["edit_distance"] == pytest.approx(3 / 8) and scores.to_json()["bleu"] == scores.bleu[3]


def test_words_are_compared_in_lower_case_without_marks():
    assert caption_tokens('The man’s T-shirt , don\'t "stop" .') == ["the", "man’s", "t", "shirt", "don't", "stop"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("लड़का दौड़ रहा है।", ["लड़का", "दौड़", "रहा", "है"]),
        ("一只狗在跑。A dog", ["一", "只", "狗", "在", "跑", "a", "dog"]),
        ("犬がボール", ["犬", "が", "ボ", "ー", "ル"]),
        ("เด็กวิ่ง เร็ว", ["เ", "ด็", "ก", "วิ่", "ง", "เ", "ร็", "ว"]),
        ("🎉 Party!", ["🎉", "party"]),
        ("!!!", ["!", "!", "!"]),
        ("", []),
    ],
)
def test_words_are_those_of_unicode_and_characters_where_there_are_no_blanks(text, tokens):
    assert caption_tokens(text) == [normal(token) for token in tokens]


@pytest.mark.parametrize(("one", "other"), [("की", "का"), ("🎉", "😀"), ("!!!", "???"), ("วิ่ง", "วาง")])
def test_different_sentences_are_not_the_same(one, other):
    scores = score_captions([one, one], [[other], [one]], cut=caption_tokens)
    assert scores.exact == 0.5 and scores.edits.errors


def test_what_is_central_is_like_the_others():
    sentences = [[["a", "dog", "runs"], ["cars", "burn"]], [["a", "dog", "runs", "fast"]], [["the", "dog", "runs"]], [["trees"]]]
    assert central(sentences, 2) == [(0, 0), (1, 0)]


@pytest.mark.parametrize(("found", "references"), [([], []), (["a"], [[]]), (["a"], [["a"], ["b"]])])
def test_every_sentence_needs_a_reference(found, references):
    with pytest.raises(DataError, match="There must be at least one sentence"):
        score_captions(found, references, cut=str.split)
