"""Runs that begin from the weights of others."""

import warnings

import pytest
import torch

import unrolled as un
from unrolled.errors import ConfigError, UnrolledWarning
from unrolled.tasks.beginnings import Beginning
from unrolled.tasks.recipes.classify import Classifying
from unrolled.training import RunFolder, Silent
from unrolled.training.checkpoint import load_tensors

QUICK = {"updates": 1, "evaluations": 1, "batch": 4, "warmup": 0, "learning_rate": 1e-9, "weight_decay": 0.0}
TABLE = "text,label\n" + "one two,a\nthree,b\n" * 10
OTHER = "text,label\n" + "one two,b\nfour ü,c\n" * 10


class Told(Silent):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def weights(folder):
    return load_tensors(folder / "model.safetensors")[0]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of a classifier `c`, a language model `lm`, a translator `t`, and the files that they learnt from."""
    folder = tmp_path_factory.mktemp("fine")
    (folder / "a.csv").write_text(TABLE)
    (folder / "b.csv").write_text(OTHER)
    (folder / "a.txt").write_text("one two\nthree\n" * 30)
    (folder / "b.txt").write_text("one four ü\n" * 40)
    quick = {**QUICK, "hidden": 5, "display": Silent()}
    un.train_classifier(folder / "a.csv", out=folder / "c", level="char", **quick)
    un.train_language_model(folder / "a.txt", out=folder / "lm", embedding=4, window=8, **{**quick, "updates": 3, "learning_rate": 0.1})
    (folder / "a.tsv").write_text("".join(f"{word}\t{word[::-1]}\n" for word in ("ab", "ba", "aab", "bba", "abab", "bb") * 3))
    (folder / "b.tsv").write_text("".join(f"{word}\t{word[::-1]}\n" for word in ("cb", "bc", "ccb", "bbc", "cbcb", "cc") * 3))
    un.train_translator(folder / "a.tsv", out=folder / "t", level="char", embedding=4, **quick)
    return folder


def test_a_vocabulary_is_widened_and_the_rows_of_known_symbols_are_those_of_the_run(runs, tmp_path):
    told = Told()
    un.train_language_model(runs / "b.txt", out=tmp_path / "run", from_run=str(runs / "lm"), window=8, display=told, **QUICK)
    old, new = weights(runs / "lm"), weights(tmp_path / "run")
    known, wider = un.load(runs / "lm").codec, un.load(tmp_path / "run").codec
    assert wider.symbols[: known.size] == known.symbols
    assert {*wider.symbols} - {*known.symbols} == {"f", "u", "ü"}
    for name, tensor in old.items():
        torch.testing.assert_close(new[name][tuple(map(slice, tensor.shape))], tensor, atol=1e-6, rtol=0)
    assert any("with new rows: encoder.inputs.words.weight, linear.weight, linear.bias" in line for line in told.lines)


def test_a_vocabulary_can_stay_as_it_is(runs, tmp_path):
    options = {"from_run": str(runs / "lm"), "widen": False, "window": 8, "display": Silent(), **QUICK}
    trained = un.train_language_model(runs / "b.txt", out=tmp_path / "run", **options)
    assert trained.codec.symbols == un.load(runs / "lm").codec.symbols


def test_labels_that_are_new_come_behind_those_that_are_known(runs, tmp_path):
    trained = un.train_classifier(runs / "b.csv", out=tmp_path / "run", from_run=str(runs / "c"), display=Silent(), **QUICK)
    assert trained.labels == ("a", "b", "c")
    old, new = weights(runs / "c"), weights(tmp_path / "run")
    torch.testing.assert_close(new["linear.weight"][:2], old["linear.weight"], atol=1e-6, rtol=0)


def test_a_classifier_begins_with_the_layers_of_a_language_model(runs, tmp_path):
    told = Told()
    trained = un.train_classifier(runs / "b.csv", out=tmp_path / "run", from_run=str(runs / "lm"), display=told, **QUICK)
    old, new = weights(runs / "lm"), weights(tmp_path / "run")
    assert trained.model.encoder.streams
    torch.testing.assert_close(new["encoder.recurrent.R_f_l0"], old["encoder.recurrent.R_f_l0"], atol=1e-6, rtol=0)
    symbols, rows = un.load(runs / "lm").codec.symbols, trained.codecs.inputs.tokens.words.symbols
    for character in "one":
        ours, theirs = new["encoder.inputs.words.weight"][rows.index(character)], old["encoder.inputs.words.weight"]
        torch.testing.assert_close(ours, theirs[symbols.index(character)], atol=1e-6, rtol=0)
    assert any(line.endswith("new: linear.weight, linear.bias.") for line in told.lines)


def test_a_tagger_begins_with_what_a_classifier_reads(runs, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"tokens": ["o", "n"], "tags": ["x", "y"]}\n' * 10)
    told = Told()
    un.train_tagger(tmp_path / "a.jsonl", out=tmp_path / "run", from_run=str(runs / "c"), display=told, **QUICK)
    old, new = weights(runs / "c"), weights(tmp_path / "run")
    assert old["linear.weight"].shape == new["linear.weight"].shape
    assert any(line.endswith("new: linear.weight, linear.bias.") for line in told.lines)
    assert torch.equal(new["encoder.recurrent.R_f_l0"].sign(), old["encoder.recurrent.R_f_l0"].sign())


def test_a_translator_begins_from_another(runs, tmp_path):
    trained = un.train_translator(runs / "b.tsv", out=tmp_path / "run", from_run=str(runs / "t"), display=Silent(), **QUICK)
    assert {*trained.codecs.target.vocabulary.names} == {"a", "b", "c"}
    old, new = weights(runs / "t"), weights(tmp_path / "run")
    assert all(tuple(map(min, new[name].shape, tensor.shape)) == tuple(tensor.shape) for name, tensor in old.items())


def test_frozen_parts_stay_as_they_are(runs, tmp_path):
    options = {**QUICK, "learning_rate": 0.1, "updates": 2, "average": 0.0, "display": Silent()}
    freeze = ("encoder.inputs", "*.R_*_l0")
    un.train_classifier(runs / "a.csv", out=tmp_path / "run", from_run=str(runs / "c"), freeze=freeze, **options)
    old, new = weights(runs / "c"), weights(tmp_path / "run")
    same = {name for name in old if torch.equal(old[name], new[name])}
    assert {name for name in old if name.startswith("encoder.inputs") or (".R_" in name and name.endswith("_l0"))} <= same
    assert "linear.weight" not in same and "encoder.recurrent.W_f_l0" not in same


def test_a_run_that_began_from_another_is_resumed_without_it(runs, tmp_path):
    options = {"window": 8, "batch": 4, "evaluations": 1, "display": Silent()}
    started = {"from_run": str(runs / "lm"), "updates": 4, **options}
    alone = un.train_language_model(runs / "b.txt", out=tmp_path / "alone", **started)
    run = tmp_path / "run"
    un.train_language_model(runs / "b.txt", out=run, **{**started, "updates": 2})
    resumed = un.train_language_model(out=run, resume=True, updates=4, display=Silent())
    assert resumed.codec.symbols == alone.codec.symbols


@pytest.mark.parametrize("reader", ["lm", "c"])
def test_words_are_not_read_as_characters(runs, tmp_path, reader):
    words, tags = [["one", "two"], ["three"]] * 10, [["x", "y"], ["y"]] * 10
    with pytest.raises(ConfigError, match=r"`level='char'` reads steps that are one character each, .* such as 'one'.*`level='word'`"):
        un.train_tagger(words, tags, out=tmp_path / "run", from_run=str(runs / reader), display=Silent(), **QUICK)
    assert not (tmp_path / "run").exists()


def test_a_tagger_reads_what_a_language_model_of_words_reads(runs, tmp_path):
    words, tags = [["one", "two"], ["three", "new", "ones"]] * 10, [["x", "y"], ["y", "x", "x"]] * 10
    quick = {**QUICK, "display": Silent()}
    un.train_language_model(runs / "a.txt", out=tmp_path / "words", level="word", hidden=5, embedding=4, window=4, **quick)
    with pytest.warns(UnrolledWarning, match=r"nothing will learn them: 2 of encoder.inputs.words.weight\. .*`widen=False`"):
        begun = un.train_tagger(words, tags, from_run=str(tmp_path / "words"), freeze=("encoder.inputs",), **quick)
    assert {"one", "two", "three", "new", "ones"} <= {*begun.codecs.inputs.tokens.words.names}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnrolledWarning)
        un.train_tagger(words, tags, from_run=str(tmp_path / "words"), widen=False, freeze=("encoder.inputs",), **quick)


def test_what_another_task_says_of_sequences_is_not_taken_over():
    config = {"data": {"output": "ordinal", "lower": True}}
    begun = {task: Beginning(RunFolder("run"), task, config, None, "").options(Classifying(), {}) for task in ("classify", "regress")}
    assert begun == {"classify": {"output": "ordinal", "lower": True}, "regress": {"lower": True}}


def test_sizes_of_what_reads_are_those_of_the_run(tmp_path):
    words, tags = [["one", "two"], ["three"]] * 5, [["x", "y"], ["y"]] * 5
    sizes = {"embedding": 3, "characters": 2, "character_hidden": 3}
    un.train_tagger(words, tags, out=tmp_path / "run", hidden=4, **sizes, display=Silent(), **QUICK)
    for name in sizes:
        with pytest.raises(ConfigError, match=f"`{name}=7` is not that of"):
            un.train_tagger(words, tags, from_run=str(tmp_path / "run"), display=Silent(), **QUICK, **{name: 7})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hidden": 9}, "`hidden=9` is not that of"),
        ({"freeze": ("nothing",)}, "`freeze` must name parameters"),
        ({"freeze": ("*",)}, "`freeze` leaves nothing to learn"),
        ({"level": "word"}, "`level='word'` is not that of the run"),
        ({"vocabulary": 3}, "with all new ones of DATA beside them"),
        ({"widen": False, "min_count": 2}, "`min_count` chooses symbols that are learnt anew, and here those of"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(runs, tmp_path, options, said):
    with pytest.raises(ConfigError, match=said.replace("*", r"\*")):
        un.train_classifier(runs / "a.csv", out=tmp_path / "run", from_run=str(runs / "c"), display=Silent(), **QUICK, **options)
    assert not (tmp_path / "run").exists()


def test_what_a_run_reads_in_one_way_is_not_read_in_another(runs, tmp_path):
    options = {"display": Silent(), **QUICK}
    with pytest.raises(ConfigError, match=r"`reverse_source=True` is not that of .*, which is begun from: False"):
        un.train_translator(runs / "b.tsv", from_run=str(runs / "t"), reverse_source=True, **options)
    with pytest.raises(ConfigError, match="`vocabulary` chooses symbols"):
        un.train_translator(runs / "b.tsv", from_run=str(runs / "t"), vocabulary=20, **options)
    series = [torch.ones(n, 2) for n in (3, 5) * 8]
    un.train_classifier(series, [0, 1] * 8, out=tmp_path / "run", hidden=4, **options)
    with pytest.raises(ConfigError, match="`standardise=False` is not that of"):
        un.train_classifier(series, [0, 1] * 8, from_run=tmp_path / "run", standardise=False, **options)


def test_a_run_of_another_kind_is_refused(runs, tmp_path):
    with pytest.raises(ConfigError, match="`from_run` names a run of the task 'classify'"):
        un.train_language_model(runs / "a.txt", out=tmp_path / "run", from_run=str(runs / "c"), display=Silent(), window=8, **QUICK)


def test_what_cannot_be_widened_must_fit(tmp_path):
    table = {"time": list(range(60)), "y": [step % 7 for step in range(60)]}
    options = {"time": "time", "target": "y", "updates": 1, "evaluations": 1, "display": Silent()}
    un.train_forecaster(table, out=tmp_path / "run", horizon=3, hidden=4, **options)
    again = un.train_forecaster(table, horizon=3, from_run=str(tmp_path / "run"), **options)
    assert again.model.encoder.recurrent.hidden_size == 4
    wider = {**table, "x": [step % 5 for step in range(60)]}
    with pytest.raises(ConfigError, match="whose weights do not fit this network"):
        un.train_forecaster(wider, past=["x"], horizon=3, from_run=str(tmp_path / "run"), **options)
