"""Files of sequences, with labels or with a tag for each step, to a folder and back."""

import contextlib
import json
import random
import re
import struct
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

import unrolled as un
from heard import Heard
from unrolled.cells import find_cell
from unrolled.data.codecs import Encoded, InputCodec, LabelCodec
from unrolled.data.dataset import TOKENS, gather
from unrolled.data.examples import Example, Target
from unrolled.data.formats import read_examples
from unrolled.errors import ConfigError, DataError, RunError, UnrolledWarning
from unrolled.models import EachStep, Encoder, EncoderOptions, InputSizes, LinearChain, Softmax, Whole
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.sequences.predictor import Predictor
from unrolled.training import RunFolder, Silent
from unrolled.training.interrupt import Stopped

SMALL = {"hidden": 8, "embedding": 6, "characters": 4, "character_hidden": 3, "batch": 8, "epochs": 2, "evaluations": 2, "warmup": 3}
QUIET = {**SMALL, "display": Silent()}
LEARN = {"hidden": 16, "epochs": 25, "learning_rate": 0.02, "dropout": 0.1, "average": 0.9, "evaluations": 5}


@pytest.fixture
def table(tmp_path):
    """Whether good or bad came last decides."""
    chance = random.Random(4)
    lines = ["text,label"]
    for _ in range(160):
        words = [chance.choice(["good", "bad", "film", "plot", "Actors"]) for _ in range(chance.randint(1, 7))]
        last = next((w for w in reversed(words) if w in ("good", "bad")), "neither")
        lines.append(f"{' '.join(words)},{last}")
    path = tmp_path / "films.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def tags(tmp_path):
    """Names after a title are people."""
    chance = random.Random(5)
    rows = []
    for _ in range(120):
        for _ in range(chance.randint(1, 4)):
            if chance.random() < 0.5:
                rows += ["Dr O", f"{chance.choice(['Ada', 'Bo', 'Cy'])} B-per", f"{chance.choice(['Fox', 'Lee'])} I-per"]
            else:
                rows += [f"{chance.choice(['Ada', 'walks', 'sees'])} O"]
        rows.append("")
    path = tmp_path / "people.conll"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_classifier_learns_and_is_the_same_when_it_is_loaded(table, tmp_path):
    given = un.train_classifier(table, out=tmp_path / "run", **{**QUIET, **LEARN})
    loaded = un.load(tmp_path / "run")
    texts = ["good film", "bad plot, good Actors good", "the film", "Actors", "bad"]
    said, again = given.predict(texts), loaded.predict(texts)
    assert said == again
    assert [p.labels for p in said] == [("good",), ("good",), ("neither",), ("neither",), ("bad",)]
    for prediction in said:
        assert sum(prediction.every.values()) == pytest.approx(1)
        assert prediction.probabilities == (prediction.every[prediction.labels[0]],)
    assert loaded.evaluate(table).accuracy > 0.95


def test_what_cannot_be_labelled_is_named_by_its_index(table, tmp_path):
    trained = un.train_classifier(table, out=tmp_path / "run", **QUIET)
    assert trained.predict([]) == []
    assert trained.predict([["good", "film"]])[0].every == trained.predict([("good", "film")])[0].every
    for sequences, message in (
        (["good", ""], r"`sequences\[1\]`: the sequence is empty. Take it out, or give it at least one step"),
        ([" \n"], r"`sequences\[0\]`: the sequence is empty"),
        ([["good"], []], r"`sequences\[1\]`: the sequence is empty"),
        (["good", None], r"`sequences\[1\]` must be a text, .* or an Example, got NoneType. Pass one of these, or take it out"),
        ([["good", 3]], r"`sequences\[0\]` must be a text, a list of tokens, .*got 3 among its tokens"),
        ([np.zeros(3)], r"`sequences\[0\]` must be .*numbers \[T, C\].*got an array of float64 of shape \[3\]"),
        ("good", r"`sequences` must be a list, got the text 'good'. Pass \['good'\]"),
    ):
        with pytest.raises(DataError, match=message):
            trained.predict(sequences)


@pytest.mark.parametrize("crf", [False, True])
def test_a_tagger_learns_and_is_the_same_when_it_is_loaded(tags, tmp_path, crf):
    given = un.train_tagger(tags, out=tmp_path / "run", crf=crf, **{**QUIET, **LEARN, "epochs": 15})
    said = given.predict([["Dr", "Ada", "Lee", "walks"], ["Ada", "sees", "Dr", "Bo", "Fox"]])
    assert said[0].tags == ("O", "B-per", "I-per", "O")
    assert said[1].tags == ("O", "O", "O", "B-per", "I-per")
    assert [p.tags for p in un.load(tmp_path / "run").predict([["Dr", "Ada", "Lee", "walks"]])] == [said[0].tags]
    assert given.evaluate(tags).entity_f1 > 0.95


def test_files_are_read_in_the_scheme_that_was_learnt(tags, tmp_path):
    def write(name, *lines):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
        return tmp_path / name

    wrong = write("wrong.conll", "Ada O", "Fox I-per", "", "Bo O")
    refused = r"wrong.conll, line 2: I-per must come after B-per or I-per in BIO, got it after O. Mend the tag, or .*`scheme`"
    with pytest.raises(DataError, match=refused):
        un.train_tagger(tags, out=tmp_path / "run", validation=str(wrong), **QUIET)
    assert not (tmp_path / "run").exists()
    loaded = [un.train_tagger(tags, out=tmp_path / "run", **QUIET), un.load(tmp_path / "run")]
    for trained in loaded:
        with pytest.raises(DataError, match=refused):
            trained.evaluate(wrong)
        assert trained.evaluate(wrong, reading=replace(trained.reading, scheme="iob1")).size == 3
    old = write("old.conll", *(line.replace("B-per", "I-per") for line in tags.read_text().split("\n")[:-1]))
    iob1 = un.train_tagger(old, out=tmp_path / "old", **QUIET)
    assert iob1.labels == ("B-per", "I-per", "O")
    assert un.load(tmp_path / "old").evaluate(write("same.conll", "Ada O", "Fox I-per")).size == 2
    with pytest.raises(DataError, match="line 2: B-per must come after a span of its type in IOB1"):
        un.load(tmp_path / "old").evaluate(write("other.conll", "Ada O", "Fox B-per"))
    assert run_again(tmp_path / "old")


def test_files_of_classes_are_remembered_and_other_files_say_what_they_are(tmp_path):
    for name, word in (("pos", "good"), ("neg", "bad")):
        (tmp_path / f"{name}.txt").write_text(f"{word} film\n" * 12)
    trained = un.train_classifier([tmp_path / "pos.txt", tmp_path / "neg.txt"], out=tmp_path / "run", **{**QUIET, **LEARN})
    (tmp_path / "new").mkdir()
    new, table = tmp_path / "new" / "pos.txt", tmp_path / "new.csv"
    new.write_text("good film\ngood plot\nbad film\n")
    table.write_text("text,label\ngood film,pos\nbad film,neg\n")
    for model in (trained, un.load(tmp_path / "run")):
        assert (model.evaluate(new).size, model.evaluate(new).accuracy) == (3, pytest.approx(2 / 3))
        assert (model.evaluate(table).size, model.evaluate(table).accuracy) == (2, 1)
        assert model.evaluate(table, reading=model.reading_of(table, format="csv")).accuracy == 1
    unlabelled = list(read_examples(new, trained.reading_of(new, labels=False), Target.LABELS))
    assert [example.labels for example in unlabelled] == [None] * 3
    run_training(find_recipe("classify"), (), RunFolder(tmp_path / "run"), {"epochs": 26}, Silent(), resume=True)


def test_a_file_in_a_folder_of_a_class_stays_one_sequence(tmp_path):
    for part in ("old", "new"):
        for name, word in (("pos", "good"), ("neg", "bad")):
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(6):
                (tmp_path / part / name / f"{i}.txt").write_text(f"a film\n{word} film\n\nthe end\n")
    old, new = ([tmp_path / part / name for name in ("pos", "neg")] for part in ("old", "new"))
    un.train_classifier(old, out=tmp_path / "run", validation=[str(new[1])], **{**QUIET, **LEARN})
    trained = un.load(tmp_path / "run")
    for sources, size in ((new[0], 6), (new, 12), (tmp_path / "new", 12), (new[0] / "3.txt", 1)):
        found = trained.evaluate(sources)
        assert (found.size, found.accuracy) == (size, 1)
        examples = list(read_examples(sources, trained.reading_of(sources, labels=False), Target.LABELS))
        assert [(e.text.count("\n"), e.labels) for e in examples] == [(3, None)] * size
    run_training(find_recipe("classify"), (), RunFolder(tmp_path / "run"), {"epochs": 26}, Silent(), resume=True)


def test_regions_are_those_of_the_sequences_that_are_measured(tmp_path):
    for name, regions in (("old", "s\t0\t2\tx\nt\t1\t3\ty\n"), ("new", "s\t2\t4\tx\n")):
        (tmp_path / f"{name}.fa").write_text(">s\nACGT\n" + (">t\nGGCA\n" if name == "old" else ""))
        (tmp_path / f"{name}.bed").write_text(regions)
    un.train_tagger(tmp_path / "old.fa", out=tmp_path / "run", regions=str(tmp_path / "old.bed"), held_out=0.0, **QUIET)
    trained, new = un.load(tmp_path / "run"), tmp_path / "new.fa"
    with pytest.raises(DataError, match=r"new.fa, sequence s: the sequence has no tags. Pass `regions` to tag"):
        trained.evaluate(new)
    found = trained.evaluate(new, reading=trained.reading_of(new, regions=(str(tmp_path / "new.bed"),)))
    (tmp_path / "dev.fa").write_text(">u\nGCGT\n")
    (tmp_path / "dev.bed").write_text("u\t0\t2\ty\n")
    both = {"regions": [str(tmp_path / "old.bed"), str(tmp_path / "dev.bed")], "validation": str(tmp_path / "dev.fa")}
    assert un.train_tagger(tmp_path / "old.fa", out=tmp_path / "both", **both, **QUIET).labels == ("O", "x", "y")
    assert found.size == 4 and found.confusion.sum(1)[found.names.index("x")] == 2
    assert [
        len(said.tags) for _, said in trained.predict_stream(read_examples(new, trained.reading_of(new, labels=False), Target.TAGS))
    ] == [4]


def run_again(folder):
    return run_training(find_recipe("tag"), (), RunFolder(folder), {"epochs": 3}, Silent(), resume=True).finished


def test_what_is_said_does_not_depend_on_what_else_is_asked(tags, table, tmp_path):
    for train, data, some in (
        (un.train_tagger, tags, [["Dr", "Ada"], ["x"] * 30, ["Lee"]]),
        (un.train_classifier, table, ["good", "x " * 30, "Bad film"]),
    ):
        trained = train(data, out=tmp_path / data.stem, level="both", **QUIET)
        together, alone = trained.predict(some), [trained.predict([s])[0] for s in some]
        for one, other in zip(together, alone, strict=True):
            assert (one.labels, one.tags) == (other.labels, other.tags)
            np.testing.assert_allclose(one.probabilities, other.probabilities, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("classify", {"pooling": "attention", "class_weights": "balanced"}),
        ("classify", {"output": "ordinal", "level": "word", "bidirectional": False, "pooling": "last", "average": 0.0}),
        ("classify", {"layers": 0, "input_window": 3}),
        ("classify", {"input_window": 3, "bidirectional": False, "pooling": "last"}),
        ("tag", {"crf": True, "window": 3, "rare_dropout": 0.5}),
        ("tag", {"layers": 2, "residual": True, "cell": "gru", "class_weights": "balanced", "lower": True}),
        ("tag", {"layers": 0, "level": "word"}),
        ("tag", {"layers": 0, "input_window": 3, "bidirectional": False, "window": 2, "crf": True}),
        ("tag", {"input_window": 3}),
    ],
)
def test_a_run_that_is_interrupted_ends_like_one_left_alone(table, tags, tmp_path, monkeypatch, name, options):
    class Stopping(Silent):
        def status(self, status):
            if status.update >= 1:
                monkeypatch.setattr("unrolled.training.interrupt.Interrupts.check", stop)

    def stop(self):
        monkeypatch.undo()
        raise Stopped

    for order, label in enumerate(("bad", "neither", "good")):
        table.write_text(re.sub(f",{label}$", f",{order}", table.read_text(), flags=re.M))
    recipe, data = find_recipe(name), str(table if name == "classify" else tags)
    alone, stopped = RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "stopped")
    run_training(recipe, data, alone, {**SMALL, **options}, Silent())
    assert not run_training(recipe, data, stopped, {**SMALL, **options}, Stopping()).finished
    assert run_training(recipe, (), stopped, {}, Silent(), resume=True).finished
    assert (alone.path / "model.safetensors").read_bytes() == (stopped.path / "model.safetensors").read_bytes()
    un.load(stopped.path)


def test_other_data_is_refused_when_a_run_goes_on(table, tmp_path):
    folder = RunFolder(tmp_path / "run")
    run_training(find_recipe("classify"), str(table), folder, SMALL, Silent())
    table.write_text(table.read_text() + "good,good\n")
    with pytest.raises(RunError, match="is not the one that"):
        run_training(find_recipe("classify"), (), folder, {"epochs": 3}, Silent(), resume=True)


def test_the_last_measures_are_those_of_the_kept_weights(table, tmp_path):
    run = {**QUIET, "out": tmp_path / "run", "held_out": 0.5}
    un.train_classifier(table, **run)
    records = RunFolder(tmp_path / "run").history.records()
    assert records[-1]["final_accuracy"] in [r["accuracy"] for r in records if "accuracy" in r]


def test_another_file_can_be_measured_on_and_nothing_at_all(table, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("text,label\ngood,good\nbad,bad\nbad film,splendid\n")
    with pytest.warns(UnrolledWarning, match="1 of 3 sequences have a label that was not learnt: 'splendid'"):
        trained = un.train_classifier(table, out=tmp_path / "run", validation=str(other), **QUIET)
    with pytest.warns(UnrolledWarning, match="'splendid'"):
        found = trained.evaluate(other)
    assert found.size == 3
    assert found.accuracy <= 2 / 3
    assert RunFolder(tmp_path / "run").history.records()[-1]["final_accuracy"] == found.accuracy
    un.train_classifier(table, out=tmp_path / "whole", held_out=0.0, **QUIET)
    assert not [r for r in RunFolder(tmp_path / "whole").history.records() if "held_out" in r]
    un.load(tmp_path / "whole").predict(["good"])


def test_another_file_to_measure_on_is_refused_when_a_run_goes_on(table, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("text,label\ngood,good\nbad,bad\n")
    folder = RunFolder(tmp_path / "run")
    run_training(find_recipe("classify"), str(table), folder, {**SMALL, "validation": str(other)}, Silent())
    assert run_training(find_recipe("classify"), (), folder, {"epochs": 3}, Silent(), resume=True).finished
    other.write_text("text,label\ngood,good\nbad,good\n")
    with pytest.raises(RunError, match="is not the one that"):
        run_training(find_recipe("classify"), (), folder, {"epochs": 4}, Silent(), resume=True)


def test_no_loss_is_said_of_labels_of_which_none_was_learnt(table, tmp_path):
    other, told = tmp_path / "other.csv", []
    other.write_text("text,label\ngood,splendid\nbad,awful\n")
    display = Silent()
    display.say = told.append
    with pytest.warns(UnrolledWarning, match="2 of 2 sequences"):
        un.train_classifier(table, out=tmp_path / "run", validation=str(other), **SMALL, display=display)
    records = RunFolder(tmp_path / "run").history.records()
    assert records[-1]["final_accuracy"] == 0
    assert not any("held_out" in name for record in records for name in record)
    assert told[-1].startswith("held out, with the best weights: no loss, as no label there was learnt, accuracy 0.00%")


def test_several_labels_at_once(tmp_path):
    path = tmp_path / "several.csv"
    chance = random.Random(1)
    rows = [[w for w in ("red", "round", "big") if chance.random() < 0.5] for _ in range(120)]
    path.write_text("text,label\n" + "".join(f"a {' '.join(row)} thing,{';'.join(row)}\n" for row in rows))
    trained = un.train_classifier(path, out=tmp_path / "run", separator=";", **{**QUIET, **LEARN})
    assert [set(p.labels) for p in trained.predict(["a red big thing", "a thing", "a round thing"])] == [{"red", "big"}, set(), {"round"}]
    assert trained.evaluate(path).macro_f1 > 0.95


def test_an_unseen_label_among_several_has_no_part_in_the_loss(tmp_path):
    path, new, both = tmp_path / "several.csv", tmp_path / "new.csv", tmp_path / "both.csv"
    path.write_text("text,label\na b,x;y\nb,y\na,x\nc,\n")
    new.write_text("text,label\na,x\n")
    both.write_text("text,label\na,x\nb,y;new\n")
    losses = []
    for name, validation in (("one", new), ("two", both)):
        with contextlib.nullcontext() if name == "one" else pytest.warns(UnrolledWarning, match="1 of 2 sequences .* learnt: 'new'"):
            un.train_classifier(path, out=tmp_path / name, separator=";", validation=str(validation), **QUIET)
        losses.append(RunFolder(tmp_path / name).history.records()[-1])
    assert losses[0]["final_held_out"] == pytest.approx(losses[1]["final_held_out"])
    assert losses[1]["final_accuracy"] <= 0.5


@pytest.fixture
def seen(monkeypatch):
    """The standardised numbers of the batches that were learnt, `[T, B, C]` each, and what they were before they were changed."""
    batches, read = [], []
    learn, prepare = Whole.loss, Encoded.batch

    def batch(self, *which, targets=False):
        found = prepare(self, *which, targets=targets)
        if targets:
            read.append(found["numbers"].numpy().copy())
        return found

    def loss(self, batch, weights=None):
        batches.append((batch["numbers"].numpy().copy(), read[-1]))
        return learn(self, batch, weights)

    monkeypatch.setattr(Encoded, "batch", batch)
    monkeypatch.setattr(Whole, "loss", loss)
    return batches


@pytest.fixture
def waves(tmp_path):
    """Series that rise or fall."""
    rng = np.random.default_rng(0)
    lines = ["@problemName waves", "@dimensions 1", "@classLabel true up down", "@data"]
    for label, sign in (("up", 1), ("down", -1)):
        lines += [",".join(f"{v:.3f}" for v in 5 + sign * np.arange(9) + rng.normal(0, 0.3, 9)) + f":{label}" for _ in range(20)]
    path = tmp_path / "waves.ts"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_numbers_are_learnt_with_noise_and_labelled_without(waves, tmp_path, seen):
    trained = un.train_classifier(waves, out=tmp_path / "run", noise=0.1, held_out=0.0, **{**QUIET, **LEARN})
    # What is tried out before the first batch is as it was read.
    noise = np.concatenate([(now - before).ravel() for now, before in seen[1:]])
    assert noise.shape == (25 * 40 * 9,)
    assert noise.std() == pytest.approx(0.1, rel=0.05)
    assert [p.labels for p in trained.predict([5 + np.arange(9.0)[:, None], 5 - np.arange(9.0)[:, None]])] == [("up",), ("down",)]
    assert trained.evaluate(waves).accuracy > 0.95
    with pytest.raises(DataError, match="no tokens and 1 channels of numbers, got tokens and 0"):
        trained.predict(["up"])


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf, 1e300])
def test_numbers_that_are_missing_or_infinite_are_named(waves, tmp_path, missing):
    trained = un.train_classifier(waves, out=tmp_path / "run", **QUIET)
    good, bad = np.ones((9, 1)), np.ones((9, 1))
    bad[3] = missing
    said = "the value is missing, one of 1 in this sequence. Fill it in, or train with `impute=True`"
    told = said if np.isnan(missing) else "a value must be a finite 32-bit number, got an infinite one"
    with np.errstate(over="ignore"):
        example = Example("elsewhere", numbers=bad.astype(np.float32))
    for sequence in (bad, example):
        with pytest.raises(DataError, match=re.escape(f"`sequences[1]`, step 4, channel 1: {told}")):
            trained.predict([good, sequence])


def test_missing_numbers_are_put_in_as_they_were_learnt(waves, tmp_path):
    trained = un.train_classifier(waves, out=tmp_path / "run", impute=True, **QUIET)
    gaps, filled = np.arange(9.0)[:, None], np.arange(9.0)[:, None]
    gaps[0], gaps[4:6] = np.nan, np.nan
    filled[0], filled[4:6] = trained.codecs.inputs.numbers.mean, 3
    found, wanted = trained.predict([gaps, filled])
    assert found.every == pytest.approx(wanted.every)
    gaps[4] = np.inf
    with pytest.raises(DataError, match=r"`sequences\[0\]`, step 5, channel 1: .*infinite"):
        trained.predict([gaps])


def test_images_are_moved_and_other_numbers_are_refused(tmp_path, seen):
    images = tmp_path / "a-images-idx3-ubyte"
    images.write_bytes(bytes((0, 0, 8, 3)) + struct.pack(">3I", 12, 4, 3) + bytes(range(144)))
    with pytest.raises(DataError, match=r"image 1: the sequence has no label. Put the file with the labels"):
        un.train_classifier(images, out=tmp_path / "run", shift=1, **QUIET)
    (tmp_path / "a-labels-idx1-ubyte").write_bytes(bytes((0, 0, 8, 1)) + struct.pack(">I", 12) + bytes([0, 1] * 6))
    un.train_classifier(images, out=tmp_path / "run", shift=1, **QUIET)
    now, before = (np.concatenate(images, 1).swapaxes(0, 1) for images in zip(*seen[1:], strict=True))
    moved = now[(now != before).any((1, 2))]
    assert len(moved) > len(now) / 2
    assert all((image == 0).all(0).any() or (image == 0).all(1).any() for image in moved)
    series = tmp_path / "sensors.csv"
    series.write_text("id,x,y,label\n" + "".join(f"{i},{i},{t},{'ab'[i % 2]}\n" for i in range(8) for t in range(3)))
    for data, options in ((images, {"image": "whole"}), (series, {"series": "id", "target": "label"}), ("builtin:bouncing-ball", {})):
        with pytest.raises(ConfigError, match="`shift` moves images in idx files that are read row by row"):
            un.train_classifier(data, out=tmp_path / "other", shift=1, **options, **QUIET)
    assert not (tmp_path / "other").exists()


def test_class_weights_with_a_crf_are_refused_before_anything_is_written(tags, tmp_path):
    with pytest.raises(ConfigError, match=r"`class_weights` weigh steps, and `crf` scores whole sequences. Leave one of them out"):
        un.train_tagger(tags, out=tmp_path / "run", crf=True, class_weights="balanced", **QUIET)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a.ts", "@classLabel false\n@data\n1,2\n3,4\n", {}, "line 3: the sequence has no label. Write @classLabel true"),
        ("a.ts", "@classLabel true a b\n@data\n1,2:a\n3,4:?\n", {}, "line 4: the sequence has no label. .*a question mark is none"),
        ("a.csv", "id,x,y\n1,2,3\n", {"series": "id"}, "line 2: the sequence has no label. Name their column or key as `target`"),
        ("a.fasta", ">a\nAC\n>b\nAC\n", {}, "sequence a: the sequence has no label. .*label=… into each description"),
        ("a.txt", "good\nbad\n", {"format": "lines"}, "line 1: the sequence has no label. Plain text has none"),
    ],
)
def test_where_labels_are_looked_for_is_said(tmp_path, name, text, options, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        un.train_classifier(tmp_path / name, out=tmp_path / "run", **options, **QUIET)


def test_channels_are_known_by_their_names(tmp_path):
    path = tmp_path / "series.csv"
    rows = "".join(f"{i},{t},{i % 2 + t},{t},{'ab'[i % 2]}\n" for i in range(8) for t in range(3))
    path.write_text("id,time,x,y,label\n" + rows)
    names = {"series": "id", "time": "time", "target": "label", "format": "series"}
    trained = un.train_classifier(path, out=tmp_path / "run", **names, **QUIET)
    path.write_text("id,time,y,x,label\n" + rows)
    with pytest.raises(DataError, match=r"must be x, y, got y, x\. Pass `channels=\['x', 'y'\]`"):
        trained.evaluate(path)


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("window", [1, 3, 10])
@pytest.mark.parametrize("more", [{}, {"input_window": 4}, {"layers": 0, "input_window": 4}, {"layers": 0}])
def test_windows_change_nothing_for_a_network_that_reads_forwards(window, crf, more):
    steps, whole, part = _steps(bidirectional=False, window=window, crf=crf, **more)
    assert [p.tags for p in whole] == [p.tags for p in part]
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, rtol=1e-4)
    assert steps > window


def test_windows_with_enough_overlap_change_nothing_for_any_network():
    _, whole, part = _steps(bidirectional=True, window=6, overlap=40)
    assert [p.tags for p in whole] == [p.tags for p in part]
    _, whole, part = _steps(bidirectional=True, window=2, overlap=0)
    assert [p.tags for p in whole] != [p.tags for p in part]


def _steps(*, bidirectional, window, overlap=0, crf=False, **more):
    torch.manual_seed(2)
    rng = np.random.default_rng(7)
    examples = [Example(str(n), tokens=tuple(rng.choice(list("abcdef"), n)), tags=tuple(rng.choice(["X", "Y"], n))) for n in (25, 3, 11, 1)]
    dataset, which = gather(examples, "word"), np.arange(4)
    inputs, target = InputCodec.learn(dataset, which, level="word"), LabelCodec.learn(dataset, which, Target.TAGS)
    encoded = Encoded(dataset, inputs, target)
    options = EncoderOptions(hidden=7, embedding=5, bidirectional=bidirectional, **more)
    head = LinearChain(target.labels) if crf else Softmax(len(target.labels))
    if crf:
        torch.nn.init.normal_(head.transitions)
    model = EachStep(Encoder(InputSizes(**inputs.sizes), options), head).eval()
    say = find_recipe("tag").say
    found = [Predictor(model, target, say, *cut).predict_all(encoded, which) for cut in ((None, 0), (window, overlap))]
    assert found[0][1:] == pytest.approx(found[1][1:]) or bidirectional
    return 25, found[0][0], found[1][0]


def test_windows_are_chosen_when_steps_are_tagged(tags, tmp_path):
    trained = un.train_tagger(tags, out=tmp_path / "run", **QUIET)
    sequences = [["Dr", "Ada", "Lee", "walks", "x", "Bo"], ["Bo"]]
    whole, near, alone = (trained.predict(sequences, **cut) for cut in ({}, {"window": 2, "overlap": 9}, {"window": 1}))
    steps = [trained.predict([[token]])[0].probabilities[0] for token in sequences[0]]
    np.testing.assert_allclose(near[0].probabilities, whole[0].probabilities, rtol=1e-4)
    np.testing.assert_allclose(alone[0].probabilities, steps, rtol=1e-4)
    found = [trained.evaluate(tags, **cut).confusion.tolist() for cut in ({}, {"window": 2, "overlap": 9}, {"window": 1})]
    assert found[0] == found[1] != found[2]
    for wrong, message in (
        ({"overlap": 2}, r"`overlap=2` is that of the pieces of `window`"),
        ({"window": 0}, "`window` must be at least 1, got 0"),
        ({"window": 2.5}, "`window` must be of type int"),
    ):
        with pytest.raises(ConfigError, match=message):
            trained.predict(sequences, **wrong)
        with pytest.raises(ConfigError, match=message):
            trained.evaluate(tags, **wrong)
    with pytest.raises(ConfigError, match="`overlap=2` is that"):
        un.train_tagger(tags, out=tmp_path / "other", overlap=2, **QUIET)
    assert not (tmp_path / "other").exists()


def test_windows_are_refused_where_whole_sequences_are_labelled(table, tmp_path):
    trained = un.train_classifier(table, out=tmp_path / "run", **QUIET)
    for ask in (trained.predict, trained.predict_stream, trained.evaluate):
        with pytest.raises(ConfigError, match=r"`window` divides sequences whose steps are answered, .* Leave it out"):
            ask([], window=3)


def test_what_is_held_out_is_not_learnt_in_windows_either(tmp_path):
    """Every word comes once, and those that are held out are none of the vocabulary."""
    path, words = tmp_path / "once.conll", iter(range(100))
    path.write_text("".join("".join(f"w{next(words)} {'XY'[n % 2]}\n" for _ in range(1 + n % 5)) + "\n" for n in range(20)))
    data, task = _task("tag", path, window=2, held_out=0.4, level="word")
    assert len(data.held_out) == 8 and data.held_out.encoded.dataset.lengths.max() == 5
    task.begin(1)
    batches = [task.learner.get(which) for which in task.learner.order]
    learnt = [word for batch in batches for row, n in enumerate(batch.lengths) for word in batch["words"][:n, row].tolist()]
    assert sorted(learnt) == list(range(1, data.codecs.inputs.tokens.words.size)) and len(learnt) == data.train.steps > 20
    assert max(batch.lengths.max() for batch in batches) == 2


@pytest.mark.parametrize("crf", [False, True])
def test_spans_longer_than_a_window_can_be_learnt(tmp_path, crf):
    path = tmp_path / "long.conll"
    path.write_text("".join("Dr O\nAda B-per\n" + "Fox I-per\n" * (3 + n % 5) + "walks O\n\n" for n in range(20)))
    un.train_tagger(path, out=tmp_path / "run", crf=crf, window=3, **QUIET)
    losses = [r["loss"] for r in RunFolder(tmp_path / "run").history.records() if "loss" in r]
    assert losses and np.isfinite(losses).all()


@pytest.mark.parametrize("recall", [-2.0, float("nan"), float("inf")])
def test_a_lead_of_entities_is_a_number_of_at_least_0(tags, tmp_path, recall):
    with pytest.raises(ConfigError, match="`entity_margin` must be a number of at least 0, got"):
        un.train_tagger(tags, out=tmp_path / "run", entity_margin=recall, **QUIET)


def test_entities_are_measured_where_there_are_none(tags, tmp_path):
    trained = un.train_tagger(tags, out=tmp_path / "run", **QUIET)
    none = tmp_path / "none.conll"
    none.write_text("Dr O\nwalks O\n")
    assert trained.evaluate(none).entity_f1 == 0


def test_strings_whose_characters_are_tagged(tmp_path):
    chance = random.Random(3)
    words = ["".join(chance.choice("ACD") for _ in range(chance.randint(2, 9))) for _ in range(60)]
    path, new = tmp_path / "proteins.csv", tmp_path / "new.csv"
    path.write_text("id,sequence,states\n" + "".join(f"{i},{w},{w.replace('A', 'H').replace('C', 'H')}\n" for i, w in enumerate(words)))
    new.write_text("id,sequence\n1,ACDDA\n")
    trained = un.train_tagger(path, out=tmp_path / "run", input="sequence", target="states", **{**QUIET, **LEARN})
    assert trained.evaluate(path).accuracy > 0.99
    assert trained.predict(["ACDDA"])[0].tags == tuple("HHDDH")
    examples = read_examples(new, trained.reading.to_predict(), Target.TAGS)
    assert [p.tags for _, p in trained.predict_stream(examples)] == [tuple("HHDDH")]
    assert (trained.reading.steps, trained.reading.learnt) == ("characters", ("sequence", "states"))
    new.write_text("id,sequence\nx,AC\n")
    ((example, _),) = un.load(tmp_path / "run").predict_stream(read_examples(new, trained.reading_of(new, labels=False), Target.TAGS))
    assert example.tokens == ("A", "C")


def test_columns_that_were_guessed_are_told_and_kept(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("review,stars,mood\n" + "a fine film,1,good\na bad film,2,bad\n" * 9)
    heard = Heard()
    trained = un.train_classifier(path, out=tmp_path / "run", display=heard, **SMALL)
    assert "Input (from 'review'): " in heard.said[0] and "Target (from 'stars'): " in heard.said[0]
    assert heard.said[0].endswith(" Left out: 'mood'.")
    assert un.load(tmp_path / "run").reading.learnt == trained.reading.learnt == ("review", "stars")
    assert run_training(find_recipe("classify"), (), RunFolder(tmp_path / "run"), {"epochs": 3}, Silent(), resume=True).finished
    heard = Heard()
    un.train_classifier(path, out=tmp_path / "named", display=heard, input="review", target="mood", **SMALL)
    assert "Target (from 'mood'): " in heard.said[0] and heard.said[0].endswith(" Left out: 'stars'.")


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        ("text,label\ngood,x\nbad,x\n", {}, DataError, "at least 2 different labels"),
        ("text,label\ngood,x\n,y\n", {}, DataError, "line 3"),
        (
            "text,label\ngood,x\nbad,\n",
            {},
            DataError,
            "line 3: the sequence has no label. Name their column or key as `target`, and fill",
        ),
        (
            "text,label\ngood,x\nbad,x;y\n",
            {"separator": ";", "output": "softmax"},
            DataError,
            "line 3: .* got 'x', 'y'. Train with `output='multi-label'`",
        ),
        ("text,label\ngood,x\nbad,;\n", {"separator": ";", "output": "softmax"}, DataError, "line 3: the sequence has no label"),
        ("text,label\ngood,x\nbad,y\n", {"target": "colour"}, ConfigError, "colour.*text.*label"),
        ("text,label\ngood,x\nbad,y\n", {"pooling": "median", "held_out": 0.0}, ConfigError, "median"),
        ("text,label\ngood,x\nbad,y\n", {"held_out": 1.0}, ConfigError, "`held_out` must be"),
        ("text,label\ngood,x\nbad,y\n", {"output": "soft"}, ConfigError, "`output` must be"),
        ("text,label\ngood,x\nbad,y\n", {"batch": 0}, ConfigError, "`batch` must be"),
        ("text,label\ngood,x\nbad,y\nso,z\n", {"output": "binary", "held_out": 0.0}, ConfigError, "binary output"),
        (
            "text,label\ngood,high\nbad,low\nso,2\n",
            {"output": "ordinal", "held_out": 0.0},
            ConfigError,
            "`output='ordinal'` takes the order of labels from numbers, got 'high', 'low'. Write numbers instead, .*softmax",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left_behind(tmp_path, content, options, error, message):
    path = tmp_path / "data.csv"
    path.write_text(content)
    with pytest.raises(error, match=message):
        un.train_classifier(path, out=tmp_path / "run", **{**QUIET, **options})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("first", ["", "3 2\n"])
def test_given_vectors_are_begun_with_and_words_beside_them_are_known(table, tmp_path, first):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text(first + "good 1.5 2\n. . 7 8\nexcellent -1 0.25\nterrible 3 4\n", encoding="utf-8")
    out = tmp_path / "run"
    trained = un.train_classifier(
        table, out=out, vectors=str(vectors), freeze_vectors=True, vocabulary=9, level="word", **{**QUIET, "embedding": 6}
    )
    words = trained.codecs.inputs.tokens.words.names
    assert set(words) == {"good", "bad", "film", "plot", "Actors", "excellent", "terrible", ". ."}
    inner = trained.model.encoder.inputs.words
    assert inner.width == 2
    read = inner(torch.tensor([1 + words.index("excellent"), 1 + words.index("good")]))
    assert read.tolist() == [[-1, 0.25], [1.5, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no vectors"),
        ("good 1 2\nbad 1\n", "line 2.*2 finite numbers"),
        ("good x y\n", "line 1"),
        ("good 1 nan\n", "2 finite numbers"),
    ],
)
def test_vectors_that_are_none_are_named(table, tmp_path, text, message):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text(text)
    with pytest.raises(DataError, match=message):
        un.train_classifier(table, out=tmp_path / "run", vectors=str(vectors), **QUIET)
    assert not (tmp_path / "run").exists()


def _task(name, source, **options):
    """The data and the task of a run that is about to begin."""
    recipe = find_recipe(name)
    configuration = Configuration.from_flat(name, recipe.options, {**SMALL, "cell": "gru", "sources": [str(source)], **options})
    data = recipe.read(configuration, lambda *_: None)
    torch.manual_seed(8)
    return data, recipe.task(recipe.build(configuration, data.codecs, find_cell("gru")), data, configuration)


@pytest.mark.parametrize("name", ["classify", "tag"])
def test_rare_labels_weigh_more_in_what_is_learnt(name, table, tags):
    data, task = _task(name, table if name == "classify" else tags, class_weights="balanced")
    task.model.eval()
    (piece,), batch = task.pieces(2), data.train.encoded.batch(task.learner.order[2], targets=True)
    if name == "classify":
        logs, targets = task.model(batch).log_softmax(-1), batch.targets
    else:
        scores = task.model(batch)[0].log_softmax(-1)
        logs, targets = (torch.cat([each[:n, row] for row, n in enumerate(batch.lengths)]) for each in (scores, batch.targets))
    losses, total = -logs[torch.arange(len(targets)), targets].detach(), float(piece.total.detach())
    weights = task.learner.weights
    assert len(set(weights[targets].tolist())) > 1
    assert total == pytest.approx(float((weights[targets] * losses).sum()), rel=1e-4)
    assert total != pytest.approx(float(losses.sum()), rel=1e-2)


def test_the_weights_with_the_best_labels_are_kept_and_among_equals_those_with_the_least_loss(table, tags):
    _, task = _task("classify", table)
    assert task.score({"decisive": 0.8, "held_out": 5.0}) < task.score({"decisive": 0.79, "held_out": 0.1})
    assert task.score({"decisive": 0.8, "held_out": 0.1}) < task.score({"decisive": 0.8, "held_out": 0.2})
    _, task = _task("tag", tags)
    measures = task.evaluate(lambda *_: None)
    assert measures["decisive"] == measures["entity_f1"] != measures["accuracy"]


def test_class_weights_make_every_label_count_the_same(table):
    data, task = _task("classify", table, class_weights="balanced")
    counts = np.bincount(data.train.encoded.targets.take(data.train.which))
    assert len(set(counts)) > 1
    np.testing.assert_allclose(task.learner.weights.numpy() * counts, np.full(len(counts), counts.sum() / len(counts)), rtol=1e-6)


def test_tags_that_a_crf_cannot_give_are_wrong_and_have_no_loss(tags, tmp_path):
    trained = un.train_tagger(tags, out=tmp_path / "run", crf=True, **QUIET)
    other = tmp_path / "other.conll"
    other.write_text("Ada I-per\nwalks O\n")
    found = trained.evaluate(other, reading=replace(trained.reading_of(other), scheme="none"))
    assert (found.size, found.accuracy <= 0.5) == (2, True)


def test_words_are_dropped_by_how_often_they_come_in_what_is_learnt(tags):
    data, task = _task("tag", tags, rare_dropout=0.5, word_dropout=0.0, min_count=1, held_out=0.3)
    dataset, words = data.train.encoded.dataset, data.codecs.inputs.tokens.words
    counts = Counter(dataset.table[token] for token in dataset.columns[TOKENS].take(data.train.which))
    found = task.model.encoder.inputs.words.dropped
    assert len(set(counts.values())) > 2 and found.shape == (words.size,)
    for name, number in zip(words.names, words.ids(words.names), strict=True):
        assert float(found[number]) == pytest.approx(0.5 / (0.5 + counts[name]))


def test_every_epoch_has_other_batches_and_noise_is_as_asked(tmp_path):
    path = tmp_path / "series.csv"
    rows = [f"{s},{t},{(s % 2) + t % 3},{'ab'[s % 2]}" for s in range(12) for t in range(5 + s)]
    path.write_text("id,time,x,label\n" + "\n".join(rows) + "\n")
    data, task = _task("classify", path, series="id", time="time", target="label", noise=0.25, batch=3)
    orders = []
    for epoch in (0, 1, 2, 1):
        task.begin(epoch)
        orders.append([batch.tolist() for batch in task.learner.order])
    assert orders[0] != orders[1] != orders[2] and orders[1] == orders[3]
    batch = task.learner.get(data.train.which)
    torch.manual_seed(0)
    noise = torch.cat([(task.learner.change(batch)["numbers"] - batch["numbers"]).flatten() for _ in range(40)])
    assert float(noise.std()) == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("options", [{"layers": 0}, {"input_window": 3}, {"layers": 0, "input_window": 3}])
def test_networks_without_recurrence_and_with_windows_of_the_input_are_the_same_when_they_are_loaded(table, tags, tmp_path, options):
    for train, source, some in (
        (un.train_classifier, table, ["good film", "bad plot, good Actors good"]),
        (un.train_tagger, tags, [["Dr", "Ada", "Lee", "walks"], ["Bo"]]),
    ):
        given = train(source, out=tmp_path / source.stem, **options, **QUIET)
        loaded = un.load(tmp_path / source.stem)
        assert (loaded.model.recurrent is None) == (options.get("layers") == 0)
        assert given.predict(some) == loaded.predict(some)
        assert given.evaluate(source).to_json() == loaded.evaluate(source).to_json()


def test_what_a_feed_forward_tagger_says_of_a_step_depends_on_the_steps_in_its_window_alone(tags, tmp_path):
    trained = un.train_tagger(tags, out=tmp_path / "run", layers=0, input_window=3, level="word", **QUIET)
    plain = ["walks"] * 7
    (whole,) = trained.predict([plain])
    for place in range(7):
        (said,) = trained.predict([[*plain[:place], "Dr", *plain[place + 1 :]]])
        moved = [abs(before - now) > 1e-6 for before, now in zip(whole.probabilities, said.probabilities, strict=True)]
        assert moved == [abs(step - place) <= 1 for step in range(7)]


def test_damaged_codecs_are_told(table, tmp_path):
    un.train_classifier(table, out=tmp_path / "run", **QUIET)
    path = tmp_path / "run" / "codecs.json"
    known = json.loads(path.read_text())
    for damaged, told in (
        ({"inputs": known["inputs"]}, "there must be codecs of 'inputs' and 'target'"),
        ({**known, "target": {**known["target"], "target": "moods"}}, "labels must have names, a target and a scheme"),
        ({**known, "target": {**known["target"], "labels": ["good", "good"]}}, "must be a list of different strings"),
        ({**known, "inputs": {"tokens": None}}, "inputs must have tokens, numbers and channels"),
        ({**known, "inputs": {**known["inputs"], "tokens": {"level": "word"}}}, "tokens must have 'level', 'lower', 'words'"),
    ):
        path.write_text(json.dumps(damaged))
        with pytest.raises(RunError, match=f"damaged or foreign: .*{told}"):
            un.load(tmp_path / "run")


@pytest.mark.parametrize("train", [un.train_classifier, un.train_tagger])
def test_changes_of_what_steps_do_not_have_are_refused(table, tags, tmp_path, train):
    source = table if train is un.train_classifier else tags
    with pytest.raises(ConfigError, match=r"`noise` is added to numbers, and DATA has none\. Leave it out; `word_dropout` is for words"):
        train(source, out=tmp_path / "run", noise=0.5, **QUIET)
    with pytest.raises(ConfigError, match=r"`rare_dropout` is for words and characters, and DATA has none\. Leave it out; `noise` is for"):
        train("builtin:bouncing-ball", out=tmp_path / "run", rare_dropout=1.0, **QUIET)
    assert not (tmp_path / "run").exists()
