"""Translators at the command line, as their users meet them."""

import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from click.testing import CliRunner

import unrolled as un
from at_the_terminal import call, interrupted
from unrolled.cli import cli, main, shown
from unrolled.data.formats.pairs import read_pairs
from unrolled.errors import ConfigError, DataError, RunError, UnrolledError, UnrolledWarning
from unrolled.tasks.translation.options import SearchOptions

PAIRS = [("red cat", "chat rouge"), ("a dog", "un chien"), ("the cat runs", "le chat court"), ("a red dog", "un chien rouge")]
QUICK = ["--hidden", "6", "--embedding", "5", "--epochs", "2", "--evaluations", "1", "--batch", "4"]


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run on words, and the pairs it was trained on in several formats."""
    folder = tmp_path_factory.mktemp("translating")
    for name, column in (("a.en", 0), ("a.fr", 1)):
        (folder / name).write_text("".join(f"{pair[column]}\n" for pair in PAIRS))
    (folder / "pairs.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in PAIRS))
    (folder / "more.tsv").write_text("red cat\tchat rouge\tle chat rouge\n")
    told = call("train", "translate", folder / "pairs.tsv", *QUICK, "--level", "word", "--out", folder / "run")
    assert f"Let it answer what you type: unrolled predict {folder / 'run'}" in told
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def test_evaluate_says_what_others_rely_on(here):
    (found,) = objects(call("evaluate", "run", "pairs.tsv", "--json"))
    assert {"bleu", "chrf", "exact", "perplexity", "baseline_bleu", "baseline_exact", "sequences"} < set(found)
    assert (found["sequences"], found["pairs"], found["left_out"]) == (4, 4, 0)
    measured = un.load("run").evaluate("pairs.tsv")
    assert (found["bleu"], found["chrf"], found["exact"]) == (measured.scores.bleu, measured.scores.chrf, measured.scores.exact)
    assert found["perplexity"] == measured.perplexity
    assert found == measured.to_json()
    assert "tok:13a" in found["bleu_signature"]
    assert objects(call("evaluate", "run", "--source", "a.en", "--target", "a.fr", "--json")) == [found]
    assert "over 4 sources (the sources themselves: BLEU 0.00, exact 0.00%)" in call("evaluate", "run", "pairs.tsv", "--beam", "3")
    two = objects(call("evaluate", "run", "--source", "a.en", "--target", "a.fr", "--target", "a.en", "--json", "--beam", "3"))[0]
    assert "nrefs:2" in two["bleu_signature"]
    for options, references in (((), "nrefs:1"), (("--references",), "nrefs:2")):
        assert references in objects(call("evaluate", "run", "more.tsv", "--json", *options))[0]["bleu_signature"]


def test_a_line_in_and_a_line_out(here):
    typed = "the cat\r\n\nred zebra, ☃\n  \na dog"
    lines = call("predict", "run", typed=typed).split("\n")
    sources = ["the cat", "", "red zebra, ☃", "", "a dog"]
    wanted = [best[0].text for best in un.load("run").translate(sources)]
    assert lines == [*wanted, ""]
    Path("some.txt").write_bytes(b"\xef\xbb\xbf" + typed.encode())
    assert call("predict", "run", "some.txt").split("\n") == lines
    assert call("predict", "run", "some.txt", "--out", "said.txt") == ""
    assert Path("said.txt").read_text(encoding="utf-8").split("\n") == lines
    Path("some.tsv").write_text("the cat\tle chat\n\na dog\n", encoding="utf-8")
    assert call("predict", "run", "some.tsv").split("\n") == [wanted[0], "", wanted[4], ""]
    Path("some.jsonl").write_text('{"source": "the cat", "target": ["x", "y"]}\n{"source": "a dog"}\n', encoding="utf-8")
    assert call("predict", "run", "some.jsonl").split("\n") == [wanted[0], wanted[4], ""]


def test_several_translations_with_their_scores(here):
    rows = [line.split("\t") for line in call("predict", "run", "--nbest", "3", "--beam", "4", typed="the cat\n\na dog\n").splitlines()]
    assert [row[0] for row in rows] == ["1", "1", "1", "2", "3", "3", "3"]
    said = objects(call("predict", "run", "-", "--nbest", "3", "--beam", "4", "--json", typed="the cat\n\na dog\n"))
    assert [found["source"] for found in said] == ["the cat", "", "a dog"]
    assert [len(found["best"]) for found in said] == [3, 1, 3]
    flat = [best for found in said for best in found["best"]]
    assert [row[2] for row in rows] == [best["text"] for best in flat]
    assert [float(row[1]) for row in rows] == pytest.approx([best["score"] for best in flat], abs=1e-4)
    for found in said:
        assert set(found) == {"source", "text", "score", "log_probability", "best"}
        assert {key: found[key] for key in found["best"][0]} == found["best"][0]
        scores = [best["score"] for best in found["best"]]
        assert scores == sorted(scores, reverse=True)


def test_options_of_the_search_reach_it(here):
    assert call("predict", "run", "--prefix", "le chat", typed="a dog\n").startswith("le chat")
    options = {"beam": 3, "nbest": 2, "length_penalty": 0.2, "coverage_penalty": 0.5, "limit": 0.1, "prefix": "un"}
    flags = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]
    (found,) = objects(call("predict", "run", "--json", *flags, typed="a red dog\n"))
    (wanted,) = un.load("run").translate(["a red dog"], SearchOptions(**options))
    assert [(best["text"], best["score"]) for best in found["best"]] == [(best.text, round(best.score, 6)) for best in wanted]


def test_what_it_looked_at_is_drawn(here):
    result = CliRunner().invoke(cli, ["predict", "run", "--attention", "look.png", "--json"], input="the cat\n\na dog\n")
    assert [Path(name).read_bytes()[:4] for name in ("look.png", "look-3.png")] == [b"\x89PNG"] * 2
    assert not Path("look-2.png").exists()
    assert "drawn in look-3.png" in result.stderr
    first, empty, _ = objects(result.stdout)
    assert first["read"] == ["the", "cat", "<EOS>"]
    assert [sum(row) for row in first["weights"]] == pytest.approx([1] * len(first["written"]), abs=1e-3)
    assert "weights" not in empty


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--beam", "0"], "`--beam` must be at least 1"),
        (["--nbest", "3", "--beam", "2"], "`--nbest` must lie between 1 and `--beam` = 2, got 3"),
        (["--series", "text"], "`--series` says nothing about a translator"),
        (["--scheme", "bio"], "`--scheme` says nothing about a translator"),
        (["--attention", "a.xyz"], "must end in .png, .svg, .pdf, got a.xyz"),
        (["--attention", "nowhere/a.png"], "folder of `--attention` must exist"),
        (["--format", "xml"], "no format 'xml' of pairs"),
        (["--format", "jsonl"], "standard input, line 1 must be a JSON object"),
        (["--longest", "0"], "`--longest` must be at least 1"),
    ],
)
def test_what_cannot_be_predicted_so_is_refused_before_anything_is_written(here, arguments, message):
    result = CliRunner().invoke(cli, ["predict", "run", *arguments], input="a cat\n")
    assert isinstance(result.exception, UnrolledError)
    assert message in shown(result.exception)
    assert result.stdout == ""


def test_files_that_cannot_be_translated_are_named(here):
    Path("empty.txt").write_text("")
    Path("latin.txt").write_bytes("cat\nÜber\n".encode("latin-1"))
    for name, message in (
        ("empty.txt", "There is no line in empty.txt"),
        ("-", "There is no line in standard input"),
        ("latin.txt", "latin.txt, line 2, is not utf-8.*`--encoding cp1252`"),
        (".", r"\. is a folder"),
        ("missing.txt", "missing.txt does not exist"),
    ):
        with pytest.raises(DataError, match=message):
            call("predict", "run", name)
    assert len(call("predict", "run", "latin.txt", "--encoding", "latin-1").splitlines()) == 2


def test_what_may_not_be_meant_is_told(here):
    long = "cat " * 251
    with pytest.warns(UnrolledWarning, match=r"standard input, line 2: a source of more than 250 words and marks, or 5,000 .* `longest`"):
        said = call("predict", "run", "--json", "--limit", "0", typed=f"cat\n{long}\n{long}\n")
    assert [len(found["source"].split()) for found in objects(said)] == [1, 250, 250]
    assert len(objects(call("predict", "run", "--json", "--limit", "0", "--longest", "300", typed=long))[0]["source"].split()) == 251
    for line in ("cat\tchat", "IN: cat OUT: chat"):
        Path("odd.txt").write_text(f"{line}\n")
        with pytest.warns(UnrolledWarning, match=r"odd.txt, line 1, .* is read as a source. Pass `format='tsv'` or `format='scan'`"):
            call("predict", "run", "odd.txt")
    assert call("predict", "run", "odd.txt", "--format", "scan") == call("predict", "run", typed="cat\n")


def test_warnings_speak_of_flags_at_the_terminal_and_of_arguments_in_python(here, capsys):
    Path("odd.txt").write_text("cat\tchat\n")
    with pytest.raises(SystemExit) as caught, warnings.catch_warnings():
        warnings.simplefilter("always")
        main(["predict", "run", "odd.txt"])
    assert caught.value.code == 0
    (told,) = (line for line in capsys.readouterr().err.splitlines() if "warning" in line)
    assert told.startswith("warning: odd.txt, line 1, ") and "Pass `--format tsv` or `--format scan` if it is" in told
    with pytest.warns(UnrolledWarning, match=r"odd.txt, line 1, .* Pass `format='tsv'` or `format='scan'` if it is"):
        list(read_pairs("odd.txt", un.load("run").reading_of().to_predict()))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ([], ConfigError, "There is no DATA to measure"),
        (["--source", "a.en"], ConfigError, "got `--source a.en`. Pass one or the other"),
        (["pairs.tsv", "--beam", "0"], ConfigError, "`--beam` must be at least 1"),
        (["pairs.tsv", "--confusion", "a.png"], ConfigError, "`--confusion` says nothing about a translator"),
        (["--source", "a.en", "--target", "more.tsv"], DataError, "a.en has 4 lines and more.tsv has 1: line 2 of a.en"),
        (["builtin:intents"], ConfigError, "builtin:intents has only labels for whole sequences. Train `classify` on it"),
        (["builtin:cats"], DataError, "no built-in examples 'builtin:cats'"),
    ],
)
def test_what_cannot_be_measured_is_told(here, arguments, error, message):
    with pytest.raises(error) as caught:
        call("evaluate", "run", *arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("command", ["chat"])
def test_a_search_that_cannot_be_is_refused_before_the_run_is_looked_for(command):
    with pytest.raises(ConfigError, match="`--beam` must be at least 1"):
        call(command, "nowhere", *(["pairs.tsv"] if command == "evaluate" else []), "--beam", "0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "There are no PAIRS. Pass files"),
        (["pairs.tsv", "--source", "a.en"], "'a.en'"),
        (
            ["pairs.tsv", "--source", "0", "--input", "1"],
            "`--source` and `--input` both name the column or key of the source, got '0' and '1'",
        ),
        (["--source", "a.en"], "a file `--source` beside a file `--target`, got `--source a.en`"),
        (["--target", "a.fr"], "got `--target a.fr`"),
        (
            ["--source", "a.en", "--target", "a.fr", "--validation", "a.en"],
            "`--validation` must name two aligned files as `--source` and `--target` do",
        ),
        (["pairs.tsv", "--attention", "bahdanau"], "must be one of none, additive, dot, general, got 'bahdanau'"),
        (["pairs.tsv", "--level", "syllable"], "must be one of char, word, subword"),
        (["pairs.tsv", "--vocabulary", "100"], "room for the 256 bytes"),
        (["pairs.tsv", "--copy", "--attention", "none"], "`--copy` needs attention"),
        (["pairs.tsv", "--held-out", "1.5"], "`--held-out` must be a fraction"),
        (["pairs.tsv", "--batch", "0"], "`--batch` must be at least 1, got 0"),
        (["."], "is a folder. Pass files"),
        (["builtin:cats"], "Pass one of builtin:dates"),
    ],
)
def test_trainings_that_cannot_be_are_refused_and_leave_nothing(here, arguments, message):
    with pytest.raises(UnrolledError) as caught:
        call("train", "translate", *arguments, "--out", "refused")
    assert message in str(caught.value).replace(f"{here}/", "")
    assert not Path("refused").exists()


def test_a_talk_through_a_pipe(here):
    call("train", "translate", "pairs.tsv", *QUICK, "--level", "word", "--no-bidirectional", "--out", "talk")
    talk = un.load("talk").converse()
    wanted = [talk.reply("red cat"), talk.reply("a dog")]
    talk.begin_anew()
    wanted.append(talk.reply("a dog"))
    assert call("chat", "talk", typed="red cat\n a dog \n\na dog").split("\n") == [*wanted, ""]
    drawn = [call("chat", "talk", "--temperature", "2", "--seed", seed, typed="a dog\n" * 5) for seed in "112"]
    assert drawn[0] == drawn[1] != drawn[2]
    assert call("chat", "talk", typed="") == ""
    with pytest.raises(ConfigError, match="`--temperature` draws answers, and `--beam` is about searching"):
        call("chat", "talk", "--temperature", "1", "--beam", "2", typed="a dog\n")
    with pytest.raises(ConfigError, match="`--beam` must be at least 1"):
        call("chat", "talk", "--beam", "0", typed="a dog\n")


def test_what_a_run_is_not_for_is_said(here):
    for command in (("backtest", "run", "a.csv"), ("score", "run", "a cat")):
        with pytest.raises(RunError, match=r"run holds a translator, which `unrolled \w+` is not for. Use it with `unrolled predict`"):
            call(*command)
    Path("text.txt").write_text("The cat runs.\n" * 30)
    call("train", "lm", "text.txt", "--hidden", "4", "--batch", "2", "--window", "16", "--epochs", "1", "--evaluations", "1", "--out", "lm")
    with pytest.raises(RunError, match="lm holds a language model, which `unrolled chat` is not for"):
        call("chat", "lm")
    with pytest.raises(RunError, match="holds a language model, which `unrolled predict` is not for"):
        call("predict", "lm", "text.txt")


def test_help_says_pairs(here):
    short, whole = (call("train", "translate", flag) for flag in ("--help", "--help-all"))
    for said in (short, whole):
        assert "[PAIRS]..." in said
        assert all(flag in said for flag in ("--source", "--target", "--validation", "--level", "--attention"))
    assert "--reverse-source" in whole and "--reverse-source" not in short


ENDLESS = ["train", "translate", "pairs.tsv", *QUICK[:4], "--epochs", "100000", "--checkpoint-seconds", "0.1", "--out"]


def test_a_training_that_is_interrupted_goes_on(here):
    ended = interrupted(*ENDLESS, "interrupted", when=Path("interrupted/checkpoint.safetensors").exists)
    assert ended.exit_code == 130
    assert "Go on with: unrolled train translate --resume interrupted" in ended.stdout
    assert "The run is in interrupted" in call("train", "translate", "--resume", "interrupted", "--minutes", "0.001")


def test_a_training_that_is_killed_goes_on(here):
    out = "killed"
    with subprocess.Popen(
        [sys.executable, "-c", "from unrolled.cli import main; main()", *ENDLESS, out], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while not Path(out, "checkpoint.safetensors").exists():
            assert process.poll() is None
            time.sleep(0.02)
        with pytest.raises(RunError, match="Another process is training in"):
            call("train", "translate", "--resume", out, "--minutes", "0.001")
        process.kill()
    assert f"The run is in {out}" in call("train", "translate", "--resume", out, "--minutes", "0.001")
    assert call("predict", out, typed="a cat\n").endswith("\n")
