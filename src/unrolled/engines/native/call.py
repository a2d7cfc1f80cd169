"""A call of a kernel: what it is given, and the numbers and addresses that the compiled code reads."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from torch import Tensor

from unrolled.engines.native.bindings import binding_of
from unrolled.engines.native.library import Library, lack_of_memory, library
from unrolled.engines.native.tapes import tapes
from unrolled.engines.native.threads import threads_for
from unrolled.errors import ShapeError


class Given(NamedTuple):
    """What both passes are given; the fields are the first arguments of torch's operators, which take nothing but tensors, numbers and text.

    `masks` are in any order, as their widths tell them apart.
    """

    key: str
    x: Tensor
    stored: Sequence[Tensor]
    initial: Sequence[Tensor]
    masks: Sequence[Tensor]
    lengths: Tensor | None
    resets: Tensor | None
    reverse: bool


SCHEMA = "str key, Tensor x, Tensor[] stored, Tensor[] initial, Tensor[] masks, Tensor? lengths, Tensor? resets, bool reverse"
"""The fields of `Given` as torch.library writes them."""


class Call:
    """What is given, checked, and in memory as the kernel reads it."""

    def __init__(self, given: Given) -> None:
        x, initial = given.x, given.initial
        self.given, self.binding, self.like = given, binding_of(given.key), initial[0]
        self.library: Library = library(self.binding.kernel, self.like.dtype, self.binding.narrow)
        self.steps, self.batch = x.shape[:2]
        self.looked_up = not x.is_floating_point()
        self.input = "ids" if self.looked_up else "x"
        self.x = x.long().contiguous() if self.looked_up else x.resolve_neg().contiguous()
        self.stored = [t.resolve_neg().contiguous() for t in given.stored]
        self.initial = [self.library.whole(s.resolve_neg()) for s in initial]
        self.lengths = None if given.lengths is None else given.lengths.contiguous()
        self.resets = None if given.resets is None else given.resets.contiguous()
        self.units = [s.shape[1] for s in initial]
        inputs = self._inputs() if self.looked_up else x.shape[2]
        sizes = self.binding.sizes(inputs, self.units)
        kernel = self.library.kernel
        self.binding.check(given.stored, sizes, self.like)
        self.sizes = [sizes[label] for label in kernel.sizes]
        labels = self.binding.mask_labels
        self.masks = [self.library.whole(next(m for m in given.masks if m.shape[1] == sizes[label])) for label in labels]
        columns = [self.library.padded(sizes[label]) for label in kernel.columns]
        self.stride = {True: self.library.lanes + sum(columns), False: self.library.lanes + sum(columns[: kernel.forward_columns])}
        self.left_out = self.like.new_zeros(self.binding.left_out) if self.binding.left_out else None
        self.sums = self.like.new_empty(self.binding.summed) if self.binding.summed else None

    def _inputs(self) -> int:
        """The columns of the input maps, where the input is numbers."""
        recurrence = self.binding.plan.recurrence
        maps = (p.name for p in recurrence.parameters if p.columns == "x")
        places = dict(zip(self.binding.kernel.parameters, self.binding.places, strict=True))
        return next((self.stored[at[0][0]].shape[1] for name in maps if (at := places[name])), 0)

    @cached_property
    def share(self) -> tuple[int, int]:
        """How many threads share the call, and into how many parts of its own the batch is cut."""
        return threads_for(self.steps, self.batch, sum(t.numel() for t in self.stored))

    def _in_turns(self) -> int:
        _, partitions = self.share
        return 2 * partitions * max(self.library.most_rows, -(-self.batch // partitions))

    def room(self, *, training: bool) -> int:
        """How many numbers the tape has, with two that tell whether they were written over, and into how many parts the batch was cut. Without
        gradients each part needs two spans."""
        rows = self.steps * self.batch if training else self._in_turns()
        return rows * self.stride[training] + 2

    def tape(self, *, training: bool) -> Tensor:
        """Memory for the tape."""
        count = self.room(training=training)
        try:
            return tapes.empty(count, self.like)
        except RuntimeError:
            raise lack_of_memory(count * self.like.element_size()) from None

    def numbers(
        self,
        tape: Tensor,
        *,
        training: bool,
        outs: Sequence[Tensor] = (),
        finals: Sequence[Tensor] = (),
        d_outs: Sequence[Tensor] = (),
        d_finals: Sequence[Tensor] = (),
        d_x: Tensor | None = None,
        d_stored: Sequence[Tensor] = (),
        d_initial: Sequence[Tensor] = (),
    ) -> Any:
        """What the compiled code reads. The memory that it tells of is the call's and the caller's, who must keep both until the end."""
        numbers = self.library.numbers()
        numbers.threads, numbers.partitions = self.share
        numbers.steps, numbers.batch = self.steps, self.batch
        numbers.reverse, numbers.training = self.given.reverse, training
        numbers.lengths, numbers.resets, numbers.d_x = _at(self.lengths), _at(self.resets), _at(d_x)
        setattr(numbers, self.input, _at(self.x))
        numbers.tape, numbers.used = tape.data_ptr(), tape.data_ptr() + (tape.numel() - 2) * tape.element_size()
        numbers.size[:] = self.sizes
        self.binding.point(numbers, self.stored, self.left_out, self.sums)
        if d_stored:
            self.binding.point_back(numbers, d_stored)
        by_name = {"initial": self.initial, "out": outs, "final": finals, "d_out": d_outs, "d_final": d_finals, "d_initial": d_initial}
        for name, tensors in {**by_name, "row_vector": self.masks}.items():
            getattr(numbers, name)[: len(tensors)] = [_at(t) for t in tensors]
        return numbers

    def check(self, numbers: Any) -> None:
        """Raise for numbers that would lead outside the tensors. A layer looks before, but not where torch.compile has compiled it."""
        fault = self.library.fault(numbers) if self.looked_up or self.lengths is not None else 0
        if fault == 1:
            raise ShapeError(f"`lengths` must lie between 0 and T = {self.steps}. Pass the number of real steps of each sequence.")
        if fault == 2:
            most = self._inputs() - 1
            raise ShapeError(f"`x` of whole numbers must lie between 0 and input_size - 1 = {most}.")


def _at(tensor: Tensor | None) -> int:
    return 0 if tensor is None or not tensor.numel() else tensor.data_ptr()
