"""The order in which recordings come, and files with times."""

import numpy as np
import pytest
import torch

from unrolled.tasks.recipes.transcribe import ShortFirst
from unrolled.tasks.transcription.transcript import Timed, Transcript
from unrolled.tasks.transcription.writing import captions, srt, textgrid, vtt


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


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 0.5), (0.5, 1)], ["a", "b"]),
        ([(0, 0.5), (0.5002, 0.9998)], ["a", "b"]),
        ([(0.25, 0.5), (0.5, 1)], ["", "a", "b"]),
        ([(0, 0.5), (0.51, 0.98)], ["a", "", "b", ""]),
        ([], [""]),
    ],
)
def test_no_interval_of_a_grid_is_without_length(spans, expected):
    words = tuple(Timed(text, begin, end, 0.5) for text, (begin, end) in zip("ab", spans, strict=False))
    tier = textgrid(Transcript("", 0.0, 0.0, 1.0, words, (), 1.0)).split('name = "symbols"')[0].split('name = "words"')[1]
    begins, ends, texts = (
        [line.split()[-1] for line in tier.splitlines() if line.strip().startswith(name)] for name in ("xmin", "xmax", "text")
    )
    # The first of each is that of the tier.
    assert [text.strip('"') for text in texts] == expected
    assert all(float(begin) < float(end) for begin, end in zip(begins, ends, strict=True))
