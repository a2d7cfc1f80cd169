"""Files of sequences, with labels or with a tag for each step, to a folder and back."""

import contextlib
import io
import json
import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from seqeval.metrics import f1_score

import unrolled as un
from unrolled.cells import find_cell
from unrolled.data.dataset import TOKENS
from unrolled.data.examples import Target
from unrolled.data.formats import labelled_examples, read_examples, resolve_format, write_predictions
from unrolled.errors import ConfigError, DataError, RunError, UnrolledWarning
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.measures.labels import score_labels
from unrolled.tasks.recipe import Answering
from unrolled.tasks.sequences.answers import answer
from unrolled.training import RunFolder, Silent
from unrolled.training.interrupt import Stopped

SMALL = {"hidden": 8, "embedding": 6, "characters": 4, "character_hidden": 3, "batch": 20, "epochs": 2, "evaluations": 2, "warmup": 3}
QUIET = {**SMALL, "display": Silent()}
LEARN = {"hidden": 16, "epochs": 18, "learning_rate": 0.02, "dropout": 0.1, "average": 0.9, "evaluations": 5, "batch": 8}


def test_a_classifier_learns_and_is_the_same_when_it_is_loaded(table, tmp_path):
    given = un.train_classifier(table, out=tmp_path / "run", **{**QUIET, **LEARN})
    loaded = un.load(tmp_path / "run")
    texts = ["good film", "bad plot, good Actors good", "film plot", "Actors", "bad"]
    said, again = given.predict(texts), loaded.predict(texts)
    assert said == again
    assert [p.labels for p in said] == [("good",), ("good",), ("neither",), ("neither",), ("bad",)]
    for prediction in said:
        assert sum(prediction.every.values()) == pytest.approx(1)
        assert prediction.probabilities == (prediction.every[prediction.labels[0]],)
    assert loaded.evaluate(table).accuracy > 0.95


@pytest.mark.parametrize("as_json", [False, True])
def test_answers_are_seen_before_the_next_lines_are_read(table, tmp_path, monkeypatch, as_json):
    trained = un.train_classifier(table, out=tmp_path / "run", **QUIET)
    for typed, seen in ((True, [0, 1, 2, 3, 4]), (False, [0, 0, 2, 2, 4])):
        asked, lines, target = [], [b"good film\n", b"bad\n", b"plot\n", b"good\n"], Shown()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(Typed(lines, target, asked))))
        monkeypatch.setattr("unrolled.tasks.sequences.answers.AT_ONCE", 2)
        answer(trained, "-", {}, {}, Answering(as_json, typed, lambda text: None))(target)
        assert asked[:5] == seen


class Shown(io.StringIO):
    """A file that knows how many lines of it are seen."""

    shown = 0

    def flush(self):
        self.shown = self.getvalue().count("\n")


class Typed(io.RawIOBase):
    """A line at each read, before which it is noted how many lines are seen of what is written."""

    def __init__(self, lines, target, asked):
        self.lines, self.target, self.asked = lines, target, asked

    def readable(self):
        return True

    def readinto(self, buffer):
        self.asked.append(self.target.shown)
        line = self.lines.pop(0) if self.lines else b""
        buffer[: len(line)] = line
        return len(line)


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
        ([np.zeros((3, 1, 1))], r"`sequences\[0\]` must be .*numbers \[T, C\].*got an array of float64 of shape \[3, 1, 1\]"),
        ("good", r"`sequences` must be a list, got the text 'good'. Pass \['good'\]"),
    ):
        with pytest.raises(DataError, match=message):
            trained.predict(sequences)


@pytest.mark.parametrize("crf", [False, True])
def test_a_tagger_learns_and_is_the_same_when_it_is_loaded(tags, tmp_path, crf):
    given = un.train_tagger(tags, out=tmp_path / "run", crf=crf, **{**QUIET, **LEARN, "epochs": 12})
    said = given.predict([["Dr", "Ada", "Lee", "walks"], ["Ada", "sees", "Dr", "Bo", "Fox"]])
    assert said[0].tags == ("O", "B-per", "I-per", "O")
    assert said[1].tags == ("O", "O", "O", "B-per", "I-per")
    assert [p.tags for p in un.load(tmp_path / "run").predict([["Dr", "Ada", "Lee", "walks"]])] == [said[0].tags]
    assert given.evaluate(tags).entity_f1 > 0.95


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
    assert told[-1].startswith("held out, with the weights that are kept: no loss, as no label there was learnt, accuracy 0.00%")


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


def test_sequences_whose_targets_are_unknown_have_no_part_in_the_loss_wherever_they_stand(table, tags, tmp_path):
    for train, data, known, unknown in (
        (un.train_classifier, table, "good film,good", "bad plot,new"),
        (un.train_tagger, tags, "Dr O\nAda B-per\n", "Bo B-new\nsees O\n"),
    ):
        trained = train(data, out=tmp_path / data.stem, **QUIET)
        losses = []
        for number, lines in enumerate(([known], [unknown, known], [known, unknown])):
            path = tmp_path / f"{number}{data.suffix}"
            path.write_text("\n".join([*(["text,label"] if data.suffix == ".csv" else []), *lines]) + "\n")
            encoded = trained.encoded(labelled_examples(path, trained.reading_of(path), trained.wanted))
            losses.append(trained.predictor.predict_all(encoded, np.arange(len(lines)))[1:])
        assert losses[1] == losses[2] == pytest.approx(losses[0], rel=1e-5)


def test_class_weights_with_a_crf_are_refused_before_anything_is_written(tags, tmp_path):
    with pytest.raises(ConfigError, match=r"`class_weights` weigh steps, and `crf` scores whole sequences. Leave one of them out"):
        un.train_tagger(tags, out=tmp_path / "run", crf=True, class_weights="balanced", **QUIET)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("recall", [-2.0, float("nan"), float("inf")])
def test_a_lead_of_entities_is_a_number_of_at_least_0(tags, tmp_path, recall):
    with pytest.raises(ConfigError, match="`entity_margin` must be a number of at least 0, got"):
        un.train_tagger(tags, out=tmp_path / "run", entity_margin=recall, **QUIET)


def test_entities_are_measured_where_there_are_none(tags, tmp_path):
    trained = un.train_tagger(tags, out=tmp_path / "run", **QUIET)
    none = tmp_path / "none.conll"
    none.write_text("Dr O\nwalks O\n")
    assert trained.evaluate(none).entity_f1 == 0


def _task(name, source, **options):
    """The data and the task of a run that is about to begin."""
    recipe = find_recipe(name)
    configuration = Configuration.from_flat(name, recipe.options, {**SMALL, "cell": "gru", "sources": [str(source)], **options})
    data = recipe.read(configuration, lambda *_: None)
    torch.manual_seed(8)
    return data, recipe.task(recipe.build(configuration, data.codecs, find_cell("gru")), data, configuration)


@pytest.mark.parametrize("name", ["classify", "tag"])
def test_rare_labels_weigh_more_in_what_is_learnt(name, table, tags):
    data, task = _task(name, table if name == "classify" else tags, class_weights="balanced", batch=8)
    task.model.eval()
    (part,), batch = task.objective(range(2, 3)).sums, data.train.encoded.batch(task.learner.order[2], targets=True)
    if name == "classify":
        logs, targets = task.model(batch).log_softmax(-1), batch.targets
    else:
        scores = task.model(batch)[0].log_softmax(-1)
        logs, targets = (torch.cat([each[:n, row] for row, n in enumerate(batch.lengths)]) for each in (scores, batch.targets))
    losses, total = -logs[torch.arange(len(targets)), targets].detach(), float(part.detach())
    weights = task.learner.weights
    assert len(set(weights[targets].tolist())) > 1
    assert total == pytest.approx(float((weights[targets] * losses).sum()), rel=1e-4)
    assert total != pytest.approx(float(losses.sum()), rel=1e-2)


@pytest.mark.parametrize(
    ("name", "options", "decides"),
    [
        ("classify", {}, "accuracy"),
        ("classify", {"class_weights": "balanced"}, "balanced accuracy"),
        ("classify", {"separator": ";"}, "micro F1"),
        ("classify", {"separator": ";", "class_weights": "balanced"}, "macro F1"),
        ("classify", {"output": "ordinal"}, "loss"),
        ("classify", {"class_weights": "balanced", "best_by": "accuracy"}, "accuracy"),
        ("tag", {}, "entity F1"),
        ("tag", {"class_weights": "balanced"}, "macro entity F1"),
        ("tag", {"scheme": "none"}, "accuracy"),
        ("tag", {"scheme": "none", "class_weights": "balanced"}, "balanced accuracy"),
        ("tag", {"best_by": "macro-f1"}, "macro F1"),
    ],
)
def test_what_is_asked_for_decides_which_weights_are_kept(table, tags, name, options, decides):
    for order, label in enumerate(("bad", "neither", "good")):
        table.write_text(re.sub(f",{label}$", f",{order}", table.read_text(), flags=re.M))
    _, task = _task(name, table if name == "classify" else tags, **options)
    measures = task.evaluate(lambda *_: None)
    assert task.criterion.name == decides
    for criterion in task.measuring.criteria:
        assert np.isfinite(criterion.read(measures)), criterion.name


@pytest.mark.parametrize("separator", [None, ";"])
def test_to_say_the_frequent_label_always_is_not_best_where_labels_count_the_same(table, separator):
    _, task = _task("classify", table, class_weights="balanced", separator=separator)
    true = [("usual",)] * 93 + [("rare",)] * 7
    always, learnt = [("usual",)] * 100, [("usual",)] * 80 + [("rare",)] * 20
    values = []
    for said, loss in ((always, 0.1), (learnt, 0.5)):
        scores = score_labels(true, said, several=separator is not None)
        values.append((task.criterion.read({**scores.measures(), "held_out": loss}), loss, scores.accuracy))
    (value, loss, accurate), (better, higher, less) = values
    assert task.criterion.better(better, higher, value, loss) and not task.criterion.better(value, loss, better, higher)
    assert accurate > less


def test_a_measure_that_a_task_has_not_is_refused_before_anything_is_written(table, tmp_path):
    with pytest.raises(ConfigError, match=r"`best_by` must be one of accuracy, balanced_accuracy, macro_f1, loss, got 'entity F1'"):
        un.train_classifier(table, out=tmp_path / "run", best_by="entity F1", **QUIET)
    for given in ({"best_by": "loss"}, {"patience": 2}):
        with pytest.raises(ConfigError, match="go by the held-out part, and nothing is held out"):
            un.train_classifier(table, out=tmp_path / "run", held_out=0.0, **given, **QUIET)
    assert not (tmp_path / "run").exists()


def test_the_held_out_loss_weighs_classes_as_the_loss_that_is_learnt_does(table):
    (data, task), (_, plain) = (_task("classify", table, class_weights=weights, held_out=0.5) for weights in ("balanced", "none"))
    logs = task.model.eval()(data.held_out.encoded.batch(data.held_out.which)).log_softmax(-1).detach()
    plain.model.eval().load_state_dict(task.model.state_dict())
    targets = torch.from_numpy(data.held_out.encoded.targets.take(data.held_out.which))
    losses = -logs[torch.arange(len(targets)), targets]
    measured = [each.evaluate(lambda *_: None)["held_out"] for each in (task, plain)]
    assert measured == pytest.approx([float((task.learner.weights[targets] * losses).mean()), float(losses.mean())], rel=1e-4)
    assert measured[0] != pytest.approx(measured[1], rel=1e-3)


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


@pytest.mark.parametrize("letters", ["BI", "II", "BE"])
@pytest.mark.parametrize("crf", [False, True])
def test_predicted_tags_can_be_read_again_and_are_those_that_are_measured(tags, tmp_path, crf, letters):
    tags.write_text(
        tags.read_text(encoding="utf-8").replace("I-per", f"{letters[1]}-per").replace("B-per", f"{letters[0]}-per"), encoding="utf-8"
    )
    trained = un.train_tagger(tags, out=tmp_path / "run", crf=crf, **QUIET)
    torch.nn.init.normal_(trained.model.linear.weight, std=3)
    reading = resolve_format(tags, trained.reading_of(tags), Target.TAGS)
    found = list(trained.predict_stream(read_examples(tags, reading, Target.TAGS)))
    written = tmp_path / "written.conll"
    with written.open("w", encoding="utf-8") as file:
        write_predictions(found, file, reading)
    again = [list(example.tags) for example in read_examples(written, reading, Target.TAGS)]
    assert again == [list(prediction.tags) for _, prediction in found]
    true = [list(example.tags) for example, _ in found]
    assert trained.evaluate(tags).entity_f1 == pytest.approx(f1_score(true, again))
    assert len({tag for tags in again for tag in tags}) == 3


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
    with pytest.raises(ConfigError, match=r"`noise` changes numbers, and DATA has none\. Leave it out; `word_dropout` is for words"):
        train(source, out=tmp_path / "run", noise=0.5, **QUIET)
    with pytest.raises(ConfigError, match=r"`rare_dropout` is for words and characters, and DATA has none\. Leave it out; `noise` is for"):
        train("builtin:bouncing-ball", out=tmp_path / "run", rare_dropout=1.0, **QUIET)
    assert not (tmp_path / "run").exists()


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
