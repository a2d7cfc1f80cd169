"""The two ways of learning: which batches come when, and what is carried from one to the next."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import unrolled as un
from unrolled.data.batches import Batch, by_length, padded
from unrolled.data.columns import InMemory
from unrolled.data.streams import Streams
from unrolled.errors import ConfigError
from unrolled.models import EachStep, Encoder, EncoderOptions, InputSizes, NextStepOptions, Softmax, language_model
from unrolled.tasks.learners import Batches, StreamWindows
from unrolled.tasks.task import Task
from unrolled.training import Silent, StreamOptions
from unrolled.training.criterion import LOSS

SEQUENCES, STEPS, WORDS, TAGS = 23, 9, 7, 3
LENGTHS = np.random.default_rng(1).integers(1, STEPS + 1, SEQUENCES)
STARTS = np.concatenate([[0], LENGTHS.cumsum()])
TOKENS, MARKS = (np.random.default_rng(2).integers(0, n, LENGTHS.sum()) for n in (WORDS, TAGS))


def batch_of(which):
    """Some of the sequences, with a tag for each step."""
    places = np.concatenate([np.arange(STARTS[i], STARTS[i + 1]) for i in which])
    fields = {"words": padded(TOKENS[places], LENGTHS[which])}
    return Batch(fields, torch.from_numpy(LENGTHS[which]), padded(MARKS[places], LENGTHS[which]))


def tagger():
    torch.manual_seed(0)
    options = EncoderOptions(hidden=4, embedding=3, dropout=0.0, word_dropout=0.0)
    return EachStep(Encoder(InputSizes(WORDS), options), Softmax(TAGS)).double()


def batches(seed=7, **others):
    everything = np.arange(SEQUENCES)
    return Batches(tagger(), lambda chance: by_length(LENGTHS, everything, 4, chance), LENGTHS, batch_of, seed, **others)


def alone(learner, number):
    """What an update of one batch makes smaller."""
    return learner.objective(range(number, number + 1))


def orders(learner, epochs):
    """The sequences of every batch of some epochs."""
    found = []
    for epoch in epochs:
        learner.begin(epoch)
        found.append([batch.tolist() for batch in learner.order])
    return found


def test_batches_are_the_same_in_every_run_and_others_in_every_epoch():
    found = orders(batches(), range(4))
    assert orders(batches(), range(4)) == found
    assert all(one != other for one, other in itertools.combinations(found, 2))
    assert all(one != other for one, other in zip(orders(batches(seed=8), range(4)), found, strict=True))
    for epoch, order in enumerate(found):
        assert sorted(itertools.chain(*order)) == list(range(SEQUENCES))
        assert len(order) == batches().batches == 6
        drawn = by_length(LENGTHS, np.arange(SEQUENCES), 4, np.random.default_rng([7, epoch]))
        assert order == [batch.tolist() for batch in drawn]


def test_batches_of_an_epoch_do_not_depend_on_those_before_it_or_on_torchs_chance():
    wanted = orders(batches(), range(4))[3]
    torch.manual_seed(99)
    assert orders(batches(), [3]) == [wanted]
    assert orders(batches(), [5, 0, 3])[-1] == wanted


def test_a_batch_has_the_summed_loss_of_its_steps_weighted_by_class():
    weights = torch.tensor([0.5, 1.0, 3.0])
    learner, plain = batches(weights=weights), batches()
    learner.begin(0)
    plain.begin(0)
    for number, which in enumerate(learner.order):
        objective, (unweighted,) = alone(learner, number), alone(plain, number).sums
        (part,) = objective.sums
        batch, total, total_unweighted = batch_of(which), 0.0, 0.0
        scores = learner.model(batch)[0].detach()
        for row, steps in enumerate(batch.lengths.tolist()):
            pair = scores[:steps, row], batch.targets[:steps, row]
            total += float(cross_entropy(*pair, weights.double(), reduction="none").sum())
            total_unweighted += float(cross_entropy(*pair, reduction="sum"))
        assert part.item() == pytest.approx(total)
        assert unweighted.item() == pytest.approx(total_unweighted)
        assert part.requires_grad
        assert objective.count == int(batch.lengths.sum())


def test_what_is_varied_in_training_is_not_varied_where_one_sequence_is_tried_out():
    asked, varied = [], []

    def change(batch):
        varied.append(batch.shape[1])
        return replace(batch, fields={"words": torch.zeros_like(batch["words"])})

    learner = batches(change=change)
    get = learner.get
    learner.get = lambda which: asked.append(len(which)) or get(which)
    learner.try_out()
    assert (asked, varied) == ([1], [])
    (part,) = alone(learner, 0).sums
    assert (asked, varied) == ([1, 4], [4])
    (unvaried,) = alone(batches(), 0).sums
    assert part.item() != unvaried.item()
    assert learner.state_dict() == {}


TEXT = InMemory(np.random.default_rng(3).integers(0, WORDS, 4 * 41 + 2).astype(np.uint8))
CARRIED = {
    "plain": ({}, {}),
    "one-hot": ({"embedding": 0}, {}),
    "further back": ({}, {"backprop": 17}),
    "less far back": ({"cell": "gru"}, {"backprop": 4}),
    "lines": ({}, {"backprop": 17}),
    "input window": ({"input_window": 4}, {}),
    "input window, further back": ({"input_window": 3, "initial_state": "learned"}, {"backprop": 14}),
    "feed-forward": ({"layers": 0, "input_window": 4}, {}),
    "lines of a feed-forward network": ({"layers": 0, "input_window": 4}, {}),
}


def streams(variant="plain", reset=0.0):
    network, learning = CARRIED[variant]
    torch.manual_seed(0)
    options = NextStepOptions(**{"hidden": 5, "embedding": 4, "dropout": 0.0, **network})
    model = language_model(WORDS, options, line_end=1 if "lines" in variant else None).double()
    return StreamWindows(model, Streams(TEXT, 4, 10), StreamOptions(batch=4, window=10, reset_probability=reset, **learning).resolved())


def learnt(learner, windows):
    """The losses and gradients of some windows, with weights that stay as they are."""
    found = []
    for number in windows:
        total = 0.0
        for part in alone(learner, number).sums:
            part.backward()
            total += part.item()
        gradients = [p.grad.clone() for p in learner.model.parameters() if p.grad is not None]
        found.append([torch.tensor(total, dtype=torch.float64), *gradients])
        learner.model.zero_grad()
    return found


def same(one, other):
    """Whether losses and gradients are the same, bit by bit."""
    return all(torch.equal(a, b) for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("variant", CARRIED)
def test_streams_are_learnt_from_their_beginning_on_with_what_came_before(variant):
    """The loss of a window is that of a network that reads all of every stream at once, in every epoch anew."""
    learner = streams(variant)
    assert learner.batches == 5
    rows = np.stack([np.append(TEXT.array[b * 41 - 1] if b else 1, TEXT.array[b * 41 : (b + 1) * 41]) for b in range(4)], 1)
    text = torch.from_numpy(rows.astype(np.int64))
    scores = learner.model(text[:-1])[0].detach()
    losses = cross_entropy(scores.flatten(0, 1), text[1:].flatten(), reduction="none").view(41, 4).sum(1)
    for epoch in range(2):
        learner.begin(epoch)
        found = [sum(part.item() for part in alone(learner, number).sums) for number in range(5)]
        assert found == pytest.approx([float(window.sum()) for window in losses.split(10)])


@pytest.mark.parametrize("variant", CARRIED)
@pytest.mark.parametrize("reset", [0.0, 0.4])
def test_streams_that_are_gone_on_with_elsewhere_are_learnt_in_the_same_way(variant, reset):
    first, second = streams(variant, reset), streams(variant, reset)
    first.begin(0)
    second.begin(0)
    torch.manual_seed(4)
    learnt(first, range(2))
    carried, chance = first.state_dict(), torch.get_rng_state()
    wanted = learnt(first, range(2, 5))
    second.load_state_dict({name: tensor.clone() for name, tensor in carried.items()})
    torch.set_rng_state(chance)
    assert same(learnt(second, range(2, 5)), wanted)


def test_streams_begin_anew_where_the_seed_says_and_elsewhere_in_another_epoch():
    def epochs(seed):
        learner = streams(reset=0.4)
        torch.manual_seed(seed)
        for epoch in range(2):
            learner.begin(epoch)
            yield learnt(learner, range(5))

    one, other = epochs(5)
    again, again_other = epochs(5)
    assert same(one, again) and same(other, again_other)
    assert not same(one, other)
    assert not same(one, next(epochs(6)))


def test_gradients_go_back_as_far_as_the_options_say():
    plain, further, less = (streams(variant) for variant in ("plain", "further back", "less far back"))
    assert [len(list(alone(learner, 0).sums)) for learner in (plain, further, less)] == [1, 1, 3]
    (one,), (other,) = learnt(plain, [1]), learnt(further, [1])
    # The loss, and the gradients of the output layer, do not depend on what came before the window.
    for a, b in zip((one[0], *one[-2:]), (other[0], *other[-2:]), strict=True):
        torch.testing.assert_close(a, b)
    assert all(not torch.allclose(a, b) for a, b in zip(one[1:-2], other[1:-2], strict=True))


def test_to_try_streams_out_carries_nothing():
    learner = streams()
    learner.try_out()
    assert learner.state_dict() == {}


class Missing:
    """Measures for which a library may be missing."""

    size, unit, criteria = 5, "nats", (LOSS,)

    def __init__(self, missing):
        self.missing = missing

    def require(self):
        if self.missing:
            raise ConfigError("a library is missing")


@pytest.mark.parametrize("learner", [batches, lambda: streams(reset=0.5)])
def test_a_task_is_tried_out_as_it_is_trained_but_for_gradients_and_chance_that_it_leaves_alone(learner):
    learner, seen = learner(), []
    task = Task("try", learner.model.eval(), learner, Missing(False), "nothing")
    try_out = learner.try_out
    learner.try_out = lambda: (seen.append((learner.model.training, torch.is_grad_enabled(), torch.rand(1))), try_out())
    chance = torch.get_rng_state()
    task.try_out()
    assert torch.equal(torch.get_rng_state(), chance)
    assert [one[:2] for one in seen] == [(True, False)]
    assert (task.batches, task.held_out_size, task.unit) == (learner.batches, 5, "nats")


def test_what_is_missing_is_said_before_anything_is_run():
    learner = batches()
    learner.try_out = lambda: pytest.fail("the network was run")
    with pytest.raises(ConfigError, match="a library is missing"):
        Task("try", learner.model, learner, Missing(True), "nothing").try_out()


@pytest.fixture
def taken(monkeypatch):
    """The sequences of every batch that is learnt."""
    found, objective = [], Batches.objective

    def watched(self, batches):
        found.extend(self.order[batch].tolist() for batch in batches)
        return objective(self, batches)

    monkeypatch.setattr(Batches, "objective", watched)
    return found


NAMES = [f"{first}{last}" for first in ("an", "be", "clau", "do") for last in ("na", "ra", "dia", "ris", "lf")]
KINDS = {
    "classify": (un.train_classifier, "input,target\n" + "".join(f"{n},{n[0] in 'ab'}\n" for n in NAMES), "names.csv", {}),
    "tag": (un.train_tagger, "".join(f"{n[:2]}\tX\n{n[2:]}\tY\n\n" for n in NAMES), "names.conll", {"format": "columns", "window": 1}),
    "translate": (un.train_translator, "".join(f"{n}\t{n[::-1]}\n" for n in NAMES), "names.tsv", {"level": "char"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_learns_the_same_batches_as_another_one_with_its_seed_also_where_it_is_resumed(kind, taken, tmp_path):
    train, text, name, options = KINDS[kind]
    (tmp_path / name).write_text(text)
    # What is held out is drawn by the seed as well: here, all of it is learnt.
    small = {"validation": tmp_path / name, "hidden": 3, "embedding": 3, "batch": 4, "evaluations": 1, "display": Silent(), **options}

    def run(out, epochs, data=tmp_path / name, **others):
        taken.clear()
        train(data, out=tmp_path / out, epochs=epochs, **others)
        return list(taken)

    alone = run("alone", 3, **small)
    assert run("again", 3, **small) == alone
    assert run("other", 3, seed=1, **small) != alone
    size = len(alone) // 3
    assert len(alone) == 3 * size >= 12
    first, second, third = (alone[at : at + size] for at in range(0, 3 * size, size))
    assert first != second != third != first
    pieces = len(NAMES) * (2 if kind == "tag" else 1)
    assert all(sorted(itertools.chain(*epoch)) == list(range(pieces)) for epoch in (first, second, third))
    begun = run("resumed", 1, **small)
    assert begun + run("resumed", 3, (), resume=True, display=Silent()) == alone
