"""Recordings of tones: what is said is a string of letters, each a tone of its own."""

from pathlib import Path

import numpy as np
import soundfile

RATE = 8000
TONES = {"a": 500.0, "b": 1100.0, "c": 2300.0}


def tone(hertz: float, seconds: float, rate: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate, dtype=np.float64).astype(np.float32) / 2


def said(text: str, chance: np.random.Generator) -> np.ndarray:
    """A text as tones of some 80 ms, a blank as a longer pause, and a little noise."""
    pieces = [np.zeros(400, np.float32)]
    for letter in text:
        pause = np.zeros(round(RATE * chance.uniform(0.02, 0.05)), np.float32)
        pieces += [np.zeros(640, np.float32) if letter == " " else tone(TONES[letter], chance.uniform(0.07, 0.1)), pause]
    whole = np.concatenate(pieces)
    return (whole + 1e-3 * chance.standard_normal(len(whole))).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = RATE, **options: str) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


def write_table(folder: Path, texts: list[str], seed: int = 0) -> Path:
    """A recording of each text, and a table of them."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)
    rows = []
    for number, text in enumerate(texts):
        write(folder / f"{number}.wav", said(text, chance))
        rows.append(f"{number}.wav,{text}")
    table = folder / "table.csv"
    table.write_text("audio,text\n" + "\n".join(rows) + "\n")
    return table
