import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import unrolled as un
from unrolled.cli import cli
from unrolled.errors import ConfigError, DataError, RunError
from unrolled.inspect.report import report_on
from unrolled.inspect.specimen import START
from unrolled.tasks.inspecting import inspect_run
from unrolled.training import RunFolder

TINY = {"hidden": 6, "epochs": 1, "batch": 4, "evaluations": 1}
STREAM = {**TINY, "window": 16}
LINES = 'The <king> said "go (now)".\nLong live the king!\nWho & why?\n' * 12
VOID = {"meta", "link", "br"}
FIRST = ["memory", "forgetting", "gradient", "gates", "unrolled"]


class Page(HTMLParser):
    """A page read strictly: every element is closed, and what could reach outside is collected."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.reaching, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.reaching += [
            v for k, v in attrs if k in ("src", "href", "xlink:href", "action", "srcset") and not v.startswith(("#", "data:"))
        ]
        assert tag not in ("script", "iframe", "object"), tag

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(report, names):
    text = report.html()
    page = Page(text)
    assert [s.name for s in report.sections] == names
    assert not page.reaching
    assert len(page.ids) == len(set(page.ids)) and set(names) <= set(page.ids)
    assert not re.search(r"url\((?!#)|@import", text)
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    json.dumps(report.numbers(), allow_nan=False)
    return text


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A tiny run of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "text.txt").write_text(LINES, encoding="utf-8")
    rows = "".join(f"{word} is {word}\t{label}\n" for word, label in [("red", "colour"), ("two", "number")] * 20)
    (folder / "rows.tsv").write_text(f"text\tkind\n{rows}", encoding="utf-8")
    rest = "\t_" * 6 + "\n"
    (folder / "tags.conllu").write_text(
        "".join(f"1\tA\ta\tDET{rest}2\t{w}\t{w}\tNOUN{rest}\n" for w in ["dog", "cat"] * 10), encoding="utf-8"
    )
    (folder / "pairs.tsv").write_text("".join(f"a{n}b\tb{n}a\n" for n in range(40)), encoding="utf-8")
    (folder / "log.csv").write_text(
        "case,what\n" + "".join(f"{c},{a}\n" for c in range(30) for a in ("open it", "close")), encoding="utf-8"
    )
    un.train_language_model(folder / "text.txt", out=folder / "lm", watch=True, watch_every=1, layers=2, cell="gru", **STREAM)
    un.train_language_model(folder / "text.txt", out=folder / "words", level="word", **STREAM)
    un.train_language_model(folder / "log.csv", out=folder / "events", case="case", activity="what", **STREAM)
    un.train_classifier(folder / "rows.tsv", out=folder / "classify", input="text", target="kind", **TINY)
    un.train_tagger(folder / "tags.conllu", out=folder / "tag", **TINY)
    un.train_translator(folder / "pairs.tsv", out=folder / "translate", level="char", **TINY)
    return folder


def of(runs, name):
    return RunFolder(runs / name)


def test_a_language_model_on_characters(runs):
    text = 'What <b> & "time"?\n'
    report = inspect_run(of(runs, "lm"), text)
    page = read(report, [*FIRST, "predictions", "training"])
    assert ">&lt;<" in page and "><<" not in page
    trained = un.load(runs / "lm")
    ids = torch.tensor([1, *trained.vocabulary.encode(text)])
    numbers = report.numbers()
    np.testing.assert_allclose(numbers["memory"]["state"], un.inspect.memory(trained.model, ids, at=-1).state[0, :, 0], rtol=1e-12)
    assert numbers["memory"]["symbols"] == [START, *text]
    bits = un.inspect.predictions(trained.model, ids).surprise[1:, 0]
    np.testing.assert_allclose(numbers["predictions"]["surprise"][1:], bits, rtol=1e-12)
    assert sum(bits) == pytest.approx(-trained.score(text[:-1]) / np.log(2), rel=1e-4)
    share = un.inspect.memory(trained.model, ids, at=-1).share[0, :, 0]
    assert f"{share[-2]:.1%}" in page


def test_the_chosen_step_counts_from_either_end(runs):
    specimen = un.load(runs / "lm").specimen("The king!")
    third = report_on(specimen, at=3)[0].numbers
    assert third["at"] == 3 and third["state"][3] > 0 and not any(third["state"][4:])
    assert report_on(specimen, at=-7)[0].numbers == third


def test_long_files_are_read_up_to_a_limit_that_is_told(runs):
    report = inspect_run(of(runs, "lm"), runs / "text.txt", most=300)
    page = read(report, [*FIRST, "predictions", "training"])
    assert "These are the first 300; there are more." in page
    assert report.numbers()["memory"]["symbols"] == [START, *LINES[:300]]
    units = report.numbers()["gates"]["units"]
    assert set(units) == {"being inside quotes", "the position in the line", "the depth of brackets"}


@pytest.mark.parametrize(
    ("name", "given", "symbols"),
    [
        ("words", "Long live <script> & king!", [START, "Long", "live", "<script>", "&", "king", "!"]),
        ("events", '"open it" close', [START, "open it", "close"]),
        ("classify", "red is red", ["red", "is", "red"]),
        ("tag", "A dog", ["A", "dog"]),
        ("translate", "a1b", ["a", "1", "b", "<EOS>"]),
    ],
)
def test_every_kind_of_run(runs, name, given, symbols):
    report = inspect_run(of(runs, name), given)
    read(report, [*FIRST, "predictions", "training"])
    numbers = report.numbers()
    assert numbers["memory"]["symbols"] == symbols
    reads_both_ways = name in ("classify", "tag", "translate")
    assert numbers["memory"]["at"] == (len(symbols) // 2 if reads_both_ways else len(symbols) - 1)
    assert np.all(np.array(numbers["predictions"]["probabilities"]) <= 1)


@pytest.mark.parametrize(
    ("name", "file", "symbols"),
    [
        ("events", "log.csv", [START, "open it", "close", "\n"]),
        ("classify", "rows.tsv", ["red", "is"]),
        ("tag", "tags.conllu", ["A", "dog"]),
        ("translate", "pairs.tsv", list("a0b")),
    ],
)
def test_files_of_every_kind(runs, name, file, symbols):
    found = un.load(runs / name).specimen(runs / file, most=3)
    assert found.symbols[: len(symbols)] == tuple(symbols)
    assert found.steps <= 4


def test_known_labels_are_compared_and_others_supposed(runs):
    trained = un.load(runs / "classify")
    assert not trained.specimen(runs / "rows.tsv").supposed
    typed = trained.specimen("red is red")
    assert typed.supposed and typed.targets.tolist() == [trained.labels.index(trained.predict(["red is red"])[0].labels[0])]


def test_without_an_input_there_is_what_needs_none(runs):
    read(inspect_run(of(runs, "tag")), ["unrolled", "training"])


def test_a_watched_run_shows_its_record(runs):
    watched = {part.name for part in inspect_run(of(runs, "lm")).sections[-1].parts if hasattr(part, "figure")}
    assert watched == {"loss", "watched-gradients", "watched-updates", "watched-gates"}
    assert "was not watched" in inspect_run(of(runs, "words")).sections[-1].shows


def test_pictures_are_written_as_files(runs, tmp_path):
    paths = inspect_run(of(runs, "translate"), "a1b").save_pictures(tmp_path / "new" / "folder")
    assert {p.name for p in paths} >= {"memory.png", "memory.svg", "graph.svg", "attention.png"}
    for path in paths:
        head = path.read_bytes()[:400]
        assert head.startswith(b"\x89PNG") if path.suffix == ".png" else b"<svg" in head


def test_what_cannot_be_looked_at_is_said(runs, tmp_path):
    with pytest.raises(RunError, match="nowhere"):
        inspect_run(RunFolder(tmp_path / "nowhere"), "x")
    for name in ("lm", "classify", "translate"):
        with pytest.raises(DataError, match=r"nothing to read|no token|empty"):
            inspect_run(of(runs, name), "")
    with pytest.raises(ConfigError, match=r"`--at` must lie between -10 and 9, the steps of the input, got 10"):
        inspect_run(of(runs, "lm"), "The king!", at=10)


def test_the_command(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        cli, ["inspect", str(runs / "lm"), "-", "--out", "page.html", "--png", "pictures", "--json", "--at", "2"], input="The king!"
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["memory"]["at"] == 2
    assert Path("page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert len(list(Path("pictures").glob("*.png"))) > 5
    done = CliRunner().invoke(cli, ["inspect", str(runs / "tag")])
    assert done.exit_code == 0 and (runs / "tag" / "report.html").exists()
    assert "The unrolled graph" in done.stdout
