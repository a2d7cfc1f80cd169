"""What a network that looks at pictures in glimpses must beat: itself where it looks anywhere, and convolutions over whole pictures."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from unrolled.data.pictures.images import FRAME, GLIMPSES
from unrolled.models.frames import FLATTEN
from unrolled.models.glimpses import RANDOM, GlimpseOptions
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.glimpsing.options import PictureOptions
from unrolled.tasks.studies.matching import nearest_size

RANDOM_GLIMPSES, CNN = "random-glimpses", "cnn"
NAMES = {RANDOM_GLIMPSES: "the same network with random glimpses", CNN: "a convolutional network over whole pictures"}
"""What rivals are called in words."""

FILTERS = (16, 8, 4, 2, 1)
"""Channels of the first convolution, of which the most are taken that leave half of the parameters to what reads their planes."""


def rivals_of(configuration: Configuration[Any], count: Callable[[Configuration[Any]], int]) -> dict[str, Configuration[Any]]:
    """The configurations of the rivals of a network, by name: as many parameters, which `count` tells, and all else that it learns with."""
    model: PictureOptions = configuration.options.model
    if configuration.options.reading.image != GLIMPSES or not model.rivals:
        return {}
    training = replace(configuration.options.training, from_run=None, freeze=())
    fresh, rivals = configuration.replace(training=training), {}
    if model.locations != RANDOM:
        rivals[RANDOM_GLIMPSES] = fresh.replace(model=replace(model, locations=RANDOM, rivals=False))
    rivals[CNN] = _convolutional(fresh, count, count(configuration))
    return rivals


def _convolutional(configuration: Configuration[Any], count: Callable[[Configuration[Any]], int], target: int) -> Configuration[Any]:
    """The network of convolutions and one hidden layer whose number of parameters is nearest to a target: frame vector and hidden layer have one width."""
    usual = {field.name: field.default for field in fields(GlimpseOptions)}
    ways: dict[str, Any] = {
        "layers": 0,
        "pooling": "last",
        "bidirectional": False,
        "residual": False,
        "initial_state": "zeros",
        "recurrent_dropout": 0.0,
    }
    plain = replace(configuration.options.model, **usual, **ways, rivals=True, frame_pooling=FLATTEN)
    whole = configuration.replace(reading=replace(configuration.options.reading, image=FRAME))

    def network(filters: int, width: int) -> Configuration[Any]:
        return whole.replace(model=replace(plain, filters=filters, frame_features=width, hidden=width))

    filters = next((filters for filters in FILTERS if 2 * count(network(filters, 1)) <= target), FILTERS[-1])
    return network(filters, nearest_size(lambda width: count(network(filters, width)), target))


def beside(accuracy: float, rivals: Mapping[str, float]) -> list[str]:
    """How a network compares with its rivals by accuracy, in words; a sentence for each that it does not beat."""
    if not rivals:
        return []
    lines = [f"Beside it: {', '.join(f'{NAMES[name]} {found:.2%}' for name, found in rivals.items())} (accuracy)."]
    cures = {
        RANDOM_GLIMPSES: "choosing where to look is worth nothing so far. Train longer",
        CNN: "glimpses are not needed here, or not learnt yet",
    }
    return lines + [
        f"It does not beat {NAMES[name]}, which has {found:.2%} where it has {accuracy:.2%}: {cures[name]}."
        for name, found in rivals.items()
        if found >= accuracy
    ]
