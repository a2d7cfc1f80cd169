"""Recordings and pictures that cannot be read are left out ahead, if that is asked for."""

import numpy as np
import pytest

from pictures import save
from tones import tone, write
from unrolled.data.examples import Example
from unrolled.data.pictures.clips import Clip
from unrolled.data.sound.recordings import Recording
from unrolled.errors import UnrolledWarning
from unrolled.tasks.sequences.ahead import readable


def test_what_cannot_be_read_is_left_out_and_counted(tmp_path):
    (tmp_path / "b.wav").write_bytes(b"no")
    (tmp_path / "b.png").write_bytes(b"no")
    write(tmp_path / "a.wav", tone(440, 0.1))
    save(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    examples = [Example(f"{name}.wav", sound=Recording(tmp_path / f"{name}.wav")) for name in "ba"]
    examples += [Example(f"{name}.png", clip=Clip(tmp_path / f"{name}.png")) for name in "ab"]
    with pytest.warns(UnrolledWarning, match=r"2 bad rows are left out. The first: b\.wav: .*cannot be read as sound"):
        assert [example.place for example in readable(iter(examples), "skip")] == ["a.wav", "a.png"]
    assert [*readable(examples, "error")] == examples
