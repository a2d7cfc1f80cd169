"""How texts are cut as known tokens show."""

import pytest

from unrolled.data.codecs.tokenizer import Tokenizer

TREEBANK = [
    "the",
    ".",
    ",",
    "-",
    "'s",
    "n't",
    "?",
    "!",
    "do",
    "it",
    "no",
    "U.S.",
    "...",
    "e-mail",
    "10:30",
    "@ada",
    "well",
    "U",
    "S",
    "e",
    "ca",
    "@",
    ":",
    "'",
]
RARE = ["it's", "no.", "Inc."]
TWEETS = ["I", "don't", "'s", ".", "'", "n't", "do"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Do it, well!", "Do it , well !"),
        ("What time is it?", "What time is it ?"),
        ("the U.S. e-mail...", "the U.S. e-mail ..."),
        ("Don't! Ada's can't", "Do n't ! Ada 's ca n't"),
        ("it's 19:45, no.", "it 's 19:45 , no ."),
        ("Inc. @zoë a-b", "Inc. @zoë a - b"),
        ("o'clock", "o'clock"),
        ("hey☃ ☃", "hey☃ ☃"),
        ("", ""),
    ],
)
def test_texts_are_cut_as_known_tokens_are(text, tokens):
    assert Tokenizer([*TREEBANK, *RARE]).cut(text) == tokens.split()


def test_what_is_more_frequent_decides():
    assert Tokenizer(TWEETS).cut("I don't.") == ["I", "don't", "."]
    assert Tokenizer(TWEETS[::-1]).cut("I don't.") == ["I", "do", "n't", "."]
    assert Tokenizer(["no", ".", "no."]).cut("no.") == ["no", "."]
    assert Tokenizer(["no.", "no", "."]).cut("no.") == ["no."]


def test_tokens_that_blanks_divided():
    assert Tokenizer(["is", "it?", "film,", "good"]).cut("is Zoë good, it?") == ["is", "Zoë", "good,", "it?"]


def test_letters_with_vowel_signs_and_accents_are_letters():
    known = Tokenizer(["हिन्दी", "में", "।", ".", "डॉ.", "l", "'été", "!"])
    assert known.cut("हिन्दी में।") == ["हिन्दी", "में", "।"]
    assert known.cut("l'e\u0301te\u0301!") == ["l", "'été", "!"]
    assert known.cut("डॉ. की-बोर्ड") == ["डॉ.", "की-बोर्ड"]


def test_known_tokens_in_lower_case_are_those_of_any():
    known = Tokenizer([name.lower() for name in TREEBANK], lower=True)
    assert known.cut("E-Mail, U.s. 'S DON'T @ZOË") == ["E-Mail", ",", "U.s.", "'S", "DO", "N'T", "@ZOË"]
