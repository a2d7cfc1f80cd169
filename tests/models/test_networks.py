import dataclasses
import math

import pytest
import torch
from torch.autograd import gradcheck

from input_batches import CHANNELS, LENGTHS, OPTIONS, SIZES, WORDS, batch_of, one_of
from unrolled.cells import find_cell
from unrolled.errors import ConfigError
from unrolled.layers import Recurrent
from unrolled.models import OUTPUTS, Classifier, Encoder, Inputs, InputSizes, LinearChain, Tagger, bio_constraints

TAGS = ("O", "B-x", "I-x")


def encoder_of(sizes=SIZES, **changes):
    torch.manual_seed(0)
    return Encoder(sizes, dataclasses.replace(OPTIONS, **changes)).double()


def classifier_of(pooling="mean", output="softmax", **changes):
    return Classifier(encoder_of(**changes), pooling, OUTPUTS[output](2 if output == "binary" else 3)).double()


def tagger_of(crf=False, sizes=SIZES, **changes):
    encoder = encoder_of(sizes, **changes)
    chain = LinearChain(TAGS, bio_constraints(TAGS)) if crf else None
    for weight in chain.parameters() if chain is not None else ():
        torch.nn.init.normal_(weight)
    return Tagger(encoder, TAGS, chain).double()


def targets_of(lengths=LENGTHS):
    targets = torch.full((max(lengths), len(lengths)), -100)
    for row, length in enumerate(lengths):
        targets[:length, row] = torch.tensor([1, 2, 0, 1][:length], dtype=torch.long)
    return targets


def test_options_reach_the_recurrent_layers():
    options = {"layers": 3, "residual": True, "recurrent_dropout": 0.25, "dropout": 0.1, "engine": "eager", "bidirectional": False}
    encoder = encoder_of(cell="gru", **options)
    assert isinstance(encoder.recurrent, Recurrent) and encoder.recurrent.cell.name == "gru"
    found = {name: getattr(encoder.recurrent, "num_layers" if name == "layers" else name) for name in options}
    assert found == options
    assert (encoder.width, encoder.directions, encoder_of().width) == (5, 1, 10)
    assert encoder.inputs.spelling.recurrent.engine == "eager" and encoder.inputs.dropout == 0.1


def test_a_cell_takes_the_place_of_the_one_in_the_options():
    encoder = Encoder(SIZES, OPTIONS, find_cell("elman"))
    assert {encoder.recurrent.cell.name, encoder.inputs.spelling.recurrent.cell.name} == {"elman"}


@pytest.mark.parametrize("pooling", ["last", "attention"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_sequence_gets_what_it_gets_alone(each_engine, pooling, bidirectional):
    model, inputs = classifier_of(pooling, layers=2, bidirectional=bidirectional), batch_of()
    scores = model(inputs)
    alone = torch.cat([model(one_of(inputs, row)) for row in range(len(LENGTHS))])
    torch.testing.assert_close(scores, alone)
    torch.testing.assert_close(scores[1], model.linear.bias)


def test_the_last_real_step_of_both_directions_is_the_final_state(each_engine):
    model, inputs = classifier_of("last"), batch_of()
    outputs, state = model.encoder(inputs)
    final = state[0].transpose(0, 1).flatten(1)
    torch.testing.assert_close(model.pooling(outputs, inputs.lengths), final)


@pytest.mark.parametrize("crf", [False, True])
def test_tags_of_a_sequence_are_what_they_are_alone(each_engine, crf):
    model, inputs, targets = tagger_of(crf), batch_of(), targets_of()
    scores, _ = model(inputs)
    tags, logs = model.best(scores, inputs.lengths)
    chances = model.probabilities(scores, inputs.lengths)
    whole = model.loss(scores, targets, inputs.lengths)
    losses = []
    for row, length in enumerate(LENGTHS):
        one = one_of(inputs, row)
        alone, _ = model(one)
        losses.append(model.loss(alone, targets[:length, row : row + 1], one.lengths))
        best, log = model.best(alone, one.lengths)
        assert torch.equal(tags[:length, row], best[:, 0]) and not tags[length:, row].any()
        torch.testing.assert_close(logs[row], log[0])
        torch.testing.assert_close(chances[:length, row], model.probabilities(alone, one.lengths)[:, 0])
        torch.testing.assert_close(chances[:length, row].sum(-1), torch.ones(length, dtype=torch.float64))
        assert not chances[length:, row].any()
    total = torch.stack(losses).sum()
    torch.testing.assert_close(whole, total)
    for found, expected in zip(*(torch.autograd.grad(loss, list(model.parameters())) for loss in (whole, total)), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("crf", [False, True])
def test_padding_reaches_no_loss_and_no_gradient(each_engine, crf):
    found = []
    for poison in (False, True):
        model, inputs = tagger_of(crf), batch_of(poison=poison)
        scores, _ = model(inputs)
        padding = torch.arange(4)[:, None] >= inputs.lengths
        poisoned = scores.detach().masked_fill(padding[..., None], math.nan if poison else 0.0).requires_grad_()
        loss = model.loss(poisoned, targets_of(), inputs.lengths)
        (at_scores,) = torch.autograd.grad(loss, poisoned, retain_graph=True)
        found.append((loss, at_scores, *torch.autograd.grad(scores, [*model.encoder.parameters(), *model.linear.parameters()], at_scores)))
        assert not at_scores[padding].any()
        assert not model.probabilities(poisoned, inputs.lengths)[padding].any()
        assert model.best(poisoned, inputs.lengths)[1].isfinite().all()
    torch.testing.assert_close(found[1], found[0])


def test_weights_of_tags_by_hand():
    model, inputs, targets = tagger_of(), batch_of(), targets_of()
    weights = torch.tensor([0.5, 2.0, 3.0])
    scores, _ = model(inputs)
    chances = model.probabilities(scores, inputs.lengths)
    expected = sum(
        -weights[targets[t, row]] * chances[t, row, targets[t, row]].log() for row, length in enumerate(LENGTHS) for t in range(length)
    )
    torch.testing.assert_close(model.loss(scores, targets, inputs.lengths, weights), expected)
    with pytest.raises(ConfigError, match="--crf"):
        tagger_of(crf=True).loss(scores, targets, inputs.lengths, weights)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("pooling", ["max", "attention"])
def test_derivatives_of_classifiers(each_engine, output, pooling):
    model, inputs = classifier_of(pooling, output, cell="gru"), batch_of()
    targets = torch.randint(2, (4, 3) if output == "multi-label" else (4,))
    assert gradcheck(lambda *_: model.output.loss(model(inputs), targets), tuple(model.parameters()), fast_mode=True)


@pytest.mark.parametrize("crf", [False, True])
def test_derivatives_of_taggers(each_engine, crf):
    model, inputs, targets = tagger_of(crf, layers=2, residual=True), batch_of(), targets_of()
    assert gradcheck(lambda *_: model.loss(model(inputs)[0], targets, inputs.lengths), tuple(model.parameters()), fast_mode=True)


@pytest.mark.parametrize("crf", [False, True])
def test_tags_of_entities_must_be_ahead_in_training_as_far_as_the_margin_asks(crf):
    model, inputs, targets = tagger_of(crf), batch_of(), targets_of()
    margin = Tagger(model.encoder, ("O", *model.tags[1:]), entity_margin=1.5)
    margin.crf = model.crf
    scores = torch.randn(*targets.shape, len(model.tags))
    raised = scores.clone()
    raised[..., 0] += 1.5 * (targets != 0)
    wanted = model.loss(raised, targets, inputs.lengths)
    torch.testing.assert_close(margin.train().loss(scores, targets, inputs.lengths), wanted)
    plain = model.loss(scores, targets, inputs.lengths)
    torch.testing.assert_close(margin.eval().loss(scores, targets, inputs.lengths), plain)
    assert not torch.isclose(wanted, plain)
    with pytest.raises(ConfigError, match="--entity-margin"):
        Tagger(model.encoder, ("X", "Y"), entity_margin=1.0)


def test_windows_one_after_the_other_are_the_whole(each_engine):
    model, inputs = tagger_of(bidirectional=False, layers=2), batch_of()
    whole, last = model(inputs)
    first = Inputs(
        inputs.lengths.clamp(max=2),
        inputs.words[:2],
        dataclasses.replace(inputs.spellings, which=inputs.spellings.which[:2]),
        inputs.numbers[:2],
        inputs.shapes[:2],
    )
    second = Inputs(
        (inputs.lengths - 2).clamp(min=0),
        inputs.words[2:],
        dataclasses.replace(inputs.spellings, which=inputs.spellings.which[2:]),
        inputs.numbers[2:],
        inputs.shapes[2:],
    )
    scores, state = model(first)
    more, end = model(second, state)
    torch.testing.assert_close(torch.cat([scores, more]), whole)
    torch.testing.assert_close(end, last)


def test_a_bidirectional_network_cannot_go_on():
    model, inputs = tagger_of(), batch_of()
    _, state = model(inputs)
    with pytest.raises(ConfigError, match="--no-bidirectional"):
        model(inputs, state)


def test_dropout_in_training_alone():
    inputs = batch_of()
    for model, run in ((classifier_of(dropout=0.5), lambda m: m(inputs)), (tagger_of(dropout=0.5), lambda m: m(inputs)[0])):
        assert not torch.equal(run(model), run(model))
        model.encoder.inputs.dropout = 0.0
        assert not torch.equal(run(model), run(model))
        assert torch.equal(model.encoder(inputs)[0], model.encoder(inputs)[0])
        model.eval()
        assert torch.equal(run(model), run(model))


@pytest.mark.parametrize("sizes", [InputSizes(words=WORDS), InputSizes(numbers=CHANNELS), InputSizes(WORDS, 0, CHANNELS)])
@pytest.mark.parametrize("embedding", [0, 4])
def test_any_kind_of_input(each_engine, sizes, embedding):
    model = tagger_of(True, sizes, embedding=embedding)
    inputs = batch_of()
    loss = model.loss(model(inputs)[0], targets_of(), inputs.lengths)
    loss.backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize("crf", [False, True])
def test_autocast(crf):
    model, inputs = tagger_of(crf).float(), batch_of(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        scores, _ = model(inputs)
        loss = model.loss(scores, targets_of(), inputs.lengths)
    assert scores.dtype == torch.bfloat16 and loss.dtype == torch.float32
    loss.backward()
    assert all(weight.grad.isfinite().all() for weight in model.parameters())


def test_a_field_for_other_tags():
    with pytest.raises(ConfigError, match="must be those of the tagger"):
        Tagger(encoder_of(), TAGS, LinearChain(TAGS[:2]))


def test_a_tagger_learns_what_only_the_end_tells():
    torch.manual_seed(0)
    model = tagger_of(True, InputSizes(words=WORDS), cell="gru", hidden=12).float()
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(150):
        words, lengths = torch.randint(1, WORDS, (6, 32)), torch.randint(1, 7, (32,))
        last = words.gather(0, lengths[None] - 1)
        targets = (last > WORDS // 2).long().expand(6, -1) * torch.where(torch.arange(6)[:, None] > 0, 2, 1)
        scores, _ = model(Inputs(lengths, words))
        optimiser.zero_grad()
        (model.loss(scores, targets, lengths) / lengths.sum()).backward()
        optimiser.step()
    tags, _ = model.best(scores, lengths)
    real = torch.arange(6)[:, None] < lengths
    assert (tags == targets)[real].float().mean() > 0.98
