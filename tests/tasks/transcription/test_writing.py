"""The order in which recordings come, and files with times."""

import numpy as np
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
