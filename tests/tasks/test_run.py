"""A language model from texts to a folder and back."""

import itertools
import random

import pytest
import torch

import unrolled as un
from unrolled.data.corpus import encode
from unrolled.errors import ConfigError, DataError
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.measures.likelihood import measure
from unrolled.training import RunFolder, Silent
from unrolled.training.interrupt import Stopped

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
        {"layers": 0},
        {"layers": 0, "input_window": 3, "embedding": 0},
        {"input_window": 3, "lines": True},
    ],
)
def test_what_is_loaded_is_what_training_gave_each_time(text, tmp_path, options):
    given = un.train_language_model(text, out=tmp_path / "run", **{**SMALL, **options})
    symbols = torch.randint(given.codec.size, (9, 2), generator=torch.Generator().manual_seed(0))
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
    assert final["final_held_out"] == found.nats == measure(trained.model, encode(validation, trained.codec)).nats
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


@pytest.mark.parametrize(
    "options", [{"layers": 0}, {"layers": 0, "input_window": 3}, {"input_window": 3}, {"input_window": 3, "lines": True, "backprop": 30}]
)
def test_a_run_without_recurrence_or_with_a_window_of_the_input_that_is_interrupted_ends_like_one_left_alone(
    text, tmp_path, monkeypatch, options
):
    updates = itertools.count(1)

    def stop(self):
        if next(updates) == 7:
            monkeypatch.undo()
            raise Stopped

    recipe, alone, stopped = find_recipe("lm"), RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "stopped")
    asked = {**{name: value for name, value in SMALL.items() if name != "display"}, "reset_probability": 0.2, **options}
    run_training(recipe, str(text), alone, asked, Silent())
    monkeypatch.setattr("unrolled.training.interrupt.Interrupts.check", stop)
    assert not run_training(recipe, str(text), stopped, asked, Silent()).finished
    assert run_training(recipe, (), stopped, {}, Silent(), resume=True).finished
    assert (alone.path / "model.safetensors").read_bytes() == (stopped.path / "model.safetensors").read_bytes()


@pytest.mark.parametrize("window", [1, 3])
def test_what_a_network_without_recurrence_expects_depends_on_the_last_symbols_alone(text, tmp_path, window):
    trained = un.train_language_model(text, out=tmp_path / "run", layers=0, input_window=window, **SMALL)
    assert trained.model.recurrent is None
    steps = 9
    plain = torch.full((steps, 1), 2)
    with torch.inference_mode():
        apart = trained.model(plain.repeat(1, steps).fill_diagonal_(3))[0] - trained.model(plain)[0]
    moved = apart.abs().sum(-1) > 1e-5
    assert moved.tolist() == [[place <= step < place + window for place in range(steps)] for step in range(steps)]
    assert len(trained.sample("the ", 30, seed=1)[0]) == 34


def test_a_network_that_does_not_fit_in_memory_is_refused(text, tmp_path):
    with pytest.raises(ConfigError, match="A network with `hidden=1000000000` and `layers=1` does not fit in memory"):
        un.train_language_model(text, out=tmp_path / "run", hidden=10**9, embedding=0)
    assert not (tmp_path / "run").exists()
