"""What is looked into: a copy of the network that stands still, the vectors that its recurrent layers read, and what reads theirs."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from unrolled.engines import Lengths, read_lengths
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import Recurrent
from unrolled.layers.checks import arrange, check_range
from unrolled.models import Classifier, Encoder, EncoderDecoder, Inputs, LanguageModel, Pooling, Tagger

Looked = Recurrent | LanguageModel | Encoder | Classifier | Tagger | EncoderDecoder
"""What can be looked into; of an encoder-decoder that is its encoder."""

Input = Tensor | PackedSequence | Inputs
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
    """The recurrent layers that are looked into."""
    if isinstance(looked, Recurrent):
        return looked
    return looked.recurrent if isinstance(looked, (LanguageModel, Encoder)) else looked.encoder.recurrent


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
        for (number, direction), name in ((p, q.name) for p in layer.places for q in layer.cell.recurrence.parameters if q.is_matrix):
            block = layer.block(name, number, bool(direction))
            block.copy_(block.bfloat16())
        layer.bfloat16_weights = False
    return copied.double()


def read_subject(looked: Looked, x: Input, lengths: SomeLengths = None) -> Subject:
    """Any layer or model with any input that it takes.

    A layer takes what it takes when it is called; a language model and an encoder-decoder take whole numbers `[T, B]` or `[T]`; networks of labels
    take `Inputs`, which have their own lengths. Raises `ConfigError` for what is none of these, `ShapeError` for an input that does not fit.
    """
    if not isinstance(looked, Looked):
        raise ConfigError(
            f"A {type(looked).__name__} cannot be looked into. Pass a Recurrent layer or a model of unrolled; of what `load` gives, its `.model`."
        )
    model = still(looked)
    with torch.no_grad():
        if isinstance(model, Recurrent):
            return _of_layer(model, x, lengths)
        if isinstance(model, LanguageModel):
            return _of_language_model(model, x, lengths)
        return _of_encoder(model, x, lengths)


def _of_layer(layer: Recurrent, x: Any, lengths: SomeLengths) -> Subject:
    x, _, packed = arrange(x, layer.batch_first, layer.input_size)
    layer.batch_first = False
    return _subject(layer, layer, x, lengths if packed is None else packed)


def _of_language_model(model: LanguageModel, x: Any, lengths: SomeLengths) -> Subject:
    symbols = _symbols(x, model.symbols, lengths)
    resets = None if model.line_end is None else symbols == model.line_end
    return _subject(model, model.recurrent, model.vectors(symbols), lengths, resets=resets, head=model.output)


def _of_encoder(model: Encoder | Classifier | Tagger | EncoderDecoder, x: Any, lengths: SomeLengths) -> Subject:
    encoder = model if isinstance(model, Encoder) else model.encoder
    if isinstance(x, Tensor) and encoder.inputs.words is not None:
        symbols = _symbols(x, encoder.inputs.words.symbols, lengths)
        x = Inputs(_read(lengths, symbols).values, words=symbols)
    if not isinstance(x, Inputs):
        raise ConfigError(f"This network reads `Inputs`, got {type(x).__name__}. Pass whole numbers [T, B] of its words, or `Inputs`.")
    head = model.linear if isinstance(model, (Classifier, Tagger)) else None
    pooling = model.pooling if isinstance(model, Classifier) else None
    return _subject(model, encoder.recurrent, encoder.inputs(x), x.lengths, head=head, pooling=pooling)


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
