"""How files are read when a network learns from them, and how others are read for it."""

import random
import re
import struct

import numpy as np
import pytest
import torch

import unrolled as un
from heard import Heard
from unrolled.data.examples import Example, Target
from unrolled.data.formats import read_examples
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks import find_recipe, run_training
from unrolled.training import RunFolder, Silent

SMALL = {"hidden": 8, "embedding": 6, "characters": 4, "character_hidden": 3, "batch": 20, "epochs": 2, "evaluations": 2, "warmup": 3}
QUIET = {**SMALL, "display": Silent()}
LEARN = {"hidden": 16, "epochs": 25, "learning_rate": 0.02, "dropout": 0.1, "average": 0.9, "evaluations": 5, "batch": 8}


def test_files_are_read_in_the_scheme_that_they_show(tags, tmp_path):
    def write(name, *lines):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
        return tmp_path / name

    stray = write("stray.conll", "Ada B-per", "Bo O", "Fox I-per", "", "Bo O")
    counted = r"^Tags that break the rules of BIO: 1, first .*stray.conll, line 3: I-per after O"
    with pytest.warns(UnrolledWarning, match=counted):
        loaded = [un.train_tagger(tags, out=tmp_path / "run", validation=str(stray), **QUIET), un.load(tmp_path / "run")]
    for trained in loaded:
        with pytest.warns(UnrolledWarning, match=counted):
            assert trained.evaluate(stray).size == 4
    old = write("old.conll", *(line.replace("B-per", "I-per") for line in tags.read_text().split("\n")[:-1]))
    iob1 = un.train_tagger(old, out=tmp_path / "old", **QUIET)
    assert iob1.labels == ("B-per", "I-per", "O")
    for tag in ("I-per", "B-per", "S-per"):
        assert un.load(tmp_path / "old").evaluate(write("other.conll", "Ada O", f"Fox {tag}")).size == 2
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


@pytest.mark.parametrize(
    ("train", "options", "told"),
    [
        (un.train_classifier, {"case": "who", "activity": "what"}, r"Left out: 'when', 'heat'\. The first: 'open close' → up\.$"),
        (un.train_tagger, {"case": "who", "activity": "what", "time": "when"}, r"Left out: 'heat'\. The first: 'open close' → up up\.$"),
        (
            un.train_classifier,
            {"series": "who", "channels": "heat", "level": None},
            r"Left out: 'when', 'what'\. The first: \[20\.5\], \[21\] → up\.$",
        ),
    ],
)
def test_columns_without_a_part_in_events_and_series_are_told(tmp_path, train, options, told):
    path, heard = tmp_path / "rows.csv", Heard()
    rows = (f"{n},1,open,20.5,{way}\n{n},2,close,21,{way}\n" for n, way in enumerate(["up", "down"] * 4))
    path.write_text("who,when,what,heat,way\n" + "".join(rows))
    train(path, out=tmp_path / "run", display=heard, target="way", held_out=0.0, **{**SMALL, **options})
    assert re.search(told, heard.said[0]), heard.said[0]


def run_again(folder):
    return run_training(find_recipe("tag"), (), RunFolder(folder), {"epochs": 3}, Silent(), resume=True).finished


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
        with pytest.raises(ConfigError, match="`shift` moves sound, pictures, and images in idx files"):
            un.train_classifier(data, out=tmp_path / "other", shift=1, **options, **QUIET)
    assert not (tmp_path / "other").exists()


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


def test_channels_are_read_by_the_names_that_were_learnt(tmp_path):
    path = tmp_path / "series.csv"
    rows = "".join(f"{i},{t},{i % 2 + t},{t},{'ab'[i % 2]}\n" for i in range(8) for t in range(3))
    path.write_text("id,time,x,y,label\n" + rows)
    names = {"series": "id", "time": "time", "target": "label", "format": "series"}
    trained = un.train_classifier(path, out=tmp_path / "run", **names, **QUIET)
    path.write_text("id,time,y,x,z,label\n" + rows.replace(",a", ",0,a").replace(",b", ",0,b"))
    assert [example.numbers[0].tolist() for example in read_examples(path, trained.reading_of(path), Target.LABELS)] == [[0, 0], [0, 1]] * 4
    with pytest.raises(DataError, match=r"must be x, y, got y, x\. Pass `channels=\['x', 'y'\]`"):
        trained.evaluate(path, reading=trained.reading_of(path, channels=("y", "x")))


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
    assert set(trained.reading_of(new, labels=False).tags) == {"D", "H"}


def test_columns_that_were_guessed_are_told_and_kept(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("review,stars,mood\n" + "a fine film,1,good\na bad film,2,bad\n" * 9)
    heard = Heard()
    trained = un.train_classifier(path, out=tmp_path / "run", display=heard, **SMALL)
    assert "Input (from 'review'): " in heard.said[0] and "Target (from 'stars'): " in heard.said[0]
    assert heard.said[0].endswith(" Left out: 'mood'. The first: 'a fine film' → 1.")
    assert un.load(tmp_path / "run").reading.learnt == trained.reading.learnt == ("review", "stars")
    assert run_training(find_recipe("classify"), (), RunFolder(tmp_path / "run"), {"epochs": 3}, Silent(), resume=True).finished
    heard = Heard()
    un.train_classifier(path, out=tmp_path / "named", display=heard, input="review", target="mood", **SMALL)
    assert "Target (from 'mood'): " in heard.said[0] and heard.said[0].endswith(" Left out: 'stars'. The first: 'a fine film' → good.")


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        ("text,label\ngood,x\nbad,x\n", {}, DataError, "at least 2 different labels.* Look at the column"),
        ("text,label\ngood,x\nbad,y\n", {}, DataError, "The others are held out: change `held_out` or `group`"),
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
        ("good 1 2\nbad 1\n", "line 2.*2 numbers after 'bad', got 1"),
        ("good x y\n", "line 1"),
        *(
            (f"good 1 {value}\n", f"line 1: the numbers after 'good' must be finite 32-bit numbers, got {value}")
            for value in ("nan", "inf", "1e39")
        ),
    ],
)
def test_vectors_that_are_none_are_named(table, tmp_path, text, message):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text(text)
    with pytest.raises(DataError, match=message):
        un.train_classifier(table, out=tmp_path / "run", vectors=str(vectors), **QUIET)
    assert not (tmp_path / "run").exists()
