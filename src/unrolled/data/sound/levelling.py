"""Recordings of one speaker brought to one level: what microphones, rooms and voices have in common is taken away."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from unrolled.data.columns import Column, Places
from unrolled.data.dataset import NUMBERS, Dataset
from unrolled.data.sound.spectrogram import Frames

STEADY = 1e-5
"""The standard deviation up to which a band never changes."""


def levelled(dataset: Dataset) -> Dataset:
    """The dataset with each band of mean 0 and standard deviation 1 over all recordings of a group; of each by itself where there are no groups."""
    column = dataset.columns[NUMBERS]
    groups = np.arange(len(dataset)) if dataset.groups is None else np.unique(dataset.groups, return_inverse=True)[1]
    mean, deviation = _moments(dataset, column, groups)

    def level() -> Iterator[Frames]:
        for number, group in enumerate(groups.tolist()):
            yield (_read(dataset, column, number) - mean[group]) / deviation[group]

    return replace(dataset, columns={**dataset.columns, NUMBERS: Column.of(level(), np.float32, column.elements.shape[1:])})


def _moments(dataset: Dataset, column: Column, groups: Places) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each band `[G, M]`, the latter 1 where it never changes; two passes, so that nothing cancels."""
    shape = (int(groups.max(initial=-1)) + 1, column.elements.shape[1])
    steps = np.bincount(groups, weights=dataset.lengths)[:, None]
    mean, squares = np.zeros(shape), np.zeros(shape)
    for number, group in enumerate(groups.tolist()):
        mean[group] += _read(dataset, column, number).sum(0, dtype=np.float64)
    mean /= steps
    for number, group in enumerate(groups.tolist()):
        squares[group] += ((_read(dataset, column, number) - mean[group]) ** 2).sum(0)
    deviation = np.sqrt(squares / steps)
    return mean, np.where(deviation > STEADY, deviation, 1.0)


def _read(dataset: Dataset, column: Column, number: int) -> Frames:
    found: Frames = column.elements.read(int(dataset.starts[number]), int(dataset.starts[number + 1]))
    return found
