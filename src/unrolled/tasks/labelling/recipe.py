"""What labelling sequences and labelling their steps have in common."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.formats import ReadingOptions, resolve_reading
from unrolled.data.vectors import vector_columns
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.labelling.answers import ConfusionOptions, answer, summarise
from unrolled.tasks.labelling.codec import Codec
from unrolled.tasks.labelling.material import Labelled, Part, read_labelled
from unrolled.tasks.labelling.options import WindowOptions
from unrolled.tasks.labelling.predictor import Predictor
from unrolled.tasks.labelling.task import LabellingTask
from unrolled.tasks.labelling.trained import TrainedLabeller
from unrolled.tasks.recipe import Progress
from unrolled.tasks.summary import Answering, Summary, Writing


class LabellingRecipe:
    """A recipe for labels: what `classify` and `tag` share."""

    name: str
    groups: Mapping[str, type]
    file = "labels.json"
    data_name = "DATA"
    noun = "a labeller"
    commands = ("predict", "evaluate", "inspect")
    evaluating = (ReadingOptions, WindowOptions, ConfusionOptions)
    predicting = (ReadingOptions, WindowOptions)
    help: str
    tagged: bool

    def predictor(self, model: Any, configuration: Configuration) -> Predictor:
        """The network, and how it is asked."""
        raise NotImplementedError

    def read(self, configuration: Configuration, progress: Progress) -> Labelled:
        """The labelled files."""
        return read_labelled(configuration, progress, tagged=self.tagged, several=self.several(configuration))

    def several(self, configuration: Configuration) -> bool:
        """Whether several labels may hold at once."""
        return False

    def from_json(self, text: str) -> Codec:
        """Stored symbols and labels."""
        return Codec.from_json(text)

    def resolve(self, configuration: Configuration, knowledge: Codec) -> Configuration:
        """With the level, how files are read, and as many columns as given vectors have."""
        data = dataclasses.replace(configuration["data"], level=knowledge.level)
        reading = dataclasses.replace(configuration["reading"], scheme=knowledge.scheme)
        reading = resolve_reading(data.sources, reading, tagged=self.tagged)
        model = configuration["model"]
        if data.vectors:
            model = dataclasses.replace(model, embedding=vector_columns(Path(data.vectors)))
        return dataclasses.replace(configuration, groups={**configuration.groups, "data": data, "reading": reading, "model": model})

    def task(self, model: Any, material: Labelled, configuration: Configuration) -> LabellingTask:
        """The sequences in batches."""
        model = model.to(configuration["training"].find_device())
        if material.vectors is not None:
            model.encoder.inputs.words.begin_with(*material.vectors)
        if model.encoder.inputs.words is not None:
            model.encoder.inputs.words.expect(torch.from_numpy(material.train.word_counts))
        weights = _balanced(material.train, tagged=self.tagged) if configuration["data"].class_weights == "balanced" else None
        predictor = self.predictor(model, configuration)
        return LabellingTask(self.name, predictor, material, configuration["batches"], configuration["training"].seed, weights)

    def trained(self, model: Any, knowledge: Codec, configuration: Configuration) -> TrainedLabeller:
        """The network with its symbols and labels."""
        return TrainedLabeller(self.predictor(model, configuration), knowledge, configuration["reading"])

    def evaluate(self, trained: TrainedLabeller, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress) -> Summary:
        """Scores of labels."""
        reading, windows, pictures = parts
        return summarise(trained, data, reading, windows, pictures.get("confusion"), progress)

    def predict(self, trained: TrainedLabeller, file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """Labels."""
        reading, windows = parts
        return answer(trained, file, reading, windows, how)

    def next_step(self, knowledge: Codec, configuration: Configuration) -> str:
        """Files where sequences are not typed: event logs and numbers."""
        if knowledge.numbers or configuration["reading"].case:
            return "Let it label another file of the kind: unrolled predict {run} FILE"
        return f"Let it {'tag' if self.tagged else 'label'} what you type: unrolled predict {{run}}"


def _balanced(part: Part, *, tagged: bool) -> Tensor:
    """For each label what makes all of them count the same, with a mean of 1 over what is learnt."""
    encoded = part.encoded
    targets = encoded.targets[encoded.sequences.steps(part.which) if tagged else part.which]
    counts = targets.sum(0) if targets.ndim == 2 else np.bincount(targets, minlength=len(encoded.codec.labels))
    return torch.from_numpy(counts.sum() / (len(counts) * np.maximum(counts, 1))).float()
