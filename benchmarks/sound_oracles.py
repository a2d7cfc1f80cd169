"""Spectrograms beside those of librosa, and word and character errors beside those of jiwer: the largest differences.

    pip install librosa jiwer
    python benchmarks/sound_oracles.py
    python benchmarks/sound_oracles.py --texts 20000 --seed 1

Neither library is needed for anything else.
"""

import importlib
from collections.abc import Iterator
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from unrolled.data.codecs import SoundCodec
from unrolled.data.sound.hearing import NATS
from unrolled.data.sound.spectrogram import FLOOR, MelFrames, MelOptions, mel_matrix
from unrolled.tasks.measures.edits import edits

RATES = (8000, 16_000)
"""Samples a second."""

WORDS = ("a", "an", "ant", "tan", "nat", "at")
"""Few and alike, so that there are many ways to make one text into another."""

Signal = NDArray[np.float32]


@click.command()
@click.option("--texts", default=3000, help="Pairs of texts whose errors are counted.")
@click.option("--seed", default=0)
def main(texts: int, seed: int) -> None:
    """Compare what is heard and what is counted with other libraries."""
    librosa, jiwer = _library("librosa"), _library("jiwer")
    chance = np.random.default_rng(seed)
    for rate in RATES:
        options = SoundCodec.choose(rate).mel
        apart = np.abs(mel_matrix(options).numpy() - _their_matrix(librosa, options)).max()
        click.echo(f"{rate:,} Hz, {options.mels} bands: mel matrices differ by {apart:.1e} at most")
        for name, signal in _signals(rate, chance):
            ours, theirs = _ours(signal, options), _theirs(librosa, signal, options)
            if ours.shape != theirs.shape:
                raise click.ClickException(f"{name}: {list(ours.shape)} frames and bands, librosa has {list(theirs.shape)}.")
            apart = np.abs(ours - theirs)
            frame, band = np.unravel_index(apart.argmax(), apart.shape)
            below = (theirs[frame].max() - theirs[frame, band]) / NATS
            told = f"{apart.max():.1e} at most, in a band {below:.0f} dB below the loudest of its frame"
            click.echo(f"  {name}: logarithms of energies differ by {told}")
    for unit, count in (("words", jiwer.process_words), ("characters", jiwer.process_characters)):
        _compare_counts(unit, count, texts, chance)


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise click.ClickException(f"{name} is not installed, beside which this is compared. Run: pip install librosa jiwer") from None


def _signals(rate: int, chance: np.random.Generator) -> Iterator[tuple[str, Signal]]:
    """Sounds of some 2 s, none of them of whole frames."""
    time = np.arange(2 * rate + 77) / rate
    rising = np.sin(2 * np.pi * (50 * time + (rate / 2 - 100) / 4 * time**2))
    clicks = np.zeros(len(time))
    clicks[:: rate // 7] = 1
    sounds = {
        "noise": chance.standard_normal(len(time)) / 10,
        "faint noise": chance.standard_normal(len(time)) / 10_000,
        "440 Hz": np.sin(2 * np.pi * 440 * time) / 2,
        "rising tone": rising / 2,
        "clicks": clicks,
        "tones that come and go": sum(np.sin(2 * np.pi * f * time) * np.sin(f / 90 * time) ** 2 for f in (200, 700, 1900, 3100)) / 8,
        "silence": np.zeros(len(time)),
    }
    for name, samples in sounds.items():
        yield name, samples.astype(np.float32)


def _ours(signal: Signal, options: MelOptions) -> Signal:
    frames = MelFrames(options)
    return np.concatenate([frames.feed(signal), frames.finish()])


def _their_matrix(librosa: Any, options: MelOptions) -> Signal:
    found: Signal = librosa.filters.mel(sr=options.rate, n_fft=options.fft, n_mels=options.mels, htk=True, norm=None)
    return found


def _theirs(librosa: Any, signal: Signal, options: MelOptions) -> NDArray[np.float64]:
    """In double precision, so that what differs is the rounding of ours."""
    energies = librosa.feature.melspectrogram(
        y=signal.astype(np.float64),
        sr=options.rate,
        n_fft=options.fft,
        hop_length=options.hop,
        win_length=options.width,
        window="hann",
        center=True,
        pad_mode="constant",
        power=2.0,
        n_mels=options.mels,
        htk=True,
        norm=None,
    )
    found: NDArray[np.float64] = np.log(energies + FLOOR).T
    return found


def _compare_counts(unit: str, count: Any, texts: int, chance: np.random.Generator) -> None:
    """Errors of random texts, counted twice."""
    apart = {"insertions": 0, "deletions": 0, "substitutions": 0}
    different, errors, largest = 0, 0, 0.0
    for _ in range(texts):
        reference, found = _pair(chance)
        ours = edits(reference.split(), found.split()) if unit == "words" else edits(reference, found)
        theirs = count(reference, found)
        differences = {name: abs(getattr(ours, name) - getattr(theirs, name)) for name in apart}
        apart = {name: max(apart[name], differences[name]) for name in apart}
        different, errors = different + any(differences.values()), errors + ours.errors
        largest = max(largest, abs(ours.rate - (theirs.wer if unit == "words" else theirs.cer)))
    told = ", ".join(f"{name} by {most}" for name, most in apart.items())
    click.echo(f"{unit} of {texts:,} texts with {errors:,} errors: {told} at most, rates by {largest:.1e}; {different:,} texts differ")


def _pair(chance: np.random.Generator) -> tuple[str, str]:
    """A text of at least one word, and the same with words changed, left out and put in, or another text."""
    reference = chance.choice(WORDS, chance.integers(1, 15)).tolist()
    if chance.random() < 0.2:
        return " ".join(reference), " ".join(chance.choice(WORDS, chance.integers(0, 15)))
    found = list[str]()
    for word in reference:
        what = chance.random()
        found += [] if what < 0.1 else [str(chance.choice(WORDS))] if what < 0.25 else [word]
        found += [str(chance.choice(WORDS))] if chance.random() < 0.1 else []
    return " ".join(reference), " ".join(found)


if __name__ == "__main__":
    main()
