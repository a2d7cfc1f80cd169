"""Labelling sequences, and labelling their steps, as kinds of tasks."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.cells import Cell
from unrolled.data.formats import settle_reading
from unrolled.data.vectors import vector_columns
from unrolled.errors import ConfigError
from unrolled.models import OUTPUTS, Classifier, Encoder, LinearChain, Tagger, bio_constraints
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.kind import Progress
from unrolled.tasks.labelling.codec import Codec, is_number
from unrolled.tasks.labelling.deciding import Deciding, Steps, WholeSequences
from unrolled.tasks.labelling.material import Labelled, Part, read_labelled
from unrolled.tasks.labelling.options import CLASSIFY, TAG
from unrolled.tasks.labelling.task import LabellingTask
from unrolled.tasks.labelling.trained import TrainedLabeller


class _Labelling:
    """What both have in common."""

    name: str
    groups: Mapping[str, type]
    file = "labels.json"
    tagged: bool

    def deciding(self, model: Any, configuration: Configuration) -> Deciding:
        """The network, and how it is asked."""
        raise NotImplementedError

    def read(self, configuration: Configuration, progress: Progress) -> Labelled:
        """The labelled files."""
        return read_labelled(configuration, progress, tagged=self.tagged, several=self.several(configuration))

    def several(self, configuration: Configuration) -> bool:
        """Whether several labels may hold at once."""
        return False

    def recall(self, text: str) -> Codec:
        """Stored symbols and labels."""
        return Codec.from_json(text)

    def settle(self, configuration: Configuration, knowledge: Codec) -> Configuration:
        """With the level, how files are read, and as many columns as given vectors have."""
        data = dataclasses.replace(configuration["data"], level=knowledge.level)
        reading = dataclasses.replace(configuration["reading"], scheme=knowledge.scheme)
        reading = settle_reading(data.sources, reading, tagged=self.tagged)
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
        deciding = self.deciding(model, configuration)
        return LabellingTask(self.name, deciding, material, configuration["batches"], configuration["training"].seed, weights)

    def trained(self, model: Any, knowledge: Codec, configuration: Configuration) -> TrainedLabeller:
        """The network with its symbols and labels."""
        return TrainedLabeller(self.deciding(model, configuration), knowledge, configuration["reading"])


class Classifying(_Labelling):
    """Learns to label whole sequences."""

    name, groups, tagged = "classify", CLASSIFY, False

    def several(self, configuration: Configuration) -> bool:
        """Whether several labels may hold at once."""
        return _output(configuration) == "multi-label"

    def settle(self, configuration: Configuration, knowledge: Codec) -> Configuration:
        """With what labels are, too. `ConfigError` for an order of labels that nothing says."""
        configuration = super().settle(configuration, knowledge)
        output = _output(configuration)
        if output == "ordinal" and (words := [label for label in knowledge.labels if not is_number(label)]):
            told = f"`--output ordinal` takes the order of labels from numbers, got {', '.join(map(repr, words[:3]))}."
            raise ConfigError(f"{told} Write numbers instead, such as 1, 2 and 3, or take `--output softmax`.")
        data = dataclasses.replace(configuration["data"], output=output)
        return dataclasses.replace(configuration, groups={**configuration.groups, "data": data})

    def build(self, configuration: Configuration, knowledge: Codec, cell: Cell) -> Classifier:
        """The network for these symbols and labels."""
        options = configuration["model"]
        output = OUTPUTS[_output(configuration)](len(knowledge.labels))
        return Classifier(Encoder(knowledge.sizes, options, cell), options.pooling, output)

    def deciding(self, model: Classifier, configuration: Configuration) -> WholeSequences:
        """The network, and how it is asked."""
        return WholeSequences(model)


class Tagging(_Labelling):
    """Learns to tag every step of a sequence."""

    name, groups, tagged = "tag", TAG, True

    def build(self, configuration: Configuration, knowledge: Codec, cell: Cell) -> Tagger:
        """The network for these symbols and tags."""
        options, tags = configuration["model"], knowledge.labels
        crf = LinearChain(tags, bio_constraints(tags) if knowledge.marks_spans else None) if options.crf else None
        return Tagger(Encoder(knowledge.sizes, options, cell), tags, crf, options.recall)

    def deciding(self, model: Tagger, configuration: Configuration) -> Steps:
        """The network, and how it is asked."""
        return Steps(model, configuration["batches"].window, configuration["batches"].overlap)


def _output(configuration: Configuration) -> str:
    """What labels of whole sequences are."""
    chosen: str | None = configuration["data"].output
    return chosen or ("multi-label" if configuration["reading"].separator else "softmax")


def _balanced(part: Part, *, tagged: bool) -> Tensor:
    """For each label what makes all of them count the same, with a mean of 1 over what is learnt."""
    encoded = part.encoded
    targets = encoded.targets[encoded.sequences.steps(part.which) if tagged else part.which]
    counts = targets.sum(0) if targets.ndim == 2 else np.bincount(targets, minlength=len(encoded.codec.labels))
    return torch.from_numpy(counts.sum() / (len(counts) * np.maximum(counts, 1))).float()
