"""A small batch with words, spellings, shapes and numbers, and what stands past the ends as bad as can be."""

import dataclasses
import math

import torch

from unrolled.data.batches import Batch, Spellings
from unrolled.models import EncoderOptions, InputSizes

WORDS, LETTERS, CHANNELS, SHAPES = 7, 5, 3, 4
SIZES = InputSizes(WORDS, LETTERS, CHANNELS, SHAPES)
LENGTHS = (4, 0, 1, 3)
SPELT = ([1, 2, 3], [4], [2, 2, 4, 1], [], [3, 1])
"""The characters of the distinct words."""

OPTIONS = EncoderOptions(hidden=5, embedding=4, characters=3, character_hidden=2, dropout=0.0, word_dropout=0.0)


def batch_of(lengths=LENGTHS, dtype=torch.float64, poison=True):
    """Fields of all kinds; poisoned padding holds NaN and whole numbers that no vocabulary has."""
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
    return Batch({"words": words, "spellings": spellings, "shapes": shapes, "numbers": numbers}, torch.tensor(lengths))


def with_fields(batch, **fields):
    """The same batch with other fields in the place of those of these names."""
    return dataclasses.replace(batch, fields={**batch.fields, **fields})


def steps_of(batch, start, stop, rows=slice(None)):
    """The steps `start` to `stop - 1` of some rows, with as much of their lengths as lies there."""
    fields = {
        name: dataclasses.replace(field, which=field.which[start:stop, rows]) if isinstance(field, Spellings) else field[start:stop, rows]
        for name, field in batch.fields.items()
    }
    return Batch(fields, (batch.lengths[rows] - start).clamp(0, stop - start))


def one_of(batch, row):
    """One sequence of a batch by itself, without padding."""
    return steps_of(batch, 0, int(batch.lengths[row]), slice(row, row + 1))
