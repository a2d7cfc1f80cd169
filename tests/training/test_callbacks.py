"""Who is told of a run as it goes on."""

import re
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest

import unrolled as un
from unrolled.errors import ConfigError
from unrolled.training import RunFolder, Silent, Stopped, loop

TEXTS, LABELS = ["good film", "bad film"] * 10, ["pos", "neg"] * 10
QUICK = {"updates": 4, "evaluations": 2, "hidden": 4, "batch": 8, "display": Silent()}


class Noting(un.Callback):
    def __init__(self):
        self.seen = []

    def began(self, running):
        self.seen.append(("began", running.folder.path.name, running.options.updates, running.task.criterion.name))

    def recorded(self, record):
        self.seen.append(("recorded", record["update"]))

    def measured(self, record):
        self.seen.append(("measured", record["update"], sorted(record)))

    def ended(self, outcome):
        self.seen.append(("ended", outcome and outcome.finished))


def test_a_callback_is_told_what_is_in_the_history(tmp_path):
    noting = Noting()
    un.train_classifier(TEXTS, LABELS, out=tmp_path / "run", callbacks=[noting], **QUICK)
    assert noting.seen[0] == ("began", "run", 4, "accuracy")
    assert noting.seen[-1] == ("ended", True)
    assert [update for kind, update, *_ in noting.seen[1:-1] if kind == "measured"] == [2, 4]
    assert "accuracy" in next(seen for seen in noting.seen if seen[0] == "measured")[2]
    recorded = [seen[1] for seen in noting.seen if seen[0] == "recorded"]
    assert recorded == [record["update"] for record in RunFolder(tmp_path / "run").history.records()]


def test_a_callback_ends_a_run_that_can_be_resumed(tmp_path):
    class Ending(Noting):
        def measured(self, record):
            raise Stopped

    ending = Ending()
    un.train_classifier(TEXTS, LABELS, out=tmp_path / "run", callbacks=[ending], **QUICK)
    assert ending.seen[-1] == ("ended", False)
    assert RunFolder(tmp_path / "run").history.records()[-1]["update"] == 2
    un.train_classifier(TEXTS, LABELS, out=tmp_path / "run", resume=True, display=Silent())
    assert RunFolder(tmp_path / "run").history.records()[-1]["update"] == 4


def test_what_a_callback_does_before_a_run_is_no_time_of_training(tmp_path, monkeypatch):
    """With a clock that a callback moves by an hour: a run of some minutes still learns, and does not count the hour."""
    late = [0.0]
    now = time.perf_counter
    monkeypatch.setattr(loop.time, "perf_counter", lambda: now() + late[0])

    class Slow(un.Callback):
        def began(self, running):
            late[0] += 3600

    class Ending(un.Callback):
        def recorded(self, record):
            raise Stopped

    un.train_classifier(TEXTS, LABELS, out=tmp_path / "run", callbacks=[Slow(), Ending()], **{**QUICK, "updates": None, "minutes": 5})
    first = RunFolder(tmp_path / "run").history.records()[0]
    assert first["update"] == 1 and first["seconds"] < 300


def test_one_callback_needs_no_list_and_a_class_is_none(tmp_path):
    noting = Noting()
    un.train_classifier(TEXTS, LABELS, out=tmp_path / "run", callbacks=noting, **QUICK)
    assert noting.seen[-1] == ("ended", True)
    for wrong in (Noting, [Noting], (noting, Noting)):
        with pytest.raises(ConfigError, match=r"must be instances, got the class Noting\. Make one: Noting\(\)"):
            un.train_classifier(TEXTS, LABELS, callbacks=wrong, **QUICK)
    for wrong in (print, [print], "tensorboard", 3):
        with pytest.raises(ConfigError, match=r"must be instances of `unrolled\.Callback`, got"):
            un.train_forecaster({"value": [1.0, 2.0]}, callbacks=wrong, display=Silent())


def test_an_error_is_told_as_none(tmp_path):
    class Failing(Noting):
        def recorded(self, record):
            raise ZeroDivisionError

    failing = Failing()
    with pytest.raises(ZeroDivisionError):
        un.train_classifier(TEXTS, LABELS, out=tmp_path / "run", callbacks=[failing], **QUICK)
    assert failing.seen[-1] == ("ended", None)


class Fake(ModuleType):
    """A tracker that notes its calls."""

    def __init__(self, name):
        super().__init__(name)
        self.__spec__, self.calls = ModuleSpec(name, None), []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *values, **named: self.calls.append((name, values, named))


@pytest.mark.parametrize(
    ("tracker", "names"),
    [
        ("wandb", ["init", "log", "finish"]),
        ("trackio", ["init", "log", "finish"]),
        ("mlflow", ["set_experiment", "start_run", "log_params", "log_metrics", "end_run"]),
    ],
)
def test_trackers_get_options_and_numbers(tmp_path, monkeypatch, tracker, names):
    fake = Fake(tracker)
    monkeypatch.setitem(sys.modules, tracker, fake)
    un.train_classifier(TEXTS, LABELS, out=tmp_path / "run", track=[tracker], **QUICK)
    assert list(dict.fromkeys(name for name, _, _ in fake.calls)) == names
    options = next(v[0] if v else n["config"] for name, v, n in fake.calls if name in ("init", "log_params"))
    assert options["hidden"] == 4 and options["updates"] == 4
    logged = [(values[0], named["step"]) for name, values, named in fake.calls if name in ("log", "log_metrics")]
    records = RunFolder(tmp_path / "run").history.records()
    assert [step for _, step in logged] == [record["update"] for record in records]
    assert [numbers["held_out"] for numbers, _ in logged if "held_out" in numbers] == [r["held_out"] for r in records if "held_out" in r]


def test_trackers_that_are_not_there_are_told(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="`track` must be one of tensorboard, wandb, mlflow, trackio, got 'neptune'"):
        un.train_classifier(TEXTS, LABELS, track=["neptune"], **QUICK)
    monkeypatch.setattr("unrolled.training.options.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=re.escape("`wandb` needs the package wandb: pip install 'unrolled[wandb]'")):
        un.train_classifier(TEXTS, LABELS, track=["wandb"], **QUICK)


def test_the_example_of_the_page_runs(tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(class .*?)```", page, re.S)
    monkeypatch.chdir(tmp_path)
    Path("reviews.csv").write_text("text,label\n" + "".join(f"{t},{label}\n" for t, label in zip(TEXTS, LABELS, strict=True)))
    exec(example.replace("epochs=20", "epochs=2, hidden=4"), {"un": un})
    assert re.search(r"update \d+: accuracy", capsys.readouterr().out)
