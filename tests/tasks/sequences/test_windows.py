"""Sequences that are answered in pieces, and steps that read the inputs around them."""

import numpy as np
import pytest
import torch

import unrolled as un
from unrolled.data.codecs import Encoded, InputCodec, LabelCodec
from unrolled.data.dataset import gather
from unrolled.data.examples import Example, Target
from unrolled.errors import ConfigError
from unrolled.models import EachStep, Encoder, EncoderOptions, InputSizes, LinearChain, Softmax
from unrolled.tasks import find_recipe
from unrolled.tasks.sequences.predictor import Predictor
from unrolled.training import RunFolder, Silent

SMALL = {"hidden": 8, "embedding": 6, "characters": 4, "character_hidden": 3, "batch": 8, "epochs": 2, "evaluations": 2, "warmup": 3}
QUIET = {**SMALL, "display": Silent()}
LEARN = {"hidden": 16, "epochs": 25, "learning_rate": 0.02, "dropout": 0.1, "average": 0.9, "evaluations": 5}


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("window", [1, 3, 10])
@pytest.mark.parametrize("more", [{}, {"input_window": 4}, {"layers": 0, "input_window": 4}, {"layers": 0}])
def test_windows_change_nothing_for_a_network_that_reads_forwards(window, crf, more):
    steps, whole, part = _steps(bidirectional=False, window=window, crf=crf, **more)
    assert [p.tags for p in whole] == [p.tags for p in part]
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, rtol=1e-4)
    assert steps > window


def test_windows_with_enough_overlap_change_nothing_for_any_network():
    _, whole, part = _steps(bidirectional=True, window=6, overlap=40)
    assert [p.tags for p in whole] == [p.tags for p in part]
    _, whole, part = _steps(bidirectional=True, window=2, overlap=0)
    assert [p.tags for p in whole] != [p.tags for p in part]


def _steps(*, bidirectional, window, overlap=0, crf=False, **more):
    torch.manual_seed(2)
    rng = np.random.default_rng(7)
    examples = [Example(str(n), tokens=tuple(rng.choice(list("abcdef"), n)), tags=tuple(rng.choice(["X", "Y"], n))) for n in (25, 3, 11, 1)]
    dataset, which = gather(examples, "word"), np.arange(4)
    inputs, target = InputCodec.learn(dataset, which, level="word"), LabelCodec.learn(dataset, which, Target.TAGS)
    encoded = Encoded(dataset, inputs, target)
    options = EncoderOptions(hidden=7, embedding=5, bidirectional=bidirectional, **more)
    head = LinearChain(target.labels) if crf else Softmax(len(target.labels))
    if crf:
        torch.nn.init.normal_(head.transitions)
    model = EachStep(Encoder(InputSizes(**inputs.sizes), options), head).eval()
    say = find_recipe("tag").say
    found = [Predictor(model, target, say, *cut).predict_all(encoded, which) for cut in ((None, 0), (window, overlap))]
    assert found[0][1:] == pytest.approx(found[1][1:]) or bidirectional
    return 25, found[0][0], found[1][0]


def test_windows_are_chosen_when_steps_are_tagged(tags, tmp_path):
    trained = un.train_tagger(tags, out=tmp_path / "run", **QUIET | {"epochs": 3, "learning_rate": 0.02})
    sequences = [["Dr", "Ada", "Lee", "walks", "x", "Bo"], ["Bo"]]
    whole, near, alone = (trained.predict(sequences, **cut) for cut in ({}, {"window": 2, "overlap": 9}, {"window": 1}))
    steps = [trained.predict([[token]])[0] for token in sequences[0]]
    np.testing.assert_allclose(near[0].probabilities, whole[0].probabilities, rtol=1e-4)
    # Tags that no sequence of tags may have are left out where steps stand together.
    same = [(alone[0].probabilities[n], step.probabilities[0]) for n, step in enumerate(steps) if step.tags[0] == alone[0].tags[n]]
    assert len(same) > 2
    np.testing.assert_allclose(*zip(*same, strict=True), rtol=1e-4)
    found = [trained.evaluate(tags, **cut).confusion.tolist() for cut in ({}, {"window": 2, "overlap": 9}, {"window": 1})]
    assert found[0] == found[1] != found[2]
    for wrong, message in (
        ({"overlap": 2}, r"`overlap=2` is that of the pieces of `window`"),
        ({"window": 0}, "`window` must be at least 1, got 0"),
        ({"window": 2.5}, "`window` must be of type int"),
    ):
        with pytest.raises(ConfigError, match=message):
            trained.predict(sequences, **wrong)
        with pytest.raises(ConfigError, match=message):
            trained.evaluate(tags, **wrong)
    with pytest.raises(ConfigError, match="`overlap=2` is that"):
        un.train_tagger(tags, out=tmp_path / "other", overlap=2, **QUIET)
    assert not (tmp_path / "other").exists()


def test_windows_are_refused_where_whole_sequences_are_labelled(table, tmp_path):
    trained = un.train_classifier(table, out=tmp_path / "run", **QUIET)
    for ask in (trained.predict, trained.predict_stream, trained.evaluate):
        with pytest.raises(ConfigError, match=r"`window` divides sequences whose steps are answered, .* Leave it out"):
            ask([], window=3)


@pytest.mark.parametrize("crf", [False, True])
def test_spans_longer_than_a_window_can_be_learnt(tmp_path, crf):
    path = tmp_path / "long.conll"
    path.write_text("".join("Dr O\nAda B-per\n" + "Fox I-per\n" * (3 + n % 5) + "walks O\n\n" for n in range(20)))
    un.train_tagger(path, out=tmp_path / "run", crf=crf, window=3, **QUIET)
    losses = [r["loss"] for r in RunFolder(tmp_path / "run").history.records() if "loss" in r]
    assert losses and np.isfinite(losses).all()


@pytest.mark.parametrize("options", [{"layers": 0}, {"input_window": 3}, {"layers": 0, "input_window": 3}])
def test_networks_without_recurrence_and_with_windows_of_the_input_are_the_same_when_they_are_loaded(table, tags, tmp_path, options):
    for train, source, some in (
        (un.train_classifier, table, ["good film", "bad plot, good Actors good"]),
        (un.train_tagger, tags, [["Dr", "Ada", "Lee", "walks"], ["Bo"]]),
    ):
        given = train(source, out=tmp_path / source.stem, **options, **QUIET)
        loaded = un.load(tmp_path / source.stem)
        assert (loaded.model.recurrent is None) == (options.get("layers") == 0)
        assert given.predict(some) == loaded.predict(some)
        assert given.evaluate(source).to_json() == loaded.evaluate(source).to_json()


def test_what_a_feed_forward_tagger_says_of_a_step_depends_on_the_steps_in_its_window_alone(tags, tmp_path):
    trained = un.train_tagger(tags, out=tmp_path / "run", layers=0, input_window=3, level="word", **QUIET)
    plain = ["walks"] * 7
    (whole,) = trained.predict([plain])
    for place in range(7):
        (said,) = trained.predict([[*plain[:place], "Dr", *plain[place + 1 :]]])
        moved = [abs(before - now) > 1e-6 for before, now in zip(whole.probabilities, said.probabilities, strict=True)]
        assert moved == [abs(step - place) <= 1 for step in range(7)]
