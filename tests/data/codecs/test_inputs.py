"""What networks read of sequences: the fields of batches, and what they were learnt from."""

import json

import numpy as np
import pytest
import torch

from unrolled.data import columns
from unrolled.data.codecs import Encoded, InputCodec, LabelCodec
from unrolled.data.codecs.frames import FrameCodec
from unrolled.data.dataset import gather
from unrolled.data.examples import Example, Target
from unrolled.data.pictures.seeing import Seen
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import ConfigError, DataError, RunError
from unrolled.models import InputSizes

EXAMPLES = [
    Example("1", tokens=("ab", "c", "ab"), tags=("X", "Y", "X"), labels=("p",)),
    Example("2", tokens=("cab",), tags=("Y",), labels=("q", "p")),
    Example("3", tokens=("c", "d"), tags=("Y", "Z"), labels=("r",)),
]
LABELS = {"several": LabelCodec(Vocabulary(("p", "q"), ()), Target.LABELS, several=True)}
LABELS["one"] = LabelCodec(Vocabulary(("p", "q"), ()), Target.LABELS)
LABELS["tags"] = LabelCodec(Vocabulary(("X", "Y"), ()), Target.TAGS)


def encode(examples, part, target=LABELS["tags"], **options):
    dataset = gather(examples, "both")
    return Encoded(dataset, InputCodec.learn(dataset, np.array(part), **options), target)


def numbered(count=3, steps=50):
    """Sequences of numbers whose means are far from each other."""
    rng = np.random.default_rng(0)
    return [Example(str(i), numbers=rng.normal(3 * i, 2, (steps + i, 2)).astype(np.float32), channels=("x", "y")) for i in range(count)]


def stored(codec):
    """What is read again of what was written."""
    return json.loads(json.dumps(codec.to_json()))


@pytest.fixture
def encoded():
    return encode(EXAMPLES, (0, 1), level="both", least=1)


def test_words_and_their_characters_are_those_of_the_steps(encoded):
    batch = encoded.batch(np.array([2, 0]))
    names = encoded.inputs.tokens.words.symbols
    assert batch.lengths.tolist() == [2, 3] and [*batch.fields] == ["words", "spellings"]
    assert [names[w] for w in batch["words"][:, 1]] == ["ab", "c", "ab"]
    assert [names[w] for w in batch["words"][:2, 0]] == ["c", "<UNK>"]
    letters = ("?", *encoded.inputs.tokens.characters.names)
    spelt = batch.fields["spellings"]
    assert len(spelt.lengths) == 3, "each different word is spelt once"
    for row, example in ((0, EXAMPLES[2]), (1, EXAMPLES[0])):
        for step, token in enumerate(example.tokens):
            word = spelt.which[step, row]
            found = "".join(letters[c] for c in spelt.characters[: spelt.lengths[word], word])
            assert found == token.replace("d", "?")


def test_shapes_are_those_of_the_steps():
    examples = [Example("1", tokens=("Ab", "c"), tags=("X", "Y")), Example("2", tokens=("D", "Zz", "ef"), tags=("Y", "X", "Y"))]
    found = encode(examples, (0,), shapes=True)
    assert found.inputs.tokens.shapes.names == ("Xx", "x")
    shapes = found.batch(np.array([1, 0]))["shapes"]
    assert [row[:n] for row, n in zip(shapes.T.tolist(), (3, 2), strict=True)] == [[0, 1, 0], [1, 2]]


def test_targets_come_where_they_are_asked_for(encoded):
    assert encoded.batch(np.array([0, 2])).targets is None
    assert encoded.batch(np.array([0, 2]), targets=True).targets.T.tolist() == [[0, 1, 0], [1, -1, 0]]
    labels = Encoded(encoded.dataset, encoded.inputs, LABELS["one"])
    assert labels.batch(np.array([0, 2, 0]), targets=True).targets.tolist() == [0, -1, 0]
    several = Encoded(encoded.dataset, encoded.inputs, LABELS["several"])
    assert several.targets_of(np.arange(3)).tolist() == [[1, 0], [1, 1], [-1, -1]]


def test_a_span_of_the_steps(encoded):
    whole, part = encoded.batch(np.array([0, 1])), encoded.batch(np.array([0, 1]), slice(1, 3))
    assert part.lengths.tolist() == [2, 0]
    assert torch.equal(part["words"][:, 0], whole["words"][1:3, 0])


def test_words_are_counted_in_the_sequences_that_are_asked_for(encoded):
    names = encoded.inputs.tokens.words.symbols
    counts = encoded.word_counts(np.array([0, 2]))
    assert dict(zip(names, counts.tolist(), strict=True)) == {"<UNK>": 1, "ab": 2, "c": 2, "cab": 0}
    assert encode(numbered(), (0, 1)).word_counts(np.array([0])).tolist() == []


def test_pieces_are_read_as_the_whole_is(encoded):
    pieces = encoded.in_pieces(2)
    assert (len(encoded), len(pieces)) == (3, 4)
    whole = encoded.batch(np.array([0]), targets=True)
    first, second = (pieces.batch(np.array([i]), targets=True) for i in (0, 1))
    assert torch.cat([first["words"], second["words"]]).equal(whole["words"])
    assert torch.cat([first.targets, second.targets]).equal(whole.targets)


def test_numbers_are_standardised_by_the_training_part():
    examples = numbered()
    found = encode(examples, (0, 1))
    both = np.concatenate([e.numbers for e in examples[:2]]).astype(np.float64)
    np.testing.assert_allclose(found.inputs.numbers.mean, both.mean(0), rtol=1e-5)
    assert (found.inputs.tokens, found.inputs.sizes, found.inputs.channels) == (None, {"numbers": 2}, ("x", "y"))
    batch = found.batch(np.array([2, 0]))
    assert batch["numbers"].dtype == torch.float32 and batch.lengths.tolist() == [52, 50]
    standard = (examples[0].numbers - both.mean(0)) / both.std(0)
    np.testing.assert_allclose(batch["numbers"][:50, 1].numpy(), standard, atol=1e-5)


def test_means_are_those_of_all_sequences_however_many_are_read_at_once():
    examples = numbered(600, 1)
    found = InputCodec.learn(gather(examples, "both"), np.arange(600))
    whole = np.concatenate([e.numbers for e in examples]).astype(np.float64)
    np.testing.assert_allclose(found.numbers.mean, whole.mean(0), rtol=1e-9)
    np.testing.assert_allclose(found.numbers.deviation, whole.std(0), rtol=1e-9)


def test_what_lies_in_files_is_read_as_in_memory(monkeypatch):
    examples = [Example("", tokens=("ab", "c"), numbers=np.full((2, 3), i, np.float32), tags=("X", "Y")) for i in range(5)]
    found = []
    for most in (columns.IN_MEMORY, 8):
        monkeypatch.setattr(columns, "IN_MEMORY", most)
        encoded = encode(examples, range(4), level="both", least=1)
        kind = columns.Mapped if most == 8 else columns.InMemory
        assert all(isinstance(column.elements, kind) for column in encoded.dataset.columns.values())
        found.append((encoded.batch(np.array([4, 0]), targets=True), encoded.inputs.to_json()))
    (one, first), (other, second) = found
    assert first == second
    for name in ("words", "numbers"):
        assert torch.equal(one[name], other[name])
    assert torch.equal(one.targets, other.targets)
    assert torch.equal(one.fields["spellings"].characters, other.fields["spellings"].characters)


def test_sizes_are_those_that_a_network_has_to_read():
    both = [Example("", tokens=("Red", "blue"), numbers=np.zeros((2, 1), np.float32))]
    assert encode(both, (0,), shapes=True, least=1).inputs.sizes == {"words": 3, "characters": 7, "shapes": 3, "numbers": 1}
    assert encode(both, (0,), level="word").inputs.sizes == {"words": 3, "numbers": 1}
    assert InputSizes(**encode(both, (0,), level="word").inputs.sizes) == InputSizes(words=3, numbers=1)


def test_what_is_read_is_described():
    assert encode(EXAMPLES, (0, 1), least=1).inputs.describe() == "4 words with their characters"
    assert encode(EXAMPLES, (0, 1), level="word").inputs.describe() == "4 words"
    residues = [Example("", tokens=tuple("ACDAC"))]
    assert encode(residues, (0,)).inputs.describe() == "4 characters"
    assert encode(numbered(), (0,)).inputs.describe() == "2 numbers a step (x, y)"
    both = [Example("", tokens=tuple("ACDAC"), numbers=np.zeros((5, 1), np.float32))]
    assert encode(both, (0,)).inputs.describe() == "4 characters and 1 number a step"
    many = [Example("", numbers=np.zeros((2, 11), np.float32), channels=tuple("abcdefghijk"))]
    assert encode(many, (0,)).inputs.describe() == "11 numbers a step (a, b, c, d, e, f, g, h, i, j, …)"


def test_sequences_of_another_kind_are_refused(encoded):
    numbers, words = InputCodec.learn(gather(numbered(), "both"), np.arange(3)), encoded.inputs
    with pytest.raises(DataError, match="reads steps with tokens and 0 channels of numbers, got no tokens and 2 channels"):
        Encoded(gather(numbered(), "both"), words, LABELS["one"])
    with pytest.raises(DataError, match="reads steps with no tokens and 2 channels of numbers, got tokens and 0 channels"):
        Encoded(encoded.dataset, numbers, LABELS["one"])
    other = [Example("", numbers=np.zeros((2, 2), np.float32), channels=("y", "x"))]
    with pytest.raises(DataError, match=r"The channels must be x, y, got y, x\. Pass `channels=\['x', 'y'\]`"):
        numbers.require_same_steps(gather(other, "both"))
    numbers.require_same_steps(gather([Example("", numbers=np.zeros((2, 2), np.float32))], "both"))
    words.require_same_steps(gather([], "both"))


@pytest.mark.parametrize("examples", [EXAMPLES, numbered()], ids=["tokens", "numbers"])
def test_what_is_stored_is_what_was_there(examples):
    inputs = encode(examples, (0, 1), least=1).inputs
    again = InputCodec.from_json(stored(inputs))
    assert stored(again) == stored(inputs)
    assert (again.tokens, again.channels, again.sizes) == (inputs.tokens, inputs.channels, inputs.sizes)
    dataset = gather(examples, "both")
    one, other = (Encoded(dataset, codec, LABELS["one"]).batch(np.arange(3)) for codec in (inputs, again))
    for name in set(one.fields) - {"spellings"}:
        assert torch.equal(one[name], other[name])


@pytest.mark.parametrize("damage", [{"tokens": 3}, {"tokens": {}}, {"numbers": {"mean": [1]}}, {"numbers": {}}, {"channels": 3}])
def test_what_is_damaged_is_told(encoded, damage):
    with pytest.raises(RunError, match="damaged"):
        InputCodec.from_json({**stored(encoded.inputs), **damage})


def test_what_is_missing_is_told(encoded):
    whole = stored(encoded.inputs)
    for key in whole:
        with pytest.raises(RunError, match=rf"damaged or foreign: inputs must have .*{key}"):
            InputCodec.from_json({name: part for name, part in whole.items() if name != key})
    for other in (None, [], "inputs"):
        with pytest.raises(RunError, match="damaged or foreign: inputs must have"):
            InputCodec.from_json(other)


def test_a_run_goes_on_with_frames_as_it_saw_them():
    def seen(*first, **options):
        return InputCodec(None, None, frames=FrameCodec.choose(Seen(*first), **options))

    known = seen(12, 24, 3, 8.0)
    assert known.widened(seen(40, 90, 3, None, size=(24, 12))) == known
    told = "names a run that sees colour frames of 24x12 pixels, 8 a second, and here {} would be seen. Give `size='24x12'`, and"
    for other, got in (
        (seen(16, 24, 3, 8.0), "colour frames of 24x16 pixels, 8 a second"),
        (seen(12, 24, 1, 8.0), "grey frames of 24x12 pixels, 8 a second"),
        (seen(12, 24, 3, 25.0), "colour frames of 24x12 pixels, 25 a second"),
    ):
        with pytest.raises(ConfigError, match=told.format(got)):
            known.widened(other)
