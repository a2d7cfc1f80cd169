"""Pictures in which a bar lies above or below the middle, and a small network that looks at them in glimpses."""

import gzip
import struct

import numpy as np

LOOK = {
    "image": "glimpses",
    "glimpses": 3,
    "glimpse_size": 4,
    "glimpse_units": 6,
    "samples": 2,
    "hidden": 8,
    "cell": "gru",
    "batch": 8,
    "evaluations": 2,
    "rivals": False,
}


def save_idx(folder, name, pixels, labels):
    for kind, items in (("images-idx3", pixels), ("labels-idx1", labels)):
        head = bytes((0, 0, 8, items.ndim)) + struct.pack(f">{items.ndim}I", *items.shape)
        (folder / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(head + items.astype(np.uint8).tobytes()))
    return folder / f"{name}-images-idx3-ubyte.gz"


def save_bars(folder):
    """A bright bar lies above (1) or below (0) the middle of pictures of 10 × 12."""
    chance = np.random.default_rng(6)
    labels = np.arange(48) % 2
    pixels = chance.integers(0, 60, (48, 10, 12))
    for picture, label in zip(pixels, labels, strict=True):
        picture[2 if label else 7] = 255
    return save_idx(folder, "bars", pixels, labels)
