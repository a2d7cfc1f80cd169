"""What people type every day: names of other toolkits, moved data, empty lines, terminals of all kinds."""

import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

import unrolled as un
from at_the_terminal import call
from unrolled.cli import cli
from unrolled.errors import DataError, RunError
from unrolled.tasks.measures.labels import score_labels
from unrolled.training import Silent

SMALL = {"hidden": 4, "batch": 8, "updates": 3, "evaluations": 1, "display": Silent()}


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
    ],
)
def test_names_of_other_toolkits_and_slips_are_answered_with_what_was_meant(typed, meant):
    result = CliRunner().invoke(cli, typed)
    assert result.exit_code == 2
    assert f"Did you mean {meant}?" in result.output


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
