"""What people type every day: names of other toolkits, moved data, empty lines, terminals of all kinds."""

import os
import shutil
import subprocess
import sys

import click
import pytest
import torch
from click.shell_completion import get_completion_class
from click.testing import CliRunner

import unrolled as un
from at_the_terminal import call
from unrolled.cli import cli
from unrolled.cli.about_runs import RunCommand
from unrolled.cli.hints import _COMMANDS, hinted
from unrolled.cli.tasks import TASKS
from unrolled.errors import ConfigError, DataError, RunError
from unrolled.options import OTHER_NAMES, dashed
from unrolled.tasks import RECIPES
from unrolled.tasks.measures.labels import score_labels
from unrolled.training import Silent

SMALL = {"hidden": 4, "batch": 8, "updates": 3, "evaluations": 1, "display": Silent()}


NAMES = {
    "--val-split": "--held-out", "--validation-split": "--held-out", "--validation_split": "--held-out", "--early-stopping-patience": "--patience",
    "--num-epochs": "--epochs", "--num_train_epochs": "--epochs", "--bs": "--batch", "--gpu": "--device", "--cuda": "--device",
    "--ckpt": "--resume", "--checkpoint": "--resume", "--wd": "--weight-decay", "--emsize": "--embedding", "--nhid": "--hidden",
    "--nlayers": "--layers", "--embed-dim": "--embedding", "--Learning_Rate": "--learning-rate", "--finetune": "--from",
}  # fmt: skip
"""Options of other toolkits, and what they are called here."""

WORDS = {
    "finetune": "'train TASK --from RUN'", "fine-tune": "'train TASK --from RUN'", "serve": "'predict'", "test": "'evaluate'",
    "eval": "'evaluate'", "infer": "'predict'", "generate": "'sample'", "fit": "'train'",
}  # fmt: skip
"""Commands of other toolkits."""


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A run folder of a tiny classifier."""
    folder = tmp_path_factory.mktemp("everyday") / "run"
    un.train_classifier("builtin:intents", out=folder, **SMALL)
    return folder


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["train", "lm", "--lr", "1"], "--learning-rate"),
        (["train", "lm", "--batch-size", "1"], "--batch"),
        (["train", "lm", "--hidden-size", "1"], "--hidden"),
        (["train", "lm", "--num_layers", "1"], "--layers"),
        (["train", "lm", "--bptt", "1"], "--window"),
        (["smaple"], "'sample'"),
        (["train", "translation"], "'translate'"),
        (["train", "clasify"], "'classify'"),
        *((["train", "classify", flag, "1"], meant) for flag, meant in NAMES.items()),
        *(([word], meant) for word, meant in WORDS.items()),
    ],
)
def test_names_of_other_toolkits_and_slips_are_answered_with_what_was_meant(typed, meant):
    result = CliRunner().invoke(cli, typed)
    assert result.exit_code == 2
    assert f"Did you mean {meant}?" in result.output


def test_names_of_other_toolkits_are_answered_for_samples_too():
    for flag, meant in (("--n", "--length"), ("--topk", "--top-k"), ("--top_k", "--top-k"), ("--nucleus", "--top-p")):
        with pytest.raises(click.NoSuchOption, match=f"Did you mean {meant}"):
            raise hinted(click.NoSuchOption(flag), ["--length", "--top-k", "--top-p"])


@pytest.mark.parametrize(
    ("name", "meant"),
    [("lr", "learning_rate"), ("batch_size", "batch"), ("hidden_size", "hidden"), ("n_epochs", "epochs"), ("validation_split", "held_out"),
     ("output_dir", "out"), ("dropuot", "dropout")],
)  # fmt: skip
def test_names_of_other_toolkits_are_answered_in_python_too(name, meant):
    with pytest.raises(ConfigError, match=f"There is no option '{name}'. Did you mean '{meant}'"):
        un.train_classifier("builtin:intents", **{name: 3})
    with pytest.raises(ConfigError, match=f"There is no option '{name}'. Did you mean '{meant}'"):
        un.train_forecaster({"value": [1.0, 2.0]}, **{name: 3})


@pytest.mark.parametrize(("task", "words"), [("lm", "early stopping"), ("tag", "exponential moving average"), ("lm", "gradient clipping")])
def test_help_is_found_by_the_words_of_the_field(task, words):
    assert words in " ".join(call("train", task, "--help-all").lower().split())


def test_empty_lines_keep_their_places(classifier, tmp_path):
    found = call("predict", classifier, typed="wake me up\n\nbook a table\n").split("\n")
    assert [line.split("\t")[-1] for line in found] == ["wake me up", "", "book a table", ""]
    json_lines = call("predict", classifier, "--json", typed="wake me up\n\nbook a table\n").splitlines()
    assert len(json_lines) == 3
    assert json_lines[1] == '{"text": ""}'


def test_a_run_goes_on_with_data_that_was_moved(tmp_path):
    first, other = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("one two\nthree\n" * 40)
    options = {"out": tmp_path / "run", "display": Silent()}
    un.train_language_model(first, **options, hidden=4, batch=2, window=8, updates=2, evaluations=1)
    shutil.move(first, other)
    with pytest.raises(RunError, match=r"a\.txt, which .* is not there\. If it was moved, pass DATA with `resume`"):
        un.train_language_model(**options, resume=True, updates=4)
    un.train_language_model(other, **options, resume=True, updates=4)
    assert "b.txt" in (tmp_path / "run/config.toml").read_text()
    other.write_text("something else\n" * 40)
    with pytest.raises(RunError, match="The data is not the one"):
        un.train_language_model(other, **options, resume=True, updates=6)
    with pytest.raises(DataError):
        un.train_language_model(tmp_path / "none.txt", out=tmp_path / "new", display=Silent())


class Told(Silent):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def test_what_a_resumed_run_changes_is_told(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("one two\nthree\n" * 40)
    options = {"out": tmp_path / "run", "hidden": 4, "batch": 2, "window": 8, "updates": 4, "evaluations": 1, "warmup": 0}
    un.train_language_model(text, **options, display=Silent())
    again, longer = Told(), Told()
    un.train_language_model(out=tmp_path / "run", resume=True, display=again)
    assert any(line.startswith("Nothing is left to learn: the run had ended after 4 updates") for line in again.lines)
    un.train_language_model(out=tmp_path / "run", resume=True, updates=8, display=longer)
    assert any(line.startswith("The learning rate goes from ") for line in longer.lines), longer.lines


def test_a_network_that_says_no_more_than_guessing_is_told():
    true = [("a",)] * 9 + [("b",)]
    told = "WARNING: what was learnt is of no use: always saying 'a' is right as often."
    assert score_labels(true, [("a",)] * 10, frequent="a").warning.startswith(told)
    assert not score_labels(true, true, frequent="a").warning
    assert not score_labels(true, [("b",)] * 6 + [("a",)] * 3 + [("b",)], frequent="a").warning


def test_pipes_are_utf_8_whatever_the_locale(classifier):
    command = [sys.executable, "-m", "unrolled", "predict", classifier]
    found = subprocess.run(
        command, input="wäke ∞\n".encode(), capture_output=True, env={"PYTHONIOENCODING": "cp1252", "OMP_NUM_THREADS": "1"}
    )
    assert found.stdout.decode().endswith("\twäke ∞\n"), found.stderr.decode()


def leaves(group, ctx):
    """Every command with its name."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from leaves(command, ctx)
        else:
            yield name, command


def test_what_hints_name_exists_and_every_command_knows_the_machine():
    ctx = click.Context(cli)
    every = list(leaves(cli, ctx))
    assert {name.split()[0] for name in _COMMANDS} <= {*cli.list_commands(ctx), *(name for name, _ in every)}
    flags = [{opt for param in command.params for opt in param.opts} for _, command in every]
    of_runs = {opt for _, command in every if isinstance(command, RunCommand) for param in command._all_flags() for opt in param.opts}
    assert {dashed(name) for name in OTHER_NAMES} <= of_runs.union(*flags)
    words = [word for theirs in (*OTHER_NAMES.values(), *_COMMANDS.values()) for word in theirs.split()]
    assert all(word == word.lower() and "_" not in word for word in words)
    assert all({"--device", "--threads", "--quiet"} <= known for known in flags)


def test_threads_devices_and_quiet(classifier, tmp_path):
    before = torch.get_num_threads()
    with pytest.raises(ConfigError, match="cannot be used here"):
        call("predict", classifier, "--device", "warp", typed="a\n")
    assert "UNROLLED_DEVICE" not in os.environ
    said = call("predict", classifier, "--device", "cpu", "--threads", "1", typed="a\n")
    assert said == call("predict", classifier, typed="a\n")
    assert torch.get_num_threads() == before
    quick = ["--updates", "1", "--evaluations", "1", "--hidden", "4"]
    loud = CliRunner().invoke(cli, ["train", "classify", "builtin:intents", *quick, "--out", str(tmp_path / "a")])
    quiet = CliRunner().invoke(cli, ["train", "classify", "builtin:intents", *quick, "--out", str(tmp_path / "b"), "--quiet"])
    assert "parameters on cpu" in loud.stderr and "parameters on cpu" not in quiet.stderr
    assert quiet.stdout.startswith(f"The run is in {tmp_path / 'b'}")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete(shell, monkeypatch):
    monkeypatch.setattr("click.shell_completion.BashComplete._check_version", staticmethod(lambda: None))
    assert "_UNROLLED_COMPLETE" in call("completion", shell)
    found = get_completion_class(shell)(cli, {}, "unrolled", "_UNROLLED_COMPLETE").get_completions(["train", "lm"], "--learn")
    assert [item.value for item in found] == ["--learning-rate"]


def test_groups_list_the_tasks_that_there_are():
    assert [*TASKS] == [*RECIPES]


@pytest.mark.parametrize(
    "command",
    ["train", "tune", "predict", "evaluate", "sample", "score", "compare", "runs", "completion", "look", "inspect", "doctor", "demo"],
)
def test_help_loads_no_torch(command):
    code = "import sys; from unrolled.cli import cli; cli.main(sys.argv[1:], standalone_mode=False); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, command, "--help"], capture_output=True).returncode == 0
