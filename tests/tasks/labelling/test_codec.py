import json

import numpy as np
import pytest

from unrolled.data.examples import Example
from unrolled.data.sequences import gather
from unrolled.errors import DataError, RunError
from unrolled.tasks.labelling.codec import Codec
from unrolled.tasks.labelling.options import LabelOptions

EXAMPLES = [
    Example("1", tokens=("Red", "red", "blue"), labels=("10",)),
    Example("2", tokens=("blue", "blue"), labels=("9",)),
    Example("3", tokens=("green", "Zoë"), labels=("11",)),
]


def learn(part=(0, 1, 2), level=None, lower=False, most=None, examples=EXAMPLES, count=1):
    return Codec.learn(gather(examples, "both"), np.array(part), LabelOptions(level=level, lower=lower, vocabulary=most, min_count=count))


def shaped():
    return Codec.learn(gather(EXAMPLES, "both"), np.array([0, 2]), LabelOptions(lower=True, shapes=True))


def test_symbols_and_labels_are_those_of_the_training_part():
    codec = learn((0, 1))
    assert codec.words.names == ("blue", "Red", "red")
    assert set(codec.characters.names) == set("Rredblu")
    assert codec.labels == ("9", "10")
    assert codec.word_numbers(("red", "green", "Zoë")).tolist() == [3, 0, 0]


def test_labels_have_one_order_whatever_they_are():
    labels = ("nan", "3", "1", "inf", "10", "b", "0")
    examples = [Example(str(i), text="a", labels=(label,)) for i, label in enumerate(labels)]
    assert learn(range(7), examples=examples).labels == ("0", "1", "3", "10", "b", "inf", "nan")


def test_words_can_be_few_and_in_lower_case():
    codec = learn(lower=True, most=3)
    assert codec.words.names == ("blue", "red")
    assert codec.word_numbers(("RED", "Blue", "green")).tolist() == [2, 1, 0]
    assert "R" in codec.characters.names


def test_new_words_share_the_shapes_of_known_ones():
    codec = shaped()
    assert codec.shapes.names == ("xx", "Xxx")
    assert codec.shape_numbers(("Blue", "of", "RED", "mauve")).tolist() == [2, 1, 0, 1]
    assert codec.sizes.shapes == 3 and learn().sizes.shapes == 0


def test_rare_words_are_spelt_instead_of_known():
    assert learn(count=None).words.names == ("blue",)
    assert learn(count=None, level="word").words.names == learn(level="word").words.names
    assert set("Zoë") <= set(learn(count=None).characters.names)


def test_words_that_come_with_vectors_are_known_as_far_as_there_is_room():
    sequences = gather(EXAMPLES, "word")
    codec = Codec.learn(sequences, np.arange(3), LabelOptions(level="word", vocabulary=7), more=("blue", "black", "brown"))
    assert codec.words.names == ("blue", "Red", "Zoë", "green", "red", "black")


def test_single_characters_are_not_spelt_unless_that_is_asked_for():
    residues = [Example("1", tokens=tuple("ACD"), labels=("x",)), Example("2", tokens=tuple("AC"), labels=("y",))]
    codec = learn((0, 1), examples=residues)
    assert (codec.level, codec.characters) == ("char", None)
    assert learn((0, 1), level="both", examples=residues).characters is not None


def test_numbers_are_standardised_by_the_training_part():
    rng = np.random.default_rng(0)
    examples = [Example(str(i), numbers=rng.normal(3 * i, 2, (50, 2)).astype(np.float32), labels=(str(i),)) for i in range(3)]
    codec = learn((0, 1), examples=examples)
    both = np.concatenate([e.numbers for e in examples[:2]])
    np.testing.assert_allclose(codec.numbers.mean, both.mean(0), rtol=1e-5)
    assert (codec.words, codec.sizes.numbers) == (None, 2)


def test_what_is_stored_is_what_was_there():
    for codec in (learn(), learn(level="word", lower=True), shaped()):
        again = Codec.from_json(codec.to_json())
        assert again == codec
    stored = json.loads(learn().to_json())
    for damage in ({"words": 3}, {"labels": ["x", "x"]}, {"numbers": {"mean": [1]}}):
        with pytest.raises(RunError, match="damaged"):
            Codec.from_json(json.dumps({**stored, **damage}))
    with pytest.raises(RunError, match="damaged"):
        Codec.from_json("[")


@pytest.mark.parametrize(("labels", "spans"), [(("B-per", "I-per", "O"), True), (("NOUN", "VERB", "X"), False), (("9", "10"), False)])
def test_what_older_versions_stored_is_read(labels, spans):
    stored = {**json.loads(learn().to_json()), "labels": labels}
    for name in ("channels", "scheme", "shapes", "divided"):
        del stored[name]
    codec = Codec.from_json(json.dumps(stored))
    assert (codec.marks_spans, codec.shapes, codec.channels, codec.words) == (spans, None, (), learn().words)
    del stored["labels"]
    with pytest.raises(RunError, match="damaged: KeyError"):
        Codec.from_json(json.dumps(stored))


def test_texts_are_cut_as_what_was_learnt():
    treebank = [Example("1", tokens=("Do", "n't", "."), tags=tuple("abc")), Example("2", tokens=("Ada", "'s", "U.S."), tags=tuple("abc"))]
    words = learn((0, 1), examples=treebank)
    assert words.cut("Zoë's U.S. Don't.") == ("Zoë", "'s", "U.S.", "Do", "n't", ".")
    stored = json.loads(words.to_json())
    del stored["divided"]
    assert Codec.from_json(json.dumps(stored)) == words
    texts = [Example("1", text="Don't say: n't.", labels=("a",)), Example("2", text="It's n't it", labels=("b",))]
    assert learn((0, 1), examples=texts).cut("Isn't it?") == ("Isn't", "it", "?")
    codec = Codec.learn(gather(texts, "both"), np.arange(2), LabelOptions(min_count=1), more=("Is", "U.S."))
    assert codec.cut("Isn't U.S.") == ("Isn't", "U", ".", "S", ".")


def test_characters_that_are_all_capitals_are_read_in_any_case():
    bases = [Example("1", tokens=tuple("ACGT"), tags=tuple("xxyy")), Example("2", tokens=tuple("TTGß"), tags=tuple("xyxy"))]
    assert learn((0, 1), examples=bases[:1] * 2).cut("acgTß") == tuple("ACGTß")
    assert learn((0, 1), examples=bases).cut("acgt") == tuple("acgt")


def test_a_single_label_is_refused():
    with pytest.raises(DataError, match=r"at least 2 different labels.*all of them are '9'"):
        learn((1,))
