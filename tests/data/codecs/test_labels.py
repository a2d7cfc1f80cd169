"""Labels and tags as ids: their order, and what becomes of those that were not learnt."""

import json
import re
import warnings

import numpy as np
import pytest

from unrolled.data.codecs import LabelCodec
from unrolled.data.dataset import gather
from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import DataError, RunError, UnrolledWarning

NUMBERED = [Example(str(i), text="a", labels=(label,)) for i, label in enumerate(("10", "9", "11", "9"))]
EXAMPLES = [
    Example("1", tokens=("ab", "c", "ab"), tags=("X", "Y", "X"), labels=("p",)),
    Example("2", tokens=("cab",), tags=("Y",), labels=("q", "p")),
    Example("3", tokens=("c", "d"), tags=("Y", "Z"), labels=("r",)),
]
MORE = [*EXAMPLES, Example("4", tokens=("c",), labels=("s", "p")), Example("5", tokens=("c",))]
SPANS = [Example("1", tokens=("a", "b"), tags=("B-x", "I-x"), scheme="iob1"), Example("2", tokens=("a",), tags=("O",), scheme="iob1")]


def learn(examples, part=None, target=Target.LABELS, **options):
    dataset = gather(examples, "both")
    return LabelCodec.learn(dataset, np.arange(len(dataset)) if part is None else np.array(part), target, **options)


def stored(codec):
    """What is read again of what was written."""
    return json.loads(json.dumps(codec.to_json()))


def known(target, *labels, several=False):
    return LabelCodec(Vocabulary(labels, ()), target, several)


def test_labels_are_those_of_the_training_part():
    assert learn(NUMBERED, (0, 1)).labels == ("9", "10")
    assert learn(NUMBERED).vocabulary.counts == (2, 1, 1)


def test_tags_and_labels_are_kept_apart():
    assert learn(EXAMPLES).labels == ("p", "q", "r")
    assert learn(EXAMPLES, target=Target.TAGS).labels == ("X", "Y", "Z")
    assert learn(EXAMPLES).vocabulary.counts == (2, 1, 1)
    assert learn(EXAMPLES, target=Target.TAGS).vocabulary.counts == (2, 3, 1)


def test_labels_have_one_order_whatever_they_are():
    labels = ("nan", "3", "1", "inf", "10", "b", "0")
    assert learn([Example(str(i), text="a", labels=(label,)) for i, label in enumerate(labels)]).labels == (
        *("0", "1", "3", "10"),
        *("b", "inf", "nan"),
    )


def test_the_most_frequent_label_is_the_first_of_those():
    assert learn(NUMBERED).frequent == "9"
    assert learn(EXAMPLES, (1, 2)).frequent == "p"
    assert known(Target.LABELS, "p", "q").frequent is None


@pytest.mark.parametrize(("part", "only"), [((1,), "all of them are '9'"), ((4,), "there is none")])
def test_a_single_label_is_refused(part, only):
    with pytest.raises(DataError, match=rf"at least 2 different labels.*{only}"):
        learn([*NUMBERED, Example("5", text="a")], part)


@pytest.mark.parametrize(("scheme", "spans"), [("bio", True), ("iob1", True), ("bioes", True), ("none", False), (None, False)])
def test_tags_mark_spans_where_a_scheme_says_so(scheme, spans):
    tags = [Example("1", tokens=("a", "b"), tags=("B-x", "I-x"), scheme=scheme)]
    codec = learn(tags, target=Target.TAGS)
    assert (codec.scheme, codec.marks_spans) == (scheme, spans)
    assert codec.describe() == f"2 tags{f' ({scheme.upper()})' if spans else ''}: B-x (1), I-x (1)"


def test_a_description_names_the_most_frequent_labels():
    assert learn(NUMBERED).describe() == "3 labels: 9 (2), 10 (1), 11 (1)"
    letters = "abcabdabaefghijk"
    told = "11 labels: a (4), b (3), c (1), d (1), e (1), f (1), g (1), h (1), i (1), j (1), …"
    assert learn([Example("", text="a", labels=(letter,)) for letter in letters]).describe() == told
    assert learn(EXAMPLES, target=Target.TAGS).describe() == "3 tags: Y (3), X (2), Z (1)"


def test_a_tag_that_was_not_learnt_is_marked():
    found = known(Target.TAGS, "X", "Y").encode(gather(MORE, "both"))
    assert found.take(np.array([2, 0, 1])).tolist() == [1, -1, 0, 1, 0, 1]
    assert found.known(np.array([2, 0, 1, 3])).tolist() == [False, True, True, False]
    assert found.known(np.zeros(0, np.int64)).tolist() == []


def test_a_label_that_was_not_learnt_is_marked():
    found = known(Target.LABELS, "p", "q").encode(gather(MORE, "both"))
    assert found.take(np.arange(5)).tolist() == [0, -1, -1, -1, -1], "several labels are none, and so is one that is not known"
    assert found.known(np.array([0, 2])).tolist() == [True, False]


def test_a_row_of_labels_is_marked_where_one_of_them_was_not_learnt():
    found = known(Target.LABELS, "p", "q", several=True).encode(gather(MORE, "both"))
    assert found.take(np.arange(5)).tolist() == [[1, 0], [1, 1], [-1, -1], [-1, -1], [-1, -1]]
    assert found.known(np.array([4, 1, 3, 0])).tolist() == [False, True, False, True]
    none = known(Target.LABELS, "p", "q", several=True).encode(gather([Example("", text="a", labels=())], "both"))
    assert (none.take(np.array([0])).tolist(), none.known(np.array([0])).tolist()) == ([[0, 0]], [True]), "no label may be right"


@pytest.mark.parametrize(
    ("target", "several", "told"),
    [
        (Target.TAGS, False, "1 of 6 steps have a tag that was not learnt: 'Z'. They count as wrong, and have no part in the loss."),
        (Target.LABELS, False, "1 of 4 sequences have a label that was not learnt: 'r'"),
        (Target.LABELS, True, "2 of 4 sequences have a label that was not learnt: 'r', 's'"),
    ],
)
def test_labels_that_were_not_learnt_are_told(target, several, told):
    last = Example("4", tokens=("c",), labels=("s", "p") if several else ("p",))
    codec = known(target, *(("X", "Y") if target is Target.TAGS else ("p", "q")), several=several)
    dataset = gather([*EXAMPLES, last], "both")
    codec.notice_unknown(dataset, np.array([0, 1]))
    with pytest.warns(UnrolledWarning, match=re.escape(told)) as caught:
        codec.notice_unknown(dataset, np.arange(4))
    assert len(caught) == 1


def test_of_many_labels_that_were_not_learnt_some_are_named():
    dataset = gather([Example("", text="a", labels=(str(i),)) for i in range(1009)], "both")
    with pytest.warns(
        UnrolledWarning,
        match="1,007 of 1,009 sequences have a label that was not learnt: '10', '100', '1000', '1001', '1002' and 1,002 more",
    ):
        known(Target.LABELS, "0", "1").notice_unknown(dataset, np.arange(1009))


def test_what_is_not_said_is_not_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        known(Target.LABELS, "p", "q").notice_unknown(gather(MORE, "both"), np.array([0, 4]))
        known(Target.TAGS, "X", "Y").notice_unknown(gather(MORE, "both"), np.array([3, 4]))


def test_what_a_prediction_says_has_ids():
    tags = Prediction(tags=("Y", "X", "Y"))
    assert known(Target.TAGS, "X", "Y").supposed(tags).tolist() == [[1], [0], [1]]
    assert known(Target.LABELS, "p", "q").supposed(Prediction(labels=("q",))).tolist() == [1]
    several = known(Target.LABELS, "p", "q", "r", several=True)
    assert several.supposed(Prediction(labels=("r", "p"), several=True)).tolist() == [[1, 0, 1]]
    assert several.supposed(Prediction(labels=(), several=True)).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    "codec",
    [learn(NUMBERED), learn(EXAMPLES, several=True), learn(SPANS, target=Target.TAGS), known(Target.LABELS, "<UNK>", "<EOS>")],
    ids=["labels", "several", "tags", "labels named like special symbols"],
)
def test_what_is_stored_is_what_was_there(codec):
    again = LabelCodec.from_json(stored(codec))
    assert again == codec and again.vocabulary.counts == codec.vocabulary.counts
    assert again.vocabulary.ids(codec.labels).tolist() == list(range(len(codec.labels)))


@pytest.mark.parametrize(
    "damage", [{"labels": ["x", "x"]}, {"labels": 3}, {"labels": None}, {"target": "colours"}, {"target": ["tags"]}, {"target": None}]
)
def test_what_is_damaged_is_told(damage):
    with pytest.raises(RunError, match="damaged or foreign"):
        LabelCodec.from_json({**stored(learn(NUMBERED)), **damage})


def test_what_is_missing_is_told():
    whole = stored(learn(NUMBERED))
    for key in whole:
        with pytest.raises(RunError, match=rf"damaged or foreign: labels must have .*KeyError\('{key}'\)"):
            LabelCodec.from_json({name: part for name, part in whole.items() if name != key})
    for other in (None, [], "labels"):
        with pytest.raises(RunError, match="damaged or foreign: labels must have"):
            LabelCodec.from_json(other)
