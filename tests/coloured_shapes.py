"""Small pictures of coloured shapes, with sentences that say what is in them."""

import csv

import numpy as np
from PIL import Image

COLOURS = {"red": (220, 30, 30), "green": (20, 170, 60), "blue": (30, 60, 210)}
SHAPES = ("square", "bar")
SIDE = 12


def picture(colour, shape, chance):
    """A shape somewhere on white."""
    pixels = np.full((SIDE, SIDE, 3), 255, np.uint8)
    size = 5
    top, left = chance.integers(0, SIDE - size, 2)
    high = 2 if shape == "bar" else size
    pixels[top : top + high, left : left + size] = COLOURS[colour]
    return pixels


def write_pictures(folder, count=1, seed=0, name="table.csv"):
    """`count` pictures of each colour and shape, and a table with a sentence about each."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, rows = np.random.default_rng(seed), []
    for colour in COLOURS:
        for shape in SHAPES:
            for number in range(count):
                file = f"{colour}-{shape}-{seed}-{number}.png"
                Image.fromarray(picture(colour, shape, chance)).save(folder / file)
                rows.append((file, f"A {shape} that is {colour}."))
    with open(folder / name, "w", newline="") as target:
        csv.writer(target).writerows([("image", "caption"), *rows])
    return folder / name
