"""What a network reads at each step: words, their shapes and the characters that spell them, numbers, or several of these side by side."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.cells import Cell
from unrolled.engines import read_lengths
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import Recurrent, dropout
from unrolled.models.convolution import ConvolutionalFrontEnd
from unrolled.models.embedding import Embedding
from unrolled.models.options import EncoderOptions
from unrolled.shapes import expect_shape


@dataclass(frozen=True)
class Spellings:
    """The characters of the distinct words of a batch, so that a word that comes often is composed once.

    `characters` are whole numbers `[S, W]`, a column for each of W distinct words, `lengths` `[W]` how many characters each has. `which`
    `[T, B]` says which of the W words stands at a step.
    """

    characters: Tensor
    lengths: Tensor
    which: Tensor

    def to(self, device: torch.device | str) -> "Spellings":
        """The same on a device."""
        return Spellings(self.characters.to(device), self.lengths.to(device), self.which.to(device))


@dataclass(frozen=True)
class Inputs:
    """A batch of padded sequences: `lengths` `[B]`, and at each step a word and its shape (whole numbers `[T, B]`), its spelling, and
    numbers `[T, B, C]`.

    What a network does not read is None. What stands past a sequence's end is never looked at.
    """

    lengths: Tensor
    words: Tensor | None = None
    spellings: Spellings | None = None
    numbers: Tensor | None = None
    shapes: Tensor | None = None

    def to(self, device: torch.device | str) -> "Inputs":
        """The same on a device."""
        parts = {name: getattr(self, name) for name in ("lengths", "words", "spellings", "numbers", "shapes")}
        return replace(self, **{name: part.to(device) for name, part in parts.items() if part is not None})


@dataclass(frozen=True)
class InputSizes:
    """What there is to read: a vocabulary of so many `words`, an alphabet of so many `characters`, so many channels of `numbers`, so many
    `shapes` of words; or 0.
    """

    words: int = 0
    characters: int = 0
    numbers: int = 0
    shapes: int = 0

    def __post_init__(self) -> None:
        sizes = (self.words, self.characters, self.numbers, self.shapes)
        if min(sizes) < 0 or not any(sizes):
            raise ConfigError(f"A network must read words, characters or numbers, got {self}. Give at least one of them.")


class InputLayer(nn.Module):
    """Everything that is known of a step, as one vector `[T, B, width]`, 0 past each end.

    Words, their shapes and characters are one-hot or learnt vectors, of which `dropout` drops parts in training; a bidirectional network
    reads a word's characters, and its two final states stand for the word (Ling et al. 2015, "Finding Function in Form"). Numbers are taken
    as they are. With `convolution` a `ConvolutionalFrontEnd` adds what stands around each step.
    Where one-hot words are all there is, they stay whole numbers `[T, B]`.

    Raises `ConfigError` for a size or probability that cannot be.
    """

    def __init__(self, sizes: InputSizes, options: EncoderOptions, cell: Cell) -> None:
        super().__init__()
        self.sizes, self.dropout = sizes, options.dropout
        dropped = (options.word_dropout, options.rare_dropout)
        self.words = Embedding(sizes.words, options.embedding, *dropped, options.freeze_vectors) if sizes.words else None
        self.spelling = CharacterEncoder(sizes.characters, options, cell) if sizes.characters else None
        self.shapes = Embedding(sizes.shapes, options.characters) if sizes.shapes else None
        columns = sizes.numbers + sum(part.width for part in (self.words, self.spelling, self.shapes) if part is not None)
        self.front_end = ConvolutionalFrontEnd(columns, options.convolution, options.dropout) if options.convolution else None
        self.width = columns if self.front_end is None else self.front_end.width

    @property
    def one_hot(self) -> bool:
        """Whether the result is whole numbers, which stand for one-hot vectors."""
        return self.words is not None and self.words.one_hot and self.width == self.words.width

    def forward(self, inputs: Inputs) -> Tensor:
        """`[T, B, width]`, or whole numbers `[T, B]`. Raises `ShapeError` if `inputs` lack what is to be read."""
        words, spellings, numbers, shapes = self._read(inputs)
        steps = next(part for part in (words, None if spellings is None else spellings.which, numbers, shapes) if part is not None)
        real = read_lengths(inputs.lengths, steps.shape[0], steps.shape[1], steps.device).mask
        if words is not None and self.words is not None:
            words = self.words.drop(words.masked_fill(~real, 0))
            if self.one_hot:
                return words
        learnt = [] if words is None or self.words is None else [self.words(words)]
        learnt += [] if spellings is None or self.spelling is None else [self.spelling(spellings, real)]
        learnt += [] if shapes is None or self.shapes is None else [self.shapes(shapes.masked_fill(~real, 0))]
        parts = [dropout(torch.cat(learnt, -1), self.dropout, self.training)] if learnt else []
        parts += [] if numbers is None else [numbers]
        x = torch.cat(parts, -1).masked_fill(~real[..., None], 0)
        return x if self.front_end is None else self.front_end(x, real)

    def _read(self, inputs: Inputs) -> tuple[Tensor | None, Spellings | None, Tensor | None, Tensor | None]:
        """The parts that this layer reads, None for the others."""
        found, sizes = {}, self.sizes
        kinds = (("words", sizes.words), ("spellings", sizes.characters), ("numbers", sizes.numbers), ("shapes", sizes.shapes))
        for name, size in kinds:
            found[name] = getattr(inputs, name) if size else None
            if size and found[name] is None:
                raise ShapeError(f"`inputs` have no {name}, which this network reads. Prepare them with the vocabulary of the network.")
        numbers = found["numbers"]
        if numbers is not None:
            expect_shape(
                "numbers", numbers.shape[2:], "[T, B, C] with [C]", [self.sizes.numbers], "Give the channels that were trained on."
            )
        return found["words"], found["spellings"], numbers, found["shapes"]


class CharacterEncoder(nn.Module):
    """A vector for each word, composed of its characters by a bidirectional recurrent network."""

    def __init__(self, characters: int, options: EncoderOptions, cell: Cell) -> None:
        super().__init__()
        self.characters = Embedding(characters, options.characters)
        self.recurrent = Recurrent(cell, self.characters.width, options.character_hidden, bidirectional=True, engine=options.engine)
        self.width = self.recurrent.output_size

    def forward(self, spellings: Spellings, real: Tensor) -> Tensor:
        """`[T, B, width]`, 0 where `real` `[T, B]` is false. A word without characters is the network's initial state."""
        characters = spellings.characters
        inside = read_lengths(spellings.lengths, characters.shape[0], characters.shape[1], characters.device).mask
        characters = characters.masked_fill(~inside, 0)
        x = characters if self.characters.one_hot else self.characters(characters)
        _, state = self.recurrent(x, lengths=spellings.lengths)
        composed = state[0].transpose(0, 1).flatten(1)
        # Row 0 is that of padding, which takes part in no gradient.
        composed = torch.cat([composed.new_zeros(1, self.width), composed])
        return functional.embedding((spellings.which + 1).masked_fill(~real, 0), composed, padding_idx=0)
