"""Runs in one table and one picture."""

import json
import math
from pathlib import Path
from statistics import fmean, median, stdev
from types import SimpleNamespace

import numpy as np
import pytest

import unrolled as un
from unrolled.errors import ConfigError, RunError, UnrolledWarning
from unrolled.tasks import train
from unrolled.tasks.comparing import figures as comparing_figures
from unrolled.tasks.comparing.comparison import _differences
from unrolled.tasks.comparing.forgetfulness import half_life
from unrolled.training import RunFolder, Silent
from unrolled.training.plot import draw_comparison

TINY = {"hidden": 4, "embedding": 4, "batch": 8, "epochs": 2, "evaluations": 2, "display": Silent()}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Texts of two labels."""
    monkeypatch.chdir(tmp_path)
    lines = [f"{'good' if i % 2 else 'bad'} film number{i} for all,{'good' if i % 2 else 'bad'}" for i in range(24)]
    Path("films.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return "films.csv"


def test_means_and_spreads_are_those_of_the_runs(table):
    found = un.study("classify", table, out="study", cell=["lstm", "elman"], folds=3, **TINY)
    plain = found.to_json()
    assert (plain["task"], plain["measure"]) == ("classify", "accuracy")
    assert [group["name"] for group in plain["groups"]] == ["lstm", "elman"]
    assert [run["name"] for run in plain["runs"]] == [f"{cell}-fold-{k}" for cell in ("lstm", "elman") for k in (1, 2, 3)]
    for group in plain["groups"]:
        runs = [run for run in plain["runs"] if run["group"] == group["name"]]
        for name, values in (
            ("loss", [run["loss"] for run in runs]),
            ("accuracy", [run["measures"]["accuracy"] for run in runs]),
            ("seconds", [run["seconds"] for run in runs]),
        ):
            assert group["mean"][name] == pytest.approx(fmean(values))
            assert group["deviation"][name] == pytest.approx(stdev(values))
    for run in plain["runs"]:
        last = RunFolder(f"study/{run['name']}").history.records()[-1]
        assert (run["loss"], run["measures"]["accuracy"]) == (last["final_held_out"], last["final_accuracy"])
        assert run["updates"] == last["update"] and 0 < run["seconds"] == last["trained_seconds"] < last["seconds"]
        assert run["parameters"] == sum(p.numel() for p in un.load(f"study/{run['name']}").model.parameters())
    json.dumps(plain)


def test_the_table_has_a_line_for_each_run_and_for_each_mean(table):
    found = un.study("classify", table, out="study", seeds=2, **TINY)
    lines = found.text.splitlines()
    assert lines[0].split() == ["run", "cell", "hidden", "parameters", "updates", "seconds", "tokens/s", "accuracy", "loss", "half-life"]
    assert [line.split()[:4] for line in lines[1:3]] == [[f"seed-{n}", "lstm", "4", lines[1].split()[3]] for n in (0, 1)]
    losses = [RunFolder(f"study/seed-{n}").history.records()[-1]["final_held_out"] for n in (0, 1)]
    assert lines[4].startswith("lstm: mean of 2") and f"{fmean(losses):.4f} ± {stdev(losses):.4f}" in lines[4]
    assert lines[5] == "The spread (±) is the standard deviation over runs, with n - 1."


def test_runs_are_grouped_if_they_differ_in_seeds_alone(table):
    for name, options in (("a", {}), ("b", {"seed": 1}), ("c", {"hidden": 5}), ("d", {"dropout": 0.1})):
        un.train_classifier(table, out=name, **{**TINY, **options})
    found = un.compare("a", "b", "c", "d", memory=False)
    assert [[run.name for run in group.runs] for group in found.groups] == [["a", "b"], ["c"], ["d"]]
    assert [group.label for group in found.groups] == ["lstm", "c", "d"] and not found.notes
    assert "half-life" not in found.text


def test_runs_that_are_the_same_are_told_apart_from_seeds(table):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        un.train_classifier(table, out=name, **TINY, seed=seed)
    twice, thrice = un.compare("a", "b", memory=False), un.compare("a", "b", "c", memory=False)
    for found in (twice, thrice):
        (note,) = found.notes
        assert note.startswith("NO DIFFERENCE between a and b: data, options, seed and fold are the same.")
    assert "lstm: the same 2 times" in twice.text and "lstm: mean of 3" in thrice.text


def test_runs_of_other_data_and_with_other_measures_are_told(table):
    un.train_classifier(table, out="a", **TINY)
    un.train_classifier(table, out="b", held_out=0.3, best_by="loss", **TINY)
    Path("other.csv").write_text(Path(table).read_text().replace("film", "plot"))
    un.train_classifier("other.csv", out="c", **TINY)
    notes = un.compare(["a", "b"], "c", memory=False).notes
    assert notes == (
        "NOT OF THE SAME DATA as a: c. Their measures cannot be compared with it.",
        "NOT THE SAME TASK: `held_out` is 0.1 in a, and 0.3 in b.",
        "Weights were not kept by the same measure: accuracy, loss.",
    )
    Path("text.txt").write_text("the cat sat on a mat.\n" * 60)
    un.train_language_model("text.txt", out="lm", window=16, **TINY)
    with pytest.raises(ConfigError, match="a is a run of the task 'classify' and lm one of 'lm'"):
        un.compare("a", "lm")
    with pytest.raises(RunError, match="no run folder nowhere"):
        un.compare("nowhere")


def test_other_batches_are_no_other_task():
    runs = [
        SimpleNamespace(
            name=name, fingerprint="", best_by=None, settings={"data": {"batch": batch, "order": order}, "model": {"hidden": batch}}
        )
        for name, batch, order in (("a", 1, 1), ("b", 2, 1), ("c", 2, 2))
    ]
    assert [*_differences(runs)] == ["NOT THE SAME TASK: `order` is 1 in a, and 2 in c."]


def test_translators_of_other_folds_are_of_the_same_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("pairs.tsv").write_text("".join(f"source {i}\ttarget {i}\n" for i in range(18)))
    found = un.study("translate", "pairs.tsv", out="study", folds=2, seeds=2, level="char", **TINY)
    assert len(found.groups) == 1 and not found.notes and found.measure is None
    assert all(run.half_life and run.half_life > 0 for run in found.runs)


def test_what_is_not_finished_or_has_not_begun_is_told(table):
    un.study("classify", table, out="study", seeds=3, **TINY)
    history = Path("study/seed-1/metrics.jsonl")
    records = history.read_text().splitlines(keepends=True)
    history.write_text("".join(records[:-1]))
    Path("study/seed-2/model.safetensors").unlink()
    whole = [{**record, "tokens_per_second": 10.0**i} for i, record in enumerate(RunFolder("study/seed-0").history.records())]
    Path("study/seed-0/metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in whole))
    found = un.compare("study", memory=False)
    assert [run.name for run in found.runs if not run.finished] == ["seed-1"]
    assert found.runs[1].loss == min(record["held_out"] for record in map(json.loads, records) if "held_out" in record)
    assert "seed-1 *" in found.text
    assert found.runs[0].speed == median(record["tokens_per_second"] for record in whole) != whole[-1]["tokens_per_second"]
    assert found.notes == (
        "* is not finished, or holds nothing out: its loss is the lowest on the way, and it is in no mean.",
        "Without weights, as they have not begun or failed: seed-2.",
    )


def test_half_lives_of_runs_of_every_kind(table, tmp_path):
    Path("text.txt").write_text("the cat sat on a mat.\n" * 60)
    chance = np.random.default_rng(0)
    Path("sensors.jsonl").write_text(
        "".join(json.dumps({"x": chance.normal(size=(9, 2)).tolist(), "y": chance.normal(size=9).tolist()}) + "\n" for _ in range(20))
    )
    for task, data, options in (
        ("lm", "text.txt", {"window": 16}),
        ("lm", "text.txt", {"window": 16, "lines": True}),
        ("regress", "sensors.jsonl", {"input": "x", "target": "y"}),
        ("classify", table, {}),
    ):
        out = tmp_path / f"run-{len([*tmp_path.iterdir()])}"
        trained = train(task, data, out=out, **{**TINY, **options})
        value, why = half_life(RunFolder(out), trained)
        assert value is not None and value > 0 and not why


def test_half_lives_that_cannot_be_measured_say_why(table):
    un.train_classifier(table, out="flat", layers=0, **TINY)
    un.train_classifier(table, out="gone", **TINY)
    Path(table).unlink()
    found = un.compare("flat", "gone")
    assert [run.half_life for run in found.runs] == [None, None]
    assert [(run.cell, run.hidden) for run in found.runs] == [("none", None), ("lstm", 4)]
    assert found.notes == (
        "How fast flat forgets is not measured: it has no recurrent layers.",
        "How fast gone forgets is not measured: what it held out cannot be read again: it is gone, not what it was, or large.",
    )


def test_the_seconds_of_all_sittings_add_up(table):
    options = {**TINY, "epochs": 4}
    un.train_classifier(table, out="run", **options)
    before = un.compare("run", memory=False).runs[0].seconds
    train("classify", out="run", resume=True, epochs=40, display=Silent())
    after = un.compare("run", memory=False).runs[0]
    own = [record["seconds"] for record in after.records]
    assert own == sorted(own) and before < after.seconds <= own[-1]


def lines_of(groups):
    """What is drawn: for each line its label, its points, and how wide the band is there."""
    figure = draw_comparison(groups)
    for axes in figure.axes:
        yield [(line.get_label(), line.get_xydata().tolist()) for line in axes.lines]


def test_lines_are_means_where_all_runs_are_known():
    runs = [[{"update": u, "seconds": u / 10, "held_out": loss} for u, loss in some] for some in ([(0, 4), (10, 2)], [(5, 5), (15, 3)])]
    single = [[{"update": u, "seconds": u, "held_out": u} for u in (1, 2)]]
    updates, seconds = lines_of({"both": runs, "one": single, "none": [[{"update": 1, "seconds": 1, "loss": 3}]]})
    assert updates == [("both", [[5, 4], [10, 3]]), ("one", [[1, 1], [2, 2]])]
    assert seconds == [("both", [[0.5, 4], [1, 3]]), ("one", [[1, 1], [2, 2]])]
    band = draw_comparison({"both": runs}).axes[0].collections[0].get_paths()[0].vertices
    assert sorted({round(y, 6) for x, y in band if x == 5}) == [pytest.approx(4 - math.sqrt(2)), pytest.approx(4 + math.sqrt(2))]


def test_pictures_are_of_the_kind_that_is_named(table):
    un.train_classifier(table, out="run", **TINY)
    found = un.compare("run", memory=False)
    for name, begins in (("a.svg", b"<?xml"), ("a.png", b"\x89PNG")):
        assert found.draw(name) and Path(name).read_bytes().startswith(begins)
    with pytest.raises(ConfigError, match=r"`path` must end in \.png, \.svg, \.pdf, got a\.txt"):
        found.draw("a.txt")
    un.train_classifier(table, out="short", **{**TINY, "epochs": None, "minutes": 1e-5})
    assert not un.compare("short", memory=False).draw("b.svg") and not Path("b.svg").exists()


def test_several_runs_are_no_business_of_train(table):
    with pytest.raises(ConfigError, match=r"make several runs, and this trains one\. Call `unrolled.study`"):
        un.train_classifier(table, out="run", folds=2, **TINY)


def cut(run):
    """Take the last record of a run, so that it is not finished; gives the records."""
    history = Path("study", run, "metrics.jsonl")
    records = history.read_text().splitlines(keepends=True)
    history.write_text("".join(records[:-1]))
    return [json.loads(record) for record in records]


def test_means_are_of_finished_runs_and_say_of_how_many(table, monkeypatch):
    un.study("classify", table, out="study", seeds=3, **TINY)
    cut("seed-1")
    found = un.compare("study", memory=False)
    (group,) = found.to_json()["groups"]
    losses = [RunFolder(f"study/seed-{n}").history.records()[-1]["final_held_out"] for n in (0, 2)]
    assert (group["runs"], group["finished"], group["count"]["loss"]) == (3, 2, 2)
    assert (group["mean"]["loss"], group["deviation"]["loss"]) == (pytest.approx(fmean(losses)), pytest.approx(stdev(losses)))
    assert "lstm: mean of 2 of 3  " in found.text and f"{fmean(losses):.4f} ± " in found.text and "[" not in found.text
    measure = comparing_figures.half_life
    monkeypatch.setattr(
        comparing_figures, "half_life", lambda folder, trained: (None, "no") if "seed-0" in str(folder) else measure(folder, trained)
    )
    found = un.compare("study")
    (group,) = found.to_json()["groups"]
    assert group["count"]["half_life"] == 1 and group["mean"]["half_life"] == pytest.approx(found.runs[2].half_life)
    assert f"{found.runs[2].half_life:.1f} [1]" in found.text and "A mean with [n] is of n runs" in found.text
    cut("seed-0"), cut("seed-2")
    found = un.compare("study", memory=False)
    (group,) = found.to_json()["groups"]
    assert "lstm: none of 3 finished" in found.text and group["finished"] == 0 and set(group["mean"].values()) == {None}


def test_a_broken_run_of_a_study_does_not_hide_the_others(table):
    un.study("classify", table, out="study", seeds=2, **TINY)
    Path("study/seed-0/config.toml").write_text("= no TOML")
    found = un.compare("study", memory=False)
    assert [run.name for run in found.runs] == ["seed-1"]
    assert any(note.startswith("seed-0 is left out: ") and "config.toml is not TOML" in note for note in found.notes)
    Path("study/seed-1/config.toml").write_text("= no TOML")
    with pytest.raises(RunError, match=r"seed-0/config\.toml is not TOML"):
        un.compare("study", memory=False)


def test_folds_that_lack_a_label_are_told(table):
    with Path(table).open("a") as file:
        file.write("some rare thing,rare\nanother rare thing,rare\n")
    with pytest.warns(UnrolledWarning, match="Of 'rare' there are fewer sequences than `folds=3`"):
        found = un.study("classify", table, out="study", folds=3, **TINY)
    (lacking,) = {f"fold-{n}" for n in (1, 2, 3)} - {run.name for run in found.runs if not run.absent}
    assert found.notes == (
        f"Not every label is held out in {lacking}: means over labels, as macro F1, are not of the same labels in all runs.",
    )
    assert "absent" not in found.to_json()["groups"][0]["mean"]
