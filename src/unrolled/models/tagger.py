"""One tag for every step."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.engines import read_lengths
from unrolled.errors import ConfigError
from unrolled.layers import dropout
from unrolled.models.crf import LinearChain
from unrolled.models.encoder import Encoder
from unrolled.models.inputs import Inputs
from unrolled.models.outputs import single

OUTSIDE = "O"
"""The tag of a step that is part of nothing."""


class Tagger(nn.Module):
    """An encoder, of whose every step a linear layer makes a score for each of `tags`.

    Each step's tag is decided by itself, or all of a sequence together by a conditional random field, `crf`. In training, parts of the
    encoder's outputs are dropped with the encoder's probability.

    With `entity_margin` above 0 the score of the tag O is raised by so much in training where another one is right: a softmax margin (Gimpel &
    Smith 2010, "Softmax-Margin CRFs"). Raises `ConfigError` for that without a tag O.
    """

    def __init__(self, encoder: Encoder, tags: Sequence[str], crf: LinearChain | None = None, entity_margin: float = 0.0) -> None:
        super().__init__()
        if entity_margin and OUTSIDE not in tags:
            raise ConfigError(
                f"`--entity-margin` needs a tag {OUTSIDE} for steps that are none, got the tags {', '.join(tags)}. Leave it out."
            )
        self.entity_margin = entity_margin
        if crf is not None and crf.tags != tuple(tags):
            raise ConfigError(f"The tags of `crf` must be those of the tagger, {tuple(tags)}, got {crf.tags}.")
        self.encoder, self.tags, self.crf = encoder, tuple(tags), crf
        self.linear = nn.Linear(encoder.width, len(tags))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew what the parts begin in another way: the scores without a bias."""
        nn.init.zeros_(self.linear.bias)

    def forward(self, inputs: Inputs, state: Any = None) -> tuple[Tensor, Any]:
        """Scores `[T, B, K]`, and the encoder's state to go on with."""
        outputs, state = self.encoder(inputs, state)
        return self.linear(dropout(outputs, self.encoder.dropout, self.training)), state

    def loss(self, scores: Tensor, targets: Tensor, lengths: Tensor, weights: Tensor | None = None) -> Tensor:
        """The negative log-likelihood of `targets` `[T, B]`, summed over all real steps.

        `weights` `[K]` multiply the losses of the steps with each tag. Raises `ConfigError` for them with a conditional random field, where
        a step has no loss of its own.
        """
        if self.entity_margin and self.training:
            missed = self.entity_margin * (targets != self.tags.index(OUTSIDE))
            scores = scores + functional.one_hot(torch.tensor(self.tags.index(OUTSIDE)), len(self.tags)).to(scores) * missed[..., None]
        if self.crf is not None:
            if weights is not None:
                raise ConfigError(
                    "`--class-weights` weigh steps, and `--crf` scores whole sequences. Leave one of them out; `--entity-margin` finds more of what is rare."
                )
            return self.crf.loss(scores, targets, lengths)
        scores, real = _clean(scores, lengths)
        targets = targets.masked_fill(~real, -1)
        weights = None if weights is None else weights.to(scores)
        return functional.cross_entropy(scores.flatten(0, 1), targets.flatten(), weights, reduction="sum", ignore_index=-1)

    def probabilities(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The probability of each tag at each step, `[T, B, K]`; 0 past each end."""
        if self.crf is not None:
            return self.crf.marginals(scores, lengths)
        scores, real = _clean(scores, lengths)
        return scores.softmax(-1).masked_fill(~real[..., None], 0)

    def best(self, scores: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The most probable tags of each sequence, `[T, B]`, 0 past each end, and their log-probability `[B]`."""
        if self.crf is not None:
            return self.crf.best(scores, lengths)
        scores, real = _clean(scores, lengths)
        chances, tags = scores.log_softmax(-1).max(-1)
        return tags.masked_fill(~real, 0), chances.masked_fill(~real, 0).sum(0)


def _clean(scores: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Scores in single precision at least, 0 past each end, and where steps are real, `[T, B]`."""
    real = read_lengths(lengths, scores.shape[0], scores.shape[1], scores.device).mask
    return single(scores).masked_fill(~real[..., None], 0), real
