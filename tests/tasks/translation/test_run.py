"""Files of pairs to a folder and back."""

import itertools
import json
import random

import pytest

import unrolled as un
from unrolled.cells import find_cell
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import read_pairs
from unrolled.errors import ConfigError, DataError, RunError, UnrolledWarning
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.configuration import Configuration, groups_of
from unrolled.tasks.translation.reading import read_pair_data
from unrolled.training import RunFolder, Silent
from unrolled.training.interrupt import Stopped

SMALL = {"hidden": 8, "embedding": 6, "batch": 16, "epochs": 2, "evaluations": 2, "warmup": 3}
QUIET = {**SMALL, "display": Silent()}
LEARN = {"hidden": 32, "embedding": 16, "epochs": 30, "learning_rate": 0.01, "dropout": 0.0, "average": 0.9, "evaluations": 3}
WORDS = {"one": "un", "two": "deux", "red": "rouge", "cat": "chat", "dog": "chien"}


def write(path, pairs):
    path.write_text("".join(f"{source}\t{target}\n" for source, target in pairs), encoding="utf-8")
    return path


@pytest.fixture
def pairs(tmp_path):
    """Words translated one by one and set from back to front; some sources come with two targets."""
    chance, rows = random.Random(6), []
    for _ in range(150):
        words = chance.choices(list(WORDS), k=chance.randint(1, 4))
        target = " ".join(WORDS[word] for word in words[::-1])
        rows.append((" ".join(words), target if chance.random() < 0.8 else f"{target} !"))
    return write(tmp_path / "pairs.tsv", rows)


def data_of(path=(), **options):
    recipe = find_recipe("translate")
    values = {**SMALL, **options, "sources": [str(path)] if path else ()}
    return read_pair_data(Configuration.from_flat(recipe.name, recipe.options, values), lambda *_: None)


def records(folder):
    return RunFolder(folder).history.records()


def test_a_translator_learns_and_is_the_same_when_it_is_loaded(pairs, tmp_path):
    write(pairs, ((pair.text, pair.texts[0].removesuffix(" !")) for pair in read_pairs(pairs, PairOptions())))
    given = un.train_translator(pairs, out=tmp_path / "run", level="word", **{**QUIET, **LEARN})
    loaded = un.load(tmp_path / "run")
    sources = ["red cat", "one two red dog", "cat"]
    assert [best[0].text for best in given.translate(sources)] == ["chat rouge", "chien rouge deux un", "chat"]
    for ours, theirs in zip(given.translate(sources), loaded.translate(sources), strict=True):
        assert (ours[0].text, ours[0].log_probability) == (theirs[0].text, theirs[0].log_probability)
    assert loaded.evaluate(pairs).scores.exact > 0.95
    assert loaded.evaluate(pairs).perplexity < 1.3
    assert records(tmp_path / "run")[-1]["final_exact"] > 0.8


@pytest.mark.parametrize(
    "options",
    [
        {"level": "word", "reverse_source": True},
        {"level": "char", "attention": "none", "cell": "gru", "average": 0.0},
        {"vocabulary": 280, "shared": True, "copy": True, "input_feeding": True},
        {"level": "word", "scheduled_sampling": 0.3, "word_dropout": 0.1, "layers": 2},
    ],
)
def test_a_run_that_is_interrupted_ends_like_one_left_alone(pairs, tmp_path, monkeypatch, options):
    updates = itertools.count(1)

    def stop(self):
        if next(updates) == 12:
            monkeypatch.undo()
            raise Stopped

    recipe = find_recipe("translate")
    alone, stopped = RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "stopped")
    run_training(recipe, str(pairs), alone, {**SMALL, **options}, Silent())
    monkeypatch.setattr("unrolled.training.interrupt.Interrupts.check", stop)
    assert not run_training(recipe, str(pairs), stopped, {**SMALL, **options}, Silent()).finished
    assert run_training(recipe, (), stopped, {}, Silent(), resume=True).finished
    assert (alone.path / "model.safetensors").read_bytes() == (stopped.path / "model.safetensors").read_bytes()
    left, other = ({k: v for k, v in records(run.path)[-1].items() if k.startswith("final")} for run in (alone, stopped))
    assert left == other


def test_sources_are_held_out_with_all_their_references(pairs):
    found = data_of(pairs, level="word", held_out=0.2)
    wanted: dict[str, list[str]] = {}
    for pair in read_pairs(pairs, PairOptions()):
        wanted.setdefault(pair.text, []).extend(pair.texts)
    held = {pair.text: pair.texts for pair in found.held_out}
    assert len(held) == round(0.2 * len(wanted))
    for source, targets in held.items():
        assert targets == tuple(dict.fromkeys(wanted[source]))
    assert any(len(targets) > 1 for targets in held.values())
    assert len(found.train) == sum(len(targets) for source, targets in wanted.items() if source not in held)
    assert data_of(pairs, level="word", held_out=0.2).fingerprint == found.fingerprint
    assert data_of(pairs, level="word", held_out=0.2, seed=1).held_out != found.held_out


def test_aligned_files_and_files_to_measure_on(pairs, tmp_path):
    rows = [(pair.text, *pair.texts) for pair in read_pairs(pairs, PairOptions())]
    for name, column in (("a.en", 0), ("a.fr", 1)):
        (tmp_path / name).write_text("".join(f"{row[column]}\n" for row in rows), encoding="utf-8")
    for name, lines in (("dev.en", ["cat", "red zebra"]), ("dev.fr", ["chat", "zèbre rouge"]), ("more.fr", ["le chat", ""])):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    aligned = {"source": str(tmp_path / "a.en"), "target": str(tmp_path / "a.fr")}
    dev = [str(tmp_path / name) for name in ("dev.en", "dev.fr", "more.fr")]
    found = data_of(**aligned, validation=dev, level="word")
    assert len(found.train) == len(rows)
    assert [(pair.text, pair.texts) for pair in found.held_out] == [("cat", ("chat", "le chat")), ("red zebra", ("zèbre rouge",))]
    assert found.summary.startswith("150 pairs; to measure on: 2 pairs; 1 sources to measure on are learnt, too. 150 to learn, of ")
    assert "zebra" not in found.codecs.source.vocabulary.names
    write(tmp_path / "dev.tsv", [("blue cat", "chat bleu")])
    other = data_of(pairs, validation=str(tmp_path / "dev.tsv"), level="word")
    assert other.summary.startswith("150 pairs; to measure on: 1 pairs. ") and len(other.train) == len(rows)
    with pytest.raises(
        ConfigError, match=r"`validation` must name two aligned files .*got .*dev.en.*Pass two: the sources, and the targets"
    ):
        data_of(**aligned, validation=dev[:1])
    trained = un.train_translator(out=tmp_path / "run", **aligned, validation=dev, level="word", **QUIET)
    assert trained.evaluate([], reading=trained.reading_of(source=dev[0], target=tuple(dev[1:]))).scores.size == 2
    assert trained.evaluate(pairs).tally.pairs == 150


def test_a_source_to_measure_on_is_asked_once_beside_all_its_references(pairs, tmp_path):
    dev = write(
        tmp_path / "dev.tsv",
        [("red cat", "chat rouge"), ("two dogs", "deux chiens"), ("red  cat", "un chat rouge"), ("red cat", "chat rouge")],
    )
    held = data_of(pairs, validation=str(dev), level="word").held_out
    assert [(pair.text, pair.texts) for pair in held] == [("red cat", ("chat rouge", "un chat rouge")), ("two dogs", ("deux chiens",))]


def test_texts_are_cut_into_characters_if_they_are_made_up_and_else_into_subwords(pairs):
    assert data_of(pairs, vocabulary=300).codecs.target.level == "subword"
    assert data_of("builtin:reversed").codecs.target.level == "char"
    with pytest.warns(
        UnrolledWarning, match="one word, such as '[a-z]{20}': a single step to read. Pass `level='char'`, or `level='subword'`"
    ):
        assert data_of("builtin:reversed", level="word", held_out=3).codecs.target.level == "word"
    both = Configuration.from_flat("translate", find_recipe("translate").options, {"sources": ("builtin:reversed", str(pairs))})
    assert not both.options.data.made_up


def test_what_was_asked_for_is_stored_and_used_again(pairs, tmp_path):
    asked = {"level": "word", "longest": 3, "too_long": "cut", "attention": "additive", "decoder_cell": "gru", "reverse_source": True}
    pairs.write_text(f"one\tother\n{pairs.read_text()}")
    given = un.train_translator(pairs, out=tmp_path / "run", header=True, **asked, **QUIET)
    recipe = find_recipe("translate")
    stored = Configuration.read("translate", recipe.options, RunFolder(tmp_path / "run"))
    groups = [getattr(stored.options, name) for name in groups_of(recipe.options)]
    found = {name: getattr(group, name) for name in asked for group in groups if hasattr(group, name)}
    assert found == asked
    loaded = un.load(tmp_path / "run")
    assert (loaded.reading.longest, loaded.reading.too_long, loaded.reading.header) == (3, "cut", True)
    assert loaded.codecs.reverse_source
    assert loaded.codecs.to_json() == given.codecs.to_json()
    assert loaded.evaluate(pairs).tally.pairs == 150
    built = un.train_translator("builtin:reversed", out=tmp_path / "other", held_out=3, **{**QUIET, "epochs": 1, "batch": 5000})
    assert Configuration.read("translate", recipe.options, RunFolder(tmp_path / "other")).options.symbols.level == "char"
    assert built.codecs.source.level == "char"


def test_every_epoch_has_other_batches_of_the_same_sources(pairs):
    recipe = find_recipe("translate")
    configuration = Configuration.from_flat("translate", recipe.options, {"sources": (str(pairs),), "level": "word", **SMALL})
    data = recipe.read(configuration, lambda *_: None)
    configuration = recipe.resolve(configuration, data.codecs)
    task = recipe.task(recipe.build(configuration, data.codecs, find_cell("lstm")), data, configuration)
    orders = []
    for epoch in (0, 1, 2, 1):
        task.begin(epoch)
        orders.append([batch.tolist() for batch in task.learner.order])
    assert orders[0] != orders[1] != orders[2] != orders[0]
    assert orders[1] == orders[3]
    together = [{frozenset(batch) for batch in order} for order in orders]
    assert together[0] != together[1] != together[2]
    assert all(sorted(itertools.chain(*order)) == list(range(len(data.train))) for order in orders)


def test_unknown_words_are_copied(tmp_path):
    chance, rows = random.Random(2), []
    for i in range(160):
        name = f"name{chance.randint(0, 10**6)}"
        rows.append((f"my cat is {name}" if i % 2 else f"{name} runs", f"{name} court" if i % 2 == 0 else f"mon chat est {name}"))
    data = write(tmp_path / "names.tsv", rows)
    trained = un.train_translator(
        data, out=tmp_path / "run", level="word", min_count=5, copy=True, **{**QUIET, **LEARN, "epochs": 40, "label_smoothing": 0.0}
    )
    found = trained.translate(["Zebedee runs", "my cat is Mog"])
    assert [best[0].text for best in found] == ["Zebedee court", "mon chat est Mog"]
    assert trained.score("Zebedee runs", "Zebedee court") > trained.score("Zebedee runs", "Mog court") + 3
    assert un.load(tmp_path / "run").translate(["Zebedee runs"])[0][0].text == "Zebedee court"


def test_other_data_is_refused_when_a_run_goes_on(pairs, tmp_path):
    folder, recipe = RunFolder(tmp_path / "run"), find_recipe("translate")
    run_training(recipe, str(pairs), folder, SMALL, Silent())
    assert run_training(recipe, (), folder, {"epochs": 3}, Silent(), resume=True).finished
    with pytest.raises(ConfigError, match="`attention` cannot change when a run is resumed"):
        run_training(recipe, (), folder, {"attention": "none"}, Silent(), resume=True)
    with pairs.open("a") as file:
        file.write("dog\tle chien\n")
    with pytest.raises(RunError, match="is not the one that"):
        run_training(recipe, (), folder, {"epochs": 4}, Silent(), resume=True)


def test_two_runs_cannot_be_in_one_folder(pairs, tmp_path):
    folder, recipe = RunFolder(tmp_path / "run"), find_recipe("translate")
    run_training(recipe, str(pairs), folder, SMALL, Silent())
    with pytest.raises(RunError, match="already"):
        run_training(recipe, str(pairs), folder, SMALL, Silent())
    with folder.hold(), pytest.raises(RunError, match="Another process is training"):
        run_training(recipe, (), folder, {"epochs": 3}, Silent(), resume=True)


@pytest.mark.parametrize(
    ("rows", "told", "learnt"),
    [
        ([("a", "b")], "1 pairs; nothing is held out, as all have one source", 1),
        ([("a", str(i)) for i in range(9)], "9 pairs; nothing is held out, as all have one source", 9),
        ([("a", "b"), ("", "c"), ("d", "e"), ("f", "")], "4 pairs; 2 with an empty side left out, first {}, line 2", 1),
        (
            [("a b c d e", "x"), ("a", "y"), ("b", "x y z w"), ("z" * 61, "y"), ("c", "d")],
            "5 pairs; 3 with a side of more than 3 words and marks, or 60 characters, left out, first {}, line 1",
            1,
        ),
    ],
)
def test_what_cannot_be_used_or_held_out_is_told(tmp_path, rows, told, learnt):
    data = write(tmp_path / "some.tsv", rows)
    found = data_of(data, longest=3)
    assert found.summary.startswith(f"{told.format(data)}. {learnt:,} to learn, of ")
    assert len(found.train) == learnt
    trained = un.train_translator(data, out=tmp_path / "run", longest=3, **{**QUIET, "epochs": 1})
    assert trained.translate(["never seen ☃"])[0]


def test_nothing_that_can_be_learnt_is_an_error_and_leaves_nothing(tmp_path):
    data = write(tmp_path / "some.tsv", [("", "b"), ("c d", "e")])
    with pytest.raises(DataError, match=r"no pair to learn: 2 pairs; 1 with an empty side .*line 1; 1 with a side of more than 1 words"):
        un.train_translator(data, out=tmp_path / "run", longest=1, **QUIET)
    assert not (tmp_path / "run").exists()


def test_damaged_codecs_are_told(pairs, tmp_path):
    un.train_translator(pairs, out=tmp_path / "run", level="word", **QUIET)
    path = tmp_path / "run" / "codecs.json"
    known = json.loads(path.read_text())
    fewer = {"names": known["target"]["symbols"]["names"][:3], "counts": []}
    for damaged, told in (
        ({**known, "target": {**known["target"], "symbols": fewer}}, r"model.safetensors"),
        ({"source": known["source"], "target": None}, "damaged or foreign: pairs must have"),
        ({**known, "source": {"level": "word"}}, "damaged or foreign: texts must have"),
        (
            {**known, "source": {**known["source"], "level": "syllable"}},
            "must be one of char, word, subword, event, formula, got 'syllable'",
        ),
        ({**known, "source": {**known["source"], "symbols": ["un", "un"]}}, "must be a list of different strings"),
        ([known], "damaged or foreign: pairs must have"),
    ):
        path.write_text(json.dumps(damaged))
        with pytest.raises(RunError, match=told):
            un.load(tmp_path / "run")
    path.write_text("{")
    with pytest.raises(RunError, match=r"damaged or foreign: codecs.json is not JSON .* Take it from a copy of the run"):
        un.load(tmp_path / "run")


@pytest.mark.parametrize("bidirectional", [False, True])
def test_sources_can_be_read_through_a_window_of_the_input(pairs, tmp_path, bidirectional):
    options = {"level": "word", "input_window": 3, "bidirectional": bidirectional}
    given = un.train_translator(pairs, out=tmp_path / "run", **options, **QUIET)
    loaded = un.load(tmp_path / "run")
    assert loaded.model.encoder.window.size == 3
    sources = ["red cat", "one two red dog"]
    assert [best[0].text for best in given.translate(sources)] == [best[0].text for best in loaded.translate(sources)]
    talk = loaded.converse()
    assert talk.reply("red cat") == loaded.translate(["red cat"])[0][0].text and talk.reply("one") is not None
    assert run_training(find_recipe("translate"), (), RunFolder(tmp_path / "run"), {"epochs": 3}, Silent(), resume=True).finished
    with pytest.raises(ConfigError, match="`layers` must be at least 1 here, as a decoder goes on from states, got 0"):
        un.train_translator(pairs, out=tmp_path / "other", layers=0, **QUIET)


def test_pairs_of_one_group_are_on_one_side(tmp_path):
    path = tmp_path / "pairs.csv"
    rows = [f"a{n} b,c{n},d{n // 10}" for n in range(100)]
    path.write_text("\n".join(["source,target,document", *rows, "a5 b,other,d3", ""]))
    data = data_of(path, group="document", held_out=0.2)
    held = [int(pair.text.split()[0][1:]) // 10 for pair in data.held_out]
    groups = {*held}
    assert len(groups) in (2, 3) and all(held.count(group) == 10 for group in groups) and len(groups & {0, 3}) != 1
    assert len(data.train) + sum(len(pair.texts) for pair in data.held_out) == 101
    assert data.fingerprint != data_of(path, held_out=0.2).fingerprint
    un.train_translator(path, out=tmp_path / "run", group="document", level="char", **{**QUIET, "epochs": 1})
    path.write_text(path.read_text().replace("document", "other"))
    assert un.load(tmp_path / "run").evaluate(path).tally.pairs == 101
    with pytest.raises(ConfigError, match=r"pairs\.csv has no column 'document'; it has the columns source, target, other"):
        data_of(path, group="document")
    with pytest.raises(ConfigError, match="`validation` names files that are held out"):
        data_of(path, group="other", validation=(str(path),))
    path.write_text(path.read_text().replace(",d7", ","))
    with pytest.raises(DataError, match=r"pairs\.csv, line 72: the pair has no group, for which `group='other'` names"):
        data_of(path, group="other")
