"""What a page says of the steps of a piece."""

import numpy as np

from unrolled.data.codecs.music import FrameCodec
from unrolled.data.music.piece import Piece
from unrolled.tasks.music.inspection_input import _of_frames, bars_of


def test_bars_of_frames_are_those_of_the_piece():
    piece = Piece(np.array([[0, 480, 60, 0]]), 480, 4800, (3, 4), pickup=480)
    found = _of_frames(FrameCodec(2), 16, *bars_of(piece))
    # What is read before a step is the frame before it: bars of six begin at the frames 2, 8 and 14.
    assert np.flatnonzero(found["the first step of such a bar"]).tolist() == [3, 9, 15]
    assert found["the position in bars of 3 quarter notes"][3:9].tolist() == [step / 6 for step in range(6)]
