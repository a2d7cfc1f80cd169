"""The rivals of a network that looks in glimpses: trained after it, kept with it, and measured beside it."""

import json
import re

import pytest
import torch

import unrolled as un
from at_the_terminal import call
from glimpsed import LOOK, save_bars
from unrolled.cells import find_cell
from unrolled.errors import RunError, TrainingError
from unrolled.models import Encoder, GlimpseEncoder, Glimpses, InputSizes, Whole
from unrolled.models.heads import CLASS_HEADS
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.glimpsing.rivals import beside, rivals_of
from unrolled.tasks.studies import begin_study
from unrolled.training import RunFolder, Silent
from unrolled.training.interrupt import Stopped

OPTIONS = {**LOOK, "rivals": True, "epochs": 2}
NAMES = ["cnn", "random-glimpses"]


class Telling(Silent):
    """Keeps what is said."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


@pytest.fixture(scope="module")
def bars(tmp_path_factory):
    return save_bars(tmp_path_factory.mktemp("bars"))


@pytest.fixture(scope="module")
def alone(bars, tmp_path_factory):
    """A run that was left alone, and what was said of it."""
    folder, told = RunFolder(tmp_path_factory.mktemp("glimpses") / "run"), Telling()
    assert run_training(find_recipe("classify"), str(bars), folder, OPTIONS, told).finished
    return folder, told.lines


def weights(folder):
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in folder.path.rglob("model.safetensors")}


def test_a_network_is_measured_beside_rivals_that_were_trained_as_long(alone, bars):
    folder, _ = alone
    found = json.loads(call("evaluate", folder, bars, "--json"))
    assert [*found["rivals"]] == NAMES
    for name in NAMES:
        run = folder.path / "rivals" / name
        rival = json.loads(call("evaluate", run, bars, "--json"))
        assert found["rivals"][name]["accuracy"] == rival["accuracy"] == un.load(run).evaluate(bars).accuracy
        assert RunFolder(run).history.records()[-1]["update"] == folder.history.records()[-1]["update"]
        assert abs(found["rivals"][name]["parameters"] / found["parameters"] - 1) < 0.1
    assert un.load(folder.path).model.looking.locations == "learned"
    assert un.load(folder.path / "rivals" / "random-glimpses").model.looking.locations == "random"
    text = call("evaluate", folder, bars)
    assert "  cnn (a convolutional network over whole pictures, " in text and "  random-glimpses (the same network with random" in text


def test_the_rivals_and_their_time_are_told_before_and_the_outcome_after(alone):
    _, lines = alone
    (before,) = (number for number, line in enumerate(lines) if line.startswith("Then 2 rivals learn"))
    assert lines[before].endswith("random-glimpses and cnn: 2 epochs each, as the network itself. `rivals=False` leaves them out.")
    begun = [number for number, line in enumerate(lines) if line.startswith("Rival ")]
    assert before < begun[0] and re.match(r"Rival 1 of 2: random-glimpses \(the network itself took \d\.\d minutes\), in ", lines[begun[0]])
    (after,) = (number for number, line in enumerate(lines) if line.startswith("Beside it: "))
    assert after > begun[1] and "the same network with random glimpses " in lines[after]


def test_minutes_are_those_of_each():
    assert un.tasks.rivals.announced(_Asked({"minutes": 4}), _configuration({"minutes": 4}), None, None).startswith(
        "Then 2 rivals learn from the same data, random-glimpses and cnn: 4 minutes each, 12 in all."
    )


def test_a_rival_that_is_not_beaten_is_told():
    told = beside(0.9, {"cnn": 0.95, "random-glimpses": 0.5})
    assert len(told) == 2 and told[1].startswith("It does not beat a convolutional network over whole pictures, which has 95.00% where")
    assert len(beside(0.9, {"random-glimpses": 0.9})) == 2 and beside(0.9, {}) == []


@pytest.mark.parametrize("at", [1, 2])
def test_what_is_interrupted_among_the_rivals_ends_like_a_run_left_alone(at, alone, bars, tmp_path, monkeypatch):
    class Stopping(Telling):
        def say(self, text):
            super().say(text)
            if text.startswith(f"Rival {at} "):
                monkeypatch.setattr("unrolled.training.interrupt.Interrupts.check", stop)

    def stop(self):
        monkeypatch.undo()
        raise Stopped

    folder, recipe = RunFolder(tmp_path / "run"), find_recipe("classify")
    outcome = run_training(recipe, str(bars), folder, OPTIONS, Stopping())
    assert not outcome.finished and folder.finished and outcome.measures
    assert (folder.path / "model.safetensors").read_bytes() == (alone[0].path / "model.safetensors").read_bytes()
    found = json.loads(call("evaluate", folder, bars, "--json"))
    assert [*found["rivals"]] == (["random-glimpses"] if at == 2 else [])
    assert run_training(recipe, (), folder, {}, Silent(), resume=True).finished
    assert weights(folder) == weights(alone[0])


def test_ctrl_c_before_a_rival_learns_keeps_the_network(bars, tmp_path):
    class Impatient(Silent):
        begun = False

        def say(self, text):
            self.begun |= text.startswith("Rival 1")

        def __enter__(self):
            if self.begun:
                raise KeyboardInterrupt
            return self

    folder = RunFolder(tmp_path / "run")
    outcome = run_training(find_recipe("classify"), str(bars), folder, {**OPTIONS, "epochs": 1}, Impatient())
    assert not outcome.finished and folder.finished and outcome.measures


def test_a_rival_that_fails_is_told_and_the_other_goes_on(bars, tmp_path, monkeypatch):
    train = un.tasks.runs.train

    def failing(task, options, folder, *rest, **more):
        if folder.path.name == "random-glimpses":
            raise TrainingError("no number")
        return train(task, options, folder, *rest, **more)

    monkeypatch.setattr(un.tasks.runs, "train", failing)
    told = Telling()
    assert run_training(find_recipe("classify"), str(bars), RunFolder(tmp_path / "run"), OPTIONS, told).finished
    assert "random-glimpses failed: no number" in told.lines
    assert [*json.loads(call("evaluate", tmp_path / "run", bars, "--json"))["rivals"]] == ["cnn"]


def test_rivals_learn_longer_when_the_network_does(alone, bars, tmp_path):
    folder = RunFolder(un.load(alone[0].path).save(tmp_path / "run"))
    call("train", "classify", "--resume", folder, "--epochs", 3)
    updates = {run.path.name: run.history.records()[-1]["update"] for run in (folder, *(folder.inside("rivals").inside(n) for n in NAMES))}
    assert len({*updates.values()}) == 1 and updates["run"] > alone[0].history.records()[-1]["update"]


def test_runs_that_are_compared_with_each_other_have_no_rivals(bars, tmp_path, monkeypatch):
    asked = []

    def spy(*given, rivals=True, **more):
        asked.append(rivals)
        raise KeyboardInterrupt

    monkeypatch.setattr("unrolled.tasks.studies.study.run_training", spy)
    begin_study(find_recipe("classify"), str(bars), RunFolder(tmp_path / "study"), {**OPTIONS, "seeds": 2}, Silent())
    monkeypatch.setattr("unrolled.tasks.tuning.search.run_training", spy)
    with pytest.raises(KeyboardInterrupt):
        un.tune(
            "classify",
            bars,
            out=tmp_path / "search",
            trials=1,
            space=["batch=4..8"],
            display=Silent(),
            **{k: v for k, v in OPTIONS.items() if k != "batch"},
        )
    assert asked == [False, False]


def test_a_network_of_random_glimpses_has_the_convolutional_rival_alone():
    assert [*_rivals({"locations": "random"}, (1, 28, 28))] == ["cnn"]
    assert _rivals({"rivals": False}, (1, 28, 28)) == {}


@pytest.mark.parametrize(
    ("size", "options"),
    [
        ((1, 28, 28), {"hidden": 256}),
        ((1, 60, 60), {"hidden": 256, "scales": 3, "glimpse_size": 12}),
        ((3, 7, 200), {"hidden": 32}),
        ((3, 480, 640), {"hidden": 128}),
        ((1, 2, 2), {"hidden": 128}),
    ],
)
def test_the_convolutional_rival_has_as_many_parameters(size, options):
    found = _rivals(options, size)
    asked = _configuration(options)
    counted = {name: _count(one, size) for name, one in found.items()}
    target = _count(asked, size)
    assert counted["random-glimpses"] == target and abs(counted["cnn"] / target - 1) < 0.02


def test_a_link_in_the_place_of_the_rivals_is_refused(bars, tmp_path):
    un.train_classifier(bars, out=tmp_path / "run", **{**LOOK, "epochs": 1})
    (tmp_path / "run" / "rivals").symlink_to(tmp_path)
    with pytest.raises(RunError, match="cannot be used as the folder of a run inside"):
        call("evaluate", tmp_path / "run", bars)


class _Asked:
    def __init__(self, options):
        self.options = options

    def rivals(self, configuration, codecs, cell):
        return _rivals(self.options, (1, 28, 28))


def _configuration(options):
    recipe = find_recipe("classify")
    return Configuration.from_flat("classify", recipe.options, {"image": "glimpses", "bidirectional": False, "sources": ("a",), **options})


def _rivals(options, size):
    return rivals_of(_configuration(options), lambda one: _count(one, size))


def _count(configuration, size):
    model, cell, head = configuration.options.model, find_cell("lstm"), CLASS_HEADS["softmax"](10)
    with torch.device("meta"):
        if configuration.options.reading.image == "glimpses":
            network = Glimpses(GlimpseEncoder(size[0], model, model, cell), model.pooling, head)
        else:
            network = Whole(Encoder(InputSizes(frames=size), model, cell), model.pooling, head)
    return sum(parameter.numel() for parameter in network.parameters())
