"""Commands about a run have the options that fit it, wherever the run stands among what is typed."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import unrolled as un
from at_the_terminal import call
from unrolled.cli import cli
from unrolled.errors import ConfigError, RunError
from unrolled.training import Silent

SMALL = {"hidden": 4, "embedding": 3, "epochs": 1, "evaluations": 1, "display": Silent()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of each of three tasks, and data for them."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "moods.csv").write_text("review,mood\n" + "a fine film,good\na bad film,bad\n" * 9)
    (folder / "pairs.tsv").write_text("cat\tchat\ndog\tchien\n" * 20)
    (folder / "text.txt").write_text("The cat runs.\n" * 60)
    un.train_classifier(folder / "moods.csv", out=folder / "moods", characters=2, character_hidden=2, **SMALL)
    un.train_translator(folder / "pairs.tsv", out=folder / "french", level="word", **SMALL)
    un.train_language_model(folder / "text.txt", out=folder / "lm", batch=2, window=16, **SMALL)
    return folder


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)


@pytest.mark.parametrize(
    "words", [("french", "--beam", "2"), ("--beam", "2", "french"), ("--json", "french", "--nbest", "1", "--prefix", "moods")]
)
def test_options_may_stand_before_the_run_and_after_it(words):
    assert call("predict", *words, "--", "pairs.tsv").count("\n") == 40


def test_the_run_is_the_argument_and_not_what_an_option_is_given():
    """`moods` is a run, too, and here the value of an option; a name may be too long for any file."""
    assert call("predict", "--prefix", "moods", "french", "pairs.tsv")
    assert call("predict", "french", "pairs.tsv", "--prefix", "x" * 300)
    with pytest.raises(RunError, match="typo"):
        call("predict", "--out", "out.csv", "typo", "moods.csv")
    with pytest.raises(RunError, match=r"moods\.csv"):
        call("evaluate", "moods.csv", "moods")


@pytest.mark.parametrize("flag", ["--help", "--help-all"])
def test_help_lists_what_fits(flag):
    general, labels, pairs = (call("evaluate", *run, flag) for run in ((), ("moods",), ("french",)))
    assert "--confusion" in labels and "--beam" not in labels
    assert ("--window" in labels) == (flag == "--help-all")
    assert "--beam" in pairs and "--series" not in pairs
    assert not any(flag in general for flag in ("--beam", "--confusion", "--case")) and "--json" in general
    assert "--case" in call("evaluate", "lm", flag)
    assert "--attention" in call("predict", "french", "-h" if flag == "--help" else flag)
    assert "--beam" in call("evaluate", flag, "french")
    with pytest.raises(RunError, match="There is no run folder nowhere"):
        call("evaluate", "nowhere", flag)


def test_help_about_a_run_is_in_groups():
    said = call("evaluate", "moods", "--help")
    reading, prediction, output = (said.index(f"\n{title}:\n") for title in ("Reading", "Prediction", "Output"))
    assert reading < said.index("--input") < prediction < said.index("--confusion") < output < said.index("--json")


def test_what_another_task_has_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"`--beam` says nothing about a classifier\. Leave it out"):
        call("predict", "moods", "moods.csv", "--beam", "2")
    with pytest.raises(ConfigError, match="`--no-header` says nothing about a language model"):
        call("evaluate", "lm", "text.txt", "--no-header")
    unknown = CliRunner().invoke(cli, ["predict", "moods", "moods.csv", "--separater", ";"])
    assert unknown.exit_code == 2 and re.search("No such option.*--separator", unknown.output, re.S)
    with pytest.raises(RunError, match="holds a language model, which `unrolled predict` is not for"):
        call("predict", "lm", "text.txt", "--beam", "2")


def test_a_run_that_cannot_be_measured_here_is_told_before_it_is_begun(monkeypatch, tmp_path):
    def none(name):
        raise ConfigError(f"no {name}")

    for module, train, data in (
        ("sequences.labels", un.train_classifier, "moods.csv"),
        ("translation.measuring", un.train_translator, "pairs.tsv"),
    ):
        monkeypatch.setattr(f"unrolled.tasks.{module}.extra", none)
        with pytest.raises(ConfigError, match=r"no (sklearn|sacrebleu)\.metrics"):
            train(Path(data), out=tmp_path / module, **SMALL)
        assert not (tmp_path / module).exists()
