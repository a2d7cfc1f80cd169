"""What is no number is never an answer, also where all weights are finite."""

import math

import numpy as np
import pytest
import torch

import unrolled as un
from at_the_terminal import call
from unrolled.errors import DataError, NotFiniteError, TrainingError
from unrolled.tasks.sequences.measuring import SequenceMeasuring
from unrolled.training import Silent

SMALL = {"hidden": 3, "embedding": 3, "epochs": 1, "evaluations": 1, "device": "cpu", "display": Silent()}
CLASSES = "text,label\ngood film,x\nbad,y\nbad plot,y\n"
TAGS = "a\tX\nbb\tY\n\na\tX\n\n"
TASKS = {
    "classify": (un.train_classifier, "films.csv", CLASSES, {}),
    "several": (un.train_classifier, "films.csv", CLASSES.replace("x", "x|y"), {"separator": "|"}),
    "ordinal": (un.train_classifier, "films.csv", CLASSES.replace(",x", ",1").replace(",y", ",2"), {"output": "ordinal"}),
    "tag": (un.train_tagger, "tags.conll", TAGS, {"format": "columns"}),
    "chain": (un.train_tagger, "tags.conll", TAGS, {"format": "columns", "crf": True}),
    "regress": (un.train_regressor, "numbers.jsonl", '{"x": [[1], [2]], "y": 3}\n{"x": [[4]], "y": 5}\n', {"input": "x", "target": "y"}),
    "translate": (un.train_translator, "pairs.tsv", "a bb\tbb a\nbb\tbb\n", {"level": "word"}),
    "lm": (un.train_language_model, "text.txt", "the cat sat on the mat\n" * 20, {"window": 10}),
}


@pytest.fixture
def trained(request, tmp_path):
    """A network of that task, in which all parameters are finite and so large that their products are not."""
    train, name, text, options = TASKS[request.param]
    (tmp_path / name).write_text(text)
    found = train(tmp_path / name, validation=tmp_path / name, out=tmp_path / "run", **SMALL, **options)
    with torch.no_grad():
        for p in found.model.parameters():
            p.fill_(3e38)
    return found


def saying(what):
    return pytest.raises(NotFiniteError, match=f"What the network computes for {what} is not finite, so that it says nothing")


SEQUENCES = [name for name in TASKS if name not in ("translate", "lm")]


@pytest.mark.parametrize("trained", SEQUENCES, indirect=True)
def test_no_label_and_no_number_is_said(trained, tmp_path):
    torch.nn.init.constant_(trained.model.linear.bias, math.nan)
    sequence = np.ones((2, 1)) if trained.task == "regress" else "a bb"
    with saying(r"`sequences\[0\]`"):
        trained.predict([sequence, sequence])
    (data,) = (path for path in tmp_path.iterdir() if path.is_file())
    with saying("sequence 1"):
        trained.evaluate(data)


@pytest.mark.parametrize("trained", ["translate"], indirect=True)
def test_nothing_is_written(trained, tmp_path):
    for call_it, what in (
        (lambda: trained.translate(["a bb"]), "'a bb'"),
        (lambda: trained.translate(["a bb", "bb"]), "one of 'bb', 'a bb'"),
        (lambda: trained.sample("a bb"), "'a bb'"),
        (lambda: trained.score("a", "bb"), "'bb'"),
        (lambda: trained.converse().reply("a bb"), "'a bb'"),
        (lambda: trained.evaluate(tmp_path / "pairs.tsv"), "these pairs"),
    ):
        with saying(what):
            call_it()


@pytest.mark.parametrize("trained", ["lm"], indirect=True)
def test_nothing_is_drawn_and_nothing_has_a_probability(trained, tmp_path):
    with saying("what comes after 'the'"):
        trained.sample("the")
    with saying("'the cat'"):
        trained.score("the cat")
    torch.nn.init.constant_(trained.model.linear.bias, math.nan)
    with saying("this text"):
        trained.evaluate(tmp_path / "text.txt")


def test_where_a_network_breaks_down_while_it_is_measured_the_loss_says_so(tmp_path, monkeypatch):
    (tmp_path / "films.csv").write_text(CLASSES)
    measure = SequenceMeasuring.measure

    def broken(self, tick, *, exactly):
        torch.nn.init.constant_(self.predictor.model.linear.bias, math.nan)
        return measure(self, tick, exactly=exactly)

    monkeypatch.setattr(SequenceMeasuring, "measure", broken)
    with pytest.raises(TrainingError, match="the held-out loss is nan"):
        un.train_classifier(tmp_path / "films.csv", validation=tmp_path / "films.csv", out=tmp_path / "run", **SMALL)


def test_a_translator_that_learns_from_what_it_draws_says_when_it_breaks_down(tmp_path, monkeypatch):
    (tmp_path / "pairs.tsv").write_text("a bb\tbb a\nbb\tbb\n")
    options = {**SMALL, "level": "word", "scheduled_sampling": 0.9, "validation": tmp_path / "pairs.tsv", "out": tmp_path / "run"}
    monkeypatch.setattr(un.models.EncoderDecoder, "reset_parameters", lambda self: torch.nn.init.constant_(self.output.bias, math.nan))
    with pytest.raises(TrainingError, match="gives a loss of nan"):
        un.train_translator(tmp_path / "pairs.tsv", **options)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e39", ""])
def test_numbers_that_are_none_are_refused_where_they_stand(tmp_path, value):
    rows = "id,t,a,y\n" + "".join(f"s{n},{t},{n + t},{n}\n" for n in range(6) for t in range(2))
    (tmp_path / "series.csv").write_text(rows)
    options = {"series": "id", "time": "t", "target": "y"}
    un.train_regressor(tmp_path / "series.csv", out=tmp_path / "run", **SMALL, **options)
    (tmp_path / "new.csv").write_text(f"id,t,a\ns0,0,1\ns1,0,{value}\n")
    with pytest.raises(DataError, match=r"new.csv, line 3, a: (a value must be a finite 32-bit number|the value is missing)"):
        call("predict", tmp_path / "run", tmp_path / "new.csv", "--json")
