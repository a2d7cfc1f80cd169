"""A language model from texts to a folder and back."""

import random

import pytest
import torch

import unrolled as un
from unrolled.data.corpus import encode
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.language_model.measure import measure
from unrolled.training import RunFolder, Silent

SMALL = {"hidden": 8, "embedding": 6, "batch": 3, "window": 20, "epochs": 2, "evaluations": 2, "warmup": 3, "display": Silent()}


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "words.txt"
    chance = random.Random(4)
    path.write_text("".join(chance.choice(["the cat ", "sat on ", "a mat.\n", "dogs run "]) for _ in range(200)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cell": "gru", "initial_state": "learned"},
        {"level": "word", "tied": True, "embedding": 8},
        {"layers": 2, "residual": True, "embedding": 0},
    ],
)
def test_what_is_loaded_is_what_training_gave_each_time(text, tmp_path, options):
    given = un.train_language_model(text, out=tmp_path / "run", **{**SMALL, **options})
    symbols = torch.randint(given.vocabulary.size, (9, 2), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits = [trained.model(symbols)[0] for trained in (given, un.load(tmp_path / "run"), un.load(str(tmp_path / "run")))]
    assert torch.equal(logits[0], logits[1])
    assert torch.equal(logits[0], logits[2])
    assert not any(module.training for module in given.model.modules())


def test_the_last_measures_are_those_of_the_kept_weights_on_the_whole_held_out_text(text, tmp_path):
    validation = tmp_path / "other.txt"
    validation.write_text("the dogs sat.\ncats run\n" * 9, encoding="utf-8")
    trained = un.train_language_model(text, out=tmp_path / "run", validation=validation, **SMALL)
    final = RunFolder(tmp_path / "run").history.records()[-1]
    found = trained.evaluate(validation)
    assert final["final_held_out"] == found.nats == measure(trained.model, encode(validation, trained.vocabulary)).nats
    assert (final["final_bits"], final["final_perplexity"]) == (found.bits, found.perplexity)
    assert found.tokens == len(validation.read_text())


def test_a_run_learns_and_is_the_same_from_the_same_seed(text, tmp_path):
    runs = {name: (tmp_path / name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))}
    for path, seed in runs.values():
        un.train_language_model(text, out=path, seed=seed, **{**SMALL, "epochs": 6, "learning_rate": 0.03})
    a, b, c = ((path / "model.safetensors").read_bytes() for path, _ in runs.values())
    assert a == b != c
    losses = [r["held_out"] for r in RunFolder(tmp_path / "a").history.records() if "held_out" in r]
    assert losses[-1] < losses[0]


def test_nothing_is_written_for_a_run_that_cannot_begin(text, tmp_path):
    out = tmp_path / "run"
    for options, error in (
        ({"hidden": 0}, ConfigError),
        ({"tied": True}, ConfigError),
        ({"device": "warp"}, ConfigError),
        ({"held_out": 0.0}, ConfigError),
        ({"level": "syllable"}, ConfigError),
        ({"window": 10**6}, DataError),
        ({"encoding": "no-such"}, (ConfigError, DataError)),
    ):
        with pytest.raises(error):
            un.train_language_model(text, out=out, **{**SMALL, **options})
        assert not out.exists()
    with pytest.raises(ConfigError, match="There is no DATA"):
        un.train_language_model(out=out, **SMALL)
    assert not out.exists()
