"""Recordings varied in training, and the order in which they come."""

import numpy as np
import pytest
import torch

from unrolled.data.batches import Batch
from unrolled.models import NUMBERS
from unrolled.tasks.recipes.transcribe import ShortFirst
from unrolled.tasks.transcription.augment import varied
from unrolled.tasks.transcription.options import TranscribeBatchOptions
from unrolled.tasks.transcription.transcript import Timed, Transcript
from unrolled.tasks.transcription.writing import captions, srt, textgrid, vtt

LENGTHS = torch.tensor([40, 25, 3])
NOTHING = {"speed": 0.0, "noise": 0.0, "time_masks": 0, "frequency_masks": 0}


def changed(room=0, **options):
    torch.manual_seed(0)
    x = torch.arange(40.0)[:, None, None] + torch.zeros(40, 3, 6)
    x = (x + 1) * (torch.arange(40)[:, None] < LENGTHS)[..., None]
    batch = Batch({NUMBERS: x}, LENGTHS, torch.ones(2, 3), torch.tensor([2, 2, 2]))
    found = varied(TranscribeBatchOptions(**{**NOTHING, **options}), lambda batch: torch.full((3,), room))(batch)
    return x, found[NUMBERS], found.lengths


def test_without_options_nothing_changes():
    x, y, lengths = changed()
    assert torch.equal(x, y) and torch.equal(lengths, LENGTHS)


@pytest.mark.parametrize("count", [1, 3])
def test_stretches_of_time_are_blanked_in_all_bands(count):
    x, y, _ = changed(time_masks=count, time_width=5)
    hidden = (y == 0) & (x != 0)
    assert torch.equal(hidden.any(-1), hidden.all(-1)) and hidden.any()
    assert (hidden[..., 0].sum(0) <= torch.minimum(LENGTHS, torch.tensor(5)) * count).all()
    assert torch.equal(y[~hidden], x[~hidden])


def test_bands_are_blanked_at_all_times():
    x, y, _ = changed(frequency_masks=1, frequency_width=0.5)
    hidden = ((y == 0) & (x != 0))[0]
    assert torch.equal(((y == 0) & (x != 0))[:3].all(0), hidden) and (hidden.sum(1) <= 3).all() and hidden.any()


def test_other_speeds_keep_both_ends_and_the_room_that_a_text_needs():
    x, y, lengths = changed(speed=0.5)
    assert (lengths != LENGTHS).any() and ((lengths >= (LENGTHS / 1.5).floor()) & (lengths <= LENGTHS * 2)).all()
    for row, (before, after) in enumerate(zip(LENGTHS.tolist(), lengths.tolist(), strict=True)):
        expected = np.interp(np.linspace(0, before - 1, after), np.arange(before), x[:before, row, 0].numpy())
        assert np.allclose(y[:after, row, 0], expected, atol=1e-4)
    assert changed(room=30, speed=0.5)[2].min() >= 30


def test_noise_has_its_deviation():
    x, y, _ = changed(noise=0.5)
    assert abs(float((y - x).std()) - 0.5) < 0.05


def test_the_first_epochs_go_from_short_to_long():
    order = lambda chance: [*range(20)] if chance is None else chance.permutation(20).tolist()  # noqa: E731
    learner = ShortFirst(torch.nn.Linear(1, 1), order, np.ones(20), lambda which: which, 0, epochs=2)
    orders = []
    for epoch in range(4):
        learner.begin(epoch)
        orders.append(learner.order)
    assert orders[:2] == [[*range(20)]] * 2 and orders[2] != orders[3]


WORDS = tuple(Timed(text, begin, begin + 0.3, 0.5) for text, begin in (("hello", 0.5), ("there", 1.0), ("again", 3661.2)))
SAID = Transcript("hello there again", 0.0, 0.0, 1.0, WORDS, WORDS, 3662.0)


def test_subtitles_break_at_pauses():
    assert [[word.text for word in group] for group in captions(WORDS)] == [["hello", "there"], ["again"]]
    assert srt(SAID) == "1\n00:00:00,500 --> 00:00:01,300\nhello there\n\n2\n01:01:01,200 --> 01:01:01,500\nagain\n"
    assert vtt(SAID) == "WEBVTT\n\n00:00:00.500 --> 00:00:01.300\nhello there\n\n01:01:01.200 --> 01:01:01.500\nagain\n"


def test_a_grid_covers_all_of_the_time():
    lines = [line.strip() for line in textgrid(SAID).splitlines()]
    begin, end = ([float(line.split()[-1]) for line in lines if line.startswith(name)] for name in ("xmin", "xmax"))
    words = slice(2, 2 + (len(begin) - 3) // 2)
    assert begin[words][0] == 0 and end[words][-1] == 3662 and begin[words][1:] == end[words][:-1]
