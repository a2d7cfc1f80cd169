"""Tokens to ids: which words, characters and shapes are known, and how texts are cut."""

import json
from collections import Counter

import pytest

from unrolled.data.codecs import TokenCodec
from unrolled.data.dataset import cut_text
from unrolled.data.words import word_shape
from unrolled.errors import RunError

FIRST, SECOND, THIRD = ("Red", "red", "blue"), ("blue", "blue"), ("green", "Zoë")
ALL = (*FIRST, *SECOND, *THIRD)
RESIDUES = tuple("ACDAC")


def learn(tokens=ALL, **options):
    return TokenCodec.learn(Counter(tokens), **{"least": 1, **options})


def stored(codec):
    """What is read again of what was written."""
    return json.loads(json.dumps(codec.to_json()))


def shaped():
    return learn((*FIRST, *THIRD), least=None, lower=True, shapes=True)


def test_words_and_characters_are_those_that_are_learnt():
    codec = learn((*FIRST, *SECOND))
    assert codec.words.names == ("blue", "Red", "red")
    assert set(codec.characters.names) == set("Rredblu")
    assert codec.ids(("red", "green", "Zoë")).tolist() == [3, 0, 0]


def test_a_letter_is_the_same_however_it_was_typed():
    codec = learn(("e\u0301te\u0301", "été", "\u212bngström"), level="both")
    assert codec.words.names == ("été", "Ångström")
    assert codec.ids(("été", "e\u0301te\u0301", "A\u030angström")).tolist() == [1, 1, 2]
    characters, begins = codec.spellings(("e\u0301te\u0301", "", "été", "x"))
    assert begins.tolist() == [0, 3, 3, 6, 7]
    assert characters[:3].tolist() == characters[3:6].tolist() != [0, 0, 0] and characters[6] == 0


def test_words_can_be_few_and_in_lower_case():
    codec = learn(lower=True, size=3)
    assert codec.words.names == ("blue", "red")
    assert codec.ids(("RED", "Blue", "green")).tolist() == [2, 1, 0]
    assert "R" in codec.characters.names


def test_new_words_share_the_shapes_of_known_ones():
    codec = shaped()
    assert codec.shapes.names == ("xx", "Xxx")
    assert codec.shapes.ids(map(word_shape, ("Blue", "of", "RED", "mauve"))).tolist() == [2, 1, 0, 1]
    assert learn().shapes is None


def test_rare_words_are_spelt_instead_of_known():
    assert learn(least=None).words.names == ("blue",)
    assert learn(least=None, level="word").words.names == learn(level="word").words.names
    assert set("Zoë") <= set(learn(least=None).characters.names)


def test_words_that_come_with_vectors_are_known_as_far_as_there_is_room():
    codec = learn(level="word", size=7, more=("blue", "black", "brown"))
    assert codec.words.names == ("blue", "Red", "Zoë", "green", "red", "black")
    assert learn(level="word", more=("blue", "black", "brown")).words.names[-2:] == ("black", "brown")


def test_a_vector_of_what_is_unknown_is_no_word():
    codec = learn(level="word", more=("<UNK>", "black"))
    assert codec.words.names[-1] == "black" and "<UNK>" not in codec.words.names
    assert TokenCodec.from_json(stored(codec)) == codec


def test_single_characters_are_not_spelt_unless_that_is_asked_for():
    codec = learn(RESIDUES)
    assert (codec.level, codec.characters) == ("char", None)
    assert learn(RESIDUES, level="both").characters is not None
    assert (learn().level, learn(level="word").characters) == ("both", None)


def test_what_is_stored_is_what_was_there():
    for codec in (learn(), learn(level="word", lower=True), shaped(), learn(RESIDUES), learn(("Ada", "'s"))):
        again = TokenCodec.from_json(stored(codec))
        assert again == codec and again.words.counts == codec.words.counts


@pytest.mark.parametrize(
    "damage",
    [
        {"words": 3},
        {"words": None},
        {"words": ["x", "x"]},
        {"words": ["<UNK>"]},
        {"characters": {}},
        {"shapes": "x"},
        {"level": "letter"},
        {"level": ["word"]},
        {"more": 1},
    ],
)
def test_what_is_damaged_is_told(damage):
    with pytest.raises(RunError, match="damaged or foreign"):
        TokenCodec.from_json({**stored(learn()), **damage})


def test_what_is_missing_is_told():
    whole = stored(learn())
    for key in whole:
        with pytest.raises(RunError, match=f"damaged or foreign: tokens must have .*'{key}'"):
            TokenCodec.from_json({name: part for name, part in whole.items() if name != key})
    for other in (None, [], "words", 3):
        with pytest.raises(RunError, match="damaged or foreign: tokens must have"):
            TokenCodec.from_json(other)


def test_texts_are_cut_as_what_was_learnt():
    treebank = learn(("Do", "n't", ".", "Ada", "'s", "U.S."))
    assert treebank.cut("Zoë's U.S. Don't.") == ("Zoë", "'s", "U.S.", "Do", "n't", ".")
    prose = [*cut_text("Don't say: n't.", "both"), *cut_text("It's n't it", "both")]
    assert (treebank.divided, learn(prose).divided) == (True, False)
    assert learn(prose).cut("Isn't it?") == ("Isn't", "it", "?")
    more = learn(prose, more=("Is", "U.S."))
    assert more.cut("Isn't U.S.") == ("Isn't", "U", ".", "S", "."), "words that came with vectors do not show how texts are cut"


def test_characters_that_are_all_capitals_are_read_in_any_case():
    assert learn(tuple("ACGT") * 2).cut("acgTß") == tuple("ACGTß")
    assert learn(tuple("ACGTTTGß")).cut("acgt") == tuple("acgt")
