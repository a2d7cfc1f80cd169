"""Packed weights, kept from one call without gradients to the next: packing takes as long as the products of about 40 rows.

Nothing that a program does to a parameter leaves a sure trace, so its numbers themselves are looked at: beside the packed ones lies a copy
of what they were made of, and what differs from it is packed anew (`pack` in compiler/native/runtime/panels.h).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from unrolled.engines.native.library import Library
from unrolled.engines.weights import WeightLayout


class Panels:
    """Room for the packed matrices of one layer and direction, for one kind of call, used by one call at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._layout: tuple[object, ...] = ()
        self._memory: Tensor | None = None

    @contextmanager
    def lent(self, library: Library, numbers: Any) -> Iterator[None]:
        """Let a call read what is kept, and keep what it packs. While another thread is at it, a call packs for itself alone.

        Nobody waits, so that a process that was forked off in the middle of a call does not either.
        """
        room = library.kept_room(numbers)
        if not room or not self._lock.acquire(blocking=False):
            yield
            return
        try:
            numbers.kept = self._place(library, numbers, room)
            yield
        finally:
            numbers.kept = 0
            self._lock.release()

    def release(self) -> None:
        """Give the memory back, unless a call is using it."""
        if self._memory is not None and self._lock.acquire(blocking=False):
            self._memory = None
            self._lock.release()

    def _place(self, library: Library, numbers: Any, room: int) -> int:
        """Where the memory lies, cleared where what is in it was laid out for another kind of call; 0 where there is not so much left."""
        layout = library, room, tuple(numbers.size)
        if self._memory is None or layout != self._layout:
            self._memory = None  # before the new one is asked for
            try:
                self._memory, self._layout = torch.empty(room, dtype=torch.uint8, device="cpu"), layout
            except RuntimeError:
                return 0
            library.clear_kept(self._memory.data_ptr(), room)
        return self._memory.data_ptr()


_of: WeakKeyDictionary[WeightLayout, Panels] = WeakKeyDictionary()


def panels_of(layout: WeightLayout) -> Panels:
    """The one room of a layer and direction, which goes when they do."""
    return _of.setdefault(layout, Panels()) if (known := _of.get(layout)) is None else known


def release_panels(layout: WeightLayout) -> None:
    """Give the memory back that a layer and direction keep: those that are trained change at every step."""
    if (known := _of.get(layout)) is not None:
        known.release()
