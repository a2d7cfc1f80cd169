"""Networks that write about pictures and have learnt nothing."""

import torch

from unrolled.cells import find_cell
from unrolled.tasks import find_recipe
from unrolled.tasks.captioning.options import CaptioningOptions
from unrolled.tasks.captioning.reading import read_caption_data
from unrolled.tasks.captioning.trained import TrainedCaptioner
from unrolled.tasks.configuration import Configuration

SMALL = {"hidden": 8, "embedding": 8, "filters": 8, "grid": 3, "frame_features": 8, "cell": "gru", "engine": "eager"}


def configured(*sources, **options):
    return Configuration.from_flat("caption", CaptioningOptions, {"sources": [*map(str, sources)], **SMALL, **options})


def read_data(*sources, **options):
    return read_caption_data(configured(*sources, **options).options, lambda *_: None)


def untrained(*sources, **options):
    """A network for the pictures of some sources, of which nothing is held out, and these."""
    configuration = configured(*sources, **{"held_out": 0.0, **options})
    data = read_caption_data(configuration.options, lambda *_: None)
    torch.manual_seed(0)
    model = find_recipe("caption").build(configuration, data.codecs, find_cell("gru"))
    return TrainedCaptioner(model.eval(), data.codecs, configuration.options), data
