"""Several runs of one command, and runs beside each other, as users meet them."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from at_the_terminal import call, interrupted
from unrolled.cli import cli
from unrolled.errors import ConfigError, RunError, TrainingError, UnrolledWarning
from unrolled.tasks.studies import study as way

TINY = ["--hidden", "4", "--embedding", "4", "--batch", "8", "--epochs", "1", "--evaluations", "1"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [f"{'good' if i % 2 else 'bad'} film number{i},{'good' if i % 2 else 'bad'}" for i in range(20)]
    Path("films.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return "films.csv"


def test_folds_end_in_a_table_and_a_picture_and_go_on(table):
    said = call("train", "classify", table, *TINY, "--folds", "2")
    assert "lstm: mean of 2" in said and "The runs are in runs/classify, their figures in runs/classify/compare.json." in said
    assert sorted(os.listdir("runs/classify")) == [".lock", "compare.json", "compare.svg", "fold-1", "fold-2", "study.toml"]
    figures = json.loads(Path("runs/classify/compare.json").read_text())
    assert figures == json.loads(call("compare", "runs/classify", "--json"))
    assert [run["fold"] for run in figures["runs"]] == [[1, 2], [2, 2]]
    assert "lstm: mean of 2" in call("train", "classify", "--resume", "runs/classify")
    assert "predict" not in said and "bad" in call("predict", "runs/classify/fold-2", typed="bad film\n")
    again = call("train", "classify", "--config", "runs/classify/fold-2/config.toml", "--out", "again")
    assert "The run is in again" in again
    same = [Path(run, "model.safetensors").read_bytes() for run in ("again", "runs/classify/fold-2")]
    assert same[0] == same[1]


def test_options_of_several_runs_come_from_a_file_too(table):
    Path("options.toml").write_text('cell = ["lstm", "elman"]\nmatch = "parameters"\nwatch = true\n')
    said = call("train", "classify", table, *TINY, "--config", "options.toml", "--out", "study")
    assert said.count("Looked at") == 2 and len(json.loads(Path("study/compare.json").read_text())["groups"]) == 2
    assert call("compare", "study/lstm", "study/elman", "--no-memory", "--picture", "both.png").count("\n") == 3
    assert Path("both.png").exists() and not Path("study/lstm/compare.svg").exists()


@pytest.mark.parametrize("name", ["compare.json", "compare.svg"])
def test_figures_that_cannot_be_kept_are_shown(table, name):
    call("train", "classify", table, *TINY, "--folds", "2", "--out", "study")
    Path("study", name).unlink()
    Path("study", name).symlink_to(Path("elsewhere"))
    with pytest.warns(UnrolledWarning, match=f"study/{name}.*: it is a link"):
        assert "lstm: mean of 2" in call("compare", "study", "--no-memory")
    Path("study", name).unlink()
    Path("study", name).mkdir()
    with pytest.warns(UnrolledWarning, match=f"study/{name}.*: it is a folder"):
        assert "lstm: mean of 2" in call("train", "classify", "--resume", "study")
    assert not Path("elsewhere").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["train", "classify", "films.csv", "--folds", "1"], ConfigError, "`--folds` must be at least 2"),
        (["train", "classify", "films.csv", "--folds", "30"], ConfigError, "`--folds 30` needs as many sequences, and DATA has 20"),
        (["train", "classify", "films.csv", "--folds", "3", "--held-out", "0.2"], ConfigError, "`--held-out` says it too"),
        (
            ["train", "classify", "films.csv", "--folds", "3", "--validation", "films.csv"],
            ConfigError,
            "`--validation` names files instead",
        ),
        (["train", "classify", "films.csv", "--match", "parameters"], ConfigError, "as in `--cell lstm,gru`"),
        (["train", "classify", "films.csv", "--cell", "lstm,grue"], Exception, "'grue' cannot be read"),
        (["train", "lm", "films.csv", "--folds", "3"], ConfigError, "`--folds` divides examples"),
        (["train", "classify", "--resume", "nowhere"], RunError, "There is no run folder nowhere"),
        (["train", "classify", "--resume", "nowhere", "--folds", "3"], RunError, "nowhere"),
        (["compare", "nowhere"], RunError, "There is no run folder nowhere"),
    ],
)
def test_what_cannot_be_is_refused_in_words_of_the_terminal(table, arguments, error, said):
    with pytest.raises(error) as refused:
        call(*arguments)
    assert said in str(refused.value) and not Path("runs").exists()


def test_runs_that_fail_are_named_in_the_end(table, monkeypatch):
    def fail(*_, **__):
        raise TrainingError("The loss is no number.")

    monkeypatch.setattr(way, "run_training", fail)
    with pytest.raises(TrainingError, match="2 of the runs in study failed: fold-1, fold-2"):
        call("train", "classify", table, *TINY, "--folds", "2", "--out", "study")


def test_ctrl_c_stops_all_runs_and_says_how_to_go_on(table):
    history = Path("study/fold-1/metrics.jsonl")
    options = [*TINY[:-4], "--epochs", "100000", "--folds", "2", "--out", "study"]
    ended = interrupted("train", "classify", table, *options, when=history.exists)
    assert ended.exit_code == 130
    assert "Go on with: unrolled train classify --resume study" in ended.stdout and "so far: unrolled compare study" in ended.stdout
    assert not Path("study/fold-2").exists()
    assert "fold-1 *" in call("compare", "study", "--no-memory")
    stopped = json.loads(history.read_text().splitlines()[-1])
    result = CliRunner().invoke(cli, ["train", "classify", "--resume", "study", "--epochs", "2"])
    assert result.exit_code == 0, result.output
    runs = json.loads(Path("study/compare.json").read_text())["runs"]
    assert [run["finished"] for run in runs] == [True, True]
    assert runs[0]["updates"] >= stopped["update"] and runs[0]["seconds"] >= stopped["seconds"]
