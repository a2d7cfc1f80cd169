import json
import os
import re
import shutil
import struct
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import unrolled as un
from unrolled.cli import cli
from unrolled.cli.inspect import _read
from unrolled.data.columns import Mapped
from unrolled.errors import ConfigError, DataError, RunError
from unrolled.inspect.inspection_input import MOST_READ, START, draw_some
from unrolled.inspect.report import report_on
from unrolled.tasks.inspecting import inspect_run
from unrolled.tasks.texts.inspection_input import held_out_input
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
    ids = torch.tensor([1, *trained.codec.encode(text)])
    numbers = report.numbers()
    np.testing.assert_allclose(numbers["memory"]["state"], un.inspect.memory(trained.model, ids, at=-1).state[0, :, 0], rtol=1e-12)
    assert numbers["memory"]["symbols"] == [START, *text]
    bits = un.inspect.predictions(trained.model, ids).surprise[1:, 0]
    np.testing.assert_allclose(numbers["predictions"]["surprise"][1:], bits, rtol=1e-12)
    assert sum(bits) == pytest.approx(-trained.score(text[:-1]) / np.log(2), rel=1e-4)
    share = un.inspect.memory(trained.model, ids, at=-1).share[0, :, 0]
    assert f"{share[-2]:.1%}" in page


def test_the_chosen_step_counts_from_either_end(runs):
    inspected = un.load(runs / "lm").inspection_input("The king!")
    third = report_on(inspected, at=3)[0].numbers
    assert third["at"] == 3 and third["state"][3] > 0 and not any(third["state"][4:])
    assert report_on(inspected, at=-7)[0].numbers == third


def test_why_the_gradient_starts_a_step_earlier_is_said_where_it_does(runs):
    said = [read(inspect_run(of(runs, "lm"), "time", at=at), [*FIRST, "predictions", "training"]) for at in (4, 2)]
    assert ["Nothing follows step 4: step 3 is the last one with a loss." in page for page in said] == [True, False]
    assert "Nothing follows" not in said[1]


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
    found = un.load(runs / name).inspection_input(runs / file, most=3)
    assert found.symbols[: len(symbols)] == tuple(symbols)
    assert found.steps <= 4


WAVES = "@univariate true\n@classLabel true up down\n@data\n" + "".join(
    f"{n % 3},1,{n % 5},2,4:{'up' if n % 2 else 'down'}\n" for n in range(12)
)
LONG = "s,t,a,b,kind\n" + "".join(f"{s},{t},{t * s},{s % 3},{'odd' if s % 2 else 'even'}\n" for s in range(12) for t in range(4))
TOPICS = "text,topics\n" + "".join(
    f"{text},{topics}\n" for text, topics in [("red one", "colour;number"), ("red", "colour"), ("one", "number")] * 6
)
IMAGES = bytes((0, 0, 8, 3)) + struct.pack(">3I", 12, 4, 3) + bytes(range(144))
DIGITS = bytes((0, 0, 8, 1)) + struct.pack(">I", 12) + bytes([3, 7] * 6)


@pytest.mark.parametrize(
    ("files", "options", "steps"),
    [
        ({"waves.ts": WAVES}, {}, 5),
        ({"long.csv": LONG}, {"format": "series", "series": "s", "time": "t", "channels": ("a", "b"), "target": "kind"}, 4),
        ({"a-images-idx3-ubyte": IMAGES, "a-labels-idx1-ubyte": DIGITS}, {"image": "rows"}, 4),
        ({"topics.csv": TOPICS}, {"input": "text", "target": "topics", "separator": ";"}, 2),
    ],
)
def test_numbers_images_and_several_labels(tmp_path, files, options, steps):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    first = tmp_path / next(iter(files))
    un.train_classifier(first, out=tmp_path / "run", **options, **TINY)
    report = inspect_run(RunFolder(tmp_path / "run"), first)
    read(report, [*FIRST, "predictions", "training"])
    numbers = report.numbers()
    assert len(numbers["memory"]["symbols"]) == len(numbers["memory"]["state"]) == steps
    assert f"all {18 if steps == 2 else 12} sequences of {first.name}" in numbers["forgetting"]["over"] or steps == 2
    trained = un.load(tmp_path / "run")
    sample = trained.inspection_input(first)
    said = un.inspect.predictions(trained.model, sample.x)
    best = dict(zip(numbers["predictions"]["choices"][0], numbers["predictions"]["probabilities"][0], strict=True))
    assert best == pytest.approx({trained.labels[k]: p for k, p in zip(said.choices[0, 0], said.probabilities[0, 0], strict=True)})
    assert ("It reads 2 words: red one" if steps == 2 else f"It reads {steps} steps: numbers.") in report.about[1]


def test_known_labels_are_compared_and_others_supposed(runs):
    trained = un.load(runs / "classify")
    assert not trained.inspection_input(runs / "rows.tsv").supposed
    typed = trained.inspection_input("red is red")
    assert typed.supposed and typed.targets.tolist() == [trained.labels.index(trained.predict(["red is red"])[0].labels[0])]


@pytest.mark.parametrize(
    ("name", "symbols", "over"),
    [
        ("lm", [START, "W", "h", "o"], "many steps of this input"),
        ("events", [START, "open it", "close"], "all 3 cases held out in training"),
        ("classify", ["red", "is", "red"], "all 4 sequences held out in training"),
        ("tag", ["A", "cat"], "all 2 sequences held out in training"),
        ("translate", ["a", "1", "1", "b", "<EOS>"], "all 2 sources held out in training"),
    ],
)
def test_without_an_input_what_was_held_out_stands_for_it(runs, name, symbols, over):
    report = inspect_run(of(runs, name))
    assert "held out in training" in read(report, [*FIRST, "predictions", "training"])
    numbers = report.numbers()
    assert numbers["memory"]["symbols"][: len(symbols)] == symbols
    assert over in numbers["forgetting"]["over"]


def test_a_text_that_was_learnt_is_none_of_what_was_held_out(runs):
    """The held-out part of the text is its last tenth, from a new line on."""
    symbols = inspect_run(of(runs, "lm")).numbers()["memory"]["symbols"]
    rest = LINES[int(0.9 * len(LINES)) :]
    assert "".join(symbols[1:]) == rest[rest.index("\n") + 1 :]


def test_windows_of_a_long_held_out_text_stand_for_it(runs, tmp_path):
    trained = un.load(runs / "lm")
    ids = trained.codec.encode(LINES * 2).astype(np.uint8)
    (tmp_path / "ids").write_bytes(ids.tobytes())
    found = held_out_input(trained.model, trained.codec, Mapped(tmp_path / "ids", ids.dtype, len(ids)), most=40)
    assert "".join(found.symbols[1:]) == LINES[28:68]
    assert found.sample.told == "16 windows of 256 characters of the text that was held out in training, drawn at random"
    text = trained.codec.decode(ids)
    windows = [trained.codec.decode(window) for window in found.sample.x.T.numpy()]
    assert len(set(windows)) > 8 and all(len(window) == 256 and window in text for window in windows)


def test_where_the_data_cannot_be_read_again_there_is_what_needs_no_input(runs, tmp_path):
    (tmp_path / "text.txt").write_text(LINES, encoding="utf-8")
    un.train_language_model(tmp_path / "text.txt", out=tmp_path / "run", **STREAM)
    (tmp_path / "text.txt").write_text(LINES + "changed", encoding="utf-8")
    report = inspect_run(RunFolder(tmp_path / "run"))
    read(report, ["maps", "unrolled", "training"])
    assert inspect_run(RunFolder(tmp_path / "run"), "The king").numbers()["forgetting"]["over"].startswith("many steps of this input")
    (tmp_path / "text.txt").unlink()
    again = inspect_run(RunFolder(tmp_path / "run")).numbers()
    model = un.load(tmp_path / "run").model
    wanted = np.linalg.svd(model.recurrent.block("R_f").double().numpy(), compute_uv=False)
    found = {s["map"]: s["values"] for s in again["maps"]["singular"]}
    np.testing.assert_allclose(found["R_f"], wanted)
    for asked in ({"at": 0}, {"beside": RunFolder(tmp_path / "run")}):
        with pytest.raises(ConfigError, match=r"`at` and `beside` need an input.*Pass an INPUT\."):
            inspect_run(RunFolder(tmp_path / "run"), **asked)
    largest = max(found, key=lambda name: found[name][0])
    assert again["maps"]["verdict"] == f"The largest singular value is {found[largest][0]:.3g}, of {largest}."


@pytest.mark.parametrize(
    ("name", "file", "over"),
    [
        ("events", "log.csv", "all 30 cases"),
        ("classify", "rows.tsv", "32 of 40 sequences of rows.tsv, drawn at random"),
        ("tag", "tags.conllu", "all 20 sequences of tags.conllu"),
        ("translate", "pairs.tsv", "32 of 40 sources of pairs.tsv, drawn at random"),
    ],
)
def test_the_forgetting_curve_is_over_many_sequences_of_a_file(runs, name, file, over):
    inspected = un.load(runs / name).inspection_input(runs / file)
    found = report_on(inspected)[1].numbers
    assert found["over"] == over
    x, lengths = inspected.sample.x, inspected.sample.lengths
    curve = un.inspect.forgetting(inspected.model, x, lengths, steps=4)
    np.testing.assert_allclose(found["quartiles"], curve.quartiles)


def test_a_sample_has_as_many_sequences_as_its_steps_allow():
    def draw(lengths):
        which, told = draw_some(np.array(lengths), "lines")
        return len(which), told

    assert draw([5]) == (0, "") and draw([1, 1, 9]) == (0, "")
    assert draw([2, 3]) == (2, "all 2 lines")
    assert draw([1, 2, 3]) == (2, "2 of 3 lines, drawn at random")
    assert draw([1000] * 9) == (4, "4 of 9 lines, drawn at random")
    assert draw([5000] * 9) == (4, "4 of 9 lines, drawn at random")
    assert draw([512] * 9) == (8, "8 of 9 lines, drawn at random")
    assert draw([3] * MOST_READ) == (32, "32 of the first 2,000 lines, drawn at random")
    which, _ = draw_some(np.arange(60) % 7, "lines")
    assert len(set(which)) == 32 and not any(n % 7 < 2 for n in which)


def test_another_run_stands_beside_it(runs, tmp_path):
    un.train_language_model(runs / "text.txt", out=tmp_path / "plain", cell="elman", **STREAM)
    report = inspect_run(of(runs, "lm"), "The king!", beside=RunFolder(tmp_path / "plain"))
    page = read(report, [*FIRST, "predictions", "training"])
    assert "Beside it stands the run plain: elman, 1 layer of 6 units." in page and "ntrained Elman" not in page
    trained = un.load(tmp_path / "plain")
    ids = torch.tensor([1, *trained.codec.encode("The king!")])
    numbers = report.numbers()
    np.testing.assert_allclose(numbers["memory"]["state_beside"], un.inspect.memory(trained.model, ids, at=-1).state[0, :, 0], rtol=1e-12)
    other = inspect_run(RunFolder(tmp_path / "plain"), "The king!").numbers()
    assert numbers["forgetting"]["rate_beside"] == other["forgetting"]["rate"] != numbers["forgetting"]["rate"]


def test_a_run_of_something_else_cannot_stand_beside_it(runs):
    with pytest.raises(ConfigError, match=r"must be a run of the task 'lm', as .* is, got .*, which is one of 'tag'"):
        inspect_run(of(runs, "lm"), "The king!", beside=of(runs, "tag"))
    with pytest.raises(ConfigError, match=r"must be a run that reads the same symbols .* Train it on the same data"):
        inspect_run(of(runs, "lm"), "The king!", beside=of(runs, "words"))


def test_a_run_on_the_same_data_stands_beside_it_whatever_is_read(runs, tmp_path):
    (tmp_path / "long.csv").write_text(LONG, encoding="utf-8")
    series = {"format": "series", "series": "s", "time": "t", "channels": ("a", "b"), "target": "kind"}
    for train, source, options in (
        (un.train_classifier, tmp_path / "long.csv", series),
        (un.train_translator, runs / "pairs.tsv", {"vocabulary": 270}),
        (un.train_tagger, runs / "tags.conllu", {"shapes": True}),
    ):
        folders = [RunFolder(tmp_path / f"{source.stem}-{cell}") for cell in ("lstm", "elman")]
        for folder in folders:
            train(source, out=folder.path, cell=folder.path.name.rpartition("-")[2], **options, **TINY)
        report = inspect_run(folders[0], source, beside=folders[1])
        assert f"Beside it stands the run {folders[1].path.name}: elman" in report.about[1]


def test_a_run_to_which_each_symbol_came_more_often_stands_beside_it(runs, tmp_path):
    text = runs / "text.txt"
    for name, sources in (("once", text), ("twice", [text, text])):
        un.train_language_model(sources, out=tmp_path / name, validation=text, **STREAM)
    assert un.load(tmp_path / "once").codec.vocabulary.counts != un.load(tmp_path / "twice").codec.vocabulary.counts
    report = inspect_run(RunFolder(tmp_path / "once"), "The king!", beside=RunFolder(tmp_path / "twice"))
    assert report.about[1].startswith("Beside it stands the run twice")


@pytest.mark.parametrize("name", ["lm", "classify"])
def test_a_network_without_recurrence_has_nothing_to_look_into(runs, tmp_path, name):
    if name == "lm":
        un.train_language_model(runs / "text.txt", out=tmp_path / "run", layers=0, **STREAM)
    else:
        un.train_classifier(runs / "rows.tsv", out=tmp_path / "run", layers=0, **TINY)
    with pytest.raises(ConfigError, match="built with `layers=0`: it has no recurrent layers, and nothing to look into"):
        inspect_run(RunFolder(tmp_path / "run"), "red is red")


@pytest.mark.parametrize("name", ["lm", "tag"])
def test_a_network_with_a_window_of_the_input_is_looked_into(runs, tmp_path, name):
    if name == "lm":
        un.train_language_model(runs / "text.txt", out=tmp_path / "run", input_window=3, **STREAM)
    else:
        un.train_tagger(runs / "tags.conllu", out=tmp_path / "run", input_window=3, **TINY)
    read(inspect_run(RunFolder(tmp_path / "run"), "A dog"), [*FIRST, "predictions", "training"])


def test_every_layer_and_direction_has_its_gates(runs):
    gates = inspect_run(of(runs, "lm"), "The king!").sections[3]
    assert [part.name for part in gates.parts if hasattr(part, "figure")] == ["gates", "gates-0", "saturation"]
    found = un.inspect.every_gate(un.load(runs / "lm").model, un.load(runs / "lm").inspection_input("The king!").x)
    for place, (_, numbers) in zip(found, enumerate(gates.numbers["places"]), strict=True):
        left = found[place].saturation.left
        assert numbers["layer"] == place[0] and list(numbers["saturated"]) == list(left)
        np.testing.assert_allclose(numbers["saturated"]["z"]["left"], left["z"])
    both = inspect_run(of(runs, "classify"), "red is red").sections[3]
    assert "gates-0-reverse" in [part.name for part in both.parts if hasattr(part, "figure")]


def test_what_the_page_of_an_encoder_decoder_is_about_is_said(runs):
    assert "its encoder" in inspect_run(of(runs, "translate"), "a1b").about[0]
    assert inspect_run(of(runs, "translate"), "a1b").about[1].startswith("It reads 3 characters, and <EOS> at the end: a1b")
    assert "encoder" not in inspect_run(of(runs, "tag"), "A dog").about[0]


def test_a_watched_run_shows_its_record(runs):
    watched = {part.name for part in inspect_run(of(runs, "lm")).sections[-1].parts if hasattr(part, "figure")}
    assert watched == {"loss", "watched-gradients", "watched-updates", "watched-gates"}
    assert "was not watched" in inspect_run(of(runs, "words")).sections[-1].shows


@pytest.mark.parametrize("name", ["lm", "words"])
def test_a_held_out_loss_far_above_that_of_training_is_told_of_every_run(runs, tmp_path, name):
    folder = RunFolder(shutil.copytree(runs / name, tmp_path / name))
    assert "far above" not in inspect_run(folder, "The king").sections[-1].verdict
    folder.history.add({"update": 99, "final_held_out": 77.5})
    section = inspect_run(folder, "The king").sections[-1]
    assert re.search(r"it is 77\.500\. What looks wrong: .*held-out loss far above\.$", section.verdict)
    assert section.numbers["findings"][-1]["figure"] == 77.5


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
    with pytest.raises(ConfigError, match=r"`at` must lie between -10 and 9, the steps of the input, got 10"):
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
    assert "How fast it forgets" in done.stdout and "The unrolled graph" in done.stdout
    done = CliRunner().invoke(cli, ["inspect", str(runs / "lm"), "The king!", "--beside", str(runs / "tag")])
    assert done.exit_code == 1 and isinstance(done.exception, ConfigError)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("no/such/file", r"There is no file 'no/such/file'\. To inspect this as text, pass it through the standard input"),
        ("missing.TS", r"There is no file 'missing\.TS'"),
        ("missing.txt.gz", r"There is no file"),
        (".", r"'\.' is a folder\. Pass a file"),
        ("bytes.txt", r"bytes\.txt is not utf-8: .*If it is text, save it in that encoding"),
    ],
)
def test_an_input_that_is_no_text_and_no_file_is_refused(runs, tmp_path, monkeypatch, given, said):
    monkeypatch.chdir(tmp_path)
    Path("bytes.txt").write_bytes(b"caf\xe9")
    done = CliRunner().invoke(cli, ["inspect", str(runs / "lm"), given, "--out", "page.html"])
    assert isinstance(done.exception, DataError) and re.search(said, str(done.exception))
    assert not Path("page.html").exists()


@pytest.mark.parametrize("given", ["and / or", "see a/b here", "txt", "It is in data.txt", "x" * 5000, "a\0b", "Why?"])
def test_a_text_is_read_as_text(given):
    assert _read(given) == given


def test_a_folder_of_frames_is_read_as_a_file(tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        _read(str(tmp_path))
    (tmp_path / "1.png").write_bytes(b"")
    assert _read(str(tmp_path)) == tmp_path


def test_a_built_in_source_is_read_as_a_file(runs, tmp_path):
    done = CliRunner().invoke(
        cli, ["inspect", str(runs / "tag"), "builtin:promoters", "--steps", "20", "--out", str(tmp_path / "p"), "--json"]
    )
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(cli, ["inspect", str(runs / "lm"), "builtin:cats"])
    assert isinstance(done.exception, DataError) and "no built-in text 'builtin:cats'" in str(done.exception)


def test_where_nothing_can_be_written_is_said_before_the_work(runs, tmp_path, monkeypatch):
    monkeypatch.setattr("unrolled.tasks.inspecting.inspect_run", lambda *_, **__: pytest.fail("it began"))
    (tmp_path / "file").touch()
    for flag, place, folder in (
        ("--out", "none/page.html", "none"),
        ("--out", "file/page.html", "file"),
        ("--png", "file/pictures", "file"),
    ):
        done = CliRunner().invoke(cli, ["inspect", str(runs / "lm"), "x", flag, str(tmp_path / place)])
        assert isinstance(done.exception, DataError)
        assert str(done.exception) == f"'{tmp_path / folder}' is not a folder that exists. Give `{flag}` another place."
    monkeypatch.setattr("os.access", lambda _, mode: not mode & os.W_OK)
    done = CliRunner().invoke(cli, ["inspect", str(runs / "lm"), "x"])
    assert str(done.exception) == f"'{runs / 'lm'}' may not be written. Give `--out` another place."
