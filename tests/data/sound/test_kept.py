"""Frames that are found again."""

import os
import zipfile

import numpy as np
import pytest

from tones import tone, write
from unrolled.data.codecs.sound import RECORDING, SoundCodec
from unrolled.data.sound.hearing import Hearing
from unrolled.data.sound.recordings import Recording
from unrolled.data.sound.spectrogram import MelOptions
from unrolled.errors import DataError, UnrolledWarning

CODEC = SoundCodec(MelOptions(8000, 20))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Two recordings, the second one of silence, and an empty cache."""
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))
    return [Recording(write(tmp_path / f"{name}.wav", tone(400, 0.3) * size)) for name, size in (("a", 1), ("b", 0))]


@pytest.fixture
def read(monkeypatch):
    """The recordings whose samples are read."""
    from unrolled.data.sound import hearing  # noqa: PLC0415

    found, plain = [], hearing.read_samples
    monkeypatch.setattr(hearing, "read_samples", lambda recording, rate: found.append(recording) or plain(recording, rate))
    return found


def hearing_of(recordings, codec=CODEC):
    found = Hearing(codec)
    found.keep(dict.fromkeys(recordings, "it"))
    return found


def entries(here):
    return sorted((here[0].path.parent / "cache").glob("sound-*"))


def test_what_was_heard_once_is_not_heard_again(here, read):
    plain = [Hearing(CODEC)(one) for one in here]
    hearing_of(here)
    read.clear()
    again = hearing_of([*here, here[0]])
    assert all(np.array_equal(again(one), frames) for one, frames in zip(here, plain, strict=True)) and not read
    with pytest.warns(UnrolledWarning, match=r"b\.wav is silent"):
        again.report()


@pytest.mark.parametrize(
    "change",
    [
        lambda here: write(here[0].path, tone(500, 0.3)),
        lambda here: here.reverse(),
        lambda here: here.append(Recording(here[0].path, None, 0.1, 0.2)),
    ],
)
def test_other_sound_is_heard(here, read, change):
    hearing_of(here)
    change(here)
    read.clear()
    found = hearing_of(here)
    assert len(read) == len(here) and len(entries(here)) == 2
    assert np.array_equal(found(here[0]), Hearing(CODEC)(here[0]))


@pytest.mark.parametrize("codec", [SoundCodec(MelOptions(8000, 21)), SoundCodec(MelOptions(8000, 20), RECORDING)])
def test_what_is_heard_otherwise_is_kept_apart(here, codec):
    hearing_of(here)
    assert np.array_equal(hearing_of(here, codec)(here[0]), Hearing(codec)(here[0])) and len(entries(here)) == 2


def test_the_same_sound_elsewhere_is_known(here, read, tmp_path):
    hearing_of(here)
    os.rename(here[0].path, tmp_path / "c.wav")
    read.clear()
    hearing_of([Recording(tmp_path / "c.wav"), here[1]])
    assert not read


def test_what_is_damaged_is_heard_again(here, read):
    hearing_of(here)
    (entry,) = entries(here)
    raw = bytearray((entry / "frames").read_bytes())
    raw[5] ^= 1
    (entry / "frames").write_bytes(raw)
    read.clear()
    assert np.array_equal(hearing_of(here)(here[0]), Hearing(CODEC)(here[0])) and len(read) == 3


def test_members_of_archives_are_known_by_their_content(tmp_path, here, read):
    archive = tmp_path / "a.zip"
    for name in ("a", "b"):
        with zipfile.ZipFile(archive, "w") as file:
            file.write(here["ab".index(name)].path, "x.wav")
        hearing_of([Recording(archive, "x.wav")])
        assert len(read) == "ab".index(name) + 1
    with pytest.raises(DataError, match="has no file"):
        hearing_of([Recording(archive, "y.wav")])
    assert len(entries(here)) == 2


def test_parts_of_one_file_are_no_other_parts(here):
    first, other = (Recording(here[0].path, None, begin, begin + 0.1) for begin in (0.0, 0.15))
    hearing_of([first])
    assert hearing_of([other])(other).shape and len(entries(here)) == 2
