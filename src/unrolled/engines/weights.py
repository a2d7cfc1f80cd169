"""The parameters of one layer and direction, by the names that the equations give them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


class WeightLayout:
    """How a layer stores the parameters of one place; engines hang on it what they keep from call to call.

    `blocks` has for each stored tensor the named blocks that lie in it one below the other, as in `{"R_f": ("R_f",)}` where each is stored by
    itself, and `rows` how many rows each block has. A block that lies in two tensors, at the same row of both, is the sum of the two: torch
    has two biases where the equations have one. A vector that lies in none is zero.
    """

    def __init__(self, blocks: Mapping[str, tuple[str, ...]], rows: Mapping[str, int]) -> None:
        self.blocks, self.rows = dict(blocks), dict(rows)
        self.places: dict[str, list[tuple[int, int]]] = {name: [] for name in rows}
        """Where each block lies: in which of the stored tensors, and below how many rows."""
        for number, names in enumerate(self.blocks.values()):
            above = 0
            for name in names:
                self.places[name].append((number, above))
                above += rows[name]
        assert all(len({above for _, above in places}) < 2 for places in self.places.values()), "both parts of a sum lie at the same row"
        self.text = json.dumps([self.blocks, self.rows])
        """All of it on one line, as part of a name that other processes understand."""


@dataclass(frozen=True)
class Weights:
    """The parameters of one call: a layout, and the tensors `stored` in its order. What they hold is looked at in this call alone."""

    layout: WeightLayout
    stored: Sequence[Tensor]

    def parts(self, name: str) -> list[Tensor]:
        """Where a block lies: a view into the tensor that holds it, or two, of which it is the sum."""
        rows = self.layout.rows[name]
        return [self.stored[number].narrow(0, above, rows) for number, above in self.layout.places[name]]

    def block(self, name: str) -> Tensor:
        """One named block: a view into the tensor that holds it, if there is one."""
        parts = self.parts(name)
        if not parts:
            return self.stored[0].new_zeros(self.layout.rows[name])
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]

    def shape(self, matrix: str) -> tuple[int, int]:
        """The rows and columns of a matrix, also of one whose tensor has no numbers."""
        return self.layout.rows[matrix], self.stored[self.layout.places[matrix][0][0]].shape[-1]

    def kernel(self, matrix: str) -> tuple[int, ...]:
        """The size of the kernel that a matrix is where there are planes; else nothing."""
        return tuple(self.stored[self.layout.places[matrix][0][0]].shape[2:])

    def is_stored(self, names: Sequence[str]) -> bool:
        """Whether stored tensors hold exactly these blocks: one, or two of which they are the sums."""
        holding = [blocks for blocks in self.layout.blocks.values() if not set(names).isdisjoint(blocks)]
        return bool(holding) and all(blocks == tuple(names) for blocks in holding)

    def stack(self, names: Sequence[str]) -> Tensor:
        """Blocks one below the other, without a copy where one tensor holds them so."""
        if not self.is_stored(names):
            return torch.cat([self.block(name) for name in names])
        first, *others = (self.stored[number] for number, _ in self.layout.places[names[0]])
        return first + others[0] if others else first
