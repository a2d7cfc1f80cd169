"""What a network reads at each step: words, their shapes and the characters that spell them, numbers, or several of these side by side."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.cells import Cell
from unrolled.data.batches import Batch, Spellings
from unrolled.engines import Lengths, read_lengths
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import Recurrent, dropout
from unrolled.models.convolution import ConvolutionalFrontEnd
from unrolled.models.embedding import Embedding
from unrolled.models.frames import FrameNetwork
from unrolled.models.grid import GridNetwork
from unrolled.models.options import EncoderOptions
from unrolled.shapes import expect_shape

WORDS, SPELLINGS, SHAPES, NUMBERS, FRAMES = "words", "spellings", "shapes", "numbers", "frames"
"""The fields of a batch that networks read."""


@dataclass(frozen=True)
class InputSizes:
    """What there is to read: a vocabulary of so many `words`, an alphabet of so many `characters`, so many channels of `numbers`, so many
    `shapes` of words; or 0; and `frames` of `(C, H, W)`, or none.
    """

    words: int = 0
    characters: int = 0
    numbers: int = 0
    shapes: int = 0
    frames: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        sizes = (self.words, self.characters, self.numbers, self.shapes)
        if min(sizes) < 0 or not any((*sizes, *self.frames)):
            raise ConfigError(f"A network must read words, characters, numbers or frames, got {self}. Give at least one of them.")

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are read."""
        sizes = {WORDS: self.words, SPELLINGS: self.characters, SHAPES: self.shapes, NUMBERS: self.numbers, FRAMES: len(self.frames)}
        return tuple(name for name, size in sizes.items() if size)


class InputLayer(nn.Module):
    """Everything that is known of a step, as one vector `[T, B, width]`, 0 past each end.

    Words, their shapes and characters are one-hot or learnt vectors, of which parts are dropped in training; a bidirectional network
    reads a word's characters, and its two final states stand for the word (Ling et al. 2015, "Finding Function in Form"). Numbers are taken
    as they are, and a `FrameNetwork` makes a vector of each frame, or a `GridNetwork` `places` steps. With `convolution` a `ConvolutionalFrontEnd` adds what stands around each step.
    Where one-hot words are all there is, they stay whole numbers `[T, B]`.

    Args:
        sizes: what there is to read.
        options: how.
        cell: that of the network that reads the characters.
        words: taken in the place of embeddings of its own.

    Raises `ConfigError` for a size or probability that cannot be.
    """

    def __init__(self, sizes: InputSizes, options: EncoderOptions, cell: Cell, words: Embedding | None = None) -> None:
        super().__init__()
        self.sizes, self.dropout = sizes, options.input_dropped
        if words is None and sizes.words:
            dropped = (options.word_dropout, options.rare_dropout)
            words = Embedding(sizes.words, options.embedding, *dropped, options.freeze_vectors)
        self.words = words
        self.spelling = CharacterEncoder(sizes.characters, options, cell) if sizes.characters else None
        self.shapes = Embedding(sizes.shapes, options.characters) if sizes.shapes else None
        self.frames = frame_network(sizes, options, cell)
        self.places = self.frames.places if isinstance(self.frames, GridNetwork) else 1
        if self.places > 1 and len(sizes.fields) > 1:
            raise ConfigError(f"`grid={options.grid}` makes many steps of a frame, beside which nothing else can be read, got {sizes}.")
        columns = sizes.numbers + sum(part.width for part in (self.words, self.spelling, self.shapes, self.frames) if part is not None)
        self.front_end = ConvolutionalFrontEnd(columns, options.convolution, options.dropout) if options.convolution else None
        self.width = columns if self.front_end is None else self.front_end.width

    @property
    def one_hot(self) -> bool:
        """Whether the result is whole numbers, which stand for one-hot vectors."""
        return self.words is not None and self.words.one_hot and self.width == self.words.width

    def forward(self, batch: Batch) -> Tensor:
        """`[T, B, width]`, or whole numbers `[T, B]`; of a grid `[T * places, B, width]`. Raises `ShapeError` if the batch lacks what is to be read."""
        self._require(batch)
        real = real_steps(batch)
        mask = None if real is None else real.mask
        if isinstance(self.frames, GridNetwork):
            found: Tensor = self.frames(batch[FRAMES], mask)
            return found
        if self.words is not None:
            words = self.words.drop(_clean(batch[WORDS], mask))
            if self.one_hot:
                return words
        learnt = [] if self.words is None else [self.words(words)]
        if self.spelling is not None:
            spellings = batch.fields[SPELLINGS]
            assert isinstance(spellings, Spellings)
            learnt.append(self.spelling(spellings, mask))
        learnt += [] if self.shapes is None else [self.shapes(_clean(batch[SHAPES], mask))]
        parts = [dropout(torch.cat(learnt, -1) if len(learnt) > 1 else learnt[0], self.dropout, self.training)] if learnt else []
        parts += [batch[NUMBERS]] if self.sizes.numbers else []
        parts += [] if self.frames is None else [self.frames(batch[FRAMES], mask)]
        x = _clean(torch.cat(parts, -1) if len(parts) > 1 else parts[0], mask)
        return x if self.front_end is None else self.front_end(x, mask)

    def _require(self, batch: Batch) -> None:
        for name in self.sizes.fields:
            if name not in batch.fields:
                raise ShapeError(f"The batch has no field {name!r}, which this network reads. Prepare it with the codecs of the network.")
        if self.sizes.numbers:
            found = batch[NUMBERS].shape[2:]
            expect_shape("numbers", found, "[T, B, C] with [C]", [self.sizes.numbers], "Give the channels that were trained on.")
        if self.sizes.frames:
            expect_shape("frames", batch[FRAMES].shape[2:], "[T, B, C, H, W] with [C, H, W]", list(self.sizes.frames), "Scale them.")


def frame_network(sizes: InputSizes, options: EncoderOptions, cell: Cell) -> FrameNetwork | GridNetwork | None:
    """What reads frames, if there are some; `cell` is the one that reads the rows of a grid."""
    if not sizes.frames:
        return None
    channels, height, width = sizes.frames
    shape = (channels, height, width)
    if options.grid:
        return GridNetwork(shape, options.filters, options.frame_features, options.grid, options.dropout, cell if options.rows else None)
    return FrameNetwork(shape, options.filters, options.frame_features, options.frame_pooling, options.dropout)


def real_steps(batch: Batch) -> Lengths | None:
    """The checked lengths of a batch; None where all steps are real."""
    first = next(iter(batch.fields.values()))
    device = first.which.device if isinstance(first, Spellings) else first.device
    return None if batch.lengths is None else read_lengths(batch.lengths, *batch.shape, device)


class CharacterEncoder(nn.Module):
    """A vector for each word, composed of its characters by a bidirectional recurrent network."""

    def __init__(self, characters: int, options: EncoderOptions, cell: Cell) -> None:
        super().__init__()
        self.characters = Embedding(characters, options.characters)
        self.recurrent = Recurrent(cell, self.characters.width, options.character_hidden, bidirectional=True, engine=options.engine)
        self.width = self.recurrent.output_size

    def forward(self, spellings: Spellings, real: Tensor | None) -> Tensor:
        """`[T, B, width]`, 0 where `real` `[T, B]` is false. A word without characters is the network's initial state."""
        characters = spellings.characters
        inside = read_lengths(spellings.lengths, characters.shape[0], characters.shape[1], characters.device).mask
        characters = characters.masked_fill(~inside, 0)
        x = characters if self.characters.one_hot else self.characters(characters)
        _, state = self.recurrent(x, lengths=spellings.lengths)
        composed = state[0].transpose(0, 1).flatten(1)
        # Row 0 is that of padding, which takes part in no gradient.
        composed = torch.cat([composed.new_zeros(1, self.width), composed])
        return functional.embedding(_clean(spellings.which + 1, real), composed, padding_idx=0)


def _clean(x: Tensor, real: Tensor | None) -> Tensor:
    """0 where `real` `[T, B]` is false."""
    return x if real is None else x.masked_fill(~real.view(*real.shape, *[1] * (x.dim() - 2)), 0)
