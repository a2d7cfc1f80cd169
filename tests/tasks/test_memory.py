"""Data in memory in the place of files."""

import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

import unrolled as un
from unrolled.errors import ConfigError, DataError, RunError
from unrolled.training import Silent

QUICK = {"updates": 2, "evaluations": 2, "hidden": 4, "batch": 8, "display": Silent()}
TEXTS = ["good film", "bad film", "good", "bad", "so good", "so bad"] * 5
LABELS = ["pos", "neg"] * 15


@pytest.fixture(scope="module")
def trained():
    return un.train_classifier(TEXTS, LABELS, **QUICK)


def test_texts_and_labels_are_as_a_file_of_them(trained, tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"{t},{label}\n" for t, label in zip(TEXTS, LABELS, strict=True)))
    other = un.train_classifier(tmp_path / "a.csv", out=tmp_path / "run", **QUICK)
    assert other.labels == trained.labels == ("neg", "pos")
    np.testing.assert_array_equal(trained.predict_proba(TEXTS), other.predict_proba(TEXTS))


def test_what_is_given_has_a_history_and_probabilities(trained):
    probabilities = trained.predict_proba(["good", "bad"])
    assert probabilities.shape == (2, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert probabilities[0, 1] == trained.predict(["good"])[0].every["pos"]
    assert trained.history["held_out"].shape == (2,)
    assert trained.history.updates("held_out").tolist() == [1, 2]
    assert {"loss", "accuracy"} <= {*trained.history.names}
    assert trained.history.plot().axes[0].lines and "held_out" in repr(trained.history)
    with pytest.raises(KeyError, match="there are epoch, tokens"):
        trained.history["nothing"]


def test_it_is_measured_and_saved(trained, tmp_path):
    scores = trained.evaluate(TEXTS, LABELS)
    right = [p.labels[0] == label for p, label in zip(trained.predict(TEXTS), LABELS, strict=True)]
    assert scores.accuracy == np.mean(right)
    again = un.load(trained.save(tmp_path / "kept"))
    np.testing.assert_array_equal(again.predict_proba(TEXTS), trained.predict_proba(TEXTS))
    with pytest.raises(RunError, match="is there already"):
        trained.save(tmp_path / "kept")


def test_a_history_is_a_mapping(trained):
    history = trained.history
    assert "accuracy" in history and "nothing" not in history and history.get("nothing") is None
    assert [*history] == [*history.keys()] == [*history.names] and len(history) == len(history.names)
    assert all(np.array_equal(values, history[name]) for name, values in history.items())
    assert history == trained.history != un.train_classifier(TEXTS, LABELS, **{**QUICK, "hidden": 5}).history


def test_a_trained_network_stands_for_the_folder_of_its_run(trained, tmp_path):
    further = un.train_classifier(TEXTS, LABELS, from_run=trained, out=tmp_path / "run", **{**QUICK, "hidden": None, "updates": 1})
    assert np.array_equal(un.load(trained).predict_proba(TEXTS), trained.predict_proba(TEXTS))
    assert str(trained.folder) in (tmp_path / "run/config.toml").read_text() and further.labels == trained.labels
    assert [run.name for run in un.compare(trained, further, memory=False).runs] == [*map(os.fspath, (trained, further))]
    with pytest.raises(ConfigError, match="`from_run` must be the folder of a run, or what was trained there, got 3"):
        un.train_classifier(TEXTS, LABELS, from_run=3, **QUICK)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([0, 1] * 15, (0, 1)),
        (np.array([3, -1] * 15), (-1, 3)),
        ([True, False] * 15, (False, True)),
        ([0.5, 1.0] * 15, (0.5, 1.0)),
        ([0, "1"] * 15, ("0", "1")),
        ([1, True] * 15, ("1", "True")),
        (pd.Series([10, 9] * 15), (9, 10)),
    ],
)
def test_labels_come_back_in_the_type_that_they_were_given_in(labels, names):
    found = un.train_classifier(TEXTS, labels, **{**QUICK, "updates": 1, "evaluations": 1})
    for trained in (found, un.load(found)):
        said = trained.predict(TEXTS[:2])[0]
        for shown in (trained.labels, said.known, tuple(said.every)):
            assert shown == names and [*map(type, shown)] == [*map(type, names)]
        assert said.labels[0] in names and type(said.labels[0]) is type(names[0])
    assert not found.evaluate(TEXTS, labels).absent


def test_labels_of_columns_and_tags_come_back_so_too(tmp_path):
    columns = {"text": TEXTS, "label": [7, 3] * 15}
    quick = {**QUICK, "updates": 1, "evaluations": 1}
    for data in (columns, pd.DataFrame(columns), pl.DataFrame({**columns, "label": [True, False] * 15})):
        said = un.train_classifier(data, **quick).predict(["good"])[0].labels[0]
        assert type(said) is (bool if isinstance(data, pl.DataFrame) else int)
    tagger = un.train_tagger([["a", "b"], ["b"]] * 10, [[0, 1], [1]] * 10, **quick)
    assert {*map(type, tagger.predict([["a", "b"]])[0].tags)} == {int}
    several = un.train_classifier(TEXTS, [[1, 2], [2]] * 15, output="multi-label", **quick)
    assert several.labels == (1, 2) and several.predict(["good"])[0].chosen(top=2).labels in ((1, 2), (2, 1))
    (tmp_path / "a.csv").write_text("text,label\n" + "good,1\nbad,0\n" * 10)
    assert un.train_classifier(tmp_path / "a.csv", **quick).labels == ("0", "1")


def test_a_text_itself_is_learnt(tmp_path):
    text, options = "one two\nthree\n" * 40, {"hidden": 4, "batch": 2, "window": 8, "evaluations": 1, "display": Silent()}
    (tmp_path / "a.txt").write_text(text)
    trained = un.train_language_model(text, out=tmp_path / "run", updates=2, **options)
    of_file = un.train_language_model(tmp_path / "a.txt", updates=2, **options)
    assert trained.score("one two") == of_file.score("one two")
    un.train_language_model(text, out=tmp_path / "run", resume=True, updates=3, display=Silent())
    with pytest.raises(RunError, match="The data is not the one"):
        un.train_language_model(text + "\n", out=tmp_path / "run", resume=True, updates=4, display=Silent())
    for given, said in (("no such file", "does not exist"), ("half \ud800\n", "half of a character at 5")):
        with pytest.raises(DataError, match=said):
            un.train_language_model(given, display=Silent())
    with pytest.raises(ConfigError, match="`encoding` is that of files"):
        un.train_language_model(text, encoding="latin-1")


FRAME = {"text": TEXTS, "label": LABELS}


class Rows(list):
    """What a data set of the library `datasets` looks like."""

    class Label:
        names = ("neg", "pos")

    features = {"text": None, "label": Label()}  # noqa: RUF012


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(FRAME),
        pl.DataFrame(FRAME),
        pa.table(FRAME),
        FRAME,
        [{"text": t, "label": label} for t, label in zip(TEXTS, LABELS, strict=True)],
        Rows({"text": t, "label": int(label == "pos")} for t, label in zip(TEXTS, LABELS, strict=True)),
    ],
    ids=["pandas", "polars", "arrow", "mapping", "rows", "datasets"],
)
def test_frames_and_data_sets(trained, frame):
    found = un.train_classifier(frame, **QUICK)
    np.testing.assert_array_equal(found.predict_proba(TEXTS), trained.predict_proba(TEXTS))
    np.testing.assert_array_equal(found.predict_proba(frame), trained.predict_proba(TEXTS))
    assert found.evaluate(frame).accuracy == trained.evaluate(TEXTS, LABELS).accuracy


def test_columns_are_named(trained):
    frame = pd.DataFrame({"x": TEXTS, "y": LABELS})
    found = un.train_classifier(frame, input="x", target="y", **QUICK)
    np.testing.assert_array_equal(found.predict_proba(TEXTS), trained.predict_proba(TEXTS))
    np.testing.assert_array_equal(found.predict_proba(frame[["x"]]), trained.predict_proba(TEXTS))


@pytest.mark.parametrize("column", [pd.Series, pl.Series, pa.chunked_array, np.array])
def test_columns_alone_are_lists(trained, column):
    texts, labels = (column([each]) if column is pa.chunked_array else column(each) for each in (TEXTS, LABELS))
    np.testing.assert_array_equal(trained.predict_proba(texts), trained.predict_proba(TEXTS))
    assert trained.evaluate(texts, labels).accuracy == trained.evaluate(TEXTS, LABELS).accuracy


def test_tensors_are_arrays():
    series = [torch.ones(n, 2) for n in (3, 5, 2, 9) * 5]
    found = un.train_classifier(series, torch.arange(20) % 2, **QUICK)
    assert found.labels == (0, 1)
    np.testing.assert_array_equal(found.predict_proba(series), found.predict_proba([s.numpy() for s in series]))


@pytest.mark.parametrize("missing", [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT])
def test_a_missing_label_is_none(missing):
    with pytest.raises(DataError, match=r"`data\[29\]` has no label"):
        un.train_classifier(TEXTS, [*LABELS[:-1], missing], **QUICK)
    with pytest.raises(DataError, match=r"row 29: .*label"):
        un.train_classifier(pd.DataFrame({"text": TEXTS, "label": pd.Series([*LABELS[:-1], missing], dtype=object)}), **QUICK)


def test_series_of_any_length_and_numbers_to_predict():
    chance = np.random.default_rng(0)
    series = [chance.normal(size=(n, 2)) for n in (3, 5, 2, 9) * 5]
    found = un.train_regressor(series, [s.sum() for s in series], **QUICK)
    assert found.predict(series[:2])[0].values.shape == (1,)
    steps = un.train_regressor(series, [s.sum(1) for s in series], **QUICK)
    assert steps.predict(series[:1])[0].values.shape == (3, 1)


def test_tags():
    found = un.train_tagger([["a", "b"], ["b"]] * 10, [["x", "y"], ["y"]] * 10, **QUICK)
    assert len(found.predict([["a", "b"]])[0].tags) == 2
    assert 0 <= found.evaluate([["a", "b"]], [["x", "y"]]).accuracy <= 1


@pytest.mark.parametrize(
    ("data", "targets", "said"),
    [
        (TEXTS, LABELS[:3], "`targets` must be as many as the sequences, 30, got 3"),
        (["a", 3], ["x", "y"], r"`data\[1\]` must be a text, a list of tokens"),
        ("text", ["x"], "`data` must be a list or an array"),
        (3, None, "`data` must be files, or sequences with their labels"),
        ({"text": TEXTS, "label": LABELS[:2]}, None, "must have one length"),
        (["a", "b"], [("x", "y"), ("x",)], "must have one label, got 2"),
        (["a", "b"], ["x", "x"], "at least 2 different labels"),
    ],
)
def test_what_is_no_data_is_told(data, targets, said):
    with pytest.raises(DataError, match=said):
        un.train_classifier(data, targets, **QUICK)


def test_tasks_that_read_files_say_so():
    with pytest.raises(ConfigError, match="`data` must be files for the task 'lm'"):
        un.tasks.train("lm", ["a", "b"], ["c", "d"], **QUICK)
    for train in (un.train_captioner, un.train_translator, un.train_transcriber, un.train_musician):
        with pytest.raises(
            ConfigError, match=r"got list with targets in list\. Write a file, such as a table with both, and pass the path"
        ):
            train(["a"], ["b"], **QUICK)


def test_a_run_goes_on_with_the_same_data(tmp_path):
    un.train_classifier(TEXTS, LABELS, out=tmp_path / "run", **QUICK)
    un.train_classifier(TEXTS, LABELS, out=tmp_path / "run", resume=True, updates=3, display=Silent())
    with pytest.raises(RunError, match="The data is not the one"):
        un.train_classifier(TEXTS[:20], LABELS[:20], out=tmp_path / "run", resume=True, updates=4, display=Silent())
