import itertools
import math

import pytest
import torch
from torch.autograd import gradcheck

from unrolled.errors import DataError, ShapeError
from unrolled.models import LinearChain, bio_constraints
from unrolled.models.heads import crf as module

TAGS = ("O", "B-x", "I-x", "B-y")
LENGTHS = (3, 0, 5, 1, 2)


def chain_of(tags=TAGS, allowed=None, dtype=torch.float64):
    torch.manual_seed(0)
    chain = LinearChain(tags, allowed).to(dtype)
    for weight in chain.parameters():
        torch.nn.init.normal_(weight)
    return chain


def problem(tags=TAGS, lengths=LENGTHS, dtype=torch.float64, padding=math.nan):
    torch.manual_seed(1)
    scores = torch.randn(max(lengths), len(lengths), len(tags), dtype=dtype) * 2
    for row, length in enumerate(lengths):
        scores[length:, row] = padding
    return scores, torch.tensor(lengths)


def every_path(chain, scores):
    """All sequences of tags that are allowed, each with its score, one number after the other."""
    size, found = len(chain.tags), {}
    allowed, transitions, begin, end = (w.tolist() for w in (chain.allowed, chain.transitions, chain.begin, chain.end))
    for path in itertools.product(range(size), repeat=len(scores)):
        if all(allowed[a][b] for a, b in zip((size, *path), (*path, size), strict=True)) or not path:
            emitted = sum(row[tag] for row, tag in zip(scores.tolist(), path, strict=True))
            moved = sum(transitions[a][b] for a, b in itertools.pairwise(path))
            found[path] = emitted + moved + (begin[path[0]] + end[path[-1]] if path else 0.0)
    return found


def constraints(kind):
    return bio_constraints(TAGS) if kind else None


def legal_targets(chain, scores, lengths):
    """Of each sequence some path in the middle of the list of those that are allowed; -100 past each end."""
    targets = torch.full(scores.shape[:2], -100)
    for row, length in enumerate(lengths.tolist()):
        paths = list(every_path(chain, scores[:length, row]))
        targets[:length, row] = torch.tensor(paths[len(paths) // 2], dtype=torch.long)
    return targets


@pytest.mark.parametrize("constrained", [False, True])
def test_the_loss_is_that_of_one_path_among_all(constrained):
    chain, (scores, lengths) = chain_of(allowed=constraints(constrained)), problem()
    targets, expected = legal_targets(chain, scores, lengths), 0.0
    for row, length in enumerate(lengths.tolist()):
        paths = every_path(chain, scores[:length, row])
        expected += math.log(sum(map(math.exp, paths.values()))) - paths[tuple(targets[:length, row].tolist())]
    assert chain.loss(scores, targets, lengths).item() == pytest.approx(expected, rel=1e-12)
    with torch.no_grad():
        assert chain.loss(scores, targets, lengths).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("constrained", [False, True])
def test_the_best_path_is_the_best_of_all(constrained):
    chain, (scores, lengths) = chain_of(allowed=constraints(constrained)), problem()
    tags, logs = chain.best(scores, lengths)
    for row, length in enumerate(lengths.tolist()):
        paths = every_path(chain, scores[:length, row])
        best = max(paths, key=paths.__getitem__)
        assert tuple(tags[:length, row].tolist()) == best
        assert float(logs[row]) == pytest.approx(paths[best] - math.log(sum(map(math.exp, paths.values()))), abs=1e-12)
        assert not tags[length:, row].any()


@pytest.mark.parametrize("constrained", [False, True])
def test_probabilities_of_tags_are_sums_over_all_paths(constrained):
    chain, (scores, lengths) = chain_of(allowed=constraints(constrained)), problem()
    found, expected = chain.probabilities(scores, lengths), torch.zeros(scores.shape, dtype=torch.float64)
    for row, length in enumerate(lengths.tolist()):
        paths = every_path(chain, scores[:length, row])
        total = sum(map(math.exp, paths.values()))
        for path, score in paths.items():
            for t, tag in enumerate(path):
                expected[t, row, tag] += math.exp(score) / total
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("at_once", [1, 1 << 20])
def test_the_derivative_is_that_of_differences(constrained, at_once, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", at_once)
    chain, (scores, lengths) = chain_of(allowed=constraints(constrained)), problem(padding=0.0)
    targets = legal_targets(chain, scores, lengths)
    inputs = (scores.requires_grad_(), *chain.parameters())
    assert gradcheck(lambda *_: chain.loss(scores, targets, lengths), inputs)


@pytest.mark.parametrize("lengths", [LENGTHS, (0, 0), (1,)])
def test_padding_reaches_nothing(lengths):
    chain, found = chain_of(), []
    for padding in (0.0, math.nan):
        scores, given = problem(lengths=lengths, padding=padding)
        targets = legal_targets(chain, scores, given)
        loss = chain.loss(scores.requires_grad_(), targets, given)
        gradients = torch.autograd.grad(loss, [scores, *chain.parameters()])
        found.append((loss, *gradients, chain.probabilities(scores, given), *chain.best(scores, given)))
        assert all(not gradients[0][length:, row].any() for row, length in enumerate(lengths))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_no_steps_at_all():
    chain, scores = chain_of(), torch.zeros(0, 2, 4, dtype=torch.float64, requires_grad=True)
    loss = chain.loss(scores, torch.zeros(0, 2, dtype=torch.long), torch.tensor([0, 0]))
    loss.backward()
    assert loss == 0
    assert not any(weight.grad.any() for weight in chain.parameters())
    tags, logs = chain.best(scores, torch.tensor([0, 0]))
    assert tags.shape == (0, 2) and not logs.any()


def test_large_scores_neither_overflow_nor_vanish():
    chain = chain_of(allowed=bio_constraints(TAGS), dtype=torch.float32)
    scores, lengths = problem(lengths=(5,), dtype=torch.float32)
    targets = torch.tensor([[1], [2], [2], [0], [3]])
    scores *= 1000
    loss = chain.loss(scores.requires_grad_(), targets, lengths)
    exact = chain.double().loss(scores.double(), targets, lengths)
    torch.testing.assert_close(loss, exact.float())
    assert torch.autograd.grad(loss, scores)[0].isfinite().all()


def test_what_is_forbidden_is_never_found_and_learns_nothing():
    chain, (scores, lengths) = chain_of(allowed=bio_constraints(TAGS)), problem(lengths=(4,))
    scores[:, :, 2] += 100
    tags, _ = chain.best(scores, lengths)
    assert tags[:, 0].tolist() == [1, 2, 2, 2]
    chain.loss(scores, tags, lengths).backward()
    assert not chain.transitions.grad[[0, 3], 2].any() and not chain.begin.grad[2].any()
    assert chain.transitions.grad[[1, 2], 2].all()
    assert all(weight.grad.isfinite().all() for weight in chain.parameters())


def test_constraints_of_bio():
    allowed = bio_constraints(TAGS)
    assert allowed.tolist() == [[column != 2 or row in (1, 2) for column in range(5)] for row in range(5)]
    bare = bio_constraints(("B", "I", "O"))
    assert bare.tolist() == [[column != 1 or row in (0, 1) for column in range(4)] for row in range(4)]


@pytest.mark.parametrize("tags, allowed", [([0, 1, 2, 2, 3], True), ([], True), ([1, 0, 2], False), ([2], False), ([3, 2], False)])
def test_whether_a_sequence_is_possible(tags, allowed):
    tags = torch.tensor(tags, dtype=torch.long)
    assert chain_of(allowed=bio_constraints(TAGS)).allows(tags) is allowed
    assert chain_of().allows(tags)


def test_a_sequence_that_must_not_end_so_is_not_possible():
    allowed = torch.ones(5, 5, dtype=torch.bool)
    allowed[1, 4] = False
    assert [chain_of(allowed=allowed).allows(torch.tensor(tags)) for tags in ([1, 0], [0, 1], [1])] == [True, False, False]


@pytest.mark.parametrize(
    "tags, message",
    [
        ([1, 2, 2, 0, 2], "'I-x' after 'O' is not allowed, but stands so at step 4 of sequence 1"),
        ([2, 2, 2, 0, 0], "'I-x' after 'nothing' is not allowed, but stands so at step 0 of sequence 1"),
        ([0, 0, 4, 0, 0], "from 0 to K - 1 = 3, got 0 to 4"),
    ],
)
def test_targets_that_cannot_be_are_named(tags, message):
    chain, (scores, lengths) = chain_of(allowed=bio_constraints(TAGS)), problem(lengths=(2, 5))
    targets = torch.stack([torch.tensor([0, 1, 2, 2, 2]), torch.tensor(tags)], 1)
    with pytest.raises(DataError, match=message):
        chain.loss(scores, targets, lengths)


def test_an_end_that_is_not_allowed_is_named():
    allowed = torch.ones(5, 5, dtype=torch.bool)
    allowed[1, 4] = False
    chain, (scores, lengths) = chain_of(allowed=allowed), problem(lengths=(2,))
    assert chain.best(scores, lengths)[0][-1, 0] != 1
    with pytest.raises(DataError, match="'nothing' after 'B-x' is not allowed, but stands so at step 2 of sequence 0"):
        chain.loss(scores, torch.tensor([[0], [1]]), lengths)


def test_half_precision_is_summed_in_single():
    chain = chain_of(dtype=torch.float32)
    scores, lengths = problem(dtype=torch.bfloat16)
    targets = legal_targets(chain, scores, lengths)
    with torch.autocast("cpu", torch.bfloat16):
        loss = chain.loss(scores.requires_grad_(), targets, lengths)
        gradients = torch.autograd.grad(loss, list(chain.parameters()))
    whole = chain.loss(scores.detach().float(), targets, lengths)
    assert loss.dtype == torch.float32 and torch.equal(loss, whole)
    for gradient, expected in zip(gradients, torch.autograd.grad(whole, list(chain.parameters())), strict=True):
        torch.testing.assert_close(gradient, expected)


def test_shapes_that_do_not_fit():
    chain, (scores, lengths) = chain_of(), problem()
    with pytest.raises(ShapeError, match=r"`scores` must have shape .* = \[4\], got \[3\]"):
        chain.best(scores[..., 1:], lengths)
    with pytest.raises(ShapeError, match=r"`targets` must have shape \[T, B\]"):
        chain.loss(scores, torch.zeros(3, 3, dtype=torch.long), lengths)
    with pytest.raises(ShapeError, match="`allowed`"):
        LinearChain(TAGS, torch.ones(4, 4, dtype=torch.bool))
