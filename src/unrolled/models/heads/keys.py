"""Heads for many keys at once: each pressed by itself, or one after the other, knowing those before."""

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.errors import ConfigError
from unrolled.models.heads.head import Head, single


class KeysHead(Head):
    """A head for any number of `keys` that sound together. Targets are 0 or 1, `[…, keys]`.

    A loss is that of a whole step: minus the natural log-probability of exactly these keys. Scores of keys begin at `start`, the log-odds of a key that
    sounds in one of 20 steps: so four of 88 sound together at first.
    """

    start = -3.0

    def __init__(self, keys: int) -> None:
        super().__init__()
        if keys < 1:
            raise ConfigError(f"There must be at least 1 key, got {keys}.")
        self.keys, self.size = keys, keys

    @abstractmethod
    def logits(self, scores: Tensor, targets: Tensor) -> Tensor:
        """The log-odds of each key `[…, keys]`, given which of the lower `targets` sound; what is above a key has no part in it."""

    def losses(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The cross-entropies of all keys, summed."""
        logits = self.logits(scores, targets)
        return functional.binary_cross_entropy_with_logits(logits, targets.to(logits), weights, reduction="none").sum(-1)


class IndependentKeys(KeysHead):
    """Each key by itself, whatever the others do."""

    def logits(self, scores: Tensor, targets: Tensor) -> Tensor:
        """The scores."""
        return single(scores)


class JointKeys(KeysHead):
    """Keys from the lowest to the highest, each knowing which of those below it sound: P(keys) is the product of P(key | keys below).

    A neural autoregressive distribution estimator (Larochelle & Murray 2011, "The Neural Autoregressive Distribution Estimator"), whose biases the
    scores are: those of the keys, and of `hidden` units (the RNN-NADE of Boulanger-Lewandowski et al. 2012, "Modeling Temporal Dependencies in
    High-Dimensional Sequences"). What the units know changes at keys that sound alone, so that a step with n of them is computed for n + 1 places and
    not for all keys.
    """

    def __init__(self, keys: int, hidden: int = 128) -> None:
        super().__init__(keys)
        if hidden < 1:
            raise ConfigError(f"Keys that know of each other need at least 1 hidden unit, got {hidden}.")
        self.size, self.hidden = keys + hidden, hidden
        self.heard, self.said = nn.Parameter(torch.empty(keys, hidden)), nn.Parameter(torch.empty(keys, hidden))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """What is said is small, so that keys begin nearly independent."""
        self.heard.normal_().mul_(0.3)
        self.said.normal_().mul_(0.1 * self.hidden**-0.5)

    def logits(self, scores: Tensor, targets: Tensor) -> Tensor:
        """From the units as they are after the keys below each key."""
        shape = targets.shape
        scores, on = single(scores).reshape(-1, self.size), targets.reshape(-1, self.keys).long()
        own, units = scores.split([self.keys, self.hidden], -1)
        below = on.cumsum(-1) - on
        row, key = on.nonzero(as_tuple=True)
        sounding = torch.full((len(on), int(on.sum(-1).max()) if on.numel() else 0), self.keys, device=on.device)
        sounding[row, below[row, key]] = key
        # A row of zeros stands for no key.
        heard = torch.cat([self.heard, self.heard.new_zeros(1, self.hidden)]).to(scores)
        after = functional.embedding(sounding, heard).cumsum(1)
        known = torch.cat([units[:, None], units[:, None] + after], 1).tanh()
        each = (known @ self.said.to(scores).T).gather(1, below[:, None])
        return (own + each[:, 0]).view(shape)
