"""What a language model of ours says of texts while they are found."""

import pytest
import torch

from unrolled.cells import find_cell
from unrolled.data.codecs import TextCodec
from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.recipes.lm import LanguageModelling
from unrolled.tasks.transcription.language import LanguageModelScorer

SAID = ["ab c", "cab", "b a", "z"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network of a recipe of ours, whose symbols have other numbers than those of transcripts, and of which one, "z", is not there."""
    path, recipe = tmp_path_factory.mktemp("lm") / "text", LanguageModelling()
    path.write_text("xyx cb\ncabc y\n" * 40)
    flat = {"sources": [str(path)], "hidden": 6, "embedding": 4, "engine": "eager"}
    configuration = Configuration.from_flat("lm", recipe.options, flat)
    codec = recipe.read(configuration, lambda *told: None).codec
    configuration = recipe.resolve(configuration, codec)
    torch.manual_seed(0)
    return recipe.trained(recipe.build(configuration, codec, find_cell("gru")).eval(), codec, configuration)


@pytest.fixture(scope="module")
def codec():
    return TranscriptCodec(TextCodec.learn(SAID, "char"))


@pytest.mark.parametrize("text", [*SAID, ""])
def test_steps_of_a_text_are_what_the_run_says_of_the_line(model, codec, text):
    scorer = LanguageModelScorer(model, codec)
    state, steps = scorer.begin(), []
    for symbol in codec.ids(text).tolist():
        steps.append(scorer.logs(state)[symbol])
        (state,) = scorer.advance([state], [symbol])
    (expected,) = model.score_lines([text])
    assert [*steps, scorer.end(state)] == pytest.approx(expected.log_probabilities, abs=1e-6)


def test_prefixes_go_on_side_by_side_as_they_do_alone(model, codec):
    scorer = LanguageModelScorer(model, codec)
    a, b = codec.ids("ab").tolist()
    states = scorer.advance([scorer.begin()] * 2, [a, b])
    for one, symbol in zip(scorer.advance(states, [b, a]), (b, a), strict=True):
        (alone,) = scorer.advance(scorer.advance([scorer.begin()], [a if symbol == b else b]), [symbol])
        assert scorer.logs(one) == pytest.approx(scorer.logs(alone), abs=1e-6) and scorer.end(one) == pytest.approx(
            scorer.end(alone), abs=1e-6
        )
