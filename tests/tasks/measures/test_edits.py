"""Word and character errors beside all ways of editing."""

from functools import cache

import numpy as np
import pytest

from unrolled.tasks.measures.edits import Edits, edits, paired, score_speech


def fewest(first, second):
    """The number of changes, by recursion over both ends (Levenshtein)."""

    @cache
    def of(i, j):
        if not i or not j:
            return i + j
        return min(of(i - 1, j) + 1, of(i, j - 1) + 1, of(i - 1, j - 1) + (first[i - 1] != second[j - 1]))

    return of(len(first), len(second))


@pytest.mark.parametrize("seed", range(20))
def test_the_changes_are_the_fewest_and_lead_from_one_to_the_other(seed):
    chance = np.random.default_rng(seed)
    first, second = ("".join(chance.choice(list("abc"), chance.integers(0, 9))) for _ in range(2))
    found, pairs = edits(first, second), paired(first, second)
    assert found.errors == fewest(first, second)
    assert found.insertions - found.deletions == len(second) - len(first)
    assert [a for a, _ in pairs if a is not None] == list(range(len(first)))
    assert [b for _, b in pairs if b is not None] == list(range(len(second)))


@pytest.mark.parametrize(
    ("reference", "found", "expected"),
    [
        ("the cat sat", "the cat sat", Edits(0, 0, 0, 3)),
        ("the cat sat", "the bat", Edits(1, 0, 1, 3)),
        ("the cat", "oh the cat sat", Edits(0, 2, 0, 2)),
        ("", "a b", Edits(0, 2, 0, 0)),
        ("a b", "", Edits(0, 0, 2, 2)),
        ("a b", "b c", Edits(2, 0, 0, 2)),
    ],
)
def test_counts_of_words(reference, found, expected):
    assert edits(reference.split(), found.split()) == expected


def test_scores_are_sums_over_all_texts():
    scores = score_speech(["one two", "three", "one"], ["one too", "three", ""])
    assert scores.to_json() == {
        "wer": 2 / 4,
        "cer": 4 / 15,
        "insertions": 0,
        "deletions": 1,
        "substitutions": 1,
        "utterances": 3,
        "words": 4,
        "exact": 1 / 3,
        "empty": 1,
        "characters": {"insertions": 0, "deletions": 3, "substitutions": 1, "length": 15},
        "confused": [["two", "too", 1]],
    }
    assert "WER 50.00%, CER 26.67%, exact 33.33%, over 3 utterances" in scores.text
    assert score_speech([""], ["a"]).to_json()["wer"] is None


def test_confusions_of_words_are_drawn(tmp_path):
    scores = score_speech(["one two", "three"], ["one too", "three four"])
    assert scores.pairs == (("one", "one"), ("two", "too"), ("three", "three"), ("(nothing)", "four"))
    scores.draw(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
