"""What is looked into: a copy of the network that stands still, the vectors that its recurrent layers read, and what reads theirs."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from unrolled.data.batches import Batch
from unrolled.engines import Lengths, read_lengths
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import Recurrent
from unrolled.layers.checks import arrange, check_range
from unrolled.models import WORDS, Arrangement, Encoder, Pooling

Looked = Recurrent | Encoder | Arrangement
"""What can be looked into: a layer, or a network, of which that is its encoder."""

Input = Tensor | PackedSequence | Batch
SomeLengths = Tensor | Sequence[int] | None
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class Subject:
    """A network, standing still in double precision, with an input.

    `layer` are the recurrent layers and `x` `[T, B, I]` what they read: numbers, the vectors of symbols, or, where those have none, one-hot
    vectors. `lengths` are those of all rows, and `resets` `[T, B]` where lines begin anew, or None. `head` makes the scores of a model out of
    each step's output, or of `pooling`'s vector where there is one; both are None where there are none.
    """

    model: nn.Module
    layer: Recurrent
    x: Tensor
    lengths: Lengths
    resets: Tensor | None = None
    head: nn.Linear | None = None
    pooling: Pooling | None = None

    @property
    def causal(self) -> bool:
        """Whether no step knows of the steps after it."""
        return not self.layer.bidirectional


def recurrent_of(looked: Looked) -> Recurrent:
    """The recurrent layers that are looked into. `ConfigError` for a network that has none."""
    layers = looked if isinstance(looked, Recurrent) else looked.recurrent
    if layers is None:
        raise ConfigError("This network was built with `layers=0`: it has no recurrent layers, and nothing to look into.")
    return layers


def still(model: M) -> M:
    """A copy that drops nothing, learns nothing and computes in double precision.

    A derivative over hundreds of steps leaves the range of single precision long before it means nothing. torch's own kernels do not give
    every state, so that other engines take their place.
    """
    copied = copy.deepcopy(model).eval().requires_grad_(False)
    layers = [m for m in copied.modules() if isinstance(m, Recurrent)]
    for layer in layers:
        layer.engine = "auto" if layer.engine == "torch" else layer.engine
    for layer in (m for m in layers if m.bfloat16_weights):
        for (number, direction), name in (
            (p, q.name) for p in layer.places for q in layer.cell.recurrence.parameters if q.is_matrix and q.made is None
        ):
            block = layer.block(name, number, bool(direction))
            block.copy_(block.bfloat16())
        layer.bfloat16_weights = False
    return copied.double()


def read_subject(looked: Looked, x: Input, lengths: SomeLengths = None) -> Subject:
    """Any layer or model with any input that it takes.

    A layer takes what it takes when it is called; a network takes a `Batch`, which has its own lengths, or, where it reads symbols, whole
    numbers `[T, B]` or `[T]`. Raises `ConfigError` for what is none of these, `ShapeError` for an input that does not fit.
    """
    if not isinstance(looked, Looked):
        raise ConfigError(
            f"A {type(looked).__name__} cannot be looked into. Pass a Recurrent layer or a model of unrolled; of what `load` gives, its `.model`."
        )
    model = still(looked)
    with torch.no_grad():
        return _of_layer(model, x, lengths) if isinstance(model, Recurrent) else _of_network(model, x, lengths)


def _of_layer(layer: Recurrent, x: Any, lengths: SomeLengths) -> Subject:
    x, _, packed = arrange(x, layer.batch_first, layer.input_size)
    layer.batch_first = False
    return _subject(layer, layer, x, lengths if packed is None else packed)


def _of_network(model: Encoder | Arrangement, x: Any, lengths: SomeLengths) -> Subject:
    layer = recurrent_of(model)
    encoder = model.encoder if isinstance(model, Arrangement) else model
    if isinstance(x, Tensor) and encoder.inputs.words is not None:
        symbols = _symbols(x, encoder.inputs.words.symbols, lengths)
        x = Batch({WORDS: symbols}, _read(lengths, symbols).values)
    if not isinstance(x, Batch):
        raise ConfigError(f"This network reads a `Batch`, got {type(x).__name__}. Pass whole numbers [T, B] of its words, or a `Batch`.")
    resets = model.resets_of(x) if isinstance(model, Arrangement) else x.resets
    vectors, _ = encoder.read(Batch(x.fields, x.lengths, resets=resets))
    head, pooling = getattr(model, "linear", None), getattr(model, "pooling", None)
    lengths = None if x.lengths is None else encoder.output_lengths(x.lengths)
    return _subject(model, layer, vectors, lengths, resets=resets, head=head, pooling=pooling)


def _symbols(x: Any, size: int, lengths: SomeLengths) -> Tensor:
    """Whole numbers `[T, B]` below `size`; 0 past each end."""
    if isinstance(x, Tensor) and x.is_floating_point():
        raise ConfigError(f"This network reads whole numbers [T, B], got {x.dtype}. Pass the ids of its symbols.")
    symbols, _, _ = arrange(x, False, size)
    real = _read(lengths, symbols)
    check_range(symbols, real, size)
    return symbols.long().masked_fill(~real.mask, 0)


def _read(lengths: SomeLengths, x: Tensor) -> Lengths:
    steps, batch = x.shape[:2]
    return read_lengths([steps] * batch if lengths is None else lengths, steps, batch, x.device)


def _subject(model: nn.Module, layer: Recurrent, x: Tensor, lengths: SomeLengths, **more: Any) -> Subject:
    if not x.shape[0] or not x.shape[1]:
        raise ShapeError(f"`x` must have at least one step and one sequence, got {list(x.shape)}. There is nothing to look into.")
    read = _read(lengths, x)
    x = x.double() if x.is_floating_point() else x
    layer(x[:0])  # raises what the layer has to say of the input
    if not x.is_floating_point():
        check_range(x, read, layer.input_size)
        x = functional.one_hot(x.long().masked_fill(~read.mask, 0), layer.input_size).double()
    x = x.detach().masked_fill(~read.mask[..., None], 0)
    for step, row, column in (~x.isfinite()).nonzero()[:1].tolist():
        raise ConfigError(
            f"What is read must be finite, got {x[step, row, column].item()} at step {step} of sequence {row}. Replace what is missing in `x`, or look "
            "at a network whose weights are finite."
        )
    return Subject(model, layer, x, read, **more)
