"""The parameters of one layer and direction, by the names that the equations give them."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook

Layout = Mapping[str, tuple[str, ...]]
"""Stored tensor -> the named blocks that lie in it one below the other; `{"R_f": ("R_f",)}` where each block is stored by itself."""


class _Steps:
    """Counts the steps of all optimisers: fused ones change parameters without counting it in their versions."""

    def __init__(self) -> None:
        self.taken = 0
        register_optimizer_step_post_hook(self._count)

    def _count(self, *_: object) -> None:
        self.taken += 1


_STEPS = _Steps()


class Weights:
    """Named blocks of parameters, and stacks of them.

    `stored` holds the tensors of a layout; a vector that the layout leaves out is zero. Stacks that had to be copied are kept for as long
    as no gradient is wanted and no parameter changes, so that streaming does not copy them at every step.
    """

    def __init__(self, layout: Layout, rows: Mapping[str, int]) -> None:
        self._layout, self.rows = layout, rows
        self._place = {block: (stored, i) for stored, blocks in layout.items() for i, block in enumerate(blocks)}
        self._stored: Mapping[str, Tensor] = {}
        self._kept: dict[tuple[str, ...], tuple[tuple[object, ...], Tensor]] = {}

    def __getstate__(self) -> dict[str, object]:
        """What copying and pickling keep: the tensors belong to the module, and may be in the middle of a graph."""
        return {**self.__dict__, "_stored": {}, "_kept": {}}

    def using(self, stored: Mapping[str, Tensor]) -> "Weights":
        """The same weights reading these tensors, which may have been replaced since (moved to another device, say)."""
        self._stored = stored
        return self

    def block(self, name: str) -> Tensor:
        """One named block: a view into the tensor that holds it."""
        if name not in self._place:
            some = next(iter(self._stored.values()))
            return some.new_zeros(self.rows[name])
        stored, index = self._place[name]
        above = sum(self.rows[b] for b in self._layout[stored][:index])
        return self._stored[stored].narrow(0, above, self.rows[name])

    def stack(self, names: Sequence[str]) -> Tensor:
        """Blocks one below the other: the stored tensor itself where it is laid out so, otherwise a copy."""
        key = tuple(names)
        for stored, blocks in self._layout.items():
            if blocks == key:
                return self._stored[stored]
        if torch.is_grad_enabled() and any(t.requires_grad for t in self._stored.values()):
            return torch.cat([self.block(n) for n in key])
        stamp = (_STEPS.taken, *((t.data_ptr(), t._version, t.dtype) for t in self._stored.values()))
        if key not in self._kept or self._kept[key][0] != stamp:
            self._kept[key] = (stamp, torch.cat([self.block(n) for n in key]).detach())
        return self._kept[key][1]
