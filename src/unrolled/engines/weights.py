"""The parameters of one layer and direction, by the names that the equations give them."""

import json
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Layout = Mapping[str, tuple[str, ...]]
"""Stored tensor -> the named blocks that lie in it one below the other; `{"R_f": ("R_f",)}` where each block is stored by itself."""


class Weights:
    """Named blocks of parameters, and stacks of them.

    `stored` holds the tensors of a layout; a vector that the layout leaves out is zero. Nothing is kept from call to call, since
    parameters can be written to in ways that leave no trace.
    """

    def __init__(self, layout: Layout, rows: Mapping[str, int]) -> None:
        self._layout, self.rows = layout, rows
        self._place = {block: (stored, i) for stored, blocks in layout.items() for i, block in enumerate(blocks)}
        self._stored: Mapping[str, Tensor] = {}
        self.text = json.dumps([layout, rows])
        """Layout and rows on one line, as part of a name that other processes understand."""

    def __getstate__(self) -> dict[str, object]:
        """What copying and pickling keep: the tensors belong to the module, and may be in the middle of a graph."""
        return {**self.__dict__, "_stored": {}}

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

    @property
    def layout(self) -> Layout:
        """Which stored tensor holds which blocks."""
        return self._layout

    @property
    def stored(self) -> list[Tensor]:
        """The stored tensors, in the order of the layout."""
        return [self._stored[name] for name in self._layout]

    def is_stored(self, names: Sequence[str]) -> bool:
        """Whether one stored tensor holds exactly these blocks."""
        return tuple(names) in self._layout.values()

    def stack(self, names: Sequence[str]) -> Tensor:
        """Blocks one below the other: without a copy where they lie so in memory, unless a gradient has to find its way to each."""
        if self.is_stored(names):
            return self._stored[self._place[names[0]][0]]
        parts = [self.block(n) for n in names]
        wanted = torch.is_grad_enabled() and any(p.requires_grad for p in parts)
        joined = None if wanted else _joined(parts)
        return torch.cat(parts) if joined is None else joined


def lay_together(tensors: Sequence[Tensor]) -> None:
    """Move the data of parameters, so that they lie one below the other in memory."""
    with torch.no_grad():
        pieces = torch.cat([t.detach() for t in tensors]).split([len(t) for t in tensors])
    for tensor, piece in zip(tensors, pieces, strict=True):
        tensor.data = piece


def _joined(parts: Sequence[Tensor]) -> Tensor | None:
    """One view of blocks that lie one below the other in memory; None where they do not."""
    try:
        memory = {p.untyped_storage().data_ptr() for p in parts}
    except RuntimeError:  # Inside the transforms of torch.func a tensor has no memory of its own.
        return None
    start = parts[0].storage_offset()
    for part in parts:
        if len(memory) > 1 or part.storage_offset() != start or not part.is_contiguous():
            return None
        start += part.numel()
    return parts[0].as_strided((sum(len(p) for p in parts), *parts[0].shape[1:]), parts[0].stride())
