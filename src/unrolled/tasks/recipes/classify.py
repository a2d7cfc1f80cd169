"""One label for a sequence, or several."""

import dataclasses

from unrolled.cells import Cell
from unrolled.errors import ConfigError
from unrolled.models import OUTPUTS, Classifier, Encoder
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.labelling.codec import Codec, is_number
from unrolled.tasks.labelling.options import CLASSIFY
from unrolled.tasks.labelling.predictor import WholeSequences
from unrolled.tasks.labelling.recipe import LabellingRecipe


class Classifying(LabellingRecipe):
    """Learns to label whole sequences."""

    name, groups, tagged = "classify", CLASSIFY, False
    help = """Train a network that labels sequences on DATA: tables (--input, --target), JSON Lines, a file or folder for each label,
    time series, images, event logs, or builtin:intents and the like; see docs/data.md.

    A tenth, drawn at random, is held out, unless --validation names other files; the weights with the best accuracy on it are kept.
    """

    def several(self, configuration: Configuration) -> bool:
        """Whether several labels may hold at once."""
        return _output(configuration) == "multi-label"

    def resolve(self, configuration: Configuration, knowledge: Codec) -> Configuration:
        """With what labels are, too. `ConfigError` for an order of labels that nothing says."""
        configuration = super().resolve(configuration, knowledge)
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

    def predictor(self, model: Classifier, configuration: Configuration) -> WholeSequences:
        """The network, and how it is asked."""
        return WholeSequences(model)


def _output(configuration: Configuration) -> str:
    """What labels of whole sequences are."""
    chosen: str | None = configuration["data"].output
    return chosen or ("multi-label" if configuration["reading"].separator else "softmax")
