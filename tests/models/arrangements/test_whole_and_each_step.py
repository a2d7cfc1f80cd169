import dataclasses
import itertools
import math

import pytest
import torch
from torch.nn import functional

from input_batches import CHANNELS, LENGTHS, OPTIONS, SIZES, WORDS, batch_of, one_of, steps_of
from slopes import assert_slopes
from squares import Squares
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.models import CLASS_HEADS, EachStep, Encoder, InputSizes, LinearChain, MultiLabel, Softmax, Whole, bio_constraints

TAGS = ("O", "B-x", "I-x")


def encoder_of(sizes=SIZES, **changes):
    torch.manual_seed(0)
    return Encoder(sizes, dataclasses.replace(OPTIONS, **changes)).double()


def whole_of(pooling="mean", head="softmax", **changes):
    return Whole(encoder_of(**changes), pooling, CLASS_HEADS[head](2 if head == "binary" else 3)).double()


def each_step_of(crf=False, sizes=SIZES, **changes):
    encoder = encoder_of(sizes, **changes)
    head = LinearChain(TAGS, bio_constraints(TAGS)) if crf else Softmax(len(TAGS))
    for weight in head.parameters():
        torch.nn.init.normal_(weight)
    return EachStep(encoder, head).double()


def targets_of(lengths=LENGTHS):
    targets = torch.full((max(lengths), len(lengths)), -100)
    for row, length in enumerate(lengths):
        targets[:length, row] = torch.tensor([1, 2, 0, 1][:length], dtype=torch.long)
    return targets


@pytest.mark.parametrize("pooling", ["last", "attention"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_sequence_gets_what_it_gets_alone(each_engine, pooling, bidirectional):
    model, inputs = whole_of(pooling, layers=2, bidirectional=bidirectional), batch_of()
    scores = model(inputs)
    alone = torch.cat([model(one_of(inputs, row)) for row in range(len(LENGTHS))])
    torch.testing.assert_close(scores, alone)
    torch.testing.assert_close(scores[1], model.linear.bias)


def test_the_last_real_step_of_both_directions_is_the_final_state(each_engine):
    model, inputs = whole_of("last"), batch_of()
    outputs, state = model.encoder(inputs)
    final = state[0].transpose(0, 1).flatten(1)
    torch.testing.assert_close(model.pooling(outputs, inputs.lengths), final)


@pytest.mark.parametrize("crf", [False, True])
def test_tags_of_a_sequence_are_what_they_are_alone(each_engine, crf):
    model, inputs, targets = each_step_of(crf), batch_of(), targets_of()
    scores, _ = model(inputs)
    tags, logs = model.best(scores, inputs.lengths)
    likely = model.probabilities_of(scores, inputs.lengths)
    whole = model.loss_of(scores, targets, inputs.lengths)
    losses = []
    for row, length in enumerate(LENGTHS):
        one = one_of(inputs, row)
        alone, _ = model(one)
        losses.append(model.loss_of(alone, targets[:length, row : row + 1], one.lengths))
        best, log = model.best(alone, one.lengths)
        assert torch.equal(tags[:length, row], best[:, 0]) and not tags[length:, row].any()
        torch.testing.assert_close(logs[row], log[0])
        torch.testing.assert_close(likely[:length, row], model.probabilities_of(alone, one.lengths)[:, 0])
        torch.testing.assert_close(likely[:length, row].sum(-1), torch.ones(length, dtype=torch.float64))
        assert not likely[length:, row].any()
    total = torch.stack(losses).sum()
    torch.testing.assert_close(whole, total)
    for found, expected in zip(*(torch.autograd.grad(loss, list(model.parameters())) for loss in (whole, total)), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("crf", [False, True])
def test_padding_reaches_no_loss_and_no_gradient(each_engine, crf):
    found = []
    for poison in (False, True):
        model, inputs = each_step_of(crf), batch_of(poison=poison)
        scores, _ = model(inputs)
        padding = torch.arange(4)[:, None] >= inputs.lengths
        poisoned = scores.detach().masked_fill(padding[..., None], math.nan if poison else 0.0).requires_grad_()
        loss = model.loss_of(poisoned, targets_of(), inputs.lengths)
        (at_scores,) = torch.autograd.grad(loss, poisoned, retain_graph=True)
        found.append((loss, at_scores, *torch.autograd.grad(scores, [*model.encoder.parameters(), *model.linear.parameters()], at_scores)))
        assert not at_scores[padding].any()
        assert not model.probabilities_of(poisoned, inputs.lengths)[padding].any()
        assert model.best(poisoned, inputs.lengths)[1].isfinite().all()
    torch.testing.assert_close(found[1], found[0])


def test_weights_of_tags_by_hand():
    model, inputs, targets = each_step_of(), batch_of(), targets_of()
    weights = torch.tensor([0.5, 2.0, 3.0])
    scores, _ = model(inputs)
    likely = model.probabilities_of(scores, inputs.lengths)
    expected = sum(
        -weights[targets[t, row]] * likely[t, row, targets[t, row]].log() for row, length in enumerate(LENGTHS) for t in range(length)
    )
    torch.testing.assert_close(model.loss_of(scores, targets, inputs.lengths, weights), expected)
    batch = dataclasses.replace(inputs, targets=targets)
    torch.testing.assert_close(model.loss(batch, weights)[0], expected)
    with pytest.raises(ConfigError, match="`crf`"):
        each_step_of(crf=True).loss_of(scores, targets, inputs.lengths, weights)
    with pytest.raises(ConfigError, match="`class_weights`"):
        each_step_of(crf=True).loss(batch, weights)


@pytest.mark.parametrize("head", CLASS_HEADS)
@pytest.mark.parametrize("pooling", ["max", "attention"])
def test_derivatives_of_classifiers(each_engine, head, pooling):
    model, inputs = whole_of(pooling, head, cell="gru"), batch_of()
    targets = torch.randint(2, (4, 3) if head == "multi-label" else (4,))
    assert_slopes(lambda: model.head.loss(model(inputs), targets), model.parameters())


@pytest.mark.parametrize("crf", [False, True])
def test_derivatives_of_taggers(each_engine, crf):
    model, inputs, targets = each_step_of(crf, layers=2, residual=True), batch_of(), targets_of()
    assert_slopes(lambda: model.loss_of(model(inputs)[0], targets, inputs.lengths), model.parameters())


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("outside", [0, 2])
def test_tags_of_entities_must_be_ahead_in_training_as_far_as_the_margin_asks(crf, outside):
    model, inputs, targets = each_step_of(crf), batch_of(), targets_of()
    margin = EachStep(model.encoder, model.head, margin=1.5, outside=outside)
    scores = torch.randn(*targets.shape, len(TAGS))
    raised = scores.clone()
    raised[..., outside] += 1.5 * (targets != outside)
    wanted = model.loss_of(raised, targets, inputs.lengths)
    torch.testing.assert_close(margin.train().loss_of(scores, targets, inputs.lengths), wanted)
    plain = model.loss_of(scores, targets, inputs.lengths)
    torch.testing.assert_close(margin.eval().loss_of(scores, targets, inputs.lengths), plain)
    assert not torch.isclose(wanted, plain)


def scores_with_padding(size, lengths=LENGTHS):
    torch.manual_seed(6)
    scores = 2 * torch.randn(max(lengths), len(lengths), size, dtype=torch.float64)
    return scores.masked_fill(torch.arange(max(lengths))[:, None, None] >= torch.tensor(lengths)[:, None], math.nan)


def test_each_step_has_a_loss_of_its_own():
    model, scores, targets, lengths = each_step_of(), scores_with_padding(3), targets_of(), torch.tensor(LENGTHS)
    losses = model.losses_of(scores.requires_grad_(), targets, lengths)
    assert losses.shape == targets.shape
    for row, length in enumerate(LENGTHS):
        expected = functional.cross_entropy(scores[:length, row], targets[:length, row], reduction="none")
        torch.testing.assert_close(losses[:length, row], expected)
        assert not losses[length:, row].any()
    (gradient,) = torch.autograd.grad(losses[2, 3], scores, retain_graph=True)
    assert gradient[2, 3].all() and gradient.count_nonzero() == 3
    torch.testing.assert_close(losses.sum(), model.loss_of(scores, targets, lengths))


def test_each_step_of_any_number_of_classes_has_a_loss_of_its_own():
    model, scores, lengths = EachStep(encoder_of(), MultiLabel(3)), scores_with_padding(3), torch.tensor(LENGTHS)
    targets = torch.randint(2, (4, 4, 3))
    losses = model.losses_of(scores, targets, lengths)
    for row, length in enumerate(LENGTHS):
        expected = functional.binary_cross_entropy(scores[:length, row].sigmoid(), targets[:length, row].double(), reduction="none").sum(-1)
        torch.testing.assert_close(losses[:length, row], expected)
        assert not losses[length:, row].any()


def test_sequences_whose_steps_are_decided_together_have_one_loss_each():
    """The loss of each by a sum over all that it might be."""
    model, scores, targets = each_step_of(crf=True), scores_with_padding(3), targets_of()
    chain, expected = model.head, []
    for row, length in enumerate(LENGTHS):
        found = {}
        for path in itertools.product(range(3), repeat=length):
            if any(chain.allowed[a, b] == 0 for a, b in itertools.pairwise((3, *path, 3))):
                continue
            ends = (chain.begin[path[0]] + chain.end[path[-1]]).item() if path else 0.0
            moves = sum(chain.transitions[a, b].item() for a, b in itertools.pairwise(path))
            found[path] = ends + moves + sum(scores[t, row, tag].item() for t, tag in enumerate(path))
        wanted = found[tuple(targets[:length, row].tolist())]
        expected.append(math.log(sum(map(math.exp, found.values()))) - wanted)
    losses = model.losses_of(scores.requires_grad_(), targets, torch.tensor(LENGTHS))
    torch.testing.assert_close(losses, torch.tensor(expected, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(losses[3], scores)
    assert gradient[1:3, 3].all() and not gradient[:, :3].any() and not gradient[3:].any()


def test_the_best_tags_keep_to_what_is_allowed():
    free = each_step_of()
    model = EachStep(free.encoder, free.head, allowed=bio_constraints(TAGS))
    torch.manual_seed(0)
    scores, lengths = torch.randn(4, 50, 3).double() * 2, torch.randint(0, 5, (50,))
    tags, logs = model.best(scores, lengths)
    for row, length in enumerate(lengths.tolist()):
        steps = scores[:length, row].log_softmax(-1)
        legal = [
            p for p in itertools.product(range(3), repeat=length) if all(b != 2 or a in (1, 2) for a, b in itertools.pairwise((0, *p)))
        ]
        best = max(legal, key=lambda path: float(sum(steps[t, k] for t, k in enumerate(path))))
        assert tags[:, row].tolist() == [*best, *[0] * (4 - length)]
        torch.testing.assert_close(logs[row], sum((steps[t, k] for t, k in enumerate(best)), torch.zeros(()).double()))
    assert (tags != free.best(scores, lengths)[0]).any() and "allowed" not in model.state_dict()


def test_the_best_tags_are_those_of_each_step():
    model, scores = each_step_of(), scores_with_padding(3)
    tags, logs = model.best(scores, torch.tensor(LENGTHS))
    for row, length in enumerate(LENGTHS):
        each = scores[:length, row].log_softmax(-1)
        assert tags[:length, row].tolist() == each.argmax(-1).tolist()
        torch.testing.assert_close(logs[row], each.amax(-1).sum())


@pytest.mark.parametrize("crf", [False, True])
def test_the_loss_of_a_batch_is_that_of_its_real_steps(crf):
    model, batch = each_step_of(crf), dataclasses.replace(batch_of(), targets=targets_of())
    loss, count = model.loss(batch)
    torch.testing.assert_close(loss, model.losses_of(model(batch)[0], batch.targets, batch.lengths).sum())
    assert count == sum(LENGTHS)
    full = dataclasses.replace(batch_of((4, 4)), targets=targets_of((4, 4)))
    bare = Batch(full.fields, targets=full.targets)
    torch.testing.assert_close(model.loss(bare)[0], model.loss(full)[0])
    assert model.loss(bare)[1] == model.loss(full)[1] == 8
    torch.testing.assert_close(model.probabilities_of(model(bare)[0]), model.probabilities_of(model(full)[0], full.lengths))
    torch.testing.assert_close(model.best(model(bare)[0]), model.best(model(full)[0], full.lengths))


@pytest.mark.parametrize("head", CLASS_HEADS)
def test_each_sequence_has_a_loss_of_its_own(head):
    model, batch = whole_of(head=head), batch_of()
    targets = torch.tensor([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 0]] if head == "multi-label" else [1, 0, 1, 1])
    weights = torch.tensor([0.5, 2.0, 3.0][: model.head.classes], dtype=torch.float64)
    scores = model(batch)
    losses = model.losses_of(scores, targets)
    assert losses.shape == (4,)
    for row in range(4):
        torch.testing.assert_close(losses[row], model.head.loss(scores[row : row + 1], targets[row : row + 1]))
    torch.testing.assert_close(model.loss_of(scores, targets), losses.sum())
    filled = dataclasses.replace(batch, targets=targets)
    for given in (None, weights):
        loss, count = model.loss(filled, given)
        torch.testing.assert_close(loss, model.head.loss(scores, targets, given))
        assert count == 4
    assert not torch.isclose(*(model.loss(filled, given)[0] for given in (None, weights)))
    torch.testing.assert_close(model.probabilities_of(scores), model.head.probabilities(scores))


def test_numbers_are_learnt_and_have_no_probabilities():
    batch, lengths = batch_of(), torch.tensor(LENGTHS)
    whole, each = Whole(encoder_of(), "mean", Squares()).double(), EachStep(encoder_of(), Squares()).double()
    numbers, steps = torch.randn(4, 2, dtype=torch.float64), torch.randn(4, 4, 2, dtype=torch.float64)
    loss, count = whole.loss(dataclasses.replace(batch, targets=numbers))
    torch.testing.assert_close(loss, functional.mse_loss(whole(batch), numbers, reduction="sum"))
    assert count == 4
    scores, real = each(batch)[0], torch.arange(4)[:, None] < lengths
    loss, count = each.loss(dataclasses.replace(batch, targets=steps.masked_fill(~real[..., None], math.nan)))
    torch.testing.assert_close(loss, functional.mse_loss(scores[real], steps[real], reduction="sum"))
    assert count == 8
    torch.testing.assert_close(each.losses_of(scores, steps, lengths), ((scores - steps) ** 2).sum(-1) * real)
    for found in (lambda: whole.probabilities_of(whole(batch)), lambda: each.probabilities_of(scores, lengths), lambda: each.best(scores)):
        with pytest.raises(ConfigError, match="A Squares head predicts numbers, and has no classes"):
            found()


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("window", [1, 3])
def test_without_layers_a_sequence_gets_what_it_gets_alone(pooling, window):
    model, batch = whole_of(pooling, layers=0, input_window=window), batch_of()
    scores, (outputs, _) = model(batch), model.encoder(batch)
    torch.testing.assert_close(scores, torch.cat([model(one_of(batch, row)) for row in range(len(LENGTHS))]))
    assert not torch.isclose(scores[0], scores[3]).any()
    if pooling == "last":
        torch.testing.assert_close(scores[3], model.linear(outputs[2, 3]))


def test_windows_one_after_the_other_are_the_whole(each_engine):
    model, inputs = each_step_of(bidirectional=False, layers=2), batch_of()
    whole, last = model(inputs)
    scores, state = model(steps_of(inputs, 0, 2))
    more, end = model(steps_of(inputs, 2, 4), state)
    torch.testing.assert_close(torch.cat([scores, more]), whole)
    torch.testing.assert_close(end, last)


def test_a_bidirectional_network_cannot_go_on():
    model, inputs = each_step_of(), batch_of()
    _, state = model(inputs)
    with pytest.raises(ConfigError, match="`bidirectional=False`"):
        model(inputs, state)


def test_dropout_in_training_alone():
    inputs = batch_of()
    for model, run in ((whole_of(dropout=0.5), lambda m: m(inputs)), (each_step_of(dropout=0.5), lambda m: m(inputs)[0])):
        assert not torch.equal(run(model), run(model))
        model.encoder.inputs.dropout = 0.0
        assert not torch.equal(run(model), run(model))
        assert torch.equal(model.encoder(inputs)[0], model.encoder(inputs)[0])
        model.eval()
        assert torch.equal(run(model), run(model))


@pytest.mark.parametrize("sizes", [InputSizes(words=WORDS), InputSizes(numbers=CHANNELS), InputSizes(WORDS, 0, CHANNELS)])
@pytest.mark.parametrize("embedding", [0, 4])
def test_any_kind_of_input(each_engine, sizes, embedding):
    model = each_step_of(True, sizes, embedding=embedding)
    inputs = batch_of()
    loss = model.loss_of(model(inputs)[0], targets_of(), inputs.lengths)
    loss.backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize("crf", [False, True])
def test_autocast(crf):
    model, inputs = each_step_of(crf).float(), batch_of(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        scores, _ = model(inputs)
        loss = model.loss_of(scores, targets_of(), inputs.lengths)
    assert scores.dtype == torch.bfloat16 and loss.dtype == torch.float32
    loss.backward()
    assert all(weight.grad.isfinite().all() for weight in model.parameters())


def test_a_tagger_learns_what_only_the_end_tells():
    torch.manual_seed(0)
    model = each_step_of(True, InputSizes(words=WORDS), cell="gru", hidden=12).float()
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(150):
        words, lengths = torch.randint(1, WORDS, (6, 32)), torch.randint(1, 7, (32,))
        last = words.gather(0, lengths[None] - 1)
        targets = (last > WORDS // 2).long().expand(6, -1) * torch.where(torch.arange(6)[:, None] > 0, 2, 1)
        scores, _ = model(Batch({"words": words}, lengths))
        optimiser.zero_grad()
        (model.loss_of(scores, targets, lengths) / lengths.sum()).backward()
        optimiser.step()
    tags, _ = model.best(scores, lengths)
    real = torch.arange(6)[:, None] < lengths
    assert (tags == targets)[real].float().mean() > 0.98
