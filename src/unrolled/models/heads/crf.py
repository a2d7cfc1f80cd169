"""A linear-chain conditional random field: the probability of a whole sequence of tags (Lafferty, McCallum & Pereira 2001)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from unrolled.engines import Lengths, read_lengths
from unrolled.errors import ConfigError, DataError
from unrolled.models.heads.head import SequenceHead, single
from unrolled.shapes import expect_shape

PAIRS_AT_ONCE = 1 << 21
"""Most numbers that are held to count transitions."""


def bio_constraints(tags: Sequence[str]) -> Tensor:
    """What may follow what in BIO: `I-x` only after `B-x` or `I-x`, and a bare `I` after `B` or `I`.

    Boolean `[K + 1, K + 1]`, as `LinearChain` takes it.
    """
    allowed = torch.ones(len(tags) + 1, len(tags) + 1, dtype=torch.bool)
    for column, tag in enumerate(tags):
        if tag == "I" or tag.startswith("I-"):
            allowed[:, column] = torch.tensor([before in (f"B{tag[1:]}", tag) for before in tags] + [False])
    return allowed


class LinearChain(SequenceHead):
    """P(y | scores) ∝ exp(begin[y[1]] + Σ scores[t, y[t]] + Σ transitions[y[t-1], y[t]] + end[y[T]]).

    Everything is computed in log space, in single precision at least; what stands past each end takes no part, and the one sequence of
    length 0 has probability 1.

    Args:
        tags: the names of the K tags, for messages.
        allowed: boolean `[K + 1, K + 1]`: whether tag j may follow tag i; in row K whether j may come first, in column K whether i may come
            last. What is not allowed has probability 0, in training as in decoding.
    """

    allowed: Tensor

    def __init__(self, tags: Sequence[str], allowed: Tensor | None = None) -> None:
        super().__init__()
        size = len(tags)
        if not size:
            raise ConfigError("A conditional random field needs at least 1 tag, got none.")
        allowed = torch.ones(size + 1, size + 1, dtype=torch.bool) if allowed is None else allowed
        expect_shape("allowed", allowed.shape, "[K + 1, K + 1]", [size + 1, size + 1], "Pass `bio_constraints(tags)`, or None.")
        self.tags, self.size = tuple(tags), size
        self.transitions = nn.Parameter(torch.empty(size, size))
        self.begin, self.end = nn.Parameter(torch.empty(size)), nn.Parameter(torch.empty(size))
        self.reset_parameters()
        self.register_buffer("allowed", allowed.clone(), persistent=False)

    def reset_parameters(self) -> None:
        """All sequences of tags equally likely."""
        for scores in (self.transitions, self.begin, self.end):
            nn.init.zeros_(scores)

    def loss(self, scores: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
        """The negative log-likelihood of `targets` `[T, B]`, summed over the sequences; `scores` are `[T, B, K]`.

        Raises `DataError` for targets that are not allowed.
        """
        scores, read = self._prepare(scores, lengths)
        expect_shape("targets", targets.shape, "[T, B]", scores.shape[:2], "Pass one tag for each step.")
        targets = targets.masked_fill(~read.mask, 0)
        self._check(targets, read)
        return self._log_partition(scores, read).sum() - self._path(scores, targets, read).sum()

    @torch.no_grad()
    def probabilities(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The probability of each tag at each step over all sequences of tags, `[T, B, K]`; 0 past each end."""
        scores, read = self._prepare(scores, lengths)
        forward, backward, partition = _both_ways(scores, *self._weights(), read)
        return _marginals(scores, forward, backward, partition, read)

    @torch.no_grad()
    def best(self, scores: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The most probable tags `[T, B]`, 0 past each end, and their log-probability `[B]`."""
        scores, read = self._prepare(scores, lengths)
        tags = best_path(scores, *self._weights(), read)
        return tags, self._path(scores, tags, read) - self._log_partition(scores, read)

    def allows(self, tags: Tensor) -> bool:
        """Whether one sequence of tags `[T]` is possible at all."""
        outside = tags.new_full((1,), len(self.tags))
        between = torch.cat([outside, tags, outside])
        return bool(self.allowed[between[:-1], between[1:]].all())

    def _prepare(self, scores: Tensor, lengths: Tensor) -> tuple[Tensor, Lengths]:
        """The scores in single precision at least, 0 past each end, and the lengths."""
        expect_shape("scores", scores.shape[2:], "[T, B, K] with [K]", [len(self.tags)], "Pass one score for each tag.")
        read = read_lengths(lengths, scores.shape[0], scores.shape[1], scores.device)
        return single(scores).masked_fill(~read.mask[..., None], 0), read

    def _weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """Of the beginning, of the transitions and of the end; -inf for what is not allowed."""
        parts = zip((self.begin, self.transitions, self.end), barred(self.allowed), strict=True)
        begin, transitions, end = (single(weight).masked_fill(never, -torch.inf) for weight, never in parts)
        return begin, transitions, end

    def _log_partition(self, scores: Tensor, read: Lengths) -> Tensor:
        """The logarithm of the sum over all sequences of tags, `[B]`."""
        begin, transitions, end = self._weights()
        if torch.is_grad_enabled():
            return LogPartition.apply(scores, begin, transitions, end, read)
        return _partition(_scan(scores.mT[:, None], begin[None], transitions[None])[:, 0], end, read)

    def _path(self, scores: Tensor, targets: Tensor, read: Lengths) -> Tensor:
        """The score of one sequence of tags each, `[B]`."""
        if not len(scores):
            return scores.sum((0, 2))
        real, (begin, transitions, end) = read.mask, self._weights()
        emitted = scores.gather(-1, targets[..., None])[..., 0].masked_fill(~real, 0).sum(0)
        pairs = targets[:-1] * len(self.tags) + targets[1:]
        moved = transitions.flatten().index_select(0, pairs.flatten()).view_as(pairs).masked_fill(~real[1:], 0).sum(0)
        last = targets.gather(0, (read.values - 1).clamp(min=0)[None])[0]
        ends = begin.index_select(0, targets[0]) + end.index_select(0, last)
        return emitted + moved + ends.masked_fill(~real[0], 0)

    def _check(self, targets: Tensor, read: Lengths) -> None:
        """Raise a `DataError` that names the first of `targets` that is no tag, or stands where it is not allowed."""
        size = len(self.tags)
        if targets.numel() and not 0 <= int(targets.min()) <= int(targets.max()) < size:
            raise DataError(f"Tags must be whole numbers from 0 to K - 1 = {size - 1}, got {int(targets.min())} to {int(targets.max())}.")
        # Every sequence between two steps of no tag: where it may begin and end is then a question of what may follow what, too.
        outside = targets.new_full((1, targets.shape[1]), size)
        between = torch.cat([outside, targets.masked_fill(~read.mask, size), outside])
        before, after = between[:-1], between[1:]
        wrong = ~self.allowed[before, after] & ((before < size) | (after < size))
        if bool(wrong.any()):
            row, step = (int(i) for i in wrong.T.nonzero()[0])
            first, second = ((*self.tags, "nothing")[int(tags[step, row])] for tags in (before, after))
            raise DataError(
                f"{second!r} after {first!r} is not allowed, but stands so at step {step} of sequence {row}. "
                "Correct the tags, or leave the constraints out."
            )


def barred(allowed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of `allowed` as `LinearChain` takes it, what may not come first `[K]`, what may not follow what `[K, K]`, and what may not come last `[K]`."""
    never = ~allowed
    return never[-1, :-1], never[:-1, :-1], never[:-1, -1]


def best_path(scores: Tensor, begin: Tensor, transitions: Tensor, end: Tensor, read: Lengths) -> Tensor:
    """The tags `[T, B]`, 0 past each end, whose scores `[T, B, K]` with those of their transitions add up to most (Viterbi 1967)."""
    tags = torch.zeros(scores.shape[:2], dtype=torch.long, device=scores.device)
    if not len(tags):
        return tags
    # At a last step every tag has what its sequence's end adds; the steps after it are not looked at.
    last = torch.arange(len(scores), device=scores.device)[:, None] == read.values - 1
    scores = torch.where(last[..., None], scores + end, scores)
    best, origins = begin + scores[0], list[Tensor]()
    tops = [best]
    for step in scores[1:]:
        most, origin = (best[..., None] + transitions).max(-2)
        best = most + step
        tops.append(best)
        origins.append(origin)
    finals = torch.stack(tops).argmax(-1)
    tags[-1] = finals[-1]
    for t in range(len(scores) - 2, -1, -1):
        tags[t] = torch.where(last[t], finals[t], origins[t].gather(-1, tags[t + 1][:, None])[:, 0])
    return tags.masked_fill_(~read.mask, 0)


class LogPartition(torch.autograd.Function):
    """The log-partition function of linear chains, with its gradient: the expected number of times that each weight is used."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, begin: Tensor, transitions: Tensor, end: Tensor, read: Lengths) -> Tensor:
        """`[B]`. Both directions are run at once, and what they give is kept."""
        ctx.read = read
        forward, backward, partition = _both_ways(scores, begin, transitions, end, read)
        ctx.save_for_backward(scores, transitions, forward, backward, partition)
        return partition

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        """Marginals of single tags and of pairs of them, times what flows back into each sequence."""
        scores, transitions, forward, backward, partition = ctx.saved_tensors
        single_tags = _marginals(scores, forward, backward, partition, ctx.read) * factor[:, None]
        if not len(scores):
            return single_tags, torch.zeros_like(transitions[0]), torch.zeros_like(transitions), torch.zeros_like(transitions[0]), None
        last = (ctx.read.values - 1).clamp(min=0)
        at_end = single_tags.gather(0, last[None, :, None].expand(1, -1, scores.shape[-1]))[0].sum(0)
        pairs = _pairs(transitions, forward, backward, partition, ctx.read, factor)
        return single_tags, single_tags[0].sum(0), pairs, at_end, None


def _scan(scores: Tensor, begin: Tensor, transitions: Tensor) -> Tensor:
    """Log-sums over all that comes before each step, it included: `[T, D, K, B]` for `scores` of that shape, D chains side by side.

    `begin` is `[D, K]`, `transitions` `[D, K, K]`. With the batch innermost a sum over tags runs along whole vectors.
    """
    if not len(scores):
        return scores
    sums, moves = [begin[..., None] + scores[0]], transitions[..., None]
    for step in scores[1:]:
        sums.append((sums[-1][:, :, None] + moves).logsumexp(1) + step)
    return torch.stack(sums)


def _both_ways(scores: Tensor, begin: Tensor, transitions: Tensor, end: Tensor, read: Lengths) -> tuple[Tensor, Tensor, Tensor]:
    """Log-sums `[T, B, K]` over what comes up to each step and over what comes from it on, and the log-partition `[B]`.

    The second is the first for every sequence turned round, so that both go in one loop.
    """
    back = _turned(read)[..., None].expand_as(scores)
    both = torch.stack([scores, scores.gather(0, back)], 1).mT.contiguous()
    sums = _scan(both, torch.stack([begin, end]), torch.stack([transitions, transitions.mT])).mT
    partition = _partition(sums[:, 0].mT, end, read)
    return sums[:, 0], sums[:, 1].gather(0, back), partition


def _turned(read: Lengths) -> Tensor:
    """`[T, B]`: the step that stands at each one when every sequence is turned round; padding stays where it is."""
    times = torch.arange(read.steps, device=read.values.device)[:, None]
    return torch.where(read.mask, read.values - 1 - times, times)


def _partition(forward: Tensor, end: Tensor, read: Lengths) -> Tensor:
    """The log-partition `[B]` from log-sums `[T, K, B]`; 0 for a sequence of length 0."""
    if not len(forward):
        return forward.sum((0, 1))
    last = (read.values - 1).clamp(min=0)
    final = forward.gather(0, last.expand(1, forward.shape[1], -1))[0]
    return (final + end[:, None]).logsumexp(0).masked_fill(read.values == 0, 0)


def _marginals(scores: Tensor, forward: Tensor, backward: Tensor, partition: Tensor, read: Lengths) -> Tensor:
    """The probability of each tag at each step, `[T, B, K]`."""
    return (forward + backward - scores - partition[:, None]).exp().masked_fill(~read.mask[..., None], 0)


def _pairs(transitions: Tensor, forward: Tensor, backward: Tensor, partition: Tensor, read: Lengths, factor: Tensor) -> Tensor:
    """The expected number of transitions, `[K, K]`, each sequence's times its `factor`."""
    size = len(transitions)
    total = transitions.new_zeros(size * size)
    at_once = max(1, PAIRS_AT_ONCE // max(1, factor.numel() * size * size))
    before = (forward[:-1] - partition[:, None]).masked_fill(~read.mask[1:, :, None], -torch.inf)
    with torch.autocast(total.device.type, enabled=False):
        for a, b in zip(before.split(at_once), backward[1:].split(at_once), strict=True):
            expected = (b[..., None, :] + transitions).add_(a[..., None]).exp_()
            total += factor.repeat(len(a)) @ expected.view(-1, size * size)
    return total.view(size, size)
