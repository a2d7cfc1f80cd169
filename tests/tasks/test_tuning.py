"""A search for options."""

import json
import math
import os
import signal
from types import SimpleNamespace

import optuna
import pytest

import unrolled as un
from at_the_terminal import call
from unrolled.errors import ConfigError, RunError, UnrolledError
from unrolled.tasks import find_recipe
from unrolled.tasks.tuning import parse_space, usual_space
from unrolled.tasks.tuning.search import _Pruning, _study
from unrolled.tasks.tuning.space import Choice, Range
from unrolled.training import Silent
from unrolled.training.criterion import LOSS, Criterion
from unrolled.training.listing import list_runs, table_of
from unrolled.training.run_folder import FORMAT

QUICK = {"updates": 2, "evaluations": 2, "batch": 8, "level": "char", "display": Silent()}
SPACE = ["hidden=2..4", "learning_rate=1e-3..1e-1", "cell=elman,gru"]


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuning")
    (folder / "a.csv").write_text("text,label\n" + "".join(f"{'ab'[i % 2]} {i},{'xy'[i % 2]}\n" for i in range(30)))
    return folder, un.tune("classify", folder / "a.csv", out=folder / "search", trials=3, space=SPACE, **QUICK)


def test_trials_are_runs_whose_options_and_scores_are_told(searched):
    folder, found = searched
    assert [trial.number for trial in found.trials] == [0, 1, 2]
    assert (found.measure, found.lowest) == ("accuracy", False)
    scores = [trial.score for trial in found.ranked]
    assert scores == sorted(scores, reverse=True)
    for trial in found.ranked:
        config = (folder / "search" / f"trial-{trial.number}" / "config.toml").read_text()
        assert f"hidden = {trial.options['hidden']}\n" in config and f'cell = "{trial.options["cell"]}"' in config
        assert trial.score == un.load(trial.folder).history["best"][0]
    assert found.text.splitlines()[0].split()[:3] == ["trial", "accuracy", "hidden"]
    assert json.loads(json.dumps(found.to_json()))["trials"][0]["number"] == 0


def test_a_search_goes_on_and_another_one_is_refused(searched):
    folder, found = searched
    more = un.tune("classify", folder / "a.csv", out=folder / "search", trials=4, space=SPACE, **QUICK)
    assert len(more.trials) == 4 and more.trials[:3] == found.trials
    assert len(un.tune("classify", folder / "a.csv", out=folder / "search", trials=4, space=SPACE, **QUICK).trials) == 4


def test_other_data_lengths_and_measures_are_another_search(searched):
    folder, _ = searched
    (folder / "b.csv").write_text((folder / "a.csv").read_text().replace("29", "31"))
    for data, space, options, told in (
        ("a.csv", ["hidden=2..9"], {}, "its space is cell elman, gru; hidden 2..4; .*, not hidden 2..9"),
        ("b.csv", SPACE, {}, "with these: its data is not the same. Give the same, or another folder with `out`"),
        ("a.csv", SPACE, {"updates": 3, "best_by": "loss"}, "these: `best_by` is accuracy, not loss; `updates` is 2, not 3. Give"),
    ):
        with pytest.raises(RunError, match=f"holds another search, whose trials cannot be compared .*{told}"):
            un.tune("classify", folder / data, out=folder / "search", trials=9, space=space, **{**QUICK, **options})
    (folder / "moved.csv").write_text((folder / "a.csv").read_text())
    assert un.tune(
        "classify", folder / "moved.csv", out=folder / "search", trials=1, space=SPACE, **{**QUICK, "best_by": "accuracy"}
    ).ranked


@pytest.mark.parametrize(
    ("data", "space", "options", "told"),
    [
        ("none.csv", SPACE, {}, "does not exist"),
        ("a.csv", ["dropout=0..3"], {}, "`space` has dropout=3.0, which cannot be: `dropout` must be"),
        ("a.csv", ["hidden=-4..8"], {}, "`space` has hidden=-4, which cannot be: `hidden` must be"),
        ("a.csv", ["cell=lstm,nocell"], {}, "`space` has cell=nocell, which cannot be: .*'nocell'"),
        ("a.csv", SPACE, {"held_out": 0.0}, "nothing. Hold something out"),
        ("a.csv", SPACE, {"best_by": "luck"}, "`best_by` must be one of"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_trial(searched, data, space, options, told):
    folder, _ = searched
    with pytest.raises(UnrolledError, match=told):
        un.tune("classify", folder / data, out=folder / "mistaken", trials=1, space=space, **{**QUICK, **options})
    assert not (folder / "mistaken").exists()


@pytest.mark.parametrize(("error", "states"), [(ConfigError, ["refused", "finished"]), (KeyboardInterrupt, ["stopped", "finished"])])
def test_what_fails_before_training_is_no_trial(searched, monkeypatch, error, states):
    folder, _ = searched
    asked = {"out": folder / error.__name__, "trials": 1, "space": SPACE, **QUICK}

    def fail(*_, **__):
        raise error("no")

    with monkeypatch.context() as patched, pytest.raises(error):
        patched.setattr("unrolled.tasks.tuning.search.run_training", fail)
        un.tune("classify", folder / "a.csv", **asked)
    found = un.tune("classify", folder / "a.csv", **asked)
    assert [trial.state for trial in found.trials] == states
    assert (found.trials[0].options == found.trials[1].options) == (error is KeyboardInterrupt)


def test_what_is_worse_than_others_is_pruned(searched, monkeypatch):
    folder, _ = searched
    monkeypatch.setattr("unrolled.tasks.tuning.search._WARM", 1)
    options = {**QUICK, "updates": 6, "evaluations": 6, "best_by": "loss", "average": 0.0}
    found = un.tune("classify", folder / "a.csv", out=folder / "pruned", trials=8, space=["learning_rate=1e-6..3e-1"], **options)
    assert found.lowest
    assert any(trial.state == "pruned" for trial in found.trials)
    assert "pruned" in found.text


@pytest.mark.parametrize(("criterion", "told"), [(Criterion("accuracy"), -0.25), (LOSS, 0.25)])
def test_what_is_reported_is_to_be_made_small(criterion, told):
    reported = {}
    trial = SimpleNamespace(set_user_attr=lambda *_: None, report=lambda value, update: reported.update({update: value}), should_prune=bool)
    pruning = _Pruning(optuna, trial)
    pruning.began(SimpleNamespace(task=SimpleNamespace(criterion=criterion)))
    pruning.measured({"update": 3, "accuracy": 0.25, "held_out": 0.25})
    pruning.measured({"update": 4})
    pruning.measured({"update": 5, "accuracy": math.nan, "held_out": math.nan})
    assert reported == {3: told}


def test_a_trial_in_which_nothing_was_measured_is_no_score(searched, monkeypatch):
    folder, _ = searched
    asked = {"out": folder / "unmeasured", "trials": 1, "space": SPACE, **QUICK}

    def unmeasured(recipe, data, run, *_, callbacks, **__):
        run.path.mkdir()
        run.history.add({"update": 2, "loss": 0.5})
        return SimpleNamespace(finished=True)

    with monkeypatch.context() as patched, pytest.raises(ConfigError, match="needs measurements on the way, and there was none"):
        patched.setattr("unrolled.tasks.tuning.search.run_training", unmeasured)
        un.tune("classify", folder / "a.csv", **asked)
    assert [trial.state for trial in un.tune("classify", folder / "a.csv", **asked).trials][-1] == "finished"


def test_pruning_can_be_left_out(tmp_path):
    asked = {"task": "classify", "space": "", "data": "", "options": {}}
    pruners = [_study(optuna, tmp_path / str(prune), asked, seed=None, prune=prune).pruner for prune in (True, False)]
    assert [type(pruner) for pruner in pruners] == [optuna.pruners.MedianPruner, optuna.pruners.NopPruner]


def test_a_trial_that_was_interrupted_is_no_score_and_is_begun_again(searched):
    folder, _ = searched

    class Interrupting(Silent):
        def say(self, text):
            if text.startswith("update "):
                signal.raise_signal(signal.SIGINT)

    asked = {"out": folder / "interrupted", "trials": 1, "space": SPACE, **QUICK}
    (stopped,) = un.tune("classify", folder / "a.csv", **{**asked, "display": Interrupting()}).trials[:1]
    assert (stopped.state, stopped.score) == ("stopped", None)
    found = un.tune("classify", folder / "a.csv", **asked)
    assert [(trial.state, trial.options) for trial in found.trials] == [("stopped", stopped.options), ("finished", stopped.options)]
    assert found.text.endswith("1 trials, besides 1 stopped.")


def test_of_processes_that_begin_together_only_one_has_the_seed(searched):
    folder, found = searched
    other = folder / "together"
    other.mkdir()
    (other / "tune.log").touch()
    ours = un.tune("classify", folder / "a.csv", out=other, trials=1, space=SPACE, **QUICK).trials[0]
    assert ours.options["learning_rate"] != found.trials[0].options["learning_rate"]


def test_spaces_come_from_the_options_of_a_task():
    recipe = find_recipe("classify")
    assert usual_space(recipe) == {
        "learning_rate": Range(3e-4, 0.03, False),
        "hidden": Range(32, 512, True),
        "dropout": Range(0, 0.6, False),
    }
    found = parse_space(recipe, ["--input-window=1,3", "bidirectional=yes,no", "weight_decay=0..0.1"])
    assert found == {"input_window": Choice((1, 3)), "bidirectional": Choice((True, False)), "weight_decay": Range(0, 0.1, False)}
    assert Range(1e-4, 1e-2, False).log and not Range(0, 1, False).log and not Range(32, 512, True).log


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ("hidden", "must be as hidden=32..512"),
        ("hiden=1..2", "names 'hiden', which is no option that can be searched. Did you mean 'hidden'?"),
        ("epochs=1..2", "no option that can be searched"),
        ("held_out=0.1..0.3", "no option that can be searched"),
        ("hidden=4..2", "from a lower to a higher number"),
        ("hidden=a,b", "of type int, got 'a'"),
        ("dropout=0..inf", "finite"),
        ("cell=gru", "at least two values"),
    ],
)
def test_what_is_no_space(space, said):
    with pytest.raises(ConfigError, match=said):
        parse_space(find_recipe("classify"), [space])


def test_at_the_terminal(searched):
    folder, found = searched
    said = call(
        *("tune", "classify", folder / "a.csv", "--out", folder / "search", "--trials", "3", *[w for s in SPACE for w in ("--space", s)]),
        *("--updates", "2", "--evaluations", "2", "--batch", "8", "--level", "char"),
    )
    assert f"The best run is in {found.ranked[0].folder}" in said or "The best run is in" in said
    with pytest.raises(ConfigError, match="`--hidden` is searched, and given"):
        call("tune", "classify", folder / "a.csv", "--out", folder / "x", "--hidden", "3", "--space", "hidden=2..4")
    assert math.isfinite(found.ranked[0].score)


def test_runs_are_listed_with_the_options_in_which_they_differ(searched):
    folder, found = searched
    head, *lines = [line.split() for line in call("runs", folder / "search").splitlines()[1:]]
    assert head == ["run", "data", *head[2:-4], "measure", "score", "updates", "seconds"]
    assert {*head[2:-4]} == {"cell", "hidden", "learning_rate"}
    assert {line[0] for line in lines} >= {trial.folder for trial in found.trials}
    objects = [json.loads(line) for line in call("runs", folder, "--json").splitlines()]
    assert all(each["data"] == "a.csv" and each["task"] == "classify" for each in objects)
    with pytest.raises(RunError, match="There is no folder"):
        call("runs", folder / "nowhere")


def test_runs_are_listed_the_last_one_first_and_with_what_they_were_begun_from(tmp_path):
    for number, name in enumerate(("b", "c", "a")):
        config = tmp_path / name / "config.toml"
        config.parent.mkdir()
        begun = 'from_run = "old/run"\n' if name == "c" else ""
        config.write_text(f'format = {FORMAT}\ntask = "classify"\n[data]\nsources = ["x/{name}.csv"]\n[training]\nseed = 0\n{begun}')
        os.utime(config, (1000 + number, 1000 + number))
    listed, _ = list_runs(tmp_path)
    assert [run.data for run in listed] == ["a.csv", "c.csv", "b.csv"]
    head, *lines = [line.split() for line in table_of(listed).splitlines()[1:5]]
    assert head[:3] == ["run", "data", "from_run"] and [line[-5] for line in lines] == ["–", "old/run", "–"]


def test_compare_tells_the_options_in_which_runs_differ(searched):
    folder, found = searched
    names = [folder / "search" / f"trial-{trial.number}" for trial in found.trials[:2]]
    said = call("compare", *names, "--no-memory").splitlines()
    at = said.index("Options in which they differ:")
    assert said[at + 1].startswith("`--learning-rate`: ")
    assert f"{found.trials[0].options['learning_rate']} in trial-0" in said[at + 1]


def test_all_trials_of_a_search_are_compared(searched, tmp_path):
    folder, _ = searched
    compared = un.compare(folder / "search", memory=False)
    assert [run.name for run in compared.runs] == sorted(place.name for place in (folder / "search").glob("trial-*"))
    assert {"hidden", "learning_rate"} >= {*compared.differing}
    lines = call("compare", folder / "search", "--no-memory").splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["trial-0", "trial-1", "trial-2"]
    (tmp_path / "none").mkdir()
    with pytest.raises(RunError, match="holds no run yet"):
        un.compare(tmp_path / "none", memory=False)
