"""Small networks for music, trained once."""

import numpy as np
import pytest

import unrolled as un
from unrolled.training import Silent

SMALL = {"hidden": 12, "epochs": 2, "evaluations": 1, "batch": 2, "window": 8}

TUNES = [
    "X:{}\nM:{}\nK:{}\n|:{}c2|ded B2A|1 G3 G3:|2 G3 G2||".format(number, *about)
    for number, about in enumerate([("6/8", "G", "GBd "), ("6/8", "D", "dfa "), ("3/4", "C", ""), ("6/8", "Am", "ABc ")] * 3, 1)
]


@pytest.fixture(scope="package")
def data(tmp_path_factory):
    """A folder with rolls in parts, and one with tunes."""
    folder = tmp_path_factory.mktemp("music")
    chance = np.random.default_rng(0)

    def rolls(count):
        frames = np.zeros((count, 24, 88), np.uint8)
        for piece, step in np.ndindex(count, 6):
            frames[piece, 4 * step : 4 * step + 4, chance.integers(30, 34) + np.array([0, 4, 7])] = 1
        return frames

    np.savez(folder / "rolls.npz", train=rolls(6), valid=rolls(2), test=rolls(3))
    (folder / "tunes").mkdir()
    (folder / "tunes" / "all.abc").write_text("\n\n".join(TUNES))
    return folder


@pytest.fixture(scope="package")
def run(tmp_path_factory):
    """Where the runs are."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="package")
def frames(data, run):
    """A network of frames."""
    return un.train_musician(data / "rolls.npz", out=run / "frames", display=Silent(), transpose=2, **SMALL)


@pytest.fixture(scope="package")
def events(data, run):
    """A network of events."""
    return un.train_musician(data / "tunes", out=run / "events", display=Silent(), view="events", transpose=1, held_out=0.2, **SMALL)
