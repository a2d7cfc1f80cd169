"""An answer to every step: many to many, step by step."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.data.batches import Batch
from unrolled.engines import Lengths
from unrolled.errors import ConfigError
from unrolled.layers import dropout
from unrolled.models.arrangements.arrangement import Scoring, full_lengths, probabilities_of
from unrolled.models.encoder import Encoder, State
from unrolled.models.heads import Head, SequenceHead, barred, best_path, single


class EachStep(Scoring):
    """An encoder, of whose every step a linear layer makes scores; `head` says what these mean.

    Each step is decided by itself, or all of a sequence together by a head such as `LinearChain`. In training, parts of the
    encoder's outputs are dropped with the encoder's probability.

    With a `margin` above 0 the score of the class `outside` is raised by so much in training where another one is right: a softmax margin
    (Gimpel & Smith 2010, "Softmax-Margin CRFs").

    `every` says that there is an answer to each step that is read, and so no subsampling.

    `allowed` `[K + 1, K + 1]` says which class may follow which, as `LinearChain` takes it: of the sequences that keep to it `best` gives the
    most probable one, where a head decides each step by itself.
    """

    allowed: Tensor | None
    every = True

    def __init__(
        self, encoder: Encoder, head: Head | SequenceHead, *, margin: float = 0.0, outside: int = 0, allowed: Tensor | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("allowed", allowed, persistent=False)
        if self.every and encoder.subsampling is not None:
            raise ConfigError("`subsampling` makes one step of several, and here each step has an answer. Leave it out.")
        self.encoder, self.head, self.margin, self.outside = encoder, head, margin, outside
        self.linear = nn.Linear(encoder.width, head.size)
        self.reset_parameters()

    def forward(self, batch: Batch, state: State | None = None) -> tuple[Tensor, State]:
        """Scores `[T, B, size]`, and the encoder's state to go on with."""
        outputs, state = self.encoder(batch, state)
        return self.linear(dropout(outputs, self.encoder.dropout, self.training)), state

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The summed loss of the targets `[T, B, …]` of all real steps, and how many these are."""
        assert batch.targets is not None
        scores, _ = self(batch)
        steps = scores.shape[0] * scores.shape[1] if batch.lengths is None else int(batch.lengths.sum())
        return self.loss_of(scores, batch.targets, batch.lengths, weights), steps

    def loss_of(self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None, weights: Tensor | None = None) -> Tensor:
        """The loss of `targets`, summed over all real steps; a class of -1 is not known, and has no loss.

        `weights` `[K]` multiply the losses of the steps of each class. Raises `ConfigError` for them with a head that decides all steps
        together, where a step has no loss of its own.
        """
        read = full_lengths(lengths, scores.shape[0], scores.shape[1], scores.device)
        if self.margin and self.training:
            raised = functional.one_hot(torch.tensor(self.outside), scores.shape[-1]).to(scores)
            scores = scores + raised * (self.margin * (targets != self.outside))[..., None]
        if isinstance(self.head, SequenceHead):
            if weights is not None:
                raise ConfigError(
                    "`class_weights` weigh steps, and `crf` scores whole sequences. Leave one of them out; `entity_margin` finds more of what is rare."
                )
            return self.head.loss(scores, targets, read.values)
        known = read.mask if targets.is_floating_point() else read.mask & (targets >= 0)
        return self.head.loss(scores[known], targets[known], weights)

    def losses_of(self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Of each step `[T, B]`, 0 past each end; of each sequence `[B]` where all its steps are decided together."""
        read = full_lengths(lengths, scores.shape[0], scores.shape[1], scores.device)
        if isinstance(self.head, SequenceHead):
            rows = zip(scores.split(1, 1), targets.split(1, 1), read.values.split(1), strict=True)
            return torch.stack([self.head.loss(*row) for row in rows])
        losses = self.head.losses(scores[read.mask], targets[read.mask])
        return losses.new_zeros(read.mask.shape).masked_scatter(read.mask, losses)

    def probabilities_of(self, scores: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Of each class at each step, `[T, B, K]`; 0 past each end."""
        read = full_lengths(lengths, scores.shape[0], scores.shape[1], scores.device)
        if isinstance(self.head, SequenceHead):
            return self.head.probabilities(scores, read.values)
        found = probabilities_of(self.head, single(scores).masked_fill(~read.mask[..., None], 0))
        return found.masked_fill(~read.mask[..., None], 0)

    def best(self, scores: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The most probable classes of each sequence, `[T, B]`, 0 past each end, and their log-probability `[B]`."""
        read = full_lengths(lengths, scores.shape[0], scores.shape[1], scores.device)
        if isinstance(self.head, SequenceHead):
            return self.head.best(scores, read.values)
        found = self.probabilities_of(scores, lengths)
        classes = found.argmax(-1).masked_fill(~read.mask, 0) if self.allowed is None else self._allowed_path(scores, read, self.allowed)
        likely = found.gather(-1, classes[..., None])[..., 0]
        return classes, likely.log().masked_fill(~read.mask, 0).sum(0)

    def _allowed_path(self, scores: Tensor, read: Lengths, allowed: Tensor) -> Tensor:
        """The most probable classes of which each may follow the one before."""
        # What a step's scores have in common changes nothing.
        real = single(scores).masked_fill(~read.mask[..., None], 0)
        begin, transitions, end = (real.new_zeros(never.shape).masked_fill(never, -torch.inf) for never in barred(allowed))
        return best_path(real, begin, transitions, end, read)
