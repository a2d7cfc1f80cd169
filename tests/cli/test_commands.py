"""The command line as its users meet it."""

import gzip
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from PIL import Image

import unrolled as un
from at_the_terminal import call
from unrolled.cli import cli, main
from unrolled.errors import ConfigError, TrainingError, UnrolledError
from unrolled.options import options_of
from unrolled.tasks import RECIPES, find_recipe
from unrolled.tasks.configuration import groups_of
from unrolled.tasks.studies import StudyOptions
from unrolled.training import RunFolder, read_watch

ROOT = Path(__file__).parents[2]
FAST = ["--hidden", "8", "--batch", "4", "--window", "16", "--epochs", "1", "--evaluations", "2"]
LINES = "The king is dead.\nLong live the king!\nWho is the king?\n" * 30
MINIMAL = """\
u[t] = sigmoid(W_u @ x[t] + R_u @ h[t-1] + b_u)
n[t] = tanh(W_n @ x[t] + R_n @ h[t-1] + b_n)
h[t] = u[t] * n[t] + (1 - u[t]) * h[t-1]
"""

WINDOW = ["--window", "1", "--overlap", "9"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder with a text and a cell in it."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(LINES, encoding="utf-8")
    Path("minimal.cell").write_text(MINIMAL, encoding="utf-8")
    return tmp_path


TAGGED = """\
1\tThe\tthe\tDET\t_\t_\t2\tdet\t_\t_
2\tking\tking\tNOUN\t_\t_\t0\troot\t_\t_

1\tLive\tlive\tVERB\t_\t_\t0\troot\t_\t_

"""


@pytest.fixture
def run(here):
    call("train", "lm", "text.txt", *FAST, "--out", "run")
    return here / "run"


def test_train_evaluate_sample_and_score(run):
    found = json.loads(call("evaluate", run, "text.txt", "--json"))
    assert set(found) == {"nats", "bits", "perplexity", "accuracy", "tokens", "unknown", "unigram", "parts", "lost"}
    assert found["tokens"] == len(LINES)
    assert found == un.load(run).evaluate("text.txt").to_json()
    assert found["bits"] == pytest.approx(found["nats"] / 0.6931471805599453)
    assert found["perplexity"] == pytest.approx(2.718281828459045 ** found["nats"])
    assert "bits per character" in call("evaluate", run, "text.txt")
    written = call("sample", run, "--prompt", "The ", "--length", "30", "--seed", "3", "--count", "2")
    assert written == call("sample", run, "--prompt", "The ", "--length", "30", "--seed", "3", "--count", "2")
    first, second = written.split("-" * 40 + "\n")
    assert len(first.rstrip("\n")) <= 34
    assert first.startswith("The ")
    assert second.startswith("The ")
    scored = json.loads(call("score", run, "king the is", "The king is dead.", "--json"))
    assert [set(s) for s in scored] == [{"sentence", "log_probability", "perplexity"}] * 2
    assert scored[0]["log_probability"] >= scored[1]["log_probability"]
    model = un.load(run)
    assert scored[0]["log_probability"] == pytest.approx(model.score(scored[0]["sentence"]))


def test_characters_that_the_model_does_not_know_are_named(run):
    result = CliRunner().invoke(cli, ["sample", str(run), "--prompt", "Þe king", "--length", "5"])
    assert "does not know 'Þ': read as <UNK>" in result.stderr
    assert result.stdout.startswith("Þe king")
    result = CliRunner().invoke(cli, ["score", str(run), "☃"])
    assert "'☃'" in result.stderr


def test_words_and_a_cell_of_ones_own(here):
    call(
        "train",
        "lm",
        "text.txt",
        *FAST,
        "--out",
        "w",
        "--level",
        "word",
        "--vocabulary",
        "8",
        "--cell",
        "minimal.cell",
        "--held-out",
        "0.2",
    )
    stored = json.loads(Path("w/codecs.json").read_text())
    assert (stored["level"], stored["lines"]) == ("word", True)
    assert len(stored["symbols"]["names"]) == 8 - 2 and len(stored["symbols"]["counts"]) == 8
    assert 'name = "minimal"' in Path("w/recurrence.cell").read_text()
    Path("minimal.cell").unlink()
    assert "perplexity" in call("evaluate", "w", "text.txt")
    assert "<UNK>" not in call("sample", "w", "--prompt", "the king", "--length", "40")


def test_a_run_gets_a_folder_of_its_own(here):
    for expected in ("runs/lm", "runs/lm-2"):
        assert f"The run is in {expected}" in call("train", "lm", "text.txt", *FAST)


def test_options_come_from_a_file_and_what_is_typed_goes_first(here):
    Path("options.toml").write_text('hidden = 9\n[training]\nminutes = 5.0\n[data]\nsources = ["text.txt"]\n')
    call("train", "lm", "--config", "options.toml", *FAST[2:], "--out", "a")
    stored = Path("a/config.toml").read_text()
    assert "hidden = 9" in stored
    assert "epochs = 1" in stored
    assert "minutes" not in stored
    call("train", "lm", "--config", "a/config.toml", "--hidden", "7", "--out", "b")
    assert "hidden = 7" in Path("b/config.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "1", "--minutes", "2"], "both say when to stop"),
        (["--out", "a", "--resume", "b"], "`--resume` goes on in the run's own folder"),
        (["--resume", "nowhere"], "There is no run folder nowhere"),
        (["--level", "syllable"], "`--level` must be char or word, got 'syllable'"),
        (["--vocabulary", "2"], "must be at least 3"),
        (["--held-out", "1.5"], "must be a fraction"),
        (["--cell", "nothing.cell"], "Give a built-in cell's name or a file of equations"),
        (["--cell", "text.txt"], "Expected"),
        (["--tied", "--embedding", "3"], "--tied"),
        (["--dropout", "1"], "dropout"),
        (["--engine", "warp"], "no engine 'warp'"),
        (["--engine", "torch", "--cell", "lstm-peephole"], "torch has no kernel"),
        (["--device", "warp"], "--device warp"),
        (["--precision", "int8"], "must be one of float32, bfloat16"),
        (["--learning-rate", "nan"], "--learning-rate"),
        (["--config", "missing.toml"], "cannot be read"),
        (["--config", "minimal.cell"], "is not TOML"),
        (["--config", "wrong.toml"], "There is no option 'hiden'. Did you mean 'hidden'?"),
        (["--config", "kind.toml"], "`--hidden` must be of type int, got 'many'"),
        (["--encoding", "klingon"], "no text encoding"),
        (["--validation", "missing.txt"], "missing.txt"),
        (["--window", "5000"], "one window takes 5000"),
        (["--hidden", "0"], "hidden"),
        (["--backprop", "0"], "--backprop"),
        (["--tensorboard"], "pip install 'unrolled[tensorboard]'"),
    ],
)
def test_bad_options_are_refused_and_leave_nothing(here, arguments, said, monkeypatch):
    monkeypatch.setattr("unrolled.training.options.find_spec", lambda name: None)
    Path("wrong.toml").write_text("hiden = 3")
    Path("kind.toml").write_text('hidden = "many"')
    before = {p.name for p in here.iterdir()}
    with pytest.raises(UnrolledError) as caught:
        call("train", "lm", *([] if "--resume" in arguments else ["text.txt"]), *arguments)
    assert said in str(caught.value)
    assert {p.name for p in here.iterdir()} == before


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"abc", "The text"), (b"caf\xe9 au lait" * 40, "at byte 3"), (b"\xff\xfeh\x00i\x00" * 40, "`--encoding utf-16`")],
)
def test_texts_that_cannot_be_used_are_refused(here, content, said):
    Path("bad.txt").write_bytes(content)
    with pytest.raises(UnrolledError) as caught:
        call("train", "lm", "bad.txt", "--epochs", "1")
    assert said in str(caught.value)
    assert not Path("runs").exists()


def test_the_cure_that_the_encoding_error_names_works(here):
    Path("latin.txt").write_bytes("Übermäßig schöne Grüße\n".encode("latin-1") * 60)
    call("train", "lm", "latin.txt", *FAST, "--encoding", "latin-1", "--out", "latin")
    assert "ß" in json.loads(Path("latin/codecs.json").read_text(encoding="utf-8"))["symbols"]["names"]


def test_errors_are_one_message_without_a_traceback(here, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "nowhere", "text.txt"])
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("error: There is no run folder nowhere.")


def test_errors_speak_of_flags_at_the_terminal_and_of_arguments_in_python(here, capsys):
    for flags, options, told in (
        (["--hidden", "0"], {"hidden": 0}, "`hidden` must be at least 1, got 0."),
        (["--input-window", "0"], {"input_window": 0}, "`input_window` must be at least 1, which is the step itself, got 0."),
        (["--device", "warp"], {"device": "warp"}, "Use `device='auto'`."),
    ):
        with pytest.raises(SystemExit) as caught:
            main(["train", "lm", "text.txt", *flags])
        assert caught.value.code == 1
        said = capsys.readouterr().err
        with pytest.raises(ConfigError) as python:
            un.train_language_model("text.txt", out="run", **options)
        assert told in str(python.value) and "--" not in str(python.value)
        assert told not in said and said.startswith("error: `--") and said.count("`--") == str(python.value).count("`") / 2
    assert said.endswith("Use `--device auto`.\n")
    assert not Path("run").exists()


def test_errors_in_equations_speak_of_the_names_that_stand_there(here, capsys):
    Path("odd.cell").write_text("hidden[t] = tanh(W @ x[t] + R @ hidden[t-1])\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["train", "lm", "text.txt", "--cell", "odd.cell"])
    assert "or name the output: `output='hidden'` (here: hidden)" in capsys.readouterr().err


def test_what_a_run_says_speaks_of_flags_at_the_terminal(here):
    result = CliRunner().invoke(cli, ["train", "lm", "text.txt", *FAST, "--learning-rate", "1e-9", "--out", "run"])
    (warning,) = (line for line in result.stderr.splitlines() if line.startswith("WARNING"))
    assert warning.endswith("Train longer, with a lower `--learning-rate` or a higher `--reset-probability`.")


@pytest.mark.parametrize("text", ["`hidden=n` is no number.", "`seed=f(x)`, `a b=`, `lr=(2,`, `level=*x`"])
def test_what_stands_between_backticks_in_a_text_does_no_harm(here, text):
    """A run shows how its text begins."""
    Path("text.txt").write_text(f"{text}\n" * 60, encoding="utf-8")
    call("train", "lm", "text.txt", *FAST, "--out", "run")


def test_show_lists_and_prints_cells(here):
    assert all(name in call("show") for name in un.cells.BUILT_IN)
    assert call("show", "minimal.cell") == MINIMAL
    # As its authors write it, with parentheses that the equations do not need.
    written = call("show", "multiplicative-lstm")
    assert "m[t] = (W_m @ x[t]) * (R_m @ h[t-1])" in written
    assert un.Cell("mine", written).recurrence == un.cells.BUILT_IN["multiplicative-lstm"].recurrence
    assert "\\odot" in call("show", "lstm", "--as", "latex")
    assert "backward, every step" in call("show", "gru", "--as", "plan")
    assert call("show", "minimal.cell", "--as", "graph", "--steps", "2").startswith("<svg ")
    call("show", "minimal.cell", "--as", "graph", "--steps", "2", "--out", "minimal.svg")
    assert (here / "minimal.svg").read_text(encoding="utf-8").startswith("<svg ") and "unrolled over 2 steps" in (
        here / "minimal.svg"
    ).read_text(encoding="utf-8")
    with pytest.raises(UnrolledError, match=r"cannot be written"):
        call("show", "lstm", "--out", "nowhere/lstm.txt")
    with pytest.raises(UnrolledError, match=r"Did you mean gru or .*`unrolled show` lists the built-in cells"):
        call("show", "gruu")


def test_show_lists_cells_by_family_with_year_and_source(here):
    said = call("show")
    assert re.search(
        r"^Long short-term memory\n(  .*\n)*  lstm  +2000  The standard cell.*\n +Hochreiter & Schmidhuber \(1997\)", said, re.MULTILINE
    )
    every = json.loads(call("show", "--json"))
    assert [cell["name"] for cell in every] == list(un.cells.BUILT_IN)
    (found,) = (cell for cell in every if cell["name"] == "lstm")
    assert found == json.loads(call("show", "lstm", "--json"))
    (begun,) = (cell["begin"] for cell in every if cell["name"] == "slstm")
    assert begun == {"m": "-inf"}
    assert (found["family"], found["year"], found["states"], found["init"]) == ("Long short-term memory", 2000, ["h", "c"], {"b_f": 1.0})
    assert found["equations"] == un.cells.BUILT_IN["lstm"].equations.splitlines()
    with pytest.raises(UnrolledError, match="`--as latex` is for one cell"):
        call("show", "--as", "latex")


def test_show_makes_a_page_of_a_cell(here):
    said = call("show", "minimal.cell", "--as", "markdown")
    assert said.startswith("### minimal\n") and "```cell\nu[t] = " in said and "\\begin{aligned}" in said and "![" not in said
    call("show", "minimal.cell", "--as", "markdown", "--out", "page.md")
    assert "](page/minimal.svg)" in (here / "page.md").read_text(encoding="utf-8")
    assert (here / "page" / "minimal.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_doctor_tells_versions_threads_and_engines(here):
    found = json.loads(call("doctor", "--json"))
    assert {"unrolled", "torch", "python"} <= set(found["versions"])
    assert set(found["engines"]) == {"native", "torch", "eager"}
    assert found["processor"]["threads"] >= 1
    assert "eager" in call("doctor")


def test_doctor_tells_of_the_compiler_or_why_there_is_none(here, monkeypatch):
    monkeypatch.setenv("UNROLLED_CACHE", str(here / "cache"))
    native = json.loads(call("doctor", "--json"))["native"]
    if not native["compiler"].startswith("none"):
        assert native["version"] and "-O3" in native["flags"] and native["target"]
        assert (native["kept in"], native["builds"]) == (str(here / "cache" / "native"), 0)
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("UNROLLED_CFLAGS", "-no-such-flag")
    native = json.loads(call("doctor", "--json"))["native"]
    assert native["compiler"].startswith("none: ") and "$CC=no-such-compiler: not found" in native["compiler"]
    monkeypatch.delenv("UNROLLED_CFLAGS")
    native = json.loads(call("doctor", "--json"))["native"]
    if not native["compiler"].startswith("none"):
        assert "is used in its place" in native["warnings"] and "no-such-compiler" in native["passed over"]


@pytest.mark.usefixtures("painted")
def test_demo_trains_writes_and_says_what_next(here):
    said = call("demo", "--minutes", "0.01", "--hidden", "16")
    assert "The run is in runs/demo" in said
    assert "unrolled sample runs/demo" in said
    assert said.count("\nThe ") >= 2
    assert Path("runs/demo/loss.png").exists()


def test_interrupting_saves_and_says_how_to_go_on(here):
    command = [
        sys.executable,
        "-c",
        "from unrolled.cli import main; main()",
        "train",
        "lm",
        "text.txt",
        "--hidden",
        "8",
        "--minutes",
        "5",
        "--out",
        "run",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not Path("run/metrics.jsonl").exists():
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Go on with: unrolled train lm --resume run" in said
    assert "The run is in run" in call("train", "lm", "--resume", "run", "--minutes", "0.001")
    assert call("sample", "run", "--length", "5")


def _blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)


QUICK = ["--hidden", "6", "--embedding", "5", "--epochs", "2", "--evaluations", "1", "--batch", "4"]


@pytest.mark.parametrize(
    ("kind", "data", "layers"),
    [
        ("lm", ["text.txt"], {"encoder.recurrent"}),
        ("classify", ["mood.csv", "--level", "both", "--cell", "gru"], {"encoder.recurrent", "encoder.inputs.spelling.recurrent"}),
        ("tag", ["tags.conllu"], {"encoder.recurrent"}),
        ("translate", ["pairs.tsv"], {"encoder.recurrent", "decoder.recurrent"}),
    ],
)
def test_every_kind_of_training_can_be_watched(here, kind, data, layers):
    Path("mood.csv").write_text("review,mood\n" + "a fine film,good\na bad film,bad\n" * 9, encoding="utf-8")
    Path("tags.conllu").write_text(TAGGED * 9, encoding="utf-8")
    Path("pairs.tsv").write_text("abc\tcba\nde\ted\n" * 9, encoding="utf-8")
    told = call(
        "train", kind, *data, "--hidden", "6", "--epochs", "2", "--evaluations", "1", "--out", "run", "--watch", "--watch-every", "1"
    )
    assert re.search(r"^Looked at (\d+) of \1 updates: gradient ", told, re.M)
    found = read_watch(RunFolder("run"))
    assert {gate.rpartition(".")[0] for gate in found.gates} >= layers
    assert all(found.gradients()[f"{layer}.l0"].all() for layer in layers)


def test_a_watched_run_that_dies_tells_what_was_seen(here):
    told = CliRunner().invoke(
        cli, ["train", "lm", "text.txt", *FAST, "--out", "run", "--watch", "--learning-rate", "1e38", "--epochs", "9"]
    )
    assert isinstance(told.exception, TrainingError)
    assert told.stdout.startswith("Looked at 1 of 1 updates")


def test_labels_from_the_terminal(here, monkeypatch):
    Path("reviews.csv").write_text("review,mood\n" + "a fine film,good\na bad film,bad\n" * 9, encoding="utf-8")
    told = call("train", "classify", "reviews.csv", *QUICK, "--out", "run")
    assert "unrolled predict run" in told
    found = json.loads(call("evaluate", "run", "reviews.csv", "--json", "--confusion", "c.png"))
    for name, message in (
        ("c.xyz", r"must end in \.png, \.svg, \.pdf, got c\.xyz"),
        ("no/c.png", r"folder of `--confusion` must exist, got no/c\.png"),
    ):
        with monkeypatch.context() as patch, pytest.raises(UnrolledError, match=message):
            # It is told before anything is measured.
            patch.setattr("unrolled.tasks.sequences.trained.TrainedPredictor.evaluate", None)
            call("evaluate", "run", "reviews.csv", "--confusion", name)
    assert set(found) == {"accuracy", "balanced_accuracy", "macro_f1", "absent", "baseline_accuracy", "calibration_error", "sequences"}
    assert found["sequences"] == 18 and found["baseline_accuracy"] == 0.5
    assert found == un.load("run").evaluate("reviews.csv").to_json()
    assert Path("c.png").read_bytes()[:4] == b"\x89PNG"
    assert re.search(r"accuracy .*% \(always '(good|bad)': 50.00%\), balanced .*%, macro F1", call("evaluate", "run", "reviews.csv"))
    (said,) = (json.loads(line) for line in call("predict", "run", "--json", typed="a fine film\n").splitlines())
    assert said["label"] in said["probabilities"] == {**said["probabilities"]}
    assert set(said["probabilities"]) == {"good", "bad"}
    assert said["probabilities"][said["label"]] == max(said["probabilities"].values())
    result = CliRunner().invoke(cli, ["predict", "run", "reviews.csv"])
    assert result.stderr == "reviews.csv has targets, which are ignored here; `unrolled evaluate` compares with them.\n"
    Path("bare.csv").write_text("review\na fine film\nbad\n", encoding="utf-8")
    assert CliRunner().invoke(cli, ["predict", "run", "bare.csv"]).stderr == ""
    rows = result.stdout.splitlines()
    assert rows[0] == "review,mood,predicted,probability"
    assert len(rows) == 19
    assert call("predict", "run", "reviews.csv", "--out", "labelled.csv") == ""
    assert Path("labelled.csv").read_text().splitlines() == rows
    with pytest.warns(UserWarning, match="is there already and stays as it is"):
        call("predict", "run", "labelled.csv", "--input", "review", "--out", "labelled.csv")
    assert len(Path("labelled.csv").read_text().splitlines()) == 19
    Path("broken.csv").write_text("review,mood\na film,good\n,bad\n")
    with pytest.raises(UnrolledError, match="line 3"):
        call("predict", "run", "broken.csv", "--out", "labelled.csv")
    assert len(Path("labelled.csv").read_text().splitlines()) == 19


def test_labels_of_which_several_may_hold_are_always_a_list(here):
    rows = [{"text": "red"}, {"text": "red big"}, {"text": "thing"}]
    Path("things.jsonl").write_text("".join(json.dumps({**row, "label": row["text"].split()}) + "\n" for row in rows * 9))
    call("train", "classify", "things.jsonl", "--output", "multi-label", *QUICK[:-4], "--learning-rate", "0.1", "--out", "run")
    Path("new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = [json.loads(line) for line in call("predict", "run", "new.jsonl", "--json").splitlines()]
    assert all(set(one) == {"text", "labels", "probabilities"} and isinstance(one["labels"], list) for one in found)
    assert 1 in {len(one["labels"]) for one in found}
    written = [json.loads(line)["predicted"] for line in call("predict", "run", "new.jsonl").splitlines()]
    assert written == [one["labels"] for one in found]


def test_what_is_not_typed_is_labelled_from_a_file(here):
    Path("log.csv").write_text("case,activity,outcome\n" + "1,Assign,good\n1,Close,good\n2,Close,bad\n", encoding="utf-8")
    Path("waves.ts").write_text("@classLabel true a b\n@data\n1,2:a\n3,4:b\n5,6:a\n", encoding="utf-8")
    for data, *options in (
        ("log.csv", "--case", "case", "--activity", "activity", "--target", "outcome"),
        ("waves.ts",),
    ):
        told = call("train", "classify", data, *options, *QUICK, "--held-out", "0", "--out", data[:3])
        assert told.strip().endswith(f"Let it predict another file of the kind: unrolled predict {data[:3]} FILE")
        assert call("predict", data[:3], data).strip()


def test_warnings_are_one_line_each(here, capsys):
    Path("reviews.csv").write_text("id,text,label\n" + "".join(f"{n},a film,{'ab'[n % 2]}\n" for n in range(9)), encoding="utf-8")
    call("train", "classify", "reviews.csv", *QUICK, "--out", "run")
    Path("new.csv").write_text("id,text,label\n7,a film,c\n7,a film,a\n", encoding="utf-8")
    with pytest.raises(SystemExit), warnings.catch_warnings():
        warnings.simplefilter("always")
        main(["evaluate", "run", "new.csv"])
    twice, unseen = (line for line in capsys.readouterr().err.splitlines() if "warning" in line)
    assert twice == "warning: new.csv, line 3: the name '7' has come before. Both sequences are read."
    assert unseen.startswith("warning: 1 of 2 sequences have a label that was not learnt: 'c'.")


def test_tags_from_the_terminal(here):
    Path("train.conllu").write_text(TAGGED * 5, encoding="utf-8")
    call("train", "tag", "train.conllu", *QUICK, "--out", "run")
    found = json.loads(call("evaluate", "run", "train.conllu", "--json"))
    assert set(found) == {"accuracy", "balanced_accuracy", "macro_f1", "absent", "baseline_accuracy", "calibration_error", "tokens"}
    assert found == un.load("run").evaluate("train.conllu").to_json() and found["baseline_accuracy"] == 1 / 3
    (said,) = (json.loads(line) for line in call("predict", "run", "--json", typed="The king\n").splitlines())
    assert (said["text"], said["tokens"]) == ("The king", ["The", "king"])
    assert len(said["labels"]) == len(said["probabilities"]) == 2
    rows = [line.split("\t") for line in call("predict", "run", typed="The king, live!\n").split("\n")]
    assert [row[0] for row in rows] == ["The", "king", ",", "live", "!", "", ""] and {len(row) for row in rows[:5]} == {3}
    assert call("predict", "run", "train.conllu").count("Predicted=") == 15


def test_windows_are_chosen_when_a_file_is_tagged(here):
    Path("train.conllu").write_text(TAGGED * 5, encoding="utf-8")
    call("train", "tag", "train.conllu", *QUICK, "--out", "run")
    whole = call("predict", "run", "train.conllu", "--json")
    assert call("predict", "run", "train.conllu", "--json", "--window", "1") != whole
    near = [json.loads(line)["probabilities"] for line in call("predict", "run", "train.conllu", "--json", *WINDOW).splitlines()]
    assert near == [pytest.approx(json.loads(line)["probabilities"], abs=2e-6) for line in whole.splitlines()]
    assert json.loads(call("evaluate", "run", "train.conllu", "--json", *WINDOW)) == json.loads(
        call("evaluate", "run", "train.conllu", "--json")
    )
    for command in ("predict", "evaluate"):
        with pytest.raises(UnrolledError, match=r"`--overlap 1` is that of the pieces of `--window`. Give that too, or leave it out"):
            call(command, "run", "train.conllu", "--overlap", "1")


def test_windows_are_refused_where_nothing_is_tagged(here, run):
    Path("reviews.csv").write_text("review,mood\n" + "a fine film,good\na bad film,bad\n" * 9, encoding="utf-8")
    call("train", "classify", "reviews.csv", *QUICK, "--out", "moods")
    for command in ("predict", "evaluate"):
        with pytest.raises(
            UnrolledError, match=r"`--window` divides sequences whose steps are answered, and this network answers whole ones"
        ):
            call(command, "moods", "reviews.csv", "--window", "3")
    with pytest.raises(UnrolledError, match="`--window` says nothing about a language model"):
        call("evaluate", run, "text.txt", "--window", "3")


def test_tags_that_mark_no_spans_have_no_entities(here):
    Path("train.conll").write_text("Dr O\nAda B-per\nFox I-per\n\nwalks O\n\n" * 9, encoding="utf-8")
    Path("other.conll").write_text("Dr X\nAda Y\n", encoding="utf-8")
    call("train", "tag", "train.conll", *QUICK, "--out", "run")
    assert "entity_f1" in json.loads(call("evaluate", "run", "train.conll", "--json"))
    with pytest.warns(UserWarning, match="not learnt: 'X', 'Y'"):
        told = call("evaluate", "run", "other.conll", "--scheme", "none", "--json")
    assert set(json.loads(told)) == {
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "absent",
        "baseline_accuracy",
        "calibration_error",
        "tokens",
    }


def test_columns_that_nobody_looks_at_are_refused(here):
    Path("train.conllu").write_text(TAGGED * 5, encoding="utf-8")
    Path("states.csv").write_text("sequence,states\n" + "AC,HE\nCA,EH\n" * 9, encoding="utf-8")
    call("train", "tag", "train.conllu", *QUICK, "--out", "run")
    other = "Leave it out, or name their column as"
    for arguments, told in (
        (("evaluate", "run", "train.conllu", "--target", "foo"), f"`--target` is for files in .*, got conllu. {other} `--column`"),
        (
            ("predict", "run", "states.csv", "--column", "1"),
            r"`--column` is for files in the formats columns, conllu, conll2012, got csv\. Leave it out\.$",
        ),
        (("predict", "run", "--column", "1"), r"`--column` is for files in .*, got lines. Leave it out\.$"),
        (("train", "tag", "states.csv", *QUICK, "--column", "3", "--out", "other"), f"`--column` is .*, got csv. {other} `--target`"),
        (
            ("train", "tag", "states.csv", *QUICK, "--regions", "genes.bed", "--out", "other"),
            r"^`--regions` is for files in the formats fasta, fastq, genbank, got csv\. Leave it out\.$",
        ),
        (("train", "tag", "states.csv", *QUICK, "--image", "whole", "--out", "other"), r"^`--image` is .* formats idx, frames, got csv"),
        (
            ("train", "tag", "states.csv", *QUICK, "--impute", "--out", "other"),
            r"^`--impute` is .* formats jsonl, ts, arrays, wide, series, got csv",
        ),
        (("train", "tag", "train.conllu", *QUICK, "--no-header", "--out", "other"), r"^`--header` is .* csv, tsv, .*got conllu"),
        (("evaluate", "run", "train.conllu", "--steps", "parts"), r"^`--steps` is .* csv, tsv, .*got conllu"),
        (("train", "tag", "train.conllu", *QUICK, "--separator", "+", "--out", "other"), r"^`--separator` is .*, got conllu"),
        (("train", "tag", "states.csv", *QUICK, "--noise", "1", "--out", "other"), "^`--noise` changes numbers, and DATA has none"),
        (("train", "classify", "builtin:bouncing-ball", *QUICK, "--rare-dropout", "1", "--out", "other"), "^`--rare-dropout` is for words"),
        (("train", "classify", "builtin:intents", *QUICK, "--target", "x", "--out", "other"), "^`--target` is .*, got builtin:"),
    ):
        with pytest.raises(UnrolledError, match=told):
            call(*arguments)
    assert not Path("other").exists()


def test_standard_input_has_one_name(here, monkeypatch):
    Path("reviews.csv").write_text("review,mood\n" + "a fine film,good\na bad film,bad\n" * 9, encoding="utf-8")
    call("train", "classify", "reviews.csv", *QUICK, "--out", "run")
    result = CliRunner().invoke(cli, ["predict", "run", "-", "--format", "csv"], input="review,mood\na film,good\n")
    assert result.stderr.startswith("standard input has targets, which are ignored here")
    with pytest.raises(UnrolledError, match=r"^standard input, line 1, is not utf-8"):
        call("predict", "run", typed=b"caf\xe9\n")
    with pytest.raises(UnrolledError, match=r"^standard input, line 2: "):
        call("predict", "run", "--format", "csv", typed="review,mood\n,good\n")


def test_a_run_of_another_task_is_named_with_how_it_goes_on(here):
    Path("train.conllu").write_text(TAGGED * 5, encoding="utf-8")
    call("train", "tag", "train.conllu", *QUICK, "--out", "run")
    for other in ("classify", "lm", "translate"):
        told = f"run holds a run of the task 'tag', not of {other!r}. Go on with it as `unrolled train tag`"
        with pytest.raises(UnrolledError, match=f"^{re.escape(told)}"):
            call("train", other, "--resume", "run")


def test_what_a_run_is_not_for_is_said(run):
    with pytest.raises(UnrolledError, match=r"holds a language model, which `unrolled predict` is not for. Use it with `unrolled sample`"):
        call("predict", run, "text.txt")
    with pytest.raises(UnrolledError, match="`--format` says nothing about a language model"):
        call("evaluate", run, "text.txt", "--format", "csv")


def shown_in(said):
    """The flags that help lists."""
    return set(re.findall(r"^  (?:-h, )?(--[a-z0-9-]+)", said, re.M))


@pytest.mark.parametrize("task", RECIPES)
def test_help_shows_the_usual_options_in_groups_and_help_all_shows_every_one(task):
    short, whole = (call("train", task, flag) for flag in ("--help", "--help-all"))
    options = [option for group in (*groups_of(find_recipe(task).options).values(), StudyOptions) for option in options_of(group)]
    options = [option for option in options if option.help and option.name != "sources"]
    every, rare = {option.flag for option in options}, {option.flag for option in options if option.rare}
    own, machine = {"--out", "--resume", "--config", "--help-all", "--help"}, {"--threads", "--quiet"}
    assert shown_in(whole) == every | own | machine
    assert shown_in(short) == every - rare | own
    assert len(rare) > 10 and len(shown_in(short)) <= 30
    own_groups = [*(["Reading"] if task not in ("lm", "music") else []), *(["Forecast"] if task == "forecast" else [])]
    usual = ["Data", *own_groups, "Model", "Training"]
    for said, titles in ((short, [*usual, "Output"]), (whole, [*usual, "Several runs", "Machine", "Output"])):
        assert re.findall(r"^([\w ]+):$", said, re.M) == titles
        sections = dict(zip(titles, re.split(r"^[\w ]+:$", said, flags=re.M)[1:], strict=True))
        for title, flags in (
            ("Data", {"--validation", "--held-out"}),
            ("Model", {"--cell", "--hidden", "--layers", "--dropout"}),
            ("Training", {"--epochs", "--learning-rate", "--seed"}),
            ("Output", own),
            *([("Several runs", {"--folds", "--seeds", "--match"})] if said is whole else []),
        ):
            assert shown_in(sections[title]) >= flags
    assert f"{len(rare | machine)} more options are seldom needed: " in " ".join(short.split()) and "seldom needed" not in whole
    assert "`" not in re.sub("`--[^`]+`|`unrolled [^`]+`", "", whole)


def test_the_help_of_an_option_speaks_of_flags(here):
    said = " ".join(call("train", "lm", "--help").split())
    assert "Time to train instead of `--epochs`;" in said and "on event logs, with `--case` and `--activity`." in said


@pytest.mark.parametrize(
    ("task", "data", "asked", "flags"),
    [
        ("classify", "reviews.csv", ["predict", "run", "reviews.csv"], ["--layers", "0"]),
        ("tag", "train.conllu", ["predict", "run", "train.conllu"], ["--input-window", "3"]),
        ("tag", "train.conllu", ["predict", "run", "train.conllu"], ["--layers", "0", "--input-window", "3"]),
        ("lm", "text.txt", ["sample", "run", "--length", "30", "--seed", "1"], ["--layers", "0", "--input-window", "3"]),
        ("lm", "text.txt", ["sample", "run", "--length", "30", "--seed", "1"], ["--input-window", "3"]),
    ],
)
def test_networks_without_recurrence_and_with_windows_of_the_input_go_all_the_way(here, task, data, asked, flags):
    Path("reviews.csv").write_text("review,mood\n" + "a fine film,good\na bad film,bad\n" * 9, encoding="utf-8")
    Path("train.conllu").write_text(TAGGED * 9, encoding="utf-8")
    Path("text.txt").write_text(LINES[:600], encoding="utf-8")
    call("train", task, data, *QUICK, *flags, "--out", "run", *(["--window", "16"] if task == "lm" else []))
    config = Path("run/config.toml").read_text()
    assert f"layers = {int('--layers' not in flags)}\n" in config and f"input_window = {3 if '--input-window' in flags else 1}\n" in config
    assert (un.load("run").model.recurrent is None) == ("--layers" in flags)
    first = json.loads(call("evaluate", "run", data, "--json"))
    assert call(*asked) == call(*asked) != ""
    done = RunFolder("run").history.records()[-1]["update"]
    call("train", task, "--resume", "run", "--epochs", "4")
    assert RunFolder("run").history.records()[-1]["update"] == 2 * done
    assert json.loads(call("evaluate", "run", data, "--json")).keys() == first.keys()


EARLIER = {
    "runs/lm": ["lm", "shakespeare.txt"],
    "runs/elman": ["lm", "shakespeare.txt", "--cell", "elman"],
    "runs/classify": ["classify", "reviews.csv"],
    "runs/tag": ["tag", "train.conllu"],
    "runs/regress": ["regress", "test.csv", "--series", "id", "--time", "time", "--target", "speed"],
    "runs/translate": ["translate", "pairs.tsv", "--held-out", "1"],
    "runs/french": ["translate", "pairs.tsv", "--held-out", "1"],
}
"""How the runs are trained that a block of commands has from an earlier one."""


@pytest.mark.parametrize("block", [block for block in _blocks("") if re.search("^unrolled", block, re.M)])
def test_the_commands_of_the_readme_work(here, block):
    for name, content in {
        "shakespeare.txt": LINES,
        "other.txt": LINES[:50],
        "YOUR.txt": LINES,
        "code.py": LINES[:80],
        "new.txt": "the king\n",
        "beginnings.txt": "The king\nWho is\n",
        "lines.txt": LINES[:60],
        **dict.fromkeys(["more.csv", "unseen.csv"], "review,mood\n" + "a fine day,good\na bad day,bad\n" * 9),
        "airline.csv": "Month,Passengers\n" + "".join(f"{1949 + n // 12}-{n % 12 + 1:02},{100 + n + 9 * (n % 12)}\n" for n in range(144)),
        "sales.csv": "shop,day,sold,price,holiday\n"
        + "".join(f"{shop},{np.datetime64('2024-01-01') + n},{n % 7},{n % 3},no\n" for shop in "ab" for n in range(180)),
        "reviews.csv": "review,mood\n" + "a fine film,good\na bad film,bad\n" * 9,
        "intervals.csv": "file,start,end,label\n" + "".join(f"clips/{n}.gif,0,1,a\nclips/{n}.gif,1,2,b\n" for n in range(3)),
        "speech.csv": "path,sentence\n" + "low.wav,a\nhigh.wav,ab\n" * 6,
        "sensors.jsonl": "".join(f'{{"x": [{n}, {n + 1}.5], "y": {n % 3}}}\n' for n in range(12)),
        **dict.fromkeys(["train.conllu", "dev.conllu", "test.conllu", "new.conllu"], TAGGED * 5),
        **dict.fromkeys(["pairs.tsv", "replies.tsv", "test.tsv"], "the king\tle roi\na queen\tune reine\nthe queen\tla reine\n"),
        **dict.fromkeys(
            ["walks.csv", "test.csv"], "id,time,x,speed\n" + "".join(f"{w},{t},{w + t},{w % 4}\n" for w in range(12) for t in range(3))
        ),
    }.items():
        Path(name).write_text(content, encoding="utf-8")
    Path("tunes").mkdir()
    for number, notes in enumerate(("CDEF", "GABc", "cBAG", "FEDC", "CEGc", "cGEC", "DFAd", "dAFD")):
        Path(f"tunes/{number}.abc").write_text(f"X:1\nT:A tune\nM:4/4\nL:1/4\nK:C\n{notes}|{notes}|{notes}|{notes}|\n")
    for name, pitch in (("low.wav", 300), ("high.wav", 900)):
        soundfile.write(name, 0.5 * np.sin(np.arange(4000) * 2 * np.pi * pitch / 8000), 8000)
    Path("clips").mkdir()
    Path("photos").mkdir()
    Path("captions.csv").write_text("image,caption\n" + "".join(f"{n}.png,a grey square\n" for n in range(4)))
    for shade in range(4):
        Image.fromarray(np.full((8, 8), 60 * shade, np.uint8)).save(f"photos/{shade}.png")
    for clip in range(3):
        first, *others = (Image.fromarray(np.full((8, 8), 9 * frame + clip, np.uint8)) for frame in range(24))
        first.save(f"clips/{clip}.gif", save_all=True, append_images=others, duration=125)
    with gzip.open("digits-images-idx3-ubyte.gz", "wb") as images, gzip.open("digits-labels-idx1-ubyte.gz", "wb") as labels:
        images.write(bytes([0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 9, 0, 0, 0, 9]) + bytes(range(81)) * 6)
        labels.write(bytes([0, 0, 8, 1, 0, 0, 0, 6]) + bytes([0, 1, 2] * 2))
    for command in (line.split(" #")[0] for line in block.splitlines() if line.startswith("unrolled ")):
        words = shlex.split(command.replace("--at 500", "--at 50"))[1:]
        if words[0] == "tune":
            words = [*["1" if word == "30" else word for word in words], "--updates", "1", "--evaluations", "1", "--space", "hidden=4..8"]
        elif words[0] == "train":
            words += ["--epochs", "1"] if "--epochs" in words else ["--minutes", "0.006" if "--resume" in words else "0.004"]
            words += [] if "--resume" in words or "--from" in words else ["--hidden", "8"]
            words += ["--held-out", "1"] if words[1] == "translate" else []
        else:
            for run in (word for word in words if word.startswith("runs/") and not Path(word).exists()):
                call("train", *EARLIER[run], "--minutes", "0.005", "--hidden", "8", "--out", run)
        assert call(*words, typed="A fine film.\n") or "--out" in words


def test_the_python_of_the_readme_works(here, capsys):
    Path("shakespeare.txt").write_text(LINES, encoding="utf-8")
    blocks = _blocks("python")
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block.replace("hidden=256, minutes=3", "hidden=8, minutes=0.005"), "README.md", "exec"), {})
    assert "ROMEO:" in capsys.readouterr().out


def test_python_and_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M):
        assert f"\n{target}:" in makefile


def test_the_command_is_a_module_too():
    done = subprocess.run([sys.executable, "-m", "unrolled", "show", "lstm"], capture_output=True, text=True, check=True)
    assert "h[t]" in done.stdout
