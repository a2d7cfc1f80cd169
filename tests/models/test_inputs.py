import dataclasses
import math

import numpy as np
import pytest
import torch

from input_batches import CHANNELS, LENGTHS, LETTERS, OPTIONS, SHAPES, SIZES, SPELT, WORDS, batch_of, steps_of, with_fields
from unrolled.cells import find_cell
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError, ShapeError
from unrolled.models import InputLayer, InputSizes


def layer_of(sizes=SIZES, **changes):
    torch.manual_seed(0)
    options = dataclasses.replace(OPTIONS, **changes)
    return InputLayer(sizes, options, find_cell(options.cell)).double()


@pytest.fixture
def inputs():
    return batch_of()


@pytest.mark.parametrize("characters", [0, 3])
def test_a_step_is_its_word_its_spelling_its_shape_and_its_numbers(each_engine, inputs, characters):
    layer = layer_of(characters=characters)
    found = layer(inputs)
    assert found.shape == (4, 4, layer.width) and layer.width == 4 + 2 * 2 + (characters or SHAPES) + CHANNELS
    letters = layer.spelling.characters.weight if characters else torch.eye(LETTERS, dtype=torch.float64)
    shapes = layer.shapes.weight if characters else torch.eye(SHAPES, dtype=torch.float64)
    for row, length in enumerate(LENGTHS):
        for t in range(length):
            word, spelt = int(inputs["words"][t, row]), SPELT[int(inputs.fields["spellings"].which[t, row])]
            composed = torch.zeros(4, dtype=torch.float64)
            if spelt:
                outputs, _ = layer.spelling.recurrent(letters[spelt][:, None])
                composed = torch.cat([outputs[-1, 0, :2], outputs[0, 0, 2:]])
            shape = shapes[int(inputs["shapes"][t, row])]
            expected = torch.cat([layer.words.weight[word], composed, shape, inputs["numbers"][t, row]])
            torch.testing.assert_close(found[t, row], expected)
        assert not found[length:, row].any()


def test_padding_reaches_no_gradient(each_engine):
    layer, found = layer_of(), []
    for poison in (False, True):
        inputs = batch_of(poison=poison)
        inputs["numbers"].requires_grad_()
        y = layer(inputs)
        torch.manual_seed(5)
        found.append((y, *torch.autograd.grad(y, [inputs["numbers"], *layer.parameters()], torch.randn_like(y))))
    for clean, poisoned in zip(*found, strict=True):
        torch.testing.assert_close(poisoned, clean)
    assert all(not found[1][1][length:, row].any() for row, length in enumerate(LENGTHS))


@pytest.mark.parametrize("lengths", [(0, 0), (0,)])
def test_no_steps_at_all(lengths):
    layer = layer_of()
    y = layer(batch_of(lengths))
    assert y.shape == (0, len(lengths), layer.width)
    y.sum().backward()


def test_no_words_to_spell():
    inputs = batch_of((0, 0))
    nothing = dataclasses.replace(
        inputs.fields["spellings"], characters=torch.zeros(0, 0, dtype=torch.long), lengths=torch.zeros(0, dtype=torch.long)
    )
    y = layer_of()(with_fields(inputs, spellings=nothing))
    assert y.shape == (0, 2, 14)


def test_words_without_any_characters(inputs):
    spellings = dataclasses.replace(
        inputs.fields["spellings"], characters=torch.zeros(0, 5, dtype=torch.long), lengths=torch.zeros(5, dtype=torch.long)
    )
    y = layer_of(InputSizes(characters=LETTERS))(with_fields(inputs, spellings=spellings))
    assert y.shape == (4, 4, 4) and not y.any()


def test_one_hot_words_alone_stay_whole_numbers(inputs):
    layer = layer_of(InputSizes(words=WORDS), embedding=0)
    assert layer.one_hot and layer.width == WORDS
    expected = torch.where(torch.arange(4)[:, None] < inputs.lengths, inputs["words"], 0)
    assert torch.equal(layer(Batch({"words": inputs["words"]}, inputs.lengths)), expected)


def test_one_hot_words_beside_numbers(inputs):
    layer = layer_of(InputSizes(words=WORDS, numbers=CHANNELS), embedding=0)
    found = layer(inputs)
    assert not layer.one_hot
    assert found[0, 0, :WORDS].tolist() == [k == inputs["words"][0, 0] for k in range(WORDS)]
    assert torch.equal(found[0, 0, WORDS:], inputs["numbers"][0, 0])


def test_word_dropout_makes_words_unknown_in_training_alone():
    layer = layer_of(InputSizes(words=WORDS), embedding=0, word_dropout=0.25)
    words = torch.full((100, 80), 3)
    inputs = Batch({"words": words}, torch.full((80,), 100))
    read = layer(inputs)
    assert set(read.unique().tolist()) == {0, 3}
    assert (read == 0).double().mean() == pytest.approx(0.25, abs=0.03)
    assert torch.equal(layer.eval()(inputs), words)


@pytest.mark.parametrize("word_dropout", [0.0, 0.1])
def test_rare_words_are_more_often_unknown(word_dropout):
    layer = layer_of(InputSizes(words=WORDS), embedding=0, word_dropout=word_dropout, rare_dropout=0.5)
    words = torch.tensor([1, 2, 3, 4]).repeat(20_000, 1)
    inputs = Batch({"words": words}, torch.full((4,), 20_000))
    with pytest.raises(ConfigError, match="`rare_dropout` needs how often each word comes"):
        layer(inputs)
    layer.words.expect(torch.tensor([0, 9, 1, 2, 0, 1, 1]))
    # 0.5 / (0.5 + n) for n = 9, 1, 2, and 1 for what was never seen.
    expected = [1 - (1 - word_dropout) * (1 - rare) for rare in (0.5 / 9.5, 0.5 / 1.5, 0.5 / 2.5, 0.5 / 1.5)]
    assert (layer(inputs) == 0).double().mean(0).tolist() == pytest.approx(expected, abs=0.015)
    assert torch.equal(layer.eval()(inputs), words)


def test_dropout_leaves_numbers_whole(inputs):
    layer = layer_of(dropout=0.5)
    found, plain = layer(inputs), layer.eval()(inputs)
    assert torch.equal(found[..., -CHANNELS:], plain[..., -CHANNELS:])
    kept = found[..., :-CHANNELS] != 0
    assert 0.2 < kept[plain[..., :-CHANNELS] != 0].double().mean() < 0.8
    torch.testing.assert_close(found[..., :-CHANNELS][kept], 2 * plain[..., :-CHANNELS][kept])


@pytest.mark.parametrize("frozen", [False, True])
def test_given_vectors(inputs, frozen):
    layer = layer_of(InputSizes(words=WORDS), freeze_vectors=frozen)
    vectors, known = torch.randn(WORDS, 4), torch.arange(WORDS) % 2 == 1
    vectors[~known] = math.nan
    before = layer.words.weight.detach().clone()
    layer.words.begin_with(vectors, known)
    every = torch.arange(WORDS)
    found = layer.words(every)
    assert torch.equal(found[known], vectors[known].double()) and torch.equal(found[~known], before[~known])
    optimiser = torch.optim.AdamW(layer.parameters(), 0.1, weight_decay=0.5)
    found.square().sum().backward()
    optimiser.step()
    after = layer.words(every)
    assert torch.equal(after[known], vectors[known].double()) == frozen
    assert (after[~known] != before[~known]).all()


def test_given_vectors_are_stored():
    layer, other = (layer_of(InputSizes(words=WORDS), freeze_vectors=True) for _ in range(2))
    layer.words.begin_with(torch.randn(WORDS, 4), torch.arange(WORDS) > 2)
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other.words(torch.arange(WORDS)), layer.words(torch.arange(WORDS)))


@pytest.mark.parametrize("part", ["words", "spellings", "numbers", "shapes"])
def test_a_part_that_is_missing_is_named(inputs, part):
    rest = {name: field for name, field in inputs.fields.items() if name != part}
    with pytest.raises(ShapeError, match=f"no field '{part}', which this network reads"):
        layer_of()(Batch(rest, inputs.lengths))


def test_what_cannot_be_is_named(inputs):
    with pytest.raises(ShapeError, match=r"`numbers` must have shape .* = \[3\], got \[2\]"):
        layer_of()(with_fields(inputs, numbers=inputs["numbers"][..., :2]))
    with pytest.raises(ConfigError, match="words, characters, numbers or frames"):
        InputSizes()
    with pytest.raises(ConfigError, match=r"got 7, 4 and 1\.0"):
        layer_of(word_dropout=1.0)
    for wrong in (-0.5, math.inf, math.nan):
        with pytest.raises(ConfigError, match=f"`rare_dropout` must be a number of at least 0, got {wrong}"):
            layer_of(rare_dropout=wrong)
    with pytest.raises(ShapeError, match=r"`counts` must have shape \[V\] = \[7\], got \[6\]"):
        layer_of().words.expect(torch.ones(6))
    with pytest.raises(ConfigError, match="`embedding`"):
        layer_of(embedding=0).words.begin_with(torch.zeros(WORDS, 4), torch.ones(WORDS, dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"`vectors` must have shape \[V, E\] = \[7, 4\], got \[7, 5\]"):
        layer_of().words.begin_with(torch.zeros(WORDS, 5), torch.ones(WORDS, dtype=torch.bool))


def test_lengths_that_are_not_given_are_those_of_whole_rows(inputs):
    layer, row = layer_of(), steps_of(inputs, 0, 4, slice(0, 1))
    assert torch.equal(layer(Batch(row.fields)), layer(inputs)[:, :1])


def test_a_batch_moves_as_a_whole(inputs):
    others = {name: torch.ones(4, 4) for name in ("targets", "target_lengths", "resets")}
    moved = dataclasses.replace(inputs, **others).to("meta")
    spellings = moved.fields["spellings"]
    parts = (spellings.characters, spellings.lengths, spellings.which, *(moved[name] for name in ("words", "shapes", "numbers")))
    assert all(part.is_meta for part in (*parts, moved.lengths, moved.targets, moved.target_lengths, moved.resets))
    bare = Batch({"words": inputs["words"]}).to("meta")
    assert list(bare.fields) == ["words"] and bare.lengths is bare.targets is bare.target_lengths is bare.resets is None


def test_a_convolution_reads_what_stands_around_each_step(inputs):
    layer = layer_of(InputSizes(words=WORDS, numbers=CHANNELS), embedding=4, convolution=2)
    plain = layer_of(InputSizes(words=WORDS, numbers=CHANNELS), embedding=4)
    plain.load_state_dict(layer.state_dict(), strict=False)
    found, x = layer(inputs), plain(inputs).detach().numpy()
    assert layer.width == 7 + 3 * 2 and found.shape[2] == layer.width
    for row, length in enumerate(LENGTHS):
        assert not found[length:, row].any()
        for t in range(length):
            expected = [x[t, row]]
            for convolution, width in zip(layer.front_end.convolutions, (3, 7, 11), strict=True):
                weight, total = convolution.weight.detach().numpy(), convolution.bias.detach().numpy().copy()
                for k in range(width):
                    near = t + k - width // 2
                    total += weight[:, :, k] @ x[near, row] if 0 <= near < length else 0
                expected.append(np.maximum(total, 0))
            np.testing.assert_allclose(found[t, row].detach().numpy(), np.concatenate(expected), rtol=1e-12, atol=1e-14)


def test_one_hot_words_have_surroundings_too(inputs):
    layer = layer_of(InputSizes(words=WORDS), embedding=0, convolution=2)
    assert not layer.one_hot and layer(Batch({"words": inputs["words"]}, inputs.lengths)).shape == (4, 4, WORDS + 6)
    assert layer(Batch({"words": torch.zeros(0, 2, dtype=torch.long)}, torch.tensor([0, 0]))).shape == (0, 2, WORDS + 6)


def test_what_convolutions_find_is_dropped_in_training(inputs):
    layer = layer_of(InputSizes(numbers=CHANNELS), convolution=40, dropout=0.5)
    found, plain = layer(inputs), layer.eval()(inputs)
    assert torch.equal(found[..., :CHANNELS], plain[..., :CHANNELS])
    kept = found[..., CHANNELS:] != 0
    assert 0.3 < kept[plain[..., CHANNELS:] != 0].double().mean() < 0.7


@pytest.mark.parametrize(
    ("changes", "told"), [({"convolution": -1}, "at least 0"), ({"convolution": 3, "bidirectional": False}, "still to come")]
)
def test_convolutions_that_cannot_be(changes, told):
    with pytest.raises(ConfigError, match=told):
        layer_of(**changes)
