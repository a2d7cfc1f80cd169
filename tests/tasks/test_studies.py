"""Several runs of one configuration: folds, seeds, cells."""

import os
import warnings
from pathlib import Path

import pytest

import unrolled as un
from unrolled.errors import ConfigError, DataError, RunError, TrainingError, UnrolledError, UnrolledWarning
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.studies import begin_study, matching, resume_study
from unrolled.tasks.studies import study as way
from unrolled.tasks.studies.matching import match_parameters
from unrolled.tasks.studies.plan import Plan
from unrolled.training import Outcome, RunFolder, Silent

TINY = {"hidden": 4, "embedding": 4, "batch": 8, "epochs": 1, "evaluations": 1}
WORDS = ["good film", "bad plot", "good plot", "bad film"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Twenty texts of two labels, named as somebody stands beside them."""
    monkeypatch.chdir(tmp_path)
    lines = [f"{WORDS[i % 4]} number{i},{WORDS[i % 4].split()[0]},s{i // 3}" for i in range(20)]
    Path("films.csv").write_text("\n".join(["text,label,speaker", *lines]) + "\n")
    return "films.csv"


@pytest.fixture
def text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("the cat sat on a mat.\n" * 60)
    return "text.txt"


def begin(task, data, out="study", **options):
    return begin_study(find_recipe(task), data, RunFolder(out), {**TINY, **options}, Silent())


def resume(task="classify", out="study", data=(), **options):
    return resume_study(find_recipe(task), data, RunFolder(out), options, Silent())


def held_out(recipe, folder):
    """The texts that a run holds out, as its own configuration reads them."""
    configuration = Configuration.read(recipe.name, recipe.options, RunFolder(folder))
    data = recipe.read(configuration, lambda *_: None)
    assert data.fingerprint == configuration.fingerprint
    if recipe.name == "translate":
        return [pair.text for pair in data.held_out]
    dataset = data.held_out.encoded.dataset
    return [data.codecs.inputs.show(dataset, i) for i in data.held_out.which.tolist()]


def records(out="study"):
    """The last record of each run by its name."""
    return {run.name: RunFolder(run).history.records()[-1] for run in sorted(Path(out).iterdir()) if run.is_dir()}


def test_every_example_is_held_out_by_exactly_one_fold(table):
    done = begin("classify", table, folds=4)
    assert done.finished and not done.failed
    found = records()
    assert [*found] == ["fold-1", "fold-2", "fold-3", "fold-4"]
    assert all("final_accuracy" in last for last in found.values())
    held = [held_out(find_recipe("classify"), f"study/{name}") for name in found]
    assert [len(some) for some in held] == [5] * 4
    assert len({text for some in held for text in some}) == 20
    assert un.load("study/fold-2").predict(["good film"])


def test_groups_are_held_out_together(table):
    begin("classify", table, folds=3, group="speaker")
    held = [held_out(find_recipe("classify"), f"study/fold-{k}") for k in (1, 2, 3)]
    speakers = [{int(text.split("number")[1].split("'")[0]) // 3 for text in some} for some in held]
    assert sum(map(len, speakers)) == len(set.union(*speakers)) == 7


def test_what_every_run_warns_of_is_told_once(table):
    with Path(table).open("a") as file:
        file.write("something else,rare,s9\nother things,rare,s8\n")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        begin("classify", table, folds=3)
    assert [str(each.message)[:40] for each in told] == ["Of 'rare' there are fewer sequences than"]


def test_pairs_are_held_out_by_one_fold_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("pairs.tsv").write_text("".join(f"source {i // 2}\ttarget {i}\n" for i in range(18)))
    begin("translate", "pairs.tsv", folds=3, level="char")
    held = [held_out(find_recipe("translate"), f"study/fold-{k}") for k in (1, 2, 3)]
    assert sorted(text for some in held for text in some) == [f"source {i}" for i in range(9)]


def test_the_runs_of_seeds_are_those_of_each_seed_alone(table):
    assert begin("classify", table, seeds=2, seed=3).finished
    un.train_classifier(table, out="alone", seed=4, display=Silent(), **TINY)
    assert [*records()] == ["seed-3", "seed-4"]
    same = [Path(run, "model.safetensors").read_bytes() for run in ("study/seed-4", "alone", "study/seed-3")]
    assert same[0] == same[1] != same[2]


def test_cells_seeds_and_folds_together(table):
    own = un.Cell("own", "h[t] = tanh(W @ x[t] + R @ h[t-1] + b)")
    begin("classify", table, cell=[own, "lstm, elman"], seeds=2, folds=2)
    assert [*records()] == [f"{cell}-seed-{seed}-fold-{fold}" for cell in ("elman", "lstm", "own") for seed in (0, 1) for fold in (1, 2)]
    assert un.load("study/own-seed-1-fold-2").model.recurrent.cell == own


@pytest.mark.parametrize("hidden", [3, 40, 200])
def test_the_hidden_sizes_that_match_are_the_nearest(hidden):
    def count(cell, size):
        gates = {"lstm": 4, "gru": 3, "elman": 1}[cell]
        return gates * size * (size + 10) + 7

    sizes = match_parameters(count, ["gru", "lstm", "elman"], hidden)
    assert sizes["gru"] == hidden
    for cell, size in sizes.items():
        apart = [abs(count(cell, other) - count("gru", hidden)) for other in (size - 1, size, size + 1) if other]
        assert min(apart) == abs(count(cell, size) - count("gru", hidden))


def test_a_cell_that_is_too_large_at_any_size_gets_the_smallest():
    assert match_parameters(lambda cell, size: size + 100 * (cell == "b"), ["a", "b"], 5) == {"a": 5, "b": 1}


@pytest.mark.parametrize("task", ["classify", "lm", "translate"])
def test_matched_cells_have_about_the_same_parameters(table, text, task):
    Path("pairs.tsv").write_text("".join(f"a b {'c' * (i % 5)} {i}\tx y {i}\n" for i in range(30)))
    data = {"classify": table, "lm": text, "translate": "pairs.tsv"}[task]
    options = {"lm": {"window": 16}, "translate": {"level": "char"}}.get(task, {})
    begin(task, data, cell=["lstm", "gru", "elman"], match="parameters", **{**options, "hidden": 20})
    sizes = [sum(p.numel() for p in un.load(f"study/{cell}").model.parameters()) for cell in ("lstm", "gru", "elman")]
    assert max(sizes) < 1.04 * min(sizes)
    assert un.load("study/elman").model.recurrent.hidden_size > un.load("study/lstm").model.recurrent.hidden_size == 20


def test_a_matrix_as_a_state_does_not_grow_beyond_memory(table, monkeypatch):
    begin("classify", table, cell=["retnet", "lstm"], match="parameters", hidden=20)
    monkeypatch.setattr(matching, "MOST_OF_STATE", 300)
    told = r"the cell 'retnet' would have the hidden size \d+ and states of [\d,]+ numbers for each sequence, of which at most 300.*a smaller `hidden`"
    with pytest.raises(ConfigError, match=told):
        begin("classify", table, out="other", cell=["lstm", "retnet"], match="parameters", hidden=20)
    assert not Path("other").exists()


def stop_after(count, monkeypatch):
    """Interrupt the run that comes after so many; gives the names of those that were trained."""
    trained = []

    def run(recipe, data, folder, *others, **more):
        trained.append(folder.path.name)
        return Outcome(False, {}) if len(trained) > count else run_training(recipe, data, folder, *others, **more)

    monkeypatch.setattr(way, "run_training", run)
    return trained


def test_a_study_that_was_stopped_goes_on_and_leaves_finished_runs_alone(table, monkeypatch):
    trained = stop_after(1, monkeypatch)
    Path("own.cell").write_text("h[t] = tanh(W @ x[t] + R @ h[t-1] + b)\n")
    assert not begin("classify", table, cell="own.cell,gru", folds=2).finished
    assert trained == ["own-fold-1", "gru-fold-1"]
    monkeypatch.setattr(way, "run_training", run_training)
    Path("own.cell").unlink()
    trained = stop_after(9, monkeypatch)
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert resume(out="../study").finished
    assert trained == ["gru-fold-1", "own-fold-2", "gru-fold-2"]
    assert all("final_accuracy" in last for last in records("../study").values())
    trained.clear()
    assert resume(out="../study").finished and not trained
    history = Path("../study/own-fold-2/metrics.jsonl")
    history.write_text("".join(history.read_text().splitlines(keepends=True)[:-1]))
    assert resume(out="../study").finished and trained == ["own-fold-2"]
    assert "final_accuracy" in records("../study")["own-fold-2"]


def test_finished_runs_go_on_where_the_study_is_told_to_train_longer(table, monkeypatch):
    begin("classify", table, folds=2)
    before = records()
    trained = stop_after(1, monkeypatch)
    assert not resume(epochs=3).finished
    assert trained == ["fold-1", "fold-2"]
    monkeypatch.setattr(way, "run_training", run_training)
    trained = stop_after(9, monkeypatch)
    assert resume().finished
    assert trained == ["fold-2"]
    assert all(last["update"] == 3 * before[name]["update"] for name, last in records().items())


def test_a_run_that_fails_is_told_and_tried_again_and_the_others_go_on(table, monkeypatch):
    def run(recipe, data, folder, *others, **more):
        if folder.path.name == "fold-1":
            raise TrainingError("The loss is no number.")
        return run_training(recipe, data, folder, *others, **more)

    monkeypatch.setattr(way, "run_training", run)
    done = begin("classify", table, folds=2)
    assert done.finished and done.failed == {"fold-1": "The loss is no number."}
    monkeypatch.setattr(way, "run_training", run_training)
    assert [*records()] == ["fold-2"]
    assert not resume().failed
    assert [*records()] == ["fold-1", "fold-2"]


def test_ctrl_c_between_runs_keeps_what_there_is(table, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(way, "run_training", interrupt)
    assert not begin("classify", table, folds=2).finished
    monkeypatch.setattr(way, "run_training", run_training)
    assert resume().finished


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "A study has several runs. Give `folds`, `seeds`"),
        ({"folds": 1}, "`folds` must be at least 2"),
        ({"folds": 21}, "`folds=21` needs as many sequences, and DATA has 20"),
        ({"folds": 8, "group": "speaker"}, "`folds=8` needs as many groups of `group`, and DATA has 7"),
        ({"folds": 2, "held_out": 0.2}, "`held_out` says it too"),
        ({"folds": 2, "validation": "films.csv"}, "`validation` names files instead"),
        ({"seeds": 0}, "`seeds` must be at least 1"),
        ({"seeds": 2, "held_out": 0.0}, "with `held_out=0` is nothing"),
        ({"match": "parameters"}, "`match` is for several cells"),
        ({"seeds": 2, "match": "parameters"}, "`match` gives several cells as many parameters, and there is one"),
        ({"cell": "lstm,gru", "match": "memory"}, "`match` must be one of parameters"),
        ({"cell": "lstm,gru", "match": "parameters", "layers": 0}, "`match` chooses hidden sizes"),
        ({"cell": "lstm,lstm"}, "`cell` names cells whose runs would have one folder"),
        ({"seeds": 2, "seed": "x"}, "`seed` must be of type int"),
        ({"seeds": 2, "hidden": 0}, "`hidden` must be at least 1"),
        ({"folds": "2"}, "`folds` must be of type int"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(table, options, told):
    with pytest.raises(ConfigError) as refused:
        begin("classify", table, **options)
    assert told in str(refused.value)
    assert not Path("study").exists()


def test_a_text_has_no_examples_to_divide(text):
    with pytest.raises(ConfigError, match="`folds` divides examples, and a language model learns what comes first"):
        begin("lm", text, folds=2)
    assert begin("lm", text, seeds=2, window=16).finished


def test_what_does_not_fit_a_study_that_is_there_is_refused(table):
    begin("classify", table, folds=2)
    for call, error, told in (
        (lambda: begin("classify", table, folds=2), RunError, "is there already"),
        (lambda: resume(folds=3), ConfigError, "`folds` cannot change when a study is resumed"),
        (lambda: resume(data=table), ConfigError, "DATA cannot change when a study is resumed"),
        (lambda: resume("tag"), RunError, "holds runs of the task 'classify', not of 'tag'"),
        (lambda: un.load("study"), RunError, "holds the folders of several runs"),
        (lambda: resume(out="study/fold-1", folds=2), ConfigError, "holds one run, which is resumed without `folds`"),
        (lambda: resume(epochs=0), ConfigError, "`epochs` must be at least 1"),
    ):
        with pytest.raises(error, match=told):
            call()
    whole = Path("study/study.toml").read_text()
    named = [whole.replace("fold-2]", f'"{name}"]') for name in ("", "..", "../x", "a/b", "study.toml")]
    assert whole not in named
    for text in ("", "format = 2", "format = 1", *named, "\x00"):
        Path("study/study.toml").write_text(text)
        with pytest.raises(RunError, match=r"study\.toml"):
            resume()


def test_hidden_sizes_are_matched_among_those_that_a_cell_can_have():
    def count(cell, hidden):
        if cell == "heads" and hidden % 12:
            raise ConfigError("must divide its sizes")
        return hidden**2

    assert match_parameters(count, ["lstm", "heads", "elman"], 100) == {"lstm": 100, "heads": 96, "elman": 100}


def test_a_link_in_the_place_of_a_run_leads_nowhere(table):
    begin("classify", table, folds=2)
    outside = Path("outside")
    Path("study/fold-2").rename(outside)
    Path("study/fold-2").symlink_to(Path("../outside"))
    before = {path.name: path.read_bytes() for path in outside.iterdir()}
    calls = (
        resume,
        lambda: resume(epochs=3),
        lambda: un.compare("study"),
        lambda: run_training(find_recipe("classify"), (), RunFolder("study/fold-2"), {"epochs": 3}, Silent(), resume=True),
    )
    for call in calls:
        with pytest.raises(
            RunError, match=r"study/fold-2 cannot be used as the folder of a run inside study: it is a link and not a folder\. Move it"
        ):
            call()
    for path in outside.iterdir():
        path.unlink()
    with pytest.raises(RunError, match="it is a link"):
        resume()
    assert before and not [*outside.iterdir()]
    Path("study/fold-2").unlink()
    Path("study/fold-2").write_text("notes")
    with pytest.raises(RunError, match=r"it is an ordinary file and not a folder\. Move it away"):
        resume()
    Path("study/fold-2").unlink()
    assert resume().finished


def change(table):
    Path(table).write_text(Path(table).read_text().replace("number7", "number77"))


@pytest.mark.parametrize("options", [{}, {"epochs": 3}])
def test_data_that_changed_is_noticed_before_another_run_is_trained(table, monkeypatch, options):
    trained = stop_after(1, monkeypatch)
    assert not begin("classify", table, folds=3).finished
    monkeypatch.setattr(way, "run_training", run_training)
    before, whole = Path("study/study.toml").read_text(), Path(table).read_text()
    change(table)
    trained = stop_after(9, monkeypatch)
    with pytest.raises(RunError, match=r"not the one that study was begun with: .*films\.csv\. Put it back as it was, or begin anew"):
        resume(**options)
    assert not trained and Path("study/study.toml").read_text() == before
    Path(table).write_text(whole)
    assert resume(**options).finished
    assert {
        Configuration.read("classify", find_recipe("classify").options, RunFolder(f"study/{name}")).fingerprint for name in records()
    } == {Plan.read(RunFolder("study")).fingerprint}


def test_data_that_changes_between_two_runs_is_noticed_by_the_second(table, monkeypatch):
    def run(recipe, data, folder, *others, **more):
        outcome = run_training(recipe, data, folder, *others, **more)
        change(table)
        return outcome

    monkeypatch.setattr(way, "run_training", run)
    with pytest.raises(RunError, match="not the one that study was begun with"):
        begin("classify", table, folds=3)
    assert [*records()] == ["fold-1"]


@pytest.mark.parametrize("task", ["lm", "translate"])
def test_all_runs_of_a_study_have_the_fingerprint_of_its_data(text, task):
    Path("pairs.tsv").write_text("".join(f"source {i}\ttarget {i}\n" for i in range(18)))
    data, options = {"lm": (text, {"window": 16}), "translate": ("pairs.tsv", {"level": "char"})}[task]
    assert begin(task, data, seeds=2, **options).finished


def test_what_cannot_be_resumed_changes_nothing(table):
    begin("classify", table, folds=2)
    before = Path("study/study.toml").read_text()
    with RunFolder("study").hold(), pytest.raises(RunError, match="Another process is training in study"):
        resume(epochs=101)
    Path(table).unlink()
    with pytest.raises(UnrolledError):
        resume(epochs=101)
    assert Path("study/study.toml").read_text() == before
    assert resume().finished


def test_foreign_files_in_the_place_of_a_run_are_to_be_moved_away(table, monkeypatch):
    stop_after(1, monkeypatch)
    begin("classify", table, folds=2)
    monkeypatch.setattr(way, "run_training", run_training)
    Path("study/fold-2").mkdir(exist_ok=True)
    Path("study/fold-2/notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"study/fold-2 holds other files, and no run of the study study\. Move them away"):
        resume()
    assert un.compare("study", memory=False).runs[0].name == "fold-1"
    Path("study/fold-2/notes.txt").unlink()
    assert resume().finished


def test_a_study_whose_file_is_none_says_what_it_is(table):
    begin("classify", table, folds=2)
    study = Path("study/study.toml")
    content = study.read_text()
    study.write_text(content.replace('task = "classify"', "task = 3"))
    with pytest.raises(RunError, match="`task` must be the name of a task, got 3"):
        resume()
    study.unlink()
    study.mkdir()
    for call in (resume, lambda: un.compare("study")):
        with pytest.raises(RunError, match=r"study\.toml cannot be read: it is a folder and not an ordinary file"):
            call()
    study.rmdir()
    os.mkfifo(study)
    for call in (resume, lambda: un.compare("study")):
        with pytest.raises(RunError, match=r"study\.toml cannot be read: it is a named pipe"):
            call()


def test_what_two_readings_of_a_file_warn_of_is_told_once(tmp_path):
    path = tmp_path / "films.jsonl"
    path.write_text("".join(f'{{"text": "w{n} \\ud800 x", "label": "{"ab"[n % 2]}"}}\n' for n in range(20)))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        un.train_classifier(path, out=tmp_path / "run", display=Silent(), **TINY)
    assert len(told) == 1 and "half of a character" in str(told[0].message)


@pytest.mark.parametrize("task", ["classify", "tag"])
def test_advice_for_folds_names_folds(tmp_path, task):
    path = tmp_path / "films.csv"
    path.write_text("text,label,who\n" + "".join(f"{'klmnopqr'[n]} s,{'a a' if n < 4 else 'b b'},s{n // 4}\n" for n in range(8)))
    few = pytest.warns(UnrolledWarning, match="there are fewer sequences than `folds=2`")
    with few, pytest.raises(DataError, match="The others are held out: change `folds` or `group`, or add examples"):
        begin(task, path, out=tmp_path / "study", folds=2, group="who")
