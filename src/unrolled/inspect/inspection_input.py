"""What a report is about: a network, one sequence that it reads, and what its numbers are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import padded
from unrolled.inspect.subject import Input, Looked, recurrent_of
from unrolled.layers import Recurrent
from unrolled.models import Arrangement

SAMPLED_STEPS, FEWEST_SAMPLED, MOST_SAMPLED = 4096, 4, 32
"""As many sequences stand for all as have so many steps together, within these bounds."""

MOST_READ = 2000
"""Sequences of a file that are read to draw some from."""

UNITS = {"char": "character", "word": "word", "event": "event", "subword": "piece", "step": "step", "frame": "frame"}
"""What a step reads, by the level of its symbols."""

START = "⏎"
"""How the line's end is shown that a language model reads before a text."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Several sequences side by side, as the network takes them, of so many steps each; `told` says in words which these are."""

    x: Input
    lengths: Tensor
    told: str


def draw_some(lengths: np.ndarray, what: str) -> tuple[np.ndarray, str]:
    """The numbers of a few sequences, drawn at random among those of more than one step, of as many as their `lengths` `[N]` allow; none where
    there are not several. And that in words, where `what` says what all of them are."""
    chance = np.random.default_rng(0)
    drawn = chance.permutation(np.flatnonzero(lengths > 1))[:MOST_SAMPLED]
    within = int(np.searchsorted(lengths[drawn].cumsum(), SAMPLED_STEPS, side="right"))
    drawn = np.sort(drawn[: max(within, FEWEST_SAMPLED)])
    if len(drawn) < 2:
        return drawn[:0], ""
    every = f"{'the first ' if len(lengths) == MOST_READ else ''}{len(lengths):,} {what}"
    return drawn, f"all {every}" if len(drawn) == len(lengths) else f"{len(drawn)} of {every}, drawn at random"


def sample_of_ids(sequences: Sequence[np.ndarray], what: str, device: torch.device) -> Sample | None:
    """A few of many sequences of whole numbers; None where there are not several."""
    lengths = np.array([len(ids) for ids in sequences], dtype=np.int64)
    which, told = draw_some(lengths, what)
    if not len(which):
        return None
    x = padded(np.concatenate([sequences[i] for i in which]), lengths[which])
    return Sample(x.to(device), torch.from_numpy(lengths[which]), told)


@dataclass(frozen=True, eq=False)
class Beside:
    """Another network that reads the same, for comparison: it has a `label` in pictures and a `phrase` in sentences."""

    model: Looked
    label: str
    phrase: str


@dataclass(frozen=True, eq=False)
class InspectionInput:
    """A network with a sequence.

    `x` is the sequence as the network takes it, alone in its batch; `symbols` `[T]` is what stands at each step, of the kind `level`
    (a key of `UNITS`). `answers` are the names of what it predicts, by number; `targets` what should come, as `predictions` takes it, with
    `supposed` where that is what the network itself would say. `written` `[T']` are the symbols that an encoder-decoder wrote, and
    `copies` what it may copy. `note` says where the sequence comes from, and what was left out of it; `sample` are others like it, for what
    is said of many. `properties` `[T]`, by what they are, are those of this kind of data that units may follow.
    """

    model: Looked
    x: Input
    symbols: tuple[str, ...]
    level: str
    answers: Sequence[str] = ()
    targets: Tensor | None = None
    supposed: bool = False
    written: tuple[str, ...] = ()
    copies: Tensor | None = None
    note: str = ""
    sample: Sample | None = None
    properties: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def layer(self) -> Recurrent:
        """The recurrent layers that are looked into."""
        return recurrent_of(self.model)

    @property
    def steps(self) -> int:
        """T."""
        return len(self.symbols)

    @property
    def first(self) -> int:
        """The first step that reads something of the text itself."""
        return int(self.predicts_input and self.symbols[:1] == (START,) and self.steps > 1)

    @property
    def last(self) -> int:
        """The step that is looked at if none is chosen: the last one, or, where the network reads both ways, the middle one."""
        return self.steps // 2 if self.layer.bidirectional else self.steps - 1

    @property
    def whose(self) -> str:
        """Whose states are looked at, in words."""
        return "this network's encoder" if self.writes else "this network"

    @property
    def predicts_input(self) -> bool:
        """Whether what should come is the input itself, one step later."""
        return isinstance(self.model, Arrangement) and self.model.predicts_input

    @property
    def writes(self) -> bool:
        """Whether the network writes another sequence."""
        return isinstance(self.model, Arrangement) and self.model.writes

    @property
    def unit(self) -> str:
        """What a step reads, in a word."""
        return UNITS[self.level]
