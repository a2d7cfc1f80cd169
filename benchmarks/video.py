"""Video beside what one would say without a recurrent network: shapes in motion, actions seen by a thermal camera, moving digits, balls.

    python benchmarks/video.py DATA shapes          # motion; the first two clips of each combination are held out
    python benchmarks/video.py DATA colours         # motion, with one colour never seen
    python benchmarks/video.py DATA thermal         # a label for each frame, one of four recordings held out
    python benchmarks/video.py DATA digits          # the next ten frames of two moving digits
    python benchmarks/video.py DATA cells           # the same, by several cells
    python benchmarks/video.py DATA balls           # where three balls are in the next frame
    python benchmarks/video.py DATA ball-frames     # the next ten frames of three balls

DATA is a folder with `shape_videos` (a folder for each motion, names `colour_shape_number.mp4`), `thermal_actions` (`labels.csv` and `data`) and
`digits/train10k-images-idx3-ubyte.gz`. Each line takes at most twenty minutes of one core; `--minutes` changes how long each training takes.
"""

import argparse
import csv
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import unrolled as un
from unrolled.tasks import train

SEEN = {"size": "32", "frame_pooling": "points", "hidden": 64, "batch": 16}
"""How the shapes are read; what they show is where they are, and `points` says it."""

SAME = {"falled": "lying", "sleeping": "lying"}
"""Words of the thermal recordings for one thing: a body that lies."""

ROOM = {
    "shape": "24x32",
    "outside": "ignore",
    "size": "16x12",
    "moving": True,
    "window": 192,
    "overlap": 32,
    "batch": 4,
    "hidden": 64,
    "flip": "both",
    "shift": 3,
    "noise": 0.1,
    "drop_frames": 0.2,
    "dropout": 0.5,
}

OWN_CELL = """
f[t] = sigmoid(W_f @ x[t] + R_f @ h[t-1] + b_f)
c[t] = f[t] * c[t-1] + (1 - f[t]) * tanh(W_c @ x[t] + R_c @ h[t-1] + b_c)
h[t] = sigmoid(W_o @ x[t] + R_o @ h[t-1] + b_o) * tanh(c[t])
"""
"""An LSTM that takes in as much as it forgets, so that it has three gates' maps and not four; as text, as anybody may write one."""

STEPS = {"each_step": True, "bidirectional": False, "frame_pooling": "points", "hidden": 256, "dropout": 0.0, "average": 0.99}

BALL_UPDATES = {"recurrent": 6000, "alone": 1500}
"""A network that sees one frame alone soon knows all that it can."""


def shapes(data: Path, out: Path, minutes: float, who: Sequence[str]) -> None:
    """Motion, whatever moves."""
    clips = shape_clips(data)
    learnt = [clip for clip in clips if clip[3] > 2]
    measure_motion("clips 1 and 2", learnt, [clip for clip in clips if clip[3] <= 2], out, minutes or 3, who)


def colours(data: Path, out: Path, minutes: float, who: Sequence[str]) -> None:
    """Motion of what has another colour; so nothing is seen of colours."""
    clips = shape_clips(data)
    for colour in sorted({clip[2] for clip in clips}):
        apart = [clip for clip in clips if clip[2] == colour]
        measure_motion(colour, [clip for clip in clips if clip[2] != colour], apart, out, minutes or 2, who, grey=True)


def shape_clips(data: Path) -> list[tuple[Path, str, str, int]]:
    """The path, the motion, the colour and the number of each clip."""
    found = []
    for path in sorted((data / "shape_videos").rglob("*.mp4")):
        parts = re.fullmatch(r"(.+)_(?:circle|square|star)_(\d+)", path.stem)
        assert parts is not None, path
        found.append((path, path.parent.name, parts[1], int(parts[2])))
    return found


def measure_motion(
    held: str, learnt: Sequence[Any], apart: Sequence[Any], out: Path, minutes: float, who: Sequence[str], **more: Any
) -> None:
    """Train on some clips, and say how many of the others are right."""
    tables = [
        write_table(out / f"{held}-{name}.csv", ("path", "label"), [clip[:2] for clip in part])
        for name, part in (("l", learnt), ("m", apart))
    ]
    ways = {"held_out": 0.0, "minutes": minutes, "brightness": 1.0, "shift": 4, **SEEN, **more}
    for name in who:
        trained = un.train_classifier(tables[0], out=out / f"{held}-{name}", **ways, **WHO[name])
        print(f"{held:16} {name:18} {trained.evaluate(tables[1]).accuracy:8.2%} of {len(apart)} clips", flush=True)


def thermal(data: Path, out: Path, minutes: float, who: Sequence[str]) -> None:
    """What a person does in each frame."""
    recordings = thermal_intervals(data / "thermal_actions")
    found: dict[str, list[float]] = {}
    for held in sorted(recordings):
        tables = []
        for name, keys in (("l", [key for key in sorted(recordings) if key != held]), ("m", [held])):
            rows = [row for key in keys for row in recordings[key]]
            tables.append(write_table(out / f"{held}-{name}.csv", ("file", "start", "end", "label"), rows))
        length: dict[str, Any] = {"minutes": minutes} if minutes else {"updates": 350}
        for name in who:
            trained = un.train_tagger(tables[0], out=out / f"{held}-{name}", held_out=0.0, **length, **ROOM, **WHO[name])
            scores = trained.evaluate(tables[1])
            found.setdefault(name, []).append(scores.accuracy)
            most = scores.confusion.sum(1).max() / scores.confusion.sum()
            print(f"{held[:15]} {name:18} {scores.accuracy:8.2%} of {scores.size} frames; the most frequent label {most:.2%}", flush=True)
    for name, shares in found.items():
        print(f"mean            {name:18} {np.mean(shares):8.2%}", flush=True)


def thermal_intervals(folder: Path) -> dict[str, list[tuple[Path, int, int, str]]]:
    """The labelled intervals of the recordings that are there, as one word for one thing."""
    found = {}
    for name, *cells in csv.reader((folder / "labels.csv").open()):
        path = (folder / "data" / name).absolute()
        if path.exists():
            cells = [cell for cell in cells if cell]
            found[name] = [
                (path, int(cells[at]), int(cells[at + 1]), SAME.get(cells[at + 2], cells[at + 2])) for at in range(0, len(cells) - 2, 3)
            ]
    return found


def digits(data: Path, out: Path, minutes: float, who: Sequence[str]) -> None:
    """The next frames of moving digits, by a ConvLSTM, and by a convolutional network of as many parameters over all frames side by side."""
    for name in who:
        more = {"recurrent": {"hidden": 64}, "alone": {"layers": 0, "hidden": 58}}[name]
        train_digits(data, out, minutes, name, updates=4000, **more)


def cells(data: Path, out: Path, minutes: float, who: Sequence[str]) -> None:
    """The same by several cells of as many channels, each for a short time: what their kinds of memory are worth."""
    (out / "own.cell").write_text(OWN_CELL)
    for name in ("lstm", "lstm-peephole", "gru", "mgu", "elman", str(out / "own.cell")):
        train_digits(data, out, minutes, Path(name).stem, updates=400, cell=name, hidden=32)


def train_digits(data: Path, out: Path, minutes: float, name: str, *, updates: int, **more: Any) -> None:
    """Train on the digits, of which a fifth of the clips is held out; what is measured is told."""
    source = {"digits": str(data / "digits" / "train10k-images-idx3-ubyte.gz"), "held_out": 0.2, "batch": 8}
    length: dict[str, Any] = {"minutes": minutes} if minutes else {"updates": updates}
    trained = train("frames", "builtin:moving-digits", out=out / name, **length, **source, **more)
    size = sum(parameter.numel() for parameter in trained.model.parameters())
    print(f"{name}: {size:,} parameters, {time.process_time() / 60:.1f} minutes of the processor since the beginning", flush=True)


def balls_next(data: Path, out: Path, minutes: float, who: Sequence[str]) -> None:
    """Where balls are in the next frame, in pixels, of clips that the network has not seen."""
    for name in who:
        length: dict[str, Any] = {"minutes": minutes} if minutes else {"updates": BALL_UPDATES[name]}
        trained = un.train_regressor("builtin:balls", out=out / name, **length, **STEPS, **WHO[name])
        print(f"{name:18} {trained.evaluate('builtin:balls-test').text.splitlines()[-1]}", flush=True)


def ball_frames(data: Path, out: Path, minutes: float, who: Sequence[str]) -> None:
    """The next frames of balls, of clips that the network has not seen, beside the last frame and the mean of the past."""
    for name in who:
        length: dict[str, Any] = {"minutes": minutes} if minutes else {"updates": 600}
        ways = {"hidden": 32, "batch": 8, "held_out": 0.05, "evaluations": 2, **length, **WHO[name]}
        trained = train("frames", "builtin:balls", out=out / name, **ways)
        print(trained.evaluate(["builtin:balls-test"], None).text, flush=True)
        print(f"{name}: {time.process_time() / 60:.1f} minutes of the processor since the beginning", flush=True)


def write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """A table with a header."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


WHO: dict[str, dict[str, Any]] = {"recurrent": {}, "alone": {"layers": 0}}
"""What differs between a network that remembers frames, and one that sees each alone."""

ROWS: dict[str, Callable[[Path, Path, float, Sequence[str]], None]] = {
    "shapes": shapes,
    "colours": colours,
    "thermal": thermal,
    "digits": digits,
    "cells": cells,
    "balls": balls_next,
    "ball-frames": ball_frames,
}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("--minutes", type=float, default=0.0, help="of each training")
    parser.add_argument("--who", nargs="*", choices=WHO, default=[*WHO], help="with recurrence, and each frame alone")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as out:
        ROWS[asked.row](asked.data, Path(out), asked.minutes, asked.who)


if __name__ == "__main__":
    main()
