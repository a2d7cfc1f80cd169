"""Where a trained network looked: how many glimpses it took, and a drawing of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from torch import Tensor

from unrolled import inspect
from unrolled.data.dataset import FRAMES
from unrolled.data.examples import Example, Prediction
from unrolled.data.formats import read_examples
from unrolled.errors import ConfigError, DataError
from unrolled.models import Glimpses
from unrolled.tasks.glimpsing.options import require_glimpses
from unrolled.tasks.pictures import save_picture
from unrolled.tasks.recipe import Writing
from unrolled.tasks.sequences.trained import TrainedPredictor

MOST = 24
"""Most pictures of a drawing."""

_AT_ONCE = 256


def mean_glimpses(trained: TrainedPredictor[Any], model: Glimpses, examples: Iterable[Example]) -> float:
    """How many glimpses a network takes of each picture, in the mean."""
    if not model.looking.stop_action:
        return model.looking.glimpses
    examples = iter(examples)
    chunks = iter(lambda: list(islice(examples, _AT_ONCE)), [])
    return float(torch.cat([_lengths(trained, model, chunk) for chunk in chunks]).double().mean())


@torch.inference_mode()
def _lengths(trained: TrainedPredictor[Any], model: Glimpses, examples: list[Example]) -> Tensor:
    """How many glimpses are taken of each picture in each way of looking at it."""
    batch = trained.encoded(examples).batch(np.arange(len(examples))).to(next(model.parameters()).device)
    return model.encoder.look(batch, model.looking.test_samples).lengths


def draw_paths(trained: TrainedPredictor[Any], model: Glimpses, examples: Iterable[Example], path: Path) -> None:
    """Draw where a network looked in the first of some pictures, in order, with what it says of each and what is true, if that is known.

    Of several ways of looking at each picture the first is drawn. The end of `path` names the kind of picture.
    """
    first = list(islice(examples, MOST))
    said = [_title(example, prediction) for example, prediction in trained.predict_stream(first)]
    looked = [inspect.draw.Looked(*each, title) for each, title in zip(_looked(trained, model, first), said, strict=True)]
    save_picture(inspect.draw.looking(looked, model.looking.glimpse_size, model.looking.scales), path)


def _title(example: Example, prediction: Prediction) -> str:
    """What is said of a picture, and what is true."""
    said, true = (", ".join(labels or ()) for labels in (prediction.labels, example.labels))
    return said if true in ("", said) else f"{said}, not {true}"


@torch.inference_mode()
def _looked(trained: TrainedPredictor[Any], model: Glimpses, examples: list[Example]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each picture `[H, W, C]` as the network sees it, and the upper left corners of the glimpses that were taken of it, `[T, 2]`."""
    ways, encoded = max(model.looking.test_samples, 1), trained.encoded(examples)
    path = model.encoder.look(encoded.batch(np.arange(len(encoded))).to(next(model.parameters()).device), model.looking.test_samples)
    corners = (path.pixels - model.looking.glimpse_size // 2).transpose(0, 1)[::ways].cpu().numpy()
    pictures = encoded.dataset.columns[FRAMES].elements.read(0, len(encoded))
    for picture, one, length in zip(pictures, corners, path.lengths[::ways].tolist(), strict=True):
        yield picture, one[:length]


def predicted_looking(
    trained: TrainedPredictor[Any], file: str, reading: Mapping[str, Any], asked: Mapping[str, Any], predict: Callable[[], Writing]
) -> Writing:
    """What `predict` gives to write of a file that is read with the options `reading`, after what was `asked` of `PathOptions` was drawn."""
    model = require_glimpses(trained.model, asked)
    written = predict()
    if model is None:
        return written
    drawing = asked.get("path")
    path = None if drawing is None else Path(drawing)
    others = {name: value for name, value in asked.items() if name != "path"}

    def write(target: TextIO) -> None:
        with model.looking_otherwise(**others):
            if path is not None:
                draw_paths(trained, model, _with_labels(trained, file, reading), path)
            written(target)

    return write


def _with_labels(trained: TrainedPredictor[Any], file: str, reading: Mapping[str, Any]) -> list[Example]:
    """The first pictures of a file, with their labels if these lie beside them."""
    for labels in (True, False):
        try:
            return list(islice(read_examples(file, trained.reading_of(file, labels=labels, **reading), trained.wanted), MOST))
        except (ConfigError, DataError):
            if not labels:
                raise
    return []
