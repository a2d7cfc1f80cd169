"""What `look` says of files is what is in them, and the command that it names trains on them."""

import json
import shlex

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import unrolled as un
from unrolled.cli import cli
from unrolled.data.formats.heads import FormatSeen
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.looking import look
from unrolled.tasks.looking.guess import Guess, guess_task
from unrolled.tasks.looking.look import Look
from unrolled.tasks.overview import Overview

REVIEWS = "row,text,label\n" + "".join(
    f"{i},{text},{label}\n"
    for i, (text, label) in enumerate(
        [("good film here", "pos"), ("bad", "neg"), ("a fine work", "pos"), ("awful and long and dull", "neg"), ("bad", "neg")] * 4
    )
)
TOKENS = "Ada B-PER\nwrote O\nit O\n\nParis B-LOC\nis O\n\n" * 6
KEYS = {"format", "sequences", "steps", "inputs", "targets", "left_out", "labels", "lengths"}


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_counted(tmp_path):
    found = look(written(tmp_path, "reviews.csv", REVIEWS)).to_json()
    assert found.keys() >= KEYS
    assert (found["format"], found["task"], found["sequences"]) == ("csv", "classify", 20)
    assert found["steps"] == 4 * (3 + 1 + 3 + 5 + 1)
    assert (found["inputs"], found["targets"], found["left_out"]) == (["text"], ["label"], ["row"])
    assert found["labels"] == {"pos": 8, "neg": 12}
    lengths = sorted([3, 1, 3, 5, 1] * 4)
    assert found["lengths"] == {
        "min": 1,
        "lower_quartile": lengths[4],
        "median": lengths[9],
        "upper_quartile": lengths[14],
        "max": 5,
    }
    assert [column["name"] for column in found["columns"]] == ["row", "text", "label"]
    assert found["columns"][2] == {"name": "label", "kind": "2 values", "first": ["pos", "neg"]}
    assert found["learnt"] + found["held_out"] == 20
    assert found["repeated"] == 16


def test_lengths_rise_and_the_most_frequent_labels_are_told_first():
    labels = {f"l{n}": n * 1000 for n in range(1, 13)}
    read = Overview("All.", np.array([7, 1, 3, 2, 1900]), ("text",), ("label",), (), labels, 5, 0, notes=("A note.",))
    seen = Look(("a.csv",), Guess("classify", "as asked"), FormatSeen("csv", "as named", ()), read, "unrolled train classify a.csv")
    assert seen.text.splitlines() == [
        "a.csv: csv, as named. Task: classify, as asked.",
        "",
        "All.",
        "Steps of a sequence: 1 to 1,900; a quarter has at most 2, half 3, three quarters 7.",
        f"Labels: {', '.join(f'l{n} {n},000' for n in range(12, 2, -1))} and 2 more.",
        "A note.",
        "",
        "Train on it: unrolled train classify a.csv",
    ]


def test_columns_that_are_left_out_of_tokens_and_of_forecasts_are_named(tmp_path):
    tokens = "".join(f"{line} N {line[-1]}\n" if line else "\n" for line in ("1 Ada", "2 wrote", "", "1 it", "2 was", "") * 6)
    assert look(written(tmp_path, "a.conll", tokens)).to_json()["left_out"] == ["0", "2"]
    rows = "".join(f"2023-01-{day:02},{day}.5,{'broken' if day == 3 else 'ok'}\n" for day in range(1, 29))
    series = written(tmp_path, "a.csv", f"time,value,remark\n{rows}")
    assert look(series, "forecast").to_json()["left_out"] == ["remark"]
    assert look(series, "forecast", layout="columns").to_json()["left_out"] == ["remark"]


def test_sequences_that_are_in_both_parts_are_counted(tmp_path):
    train, test = written(tmp_path, "train.csv", REVIEWS), written(tmp_path, "test.csv", "row,text,label\n1,bad,neg\n2,new here,pos\n")
    found = look(train, validation=[str(test)]).to_json()
    assert (found["sequences"], found["learnt"], found["held_out"], found["in_both"]) == (20, 20, 2, 1)


def test_pairs_are_counted_however_many_have_one_source(tmp_path):
    pairs = written(tmp_path, "pairs.tsv", "".join(f"go {n // 3}\tva {n}\n" for n in range(30)))
    found = look(pairs, task="translate", level="char").to_json()
    assert (found["sequences"], found["steps"], found["learnt"] + found["held_out"]) == (30, 120, 30)


@pytest.mark.parametrize(
    ("name", "text", "options", "task"),
    [
        ("a.csv", REVIEWS, {}, "classify"),
        ("a.csv", "text,score\n" + "".join(f"word {i},{i / 7}\n" for i in range(20)), {}, "regress"),
        ("a.csv", "text,label\nMKV,HHC\nTPEM,CCCC\nAA,HH\nMK,CC\n", {}, "tag"),
        ("a.conll", TOKENS, {}, "tag"),
        ("a.txt", TOKENS, {}, "tag"),
        ("a.txt", "two words\n" * 40, {}, "lm"),
        ("a.txt", "It was a dark night.\nRain fell.\n" * 9, {}, "lm"),
        ("a.tsv", "".join(f"Good day {i}\tBon jour {i}\n" for i in range(9)), {}, "translate"),
        ("a.txt", "".join(f"Go{i}.\tVa{i} !\n" for i in range(12)), {}, "translate"),
        ("a.jsonl", '{"text": "a b", "label": ["x"]}\n{"text": "c", "label": ["x", "y"]}\n' * 3, {}, "classify"),
        ("a.csv", "id,x,y\n" + "".join(f"{i // 3},{i},{'uv'[i % 2]}\n" for i in range(30)), {"series": "id", "target": "y"}, "tag"),
        (
            "a.csv",
            "case,activity\n" + "".join(f"{i // 3},{'abc'[i % 3]}\n" for i in range(60)),
            {"case": "case", "activity": "activity"},
            "lm",
        ),
    ],
)
def test_the_task_is_found_and_the_command_reads_the_files(name, text, options, task, tmp_path, monkeypatch):
    found = look(written(tmp_path, name, text), **options)
    assert (found.task.task, found.problem) == (task, None)
    words = shlex.split(found.command)
    assert words[:3] == ["unrolled", "train", task]
    asked = []
    monkeypatch.setattr(
        un.tasks, "run_training", lambda recipe, data, folder, options, *rest, **more: asked.append((recipe, data, options))
    )
    with pytest.raises(AttributeError):
        CliRunner().invoke(cli, words[1:], catch_exceptions=False)
    ((recipe, data, options),) = asked
    configuration = Configuration.from_flat(task, recipe.options, {**options, "sources": data})
    read = recipe.overview(recipe.read(configuration, lambda *_: None), configuration)
    assert read.summary == found.overview.summary


def test_lines_of_a_text_are_its_sequences(tmp_path):
    found = look(written(tmp_path, "a.txt", "ab\n\nabc\n" * 10 + "a")).to_json()
    assert found["sequences"] == 31
    assert found["steps"] == 51
    assert (found["lengths"]["min"], found["lengths"]["max"]) == (0, 3)


def test_where_training_would_stop_the_columns_are_told(tmp_path):
    path = written(tmp_path, "a.csv", "north,south,east\n1,2,x\n3,4,y\n")
    found = look(path)
    assert isinstance(found.problem, ConfigError)
    assert found.to_json()["problem"] == str(found.problem)
    assert "sequences" not in found.to_json()
    done = CliRunner().invoke(cli, ["look", str(path)])
    assert done.exit_code == 1
    assert "north" in done.output and "whole numbers" in done.output


def test_at_the_terminal(tmp_path):
    path = written(tmp_path, "my reviews.csv", REVIEWS)
    done = CliRunner().invoke(cli, ["look", str(path), "--png", str(tmp_path / "a.png")], catch_exceptions=False)
    assert done.exit_code == 0
    assert f"unrolled train classify '{path}' --input text --target label" in done.output
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    as_json = CliRunner().invoke(cli, ["look", str(path), "--json"], catch_exceptions=False)
    assert json.loads(as_json.stdout) == look(path).to_json()
    assert un.look is look


def test_what_cannot_be_is_an_error(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        look(tmp_path / "none.csv")
    path = written(tmp_path, "a.csv", REVIEWS)
    with pytest.raises(ConfigError, match="no task 'sing'"):
        look(path, "sing")
    with pytest.raises(ConfigError, match="png"):
        look(path).draw(tmp_path / "a.docx")


def test_the_picture_has_lengths_and_labels():
    draw = pytest.importorskip("unrolled.inspect.draw")
    figure = draw.data(np.array([1, 2, 2, 5]), {"a": 3, "b": 1})
    lengths, labels = figure.axes
    assert [bar.get_height() for bar in lengths.patches] == [1, 2, 0, 0, 1]
    assert [bar.get_width() for bar in labels.patches] == [3, 1]


def test_forecasts_are_looked_at(tmp_path):
    path = written(tmp_path, "a.csv", "time,x\n" + "".join(f"2024-01-{day:02},{day % 7}\n" for day in range(1, 31)))
    found = look(path, "forecast").to_json()
    assert (found["sequences"], found["steps"], found["targets"]) == (1, 30, ["x"])
    assert found["columns"][0] == {"name": "time", "kind": "times", "first": ["2024-01-01", "2024-01-02", "2024-01-03"]}
    assert found["command"] == f"unrolled train forecast {path} --horizon 1 --target x"


DAYS = [f"2024-01-{day:02}" for day in range(1, 25)]
SERIES = {
    "one": ["day,sold", *(f"{day},{at}" for at, day in enumerate(DAYS))],
    "several": ["day,shop,sold,open", *(f"{day},{shop},{at},{at % 2}" for at, day in enumerate(DAYS) for shop in "ab")],
    "labelled": ["day,sold,kind", *(f"{day},{at},{'xy'[at % 2]}" for at, day in enumerate(DAYS))],
    "long": ["shop,day,sold", *(f"a,{np.datetime64('2020-01-01') + at},{at}" for at in range(1000)), "b,2020-01-01,1"],
}


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("one", {"horizon": 2}),
        ("several", {"series": "shop", "horizon": 2}),
        ("labelled", {"horizon": 2}),
        ("long", {"series": "shop", "horizon": 7}),
    ],
)
def test_numbers_whose_times_rise_are_forecast(tmp_path, name, needed):
    path = written(tmp_path, "t.csv", "\n".join(SERIES[name]) + "\n")
    found = look(path, **({"target": "sold"} if name == "several" else {}))
    assert (found.task.task, found.task.options) == ("forecast", needed)
    assert found.problem is None and shlex.split(found.command)[:3] == ["unrolled", "train", "forecast"]
    assert look(path, horizon=3, target="sold").task.options == {name: value for name, value in needed.items() if name == "series"}


@pytest.mark.parametrize(
    "rows",
    [
        ["day,text,label", *(f"{day},word{at} here,{'xy'[at % 2]}" for at, day in enumerate(DAYS))],
        ["day,text,stars", *(f"{day},word{at} here,{at % 5}" for at, day in enumerate(DAYS))],
        ["day,sold", *(f"{day},{at}" for at, day in enumerate(DAYS[::-1]))],
        ["day,sold", *(f"{day},{at}" for at, day in enumerate(DAYS[:7]))],
        ["day,kind", *(f"{day},{'xy'[at % 2]}" for at, day in enumerate(DAYS))],
    ],
)
def test_other_tables_with_dates_are_not(tmp_path, rows):
    assert look(written(tmp_path, "t.csv", "\n".join(rows) + "\n")).task.task != "forecast"


def test_a_target_of_labels_is_no_forecast(tmp_path):
    path = written(tmp_path, "t.csv", "\n".join(SERIES["labelled"]) + "\n")
    assert look(path, target="kind").task.task == "classify"


SAID = (("A dog, a cat.", "Two animals here"), ("A house here",), ("A dog, a cat.",), ("One more",))


def pictures(folder):
    """Four pictures, of which the last is the first again."""
    for number in range(4):
        Image.new("RGB", (8, 6), (number % 3 * 80, 0, 0)).save(folder / f"{number}.png")
    return [f"{number}.png" for number in range(4)]


@pytest.mark.parametrize("kind", ["lines", "csv", "json", "coco", "karpathy", "folder"])
def test_pictures_with_sentences_are_for_captions(tmp_path, kind):
    names = pictures(tmp_path)
    pairs = [(name, text) for name, some in zip(names, SAID, strict=True) for text in some]
    if kind == "folder":
        for name, some in zip(names, SAID, strict=True):
            written(tmp_path, name.replace("png", "txt"), "\n".join(some))
        source = tmp_path
    elif kind == "coco":
        images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
        annotations = [{"image_id": names.index(name), "caption": text} for name, text in pairs]
        source = written(tmp_path, "t.json", json.dumps({"images": images, "annotations": annotations}))
    elif kind == "karpathy":
        images = [
            {"filename": name, "split": "train", "sentences": [{"raw": text} for text in some]}
            for name, some in zip(names, SAID, strict=True)
        ]
        source = written(tmp_path, "t.json", json.dumps({"images": images}))
    elif kind == "json":
        source = written(
            tmp_path, "t.jsonl", "".join(json.dumps({"image": n, "captions": s}) + "\n" for n, s in zip(names, SAID, strict=True))
        )
    elif kind == "csv":
        source = written(tmp_path, "t.csv", "n,image,caption\n" + "".join(f'1,{name},"{text}"\n' for name, text in pairs))
    else:
        source = written(tmp_path, "t.csv", "image,caption\n" + "".join(f"{name},{text}\n" for name, text in pairs))
    seen = look(source, held_out=0.5)
    found = seen.to_json()
    assert (found["task"], found["format"], found["sequences"], found["repeated"]) == ("caption", kind, 4, 1), found
    assert found["notes"] == [
        "Sentences of a picture: 1 to 2, half at most 1. Tokens of a sentence: 2 to 6, half at most 3.",
        "1 picture comes again on the same side.",
        "4 different sentences; the one that comes most often, 2 times: 'A dog, a cat.'.",
    ]
    assert found["command"].startswith("unrolled train caption") and found["notes"][0] in seen.text
    if kind in ("lines", "csv", "json"):
        assert [column["first"][0] for column in found["columns"]][-2:] == ["0.png", SAID[0][0] + " | Two animals here" * (kind == "json")]


def test_pictures_with_labels_are_not_for_captions(tmp_path):
    names = pictures(tmp_path)
    source = written(tmp_path, "t.csv", "image,label\n" + "".join(f"{name},{number % 2}\n" for number, name in enumerate(names)))
    assert look(source).task.task == "classify"


def test_pictures_in_both_parts_are_counted(tmp_path):
    names = pictures(tmp_path)
    source = written(tmp_path, "t.csv", "image,caption\n" + "".join(f"{name},It is here\n" for name in names[:3]))
    other = written(tmp_path, "v.csv", f"image,caption\n{names[3]},{'far ' * 100}away\n")
    with pytest.warns(UnrolledWarning, match="1 of the 1 pictures to measure on are learnt, too"):
        found = look(source, validation=(str(other),)).to_json()
    assert found["in_both"] == 1 and "1 picture is learnt and measured." in found["notes"]
    assert "Tokens of a sentence: 3 to 101" in found["notes"][0]
    alone = look(other, held_out=0.0).to_json()["notes"][-1]
    assert alone == f"1 different sentences; the one that comes most often, 1 time: {'far ' * 14 + 'far…'!r}."


def test_one_word_for_a_picture_is_a_label(tmp_path):
    names = pictures(tmp_path)
    source = written(tmp_path, "t.csv", "image,text\n" + "".join(f"{name},word{number % 2}\n" for number, name in enumerate(names)))
    assert guess_task([str(source)], {}).task != "caption"


LABELLED = [json.dumps({"text": f"a{n} b{n} c{n}", "label": "neg" if n % 3 else "poor"}) for n in range(12)]
TAGGED = [json.dumps({"tokens": [f"w{n}", f"v{n}"], "ner_tags": ["O", "B-PER"]}) for n in range(8)]


@pytest.mark.parametrize("bad_rows", ["error", "skip"])
def test_rows_that_would_be_left_out_say_no_task(tmp_path, bad_rows):
    labels, tags = (
        written(tmp_path, f"{len(some)}.jsonl", "\n".join(some)) for some in (LABELLED, [*TAGGED, TAGGED[0].replace('"O", ', "")])
    )
    assert guess_task([str(labels)], {"bad_rows": bad_rows}).task == "classify"
    assert guess_task([str(tags)], {"bad_rows": bad_rows}).task == "tag"


def test_the_bad_row_among_tags_is_told(tmp_path):
    found = look(written(tmp_path, "a.jsonl", "\n".join([*TAGGED, TAGGED[0].replace('"O", ', "")])))
    assert "line 9" in str(found.problem)


def test_tokens_in_a_file_that_is_called_a_table_are_tagged(tmp_path):
    assert guess_task([str(written(tmp_path, "a.tsv", "Ada\tB-PER\nwrote\tO\n\nit\tO\n"))], {}).task == "tag"
    assert guess_task([str(written(tmp_path, "b.tsv", "Ada\tname\nwrote\tverb\n"))], {}).task == "classify"


MEMORY = "<tmx version='1.4'><body>{}</body></tmx>".format(
    "".join(f"<tu><tuv xml:lang='en'><seg>Good day {n}</seg></tuv><tuv xml:lang='fr'><seg>Bon jour</seg></tuv></tu>" for n in range(9))
)
LOG = "<log>{}</log>".format(
    "".join(
        f"<trace><string key='concept:name' value='{n}'/><event><string key='concept:name' value='{'xy'[n % 2]}'/>"
        f"<date key='time:timestamp' value='2024-01-{n + 1:02}'/></event></trace>"
        for n in range(20)
    )
)


@pytest.mark.parametrize("prologue", ["", "<?xml version='1.0'?>", "<?xml version='1.0'?>\n<!-- as\nit <was> -->\n"])
@pytest.mark.parametrize(("name", "text", "task"), [("a.tmx", MEMORY, "translate"), ("a.xml", MEMORY, "translate"), ("a.xml", LOG, "lm")])
def test_xml_is_known_by_its_first_element_wherever_lines_end(tmp_path, name, text, task, prologue):
    found = look(written(tmp_path, name, prologue + text))
    assert (found.task.task, found.problem) == (task, None)
    assert found.overview.learnt + found.overview.held_out == (9 if task == "translate" else 20)


@pytest.mark.parametrize("rows", [60, 2400])
def test_classes_by_which_rows_are_sorted_are_not_passed_over_for_others(tmp_path, rows):
    text = "".join(f"w{n} a b c d,{'xyz'[3 * n // rows]},{'uvw'[n * n % 7 % 3]}\n" for n in range(rows))
    found = look(written(tmp_path, "a.csv", f"words,kind,who\n{text}"))
    assert "the sequence has no label. Name their column or key as `target`" in str(found.problem)
    assert look(tmp_path / "a.csv", target="kind").to_json()["labels"] == dict.fromkeys("xyz", rows // 3)
    names = "".join(f"w{n} a b c d,n{n // 2},{'uvw'[n * n % 7 % 3]}\n" for n in range(60))
    assert look(written(tmp_path, "b.csv", f"words,name,who\n{names}")).to_json()["targets"] == ["who"]


@pytest.mark.parametrize(("name", "kind"), [("a.mp4", "a video"), ("a.png", "a picture"), ("a.wav", "")])
def test_a_file_that_is_not_what_its_name_says_is_told_before_what_it_lacks(name, kind, tmp_path):
    (tmp_path / name).write_text("hello")
    told = str(look(tmp_path / name).problem)
    assert str(tmp_path / name) in told and "no label" not in told and f"cannot be read{kind and f' as {kind}'}" in told


def test_a_picture_without_a_label_lacks_a_label(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    assert "has no label" in str(look(tmp_path / "a.png").problem)
