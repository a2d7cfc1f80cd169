"""What is counted in music, and how it is heard."""

import io
import wave

import numpy as np
import pytest

from unrolled.data.music.piece import LOWEST, Piece
from unrolled.data.music.synthesis import RATE, write_wav
from unrolled.data.music.theory import key_of, parallel_fifths, share_in_key, to_common_key

MAJOR = [0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0]


def melody(pitches, **options):
    begins = np.arange(len(pitches))
    return Piece(np.stack([begins, begins + 1, np.array(pitches), 0 * begins], 1), 1, len(pitches), **options)


@pytest.mark.parametrize("up", range(12))
def test_the_key_of_a_scale_is_found_and_moved_to_c(up):
    piece = melody([60 + up + step for step in MAJOR])
    fifths, minor = key_of(piece)
    assert (7 * fifths - up) % 12 == 0 and not minor and -5 <= fifths <= 6
    assert key_of(piece.transposed(to_common_key(piece))) == (0, False) and -5 <= to_common_key(piece) <= 6


def test_a_minor_scale_is_minor_and_a_written_key_goes_first():
    scale = [69, 71, 72, 74, 76, 77, 80, 81, 76, 72, 69]
    assert key_of(melody(scale)) == (0, True) and share_in_key(melody(scale)) == 1
    assert key_of(melody(scale, fifths=3)) == (3, False)


def test_the_share_in_key_is_that_of_notes():
    assert share_in_key(melody([60, 62, 64, 66], fifths=0)) == 0.75


def chord(*pitches):
    frame = np.zeros(88, np.uint8)
    frame[np.array(pitches) - LOWEST] = 1
    return frame


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ((48, 55, 64, 72), (50, 57, 65, 74), 1),
        ((48, 55, 64, 72), (50, 57, 65, 69), 1),
        ((48, 55, 64, 72), (48, 55, 65, 74), 0),
        ((48, 55, 64, 72), (47, 55, 62, 74), 0),
        ((48, 55, 64, 72), (46, 53, 65, 71), 1),
        ((50, 57, 76, 81), (48, 67, 77, 84), 0),
        ((48, 60, 67, 72), (50, 59, 69, 74), 1),
        ((48, 55, 64), (50, 57, 65), 0),
    ],
)
def test_parallel_fifths_are_counted(first, second, count):
    assert parallel_fifths(np.stack([chord(*first), chord(*first), chord(*second)])) == count


def test_a_note_sounds_at_its_frequency_while_it_lasts():
    file = io.BytesIO()
    # Two quarter notes of half a second each, and then one of a whole second.
    write_wav(Piece(np.array([[2, 3, 69, 0]]), 1, 4, tempos=((0, 120.0), (2, 60.0))), file)
    file.seek(0)
    with wave.open(file) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
        heard = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)
    assert len(heard) >= 3 * RATE and not heard[:RATE].any() and not heard[int(2.1 * RATE) :].any()
    assert np.abs(np.fft.rfft(heard[RATE : 2 * RATE])).argmax() == 440 and 28_000 < np.abs(heard).max() < 32_767
