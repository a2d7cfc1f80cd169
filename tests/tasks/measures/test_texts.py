"""Measures of texts beside their references."""

import pytest
import sacrebleu

from unrolled.errors import DataError
from unrolled.tasks.measures.texts import score_texts

TEXTS = ["The cat sat on the mat.", "He is at home now.", "A dog\u202f!"]
REFERENCES = [("The cat sat on a mat.", "A cat was sitting on the mat."), ("He is at home.",), ("A  dog !", "One dog!", "Dog!")]


def test_bleu_and_chrf_are_those_of_the_library():
    found = score_texts(TEXTS[:2], [[some[0]] for some in REFERENCES[:2]])
    lists = [[some[0] for some in REFERENCES[:2]]]
    assert found.bleu == sacrebleu.corpus_bleu(TEXTS[:2], lists).score
    assert found.chrf == sacrebleu.corpus_chrf(TEXTS[:2], lists).score
    assert 40 < found.bleu < 100
    assert found.bleu_signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert found.chrf_signature.startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")


def test_not_all_texts_need_as_many_references():
    found = score_texts(TEXTS, REFERENCES)
    assert found.bleu_signature.startswith("nrefs:var|")
    assert found.bleu > score_texts(TEXTS, [some[-1:] for some in REFERENCES]).bleu
    # References that come again change nothing.
    filled = [[(*some, *some, *some)[i] for some in REFERENCES] for i in range(3)]
    assert found.bleu == pytest.approx(sacrebleu.corpus_bleu(TEXTS, filled).score)
    assert found.chrf == pytest.approx(sacrebleu.corpus_chrf(TEXTS, filled).score)


def test_one_reference_that_is_the_text_is_enough():
    found = score_texts(TEXTS, REFERENCES)
    assert found.exact == 1 / 3
    assert found.size == 3
    # 6 of 7 beside the first reference, 4 of 6, and all 3.
    assert found.token_accuracy == pytest.approx((6 + 4 + 3) / (7 + 6 + 3))
    perfect = score_texts(TEXTS, [(text,) for text in TEXTS])
    assert (perfect.exact, perfect.token_accuracy, perfect.bleu) == (1, 1, pytest.approx(100))


def test_a_letter_is_the_same_however_it_was_typed():
    found = score_texts(["un été"], [("un e\u0301te\u0301",)])
    assert (found.exact, found.chrf, found.token_accuracy) == (1, pytest.approx(100), 1)


def test_tokens_are_what_one_says():
    assert score_texts(["1998-05-03"], [["1998-06-03"]], cut=list).token_accuracy == 0.9
    assert score_texts([""], [["a b"]]).token_accuracy == 0
    assert score_texts(["今天很好"], [["今天不好"]], tokenize="zh").bleu_signature.split("|")[3] == "tok:zh"


@pytest.mark.parametrize(("texts", "references"), [([], []), (["a"], []), (["a", "b"], [["a"], []])])
def test_every_text_needs_a_reference(texts, references):
    with pytest.raises(DataError, match=rf"at least one reference for each, got {len(texts)} texts"):
        score_texts(texts, references)
