import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from unrolled.data.examples import Example
from unrolled.data.sequences import gather
from unrolled.errors import UnrolledWarning
from unrolled.tasks.labelling.batches import Encoded, pieces
from unrolled.tasks.labelling.codec import Codec
from unrolled.tasks.labelling.options import LabelOptions
from unrolled.tasks.labelling.task import _moved

EXAMPLES = [
    Example("1", tokens=("ab", "c", "ab"), tags=("X", "Y", "X"), labels=("p",)),
    Example("2", tokens=("cab",), tags=("Y",), labels=("q", "p")),
    Example("3", tokens=("c", "d"), tags=("Y", "Z"), labels=("r",)),
]


@pytest.fixture
def encoded():
    sequences = gather(EXAMPLES, "both")
    codec = Codec.learn(sequences, np.array([0, 1]), LabelOptions(level="both", min_count=1))
    return Encoded(sequences, codec, tagged=True)


def test_words_and_their_characters_are_those_of_the_steps(encoded):
    inputs = encoded.inputs(np.array([2, 0]))
    names = ("<UNK>", *encoded.codec.words.names)
    assert inputs.lengths.tolist() == [2, 3]
    assert [names[w] for w in inputs.words[:, 1]] == ["ab", "c", "ab"]
    assert [names[w] for w in inputs.words[:2, 0]] == ["c", "<UNK>"]
    letters = ("?", *encoded.codec.characters.names)
    spelt = inputs.spellings
    for row, example in ((0, EXAMPLES[2]), (1, EXAMPLES[0])):
        for step, token in enumerate(example.tokens):
            word = spelt.which[step, row]
            found = "".join(letters[c] for c in spelt.characters[: spelt.lengths[word], word])
            assert found == token.replace("d", "?")


def test_shapes_are_those_of_the_steps():
    sequences = gather(
        [Example("1", tokens=("Ab", "c"), tags=("X", "Y")), Example("2", tokens=("D", "Zz", "ef"), tags=("Y", "X", "Y"))], "both"
    )
    codec = Codec.learn(sequences, np.array([0]), LabelOptions(shapes=True))
    found = Encoded(sequences, codec, tagged=True).inputs(np.array([1, 0])).shapes
    assert codec.shapes.names == ("Xx", "x")
    assert [row[:n] for row, n in zip(found.T.tolist(), (3, 2), strict=True)] == [[0, 1, 0], [1, 2]]


def test_what_the_codec_does_not_know_is_marked(encoded):
    assert encoded.tags(np.array([0, 2])).T.tolist() == [[0, 1, 0], [1, -1, 0]]
    labels = Encoded(encoded.sequences, replace(encoded.codec, labels=("p", "q")), tagged=False)
    assert labels.targets.tolist() == [0, -1, -1]
    several = Encoded(encoded.sequences, labels.codec, tagged=False, several=True)
    assert several.targets.tolist() == [[1, 0], [1, 1], [-1, -1]]


@pytest.mark.parametrize(
    ("tagged", "several", "told"),
    [
        (True, False, "1 of 6 steps have a tag that was not learnt: 'Z'. They count as wrong"),
        (False, False, "1 of 4 sequences have a label that was not learnt: 'r'"),
        (False, True, "2 of 4 sequences have a label that was not learnt: 'r', 's'"),
    ],
)
def test_labels_that_were_not_learnt_are_told(encoded, tagged, several, told):
    more = Example("4", tokens=("c",), labels=("s", "p") if several else ("p",))
    codec = replace(encoded.codec, labels=("X", "Y") if tagged else ("p", "q"))
    found = Encoded(gather([*EXAMPLES, more], "both"), codec, tagged=tagged, several=several)
    found.notice_unseen(np.array([0, 1]))
    with pytest.warns(UnrolledWarning, match=re.escape(told)):
        found.notice_unseen(np.arange(4))


def test_a_span_of_the_steps(encoded):
    whole, part = encoded.inputs(np.array([0, 1])), encoded.inputs(np.array([0, 1]), slice(1, 3))
    assert part.lengths.tolist() == [2, 0]
    assert torch.equal(part.words[:, 0], whole.words[1:3, 0])


@pytest.mark.parametrize(("total", "window", "overlap"), [(10, 4, 0), (10, 4, 2), (4, 4, 3), (1, 3, 1), (9, 2, 5)])
def test_windows_decide_every_step_once_and_see_their_neighbours(total, window, overlap):
    decided = []
    for span, inside in pieces(total, window, overlap):
        steps = np.arange(total)[span]
        chosen = steps[inside]
        decided += chosen.tolist()
        assert chosen[0] - steps[0] == min(overlap, chosen[0])
        assert steps[-1] - chosen[-1] == min(overlap, total - 1 - chosen[-1])
    assert decided == list(range(total))


def test_moved_numbers_are_the_same_elsewhere_and_zero_where_nothing_was():
    torch.manual_seed(3)
    numbers = torch.arange(1.0, 1 + 6 * 40 * 5).reshape(6, 40, 5)
    moved, shifts = _moved(numbers, 2), set()
    for row in range(40):
        original, found = numbers[:, row], moved[:, row]
        wanted = {}
        for dt in range(-2, 3):
            for dc in range(-2, 3):
                shifted = torch.zeros_like(original)
                for t in range(6):
                    for c in range(5):
                        if 0 <= t + dt < 6 and 0 <= c + dc < 5:
                            shifted[t, c] = original[t + dt, c + dc]
                wanted[dt, dc] = shifted
        (shift,) = [s for s, w in wanted.items() if torch.equal(w, found)]
        shifts.add(shift)
    assert len(shifts) > 10
