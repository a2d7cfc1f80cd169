"""Log-mel spectrograms beside the formulas, and in blocks."""

from dataclasses import replace

import numpy as np
import pytest

from tones import RATE, tone, write
from unrolled.data.codecs import Senses, SoundCodec
from unrolled.data.codecs.sound import RECORDING, SPEAKER
from unrolled.data.dataset import NUMBERS, gather
from unrolled.data.examples import Example
from unrolled.data.sound.hearing import Hearing
from unrolled.data.sound.recordings import Recording
from unrolled.data.sound.spectrogram import FLOOR, MelFrames, MelOptions, WaveFrames, mel_matrix
from unrolled.errors import ConfigError, RunError, UnrolledWarning

OPTIONS = MelOptions(RATE, 20)
NOISE = np.random.default_rng(3).standard_normal(3001).astype(np.float32) / 10


def whole(samples, options=OPTIONS):
    frames = MelFrames(options)
    return np.concatenate([frames.feed(samples), frames.finish()])


def by_hand(samples, rate, mels, width, hop, size):
    """Frame by frame, band by band, in double precision."""
    mel = lambda f: 2595 * np.log10(1 + f / 700)  # noqa: E731
    edges = 700 * (10 ** (np.linspace(0, mel(rate / 2), mels + 2) / 2595) - 1)
    window = np.zeros(size)
    first = (size - width) // 2
    window[first : first + width] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)
    padded = np.concatenate([np.zeros(size // 2), samples.astype(np.float64), np.zeros(size // 2)])
    frames = []
    for begin in range(0, len(padded) - size + 1, hop):
        power = np.abs(np.fft.rfft(padded[begin : begin + size] * window)) ** 2
        bands = []
        for low, centre, high in zip(edges, edges[1:], edges[2:], strict=False):
            band = 0.0
            for k, energy in enumerate(power):
                f = k * rate / size
                band += energy * max(0.0, min((f - low) / (centre - low), (high - f) / (high - centre)))
            bands.append(np.log(band + FLOOR))
        frames.append(bands)
    return np.array(frames)


def test_a_spectrogram_is_what_the_formulas_say():
    found, expected = whole(NOISE), by_hand(NOISE, RATE, 20, 200, 80, 256)
    assert found.shape == expected.shape == (1 + 3001 // 80, 20)
    assert np.abs(found - expected).max() < 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_blocks_change_no_bit(seed):
    chance, frames = np.random.default_rng(seed), MelFrames(OPTIONS)
    ends = np.sort(chance.integers(0, len(NOISE), 12))
    parts = [frames.feed(part) for part in np.split(NOISE, ends)] + [frames.finish()]
    assert np.array_equal(np.concatenate(parts), whole(NOISE))


@pytest.mark.parametrize("samples", [1, 79, 80, 81, 640, 641])
def test_there_are_as_many_frames_as_promised(samples):
    assert len(whole(NOISE[:samples])) == OPTIONS.frames(samples)


def test_a_tone_is_loudest_in_its_band():
    matrix = mel_matrix(OPTIONS).numpy()
    nearest = matrix[:, round(1000 / RATE * OPTIONS.fft)].argmax()
    assert (whole(tone(1000, 0.3))[5:-5].argmax(1) == nearest).all()


def test_more_bands_than_frequencies_are_refused():
    with pytest.raises(ConfigError, match="`mels` must be at least 0, and few enough"):
        MelOptions(RATE, 200)
    with pytest.raises(ConfigError, match="`frame_step` must be at least a few samples"):
        MelOptions(RATE, 20, 0.025, 0.00001)


def test_the_first_recording_says_the_rate_and_others_are_told(tmp_path):
    hearing = Hearing(choose=SoundCodec.choose)
    slow = hearing(Recording(write(tmp_path / "a.wav", tone(440, 0.2))))
    fast = hearing(Recording(write(tmp_path / "b.wav", tone(440, 0.2, 16000), 16000)))
    assert hearing.codec == SoundCodec(MelOptions(RATE, 40)) and slow.shape == fast.shape
    assert np.abs(slow[5:-5] - fast[5:-5]).max() < 1.5
    with pytest.warns(UnrolledWarning, match=r"b\.wav is not at 8000 samples a second, and resampled\. Pass `rate` for another one\.$"):
        hearing.report()
    learnt = Hearing(hearing.codec)
    learnt(Recording(tmp_path / "b.wav"))
    with pytest.warns(UnrolledWarning, match=r"b\.wav is not at 8000 samples a second, and resampled\.$"):
        learnt.report()


@pytest.mark.parametrize(
    ("samples", "told"), [(np.zeros(2000, np.float32), "silent"), (np.sign(tone(440, 0.2)).astype(np.float32), "clipped")]
)
def test_silence_and_clipping_are_told(tmp_path, samples, told):
    hearing = Hearing(SoundCodec(OPTIONS))
    hearing(Recording(write(tmp_path / "a.wav", samples)))
    with pytest.warns(UnrolledWarning, match=rf"a\.wav is {told}"):
        hearing.report()


def test_a_file_that_was_cut_off_is_told(tmp_path):
    path = write(tmp_path / "a.wav", NOISE)
    path.write_bytes(path.read_bytes()[:3000])
    hearing = Hearing(SoundCodec(OPTIONS))
    assert len(hearing(Recording(path))) == OPTIONS.frames((3000 - 44) // 2)
    with pytest.warns(UnrolledWarning, match=r"a\.wav is shorter than the header of the file says"):
        hearing.report()


def test_a_recording_alone_has_mean_0_and_deviation_1(tmp_path):
    found = Hearing(SoundCodec(OPTIONS, RECORDING))(Recording(write(tmp_path / "a.wav", NOISE)))
    assert np.allclose(found.mean(0), 0, atol=1e-4) and np.allclose(found.std(0), 1, atol=1e-4)


def test_a_codec_is_stored_and_what_is_none_is_told():
    codec = SoundCodec.choose(44100, by="recording")
    assert codec == SoundCodec(MelOptions(16000, 80), RECORDING)
    assert SoundCodec.from_json(codec.to_json()) == codec
    with pytest.raises(RunError, match="sound must have a rate"):
        SoundCodec.from_json({"rate": 8000})


@pytest.mark.parametrize("size", [7, 80, 1000])
def test_the_samples_themselves_are_frames_too(size):
    frames = WaveFrames(MelOptions(RATE, 0))
    parts = [frames.feed(NOISE[at : at + size]) for at in range(0, len(NOISE), size)] + [frames.finish()]
    found = np.concatenate(parts)
    assert found.shape == (38, 80) == (MelOptions(RATE, 0).frames(len(NOISE)), MelOptions(RATE, 0).channels)
    assert np.array_equal(found.ravel()[: len(NOISE)], NOISE) and not found.ravel()[len(NOISE) :].any()


def test_recordings_of_a_speaker_are_levelled_together(tmp_path):
    codec, examples = SoundCodec(OPTIONS, SPEAKER), []
    for number, (speaker, loud) in enumerate((("ann", 0.5), ("bo", 0.01), ("ann", 0.02))):
        recording = Recording(write(tmp_path / f"{number}.wav", loud * NOISE[: 1000 * (number + 1)], subtype="FLOAT"))
        examples.append(Example(str(number), sound=recording, group=speaker))
    plain = gather(examples, "char", perceive=Senses(Hearing(codec)))
    found = codec.level(plain).columns[NUMBERS]
    for some in ([0, 2], [1]):
        together = plain.columns[NUMBERS].take(np.array(some)).astype(np.float64)
        expected = (together - together.mean(0)) / together.std(0)
        assert np.allclose(found.take(np.array(some)), expected, atol=1e-4)
    alone = codec.level(gather([replace(e, group=None) for e in examples], "char", perceive=Senses(Hearing(codec)))).columns[NUMBERS]
    assert np.allclose(alone.take(np.array([2])).mean(0), 0, atol=1e-4)


def test_what_is_far_below_the_loudest_band_is_raised(tmp_path):
    path = write(tmp_path / "a.wav", NOISE)
    plain, found = (Hearing(SoundCodec(OPTIONS, top_db=top))(Recording(path)) for top in (None, 6.0))
    energies = np.exp(plain.astype(np.float64))
    decibels = 10 * np.log10(energies / energies.max())
    assert np.allclose(found * 10 / np.log(10), np.maximum(decibels, -6), atol=1e-4) and (decibels < -6).any()
