"""A small batch with words, spellings, numbers and shapes, and what stands past the ends as bad as can be."""

import dataclasses
import math

import torch

from unrolled.models import EncoderOptions, Inputs, InputSizes, Spellings

WORDS, LETTERS, CHANNELS, SHAPES = 7, 5, 3, 4
SIZES = InputSizes(WORDS, LETTERS, CHANNELS, SHAPES)
LENGTHS = (4, 0, 1, 3)
SPELT = ([1, 2, 3], [4], [2, 2, 4, 1], [], [3, 1])
"""The characters of the distinct words."""

OPTIONS = EncoderOptions(hidden=5, embedding=4, characters=3, character_hidden=2, dropout=0.0, word_dropout=0.0)


def batch_of(lengths=LENGTHS, dtype=torch.float64, poison=True):
    """Inputs of all kinds; poisoned padding holds NaN and whole numbers that no vocabulary has."""
    torch.manual_seed(3)
    steps, batch = max(lengths), len(lengths)
    real = torch.arange(steps)[:, None] < torch.tensor(lengths)
    bad, nan = (-9, math.nan) if poison else (0, 0.0)
    characters = torch.full((4, len(SPELT)), bad)
    for word, spelt in enumerate(SPELT):
        characters[: len(spelt), word] = torch.tensor(spelt, dtype=torch.long)
    spellings = Spellings(
        characters, torch.tensor([len(s) for s in SPELT]), torch.randint(len(SPELT), (steps, batch)).masked_fill(~real, bad)
    )
    words = torch.randint(WORDS, (steps, batch)).masked_fill(~real, bad)
    numbers = torch.randn(steps, batch, CHANNELS, dtype=dtype).masked_fill(~real[..., None], nan)
    shapes = torch.randint(SHAPES, (steps, batch)).masked_fill(~real, bad)
    return Inputs(torch.tensor(lengths), words, spellings, numbers, shapes)


def one_of(inputs, row):
    """One sequence of a batch by itself, without padding."""
    steps = int(inputs.lengths[row])
    spellings = inputs.spellings and dataclasses.replace(inputs.spellings, which=inputs.spellings.which[:steps, row : row + 1])
    parts = (part if part is None else part[:steps, row : row + 1] for part in (inputs.words, inputs.numbers, inputs.shapes))
    words, numbers, shapes = parts
    return Inputs(inputs.lengths[row : row + 1], words, spellings, numbers, shapes)
