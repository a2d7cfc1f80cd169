"""Samples of recordings, whatever they are written as."""

import io
import struct
import zipfile

import numpy as np
import pytest
import soundfile
import torch

from tones import RATE, tone, write
from unrolled.data.sound.recordings import Recording, Resampler, is_cut_off, members, read_samples
from unrolled.data.sound.waves import Wave, is_wave
from unrolled.errors import DataError

WAVE = tone(440, 0.5)


def heard(recording, rate=RATE):
    return np.concatenate(list(read_samples(recording, rate)))


@pytest.mark.parametrize(("end", "bound"), [("wav", 2**-15), ("flac", 2**-15), ("ogg", 0.05), ("mp3", 0.05)])
def test_what_was_written_is_read(tmp_path, end, bound):
    found = heard(Recording(write(tmp_path / f"x.{end}", WAVE)))
    # Lossy kinds begin a little late or go on a little longer.
    middle = slice(2000, 3000)
    apart = (
        min(np.abs(np.roll(found, shift)[: len(WAVE)][middle] - WAVE[middle]).max() for shift in range(-20, 20)) if end == "mp3" else None
    )
    assert (np.abs(found[middle] - WAVE[middle]).max() if apart is None else apart) <= bound


def test_channels_become_their_mean(tmp_path):
    both = np.stack([WAVE, -WAVE / 2], 1)
    assert np.allclose(heard(Recording(write(tmp_path / "x.wav", both))), WAVE / 4, atol=2**-15)


def test_samples_in_memory_are_what_a_file_of_them_has(tmp_path):
    noise = np.random.default_rng(0).integers(-(2**15), 2**15, (80_000, 2), np.int16)
    for rate in (RATE, 16000):
        filed = heard(Recording(write(tmp_path / "x.wav", noise, rate)))
        for given in ((noise, rate), (noise.T, rate), (torch.from_numpy(noise.T / np.float32(2**15)), np.int64(rate))):
            assert is_wave(given) and np.array_equal(heard(Wave.of(given, "it")), filed)
    assert np.array_equal(
        Wave.of({"array": [0.5, 0.25], "sampling_rate": 8000.0, "path": None}, "it").samples, np.array([0.5, 0.25], np.float32)
    )
    assert np.array_equal(Wave.of((np.array([0, 128, 192], np.uint8), RATE), "it").samples, np.array([-1, 0, 0.5], np.float32))


@pytest.mark.parametrize(
    ("samples", "rate", "told"),
    [
        (np.zeros((2, 2, 2)), RATE, r"it: samples must be numbers \[N\] or \[C, N\], got an array of float64 of shape \[2, 2, 2\]"),
        (np.zeros(9), 100, r"it: the rate must be from 1,000 to 768,000 whole samples a second, got 100"),
        (np.zeros(0), RATE, "it has no samples"),
        (np.full(9, np.nan), RATE, "it has samples that are not finite"),
    ],
)
def test_samples_in_memory_that_are_no_sound_are_told(samples, rate, told):
    with pytest.raises(DataError, match=told):
        heard(Wave.of((samples, rate), "it"))


@pytest.mark.parametrize("first", [1, 1000, 70_000])
def test_a_part_is_what_lies_between_its_times(tmp_path, first):
    # No part of noise is like another one, as those of a tone are.
    noise = np.random.default_rng(0).integers(-(2**15), 2**15, 80_000, np.int16)
    path = write(tmp_path / "x.wav", noise)
    assert np.array_equal(heard(Recording(path, None, first / RATE, first / RATE + 0.125)), noise[first : first + 1000] / 2**15)
    assert np.array_equal(heard(Recording(path, None, first / RATE)), noise[first:] / 2**15)


def test_another_rate_keeps_the_tone(tmp_path):
    found = heard(Recording(write(tmp_path / "x.wav", tone(440, 0.5, 44100), 44100)))
    assert abs(len(found) - len(WAVE)) <= 1
    assert np.abs(found[500:3500] - WAVE[500:3500]).max() < 1e-3


def test_blocks_change_no_bit_of_what_is_resampled():
    chance = np.random.default_rng(0)
    samples = chance.standard_normal(20_000).astype(np.float32)
    whole = Resampler(44100, 16000).feed(samples, last=True)
    resampler, ends = Resampler(44100, 16000), np.sort(chance.integers(0, 20_000, 30))
    parts = [resampler.feed(part) for part in np.split(samples, ends)] + [resampler.feed(samples[:0], last=True)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_a_member_of_an_archive_is_read(tmp_path):
    packed = io.BytesIO()
    soundfile.write(packed, WAVE, RATE, format="wav")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("in/a.wav", packed.getvalue())
    found = Recording(tmp_path / "x.zip", "in/a.wav")
    assert np.allclose(heard(found), WAVE, atol=2**-15)
    with pytest.raises(DataError, match=r"x\.zip has no file 'in/b\.wav'"):
        heard(Recording(tmp_path / "x.zip", "in/b.wav"))


@pytest.mark.parametrize(
    ("missing", "length", "cut"), [(0, 8000, False), (1, 8000, True), (1000, 8000, True), (0, 2**31 - 1, False), (0, 2**32 - 1, False)]
)
def test_a_file_is_cut_off_where_the_smallest_part_of_it_is_missing_but_not_where_its_length_was_not_known(tmp_path, missing, length, cut):
    content = wav_bytes()
    content = content[:40] + struct.pack("<I", length) + content[44 : len(content) - missing]
    (tmp_path / "x.wav").write_bytes(content)
    assert is_cut_off(Recording(tmp_path / "x.wav")) is cut


@pytest.mark.parametrize("end", ["aiff", "au"])
def test_files_of_other_kinds_are_cut_off_too(tmp_path, end):
    path = write(tmp_path / f"x.{end}", WAVE)
    assert not is_cut_off(Recording(path))
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    assert is_cut_off(Recording(path))
    if end == "au":
        # What a pipe writes.
        path.write_bytes(content[:8] + b"\xff" * 4 + content[12:])
        assert not is_cut_off(Recording(path))


def wav_bytes():
    packed = io.BytesIO()
    soundfile.write(packed, WAVE, RATE, format="wav")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"this is no sound but text\n", "cannot be read as sound"),
        (wav_bytes()[:30], "cannot be read as sound"),
        (wav_bytes()[:44], "has no samples"),
        (b"", "cannot be read as sound"),
    ],
)
def test_what_is_no_sound_is_told(tmp_path, content, told):
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(DataError, match=rf"x\.wav.* {told}"):
        heard(Recording(tmp_path / "x.wav"))


def test_samples_that_are_not_finite_are_told(tmp_path):
    broken = WAVE.copy()
    broken[7] = np.nan
    with pytest.raises(DataError, match="samples that are not finite"):
        heard(Recording(write(tmp_path / "x.wav", broken, subtype="FLOAT")))


@pytest.mark.parametrize(("subtype", "part"), [("VORBIS", 0.5), ("OPUS", 0.9)])
def test_ogg_without_its_end_is_cut_off(tmp_path, subtype, part):
    path = tmp_path / "x.ogg"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 48000), 16000, format="OGG", subtype=subtype)
    content = path.read_bytes()
    assert not is_cut_off(Recording(path))
    path.write_bytes(content[: int(part * len(content))])
    assert is_cut_off(Recording(path))
    # Pages that are all there, but for the last one.
    path.write_bytes(content[: content.rindex(b"OggS")])
    assert is_cut_off(Recording(path))


def test_a_missing_file_and_a_part_outside_are_told(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        heard(Recording(tmp_path / "x.wav"))
    path = write(tmp_path / "y.wav", WAVE)
    with pytest.raises(DataError, match=r"lasts 0\.500 s"):
        heard(Recording(path, None, 0.6))
    with pytest.raises(DataError, match=r"must begin and end inside it"):
        heard(Recording(path, None, 0.1, 1.2))
    assert len(heard(Recording(path, None, 0.1, 0.7))) == round(0.4 * RATE)


def test_a_flac_file_that_ends_in_its_first_samples_is_told(tmp_path):
    path = write(tmp_path / "x.flac", WAVE)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"x\.flac cannot be read to its end: .*It is damaged"):
        heard(Recording(path))


def test_an_archive_of_a_kind_that_is_not_known_is_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.wav", wav_bytes())
    content = (tmp_path / "x.zip").read_bytes()
    at = content.index(b"PK\1\2") + 6
    (tmp_path / "x.zip").write_bytes(content[:at] + b"T" + content[at + 1 :])
    with pytest.raises(DataError, match=r"x\.zip cannot be unpacked: zip file version 8\.4"):
        members(tmp_path / "x.zip")
