"""A tag for each step of a sequence."""

from unrolled.cells import Cell
from unrolled.models import Encoder, LinearChain, Tagger, bio_constraints
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.labelling.codec import Codec
from unrolled.tasks.labelling.options import TAG
from unrolled.tasks.labelling.predictor import Steps
from unrolled.tasks.labelling.recipe import LabellingRecipe


class Tagging(LabellingRecipe):
    """Learns to tag every step of a sequence."""

    name, groups, tagged = "tag", TAG, True
    help = """Train a network that tags every step of a sequence on DATA: files with a step on each line and its tag in a --column,
    CoNLL-U, tables with as many tags as steps, FASTA with --regions, or builtin:python-tokens and the like; see docs/data.md.

    A tenth, drawn at random, is held out, unless --validation names other files; the weights with the best accuracy on it, or the best F1
    of entities if tags are BIO, are kept.
    """

    def build(self, configuration: Configuration, knowledge: Codec, cell: Cell) -> Tagger:
        """The network for these symbols and tags."""
        options, tags = configuration["model"], knowledge.labels
        crf = LinearChain(tags, bio_constraints(tags) if knowledge.marks_spans else None) if options.crf else None
        return Tagger(Encoder(knowledge.sizes, options, cell), tags, crf, options.entity_margin)

    def predictor(self, model: Tagger, configuration: Configuration) -> Steps:
        """The network, and how it is asked."""
        return Steps(model, configuration["batches"].window, configuration["batches"].overlap)
