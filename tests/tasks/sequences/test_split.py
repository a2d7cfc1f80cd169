"""What is learnt and what is held out of files, and what is said of it."""

import json

import numpy as np
import pytest

import unrolled as un
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks import find_recipe
from unrolled.tasks.configuration import Configuration
from unrolled.training import Silent


def read(name, path, **options):
    """The data of a run."""
    recipe = find_recipe(name)
    values = {"cell": "lstm", "sources": [str(path)], "level": "word", **options}
    return recipe.read(Configuration.from_flat(name, recipe.options, values), lambda *_: None)


def write_table(path):
    path.write_text("text,label,who\n" + "".join(f"w{n} w,{'no' if n % 4 else 'yes'},s{n // 10}\n" for n in range(100)))


def write_objects(path):
    rows = ({"text": f"w{n} w", "label": "no" if n % 4 else "yes", "who": n // 10} for n in range(100))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_long(path):
    rows = (f"q{n},{t},a{t % 3}{n},{n + t},{'no' if n % 4 else 'yes'},s{n // 10}\n" for n in range(100) for t in range(3))
    path.write_text("id,time,what,x,label,who\n" + "".join(rows))


FILES = {
    "table": ("films.csv", write_table, {}),
    "objects": ("films.jsonl", write_objects, {}),
    "series": ("long.csv", write_long, {"series": "id", "time": "time", "channels": ("x",), "level": None, "target": "label"}),
    "events": ("log.csv", write_long, {"case": "id", "activity": "what", "target": "label"}),
}


@pytest.mark.parametrize("kind", FILES)
def test_groups_are_held_out_as_a_whole_in_files_of_every_kind(tmp_path, kind):
    name, write, options = FILES[kind]
    write(tmp_path / name)
    data = read("classify", tmp_path / name, group="who", **options)
    learnt, held = ({n // 10 for n in part.which.tolist()} for part in (data.train, data.held_out))
    assert len(held) == 1 and len(learnt) == 9 and not learnt & held
    assert " Groups: 9 to learn, 1 held out." in data.summary() and "who" not in data.summary()
    alone = read("classify", tmp_path / name, **options)
    assert alone.fingerprint != data.fingerprint
    assert len({n // 10 for n in alone.held_out.which.tolist()}) > 1


@pytest.mark.parametrize("kind", FILES)
def test_a_sequence_without_group_is_refused(tmp_path, kind):
    name, write, options = FILES[kind]
    path = tmp_path / name
    write(path)
    with pytest.raises(
        ConfigError, match=rf"{name}.* no (column|key) 'speaker'; (it has columns|its columns are|the keys are) .*who.*as `group`"
    ):
        read("classify", path, group="speaker", **options)
    with pytest.raises(ConfigError, match=rf"{name}.*: `group` names 'label', which has the target"):
        read("classify", path, group="label", **{**options, "target": "label"})
    path.write_text(path.read_text().replace(",s3\n", ",\n").replace(', "who": 3', ""))
    with pytest.raises(DataError, match=rf"{name}, line \d+: the sequence has no group"):
        read("classify", path, group="who", **options)


def test_what_groups_cannot_be_is_refused(tmp_path):
    write_long(path := tmp_path / "log.csv")
    path.write_text(path.read_text().replace("q7,1,a17,8,no,s0", "q7,1,a17,8,no,s1"))
    with pytest.raises(
        DataError, match=r"log\.csv, line 24: 'q7' is of the group 's1' here and of 's0' before\. Give all its rows one group"
    ):
        read("classify", path, group="who", case="id", activity="what", target="label")
    with pytest.raises(ConfigError, match="`group` is for files in the formats"):
        read("classify", "builtin:intents", group="who")
    write_table(path := tmp_path / "films.csv")
    with pytest.raises(ConfigError, match=r"`validation` names files that are held out\. Leave one of them out"):
        read("classify", path, group="who", validation=(str(path),))
    path.write_text("text,label,who\none,yes,s\ntwo,no,s\n")
    with pytest.warns(UnrolledWarning, match="Nothing is held out, as all sequences are of one group"):
        read("classify", path, group="who")


def test_columns_of_groups_are_not_taken_for_what_is_read_or_said(tmp_path):
    path = tmp_path / "films.csv"
    path.write_text("who,what,how\n" + "".join(f"speaker number {n % 5},w{n},{'yes' if n % 2 else 'no'}\n" for n in range(20)))
    data = read("classify", path, group="who", target="how")
    assert data.reading.learnt == ("what", "how") and data.reading.left == ()
    for options in ({}, {"input": "text"}):
        path.write_text("what,text,label\n" + "".join(f"w{n},t{n % 5},{n % 2}\n" for n in range(20)))
        with pytest.raises(ConfigError, match=r"films\.csv: `group` names 'text', which is taken for the input\. Name another one"):
            read("classify", path, group="text", **options)
    assert read("classify", path, group="text", input="what").reading.learnt == ("what", "label")
    path.write_text("what,group\n" + "".join(f"w{n},{n % 5}\n" for n in range(20)))
    with pytest.raises(DataError, match="the sequence has no label"):
        read("classify", path, group="group", input="what")


def test_what_comes_again_is_told(tmp_path):
    path, other = tmp_path / "films.csv", tmp_path / "other.csv"
    path.write_text("text,label\n" + "".join(f"w{n % 40},{'no' if n % 2 else 'yes'}\n" for n in range(60)))
    data = read("classify", path)
    assert not {n % 40 for n in data.train.which} & {n % 40 for n in data.held_out.which}
    assert " held out. 20 repeat others, on the same side. Input" in data.summary()
    other.write_text("text,label\nw1,no\nnew,no\n w3 ,yes\n")
    data = read("classify", path, validation=(str(other),))
    assert " 3 held out. Of those held out 2 are learnt, too. Input" in data.summary()


def test_labels_that_are_not_held_out_are_told(tmp_path):
    path = tmp_path / "films.csv"
    path.write_text("text,label\n" + "".join(f"w{n},{'rare' if n == 7 else 'no' if n % 3 else 'yes'}\n" for n in range(60)))
    for seed in range(3):
        assert " None is held out of 'rare'. Input" in read("classify", path, seed=seed).summary()
    path.write_text(path.read_text().replace("w8,no", "w8,rare"))
    assert "None is held out" not in read("classify", path).summary()


def test_the_same_is_held_out_whenever_it_is_read_again(tmp_path):
    write_table(path := tmp_path / "films.csv")
    first, again, other = (read("classify", path, seed=seed).held_out.which for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize("value", [int, float, lambda n: n / 2, str])
def test_numbers_are_groups_of_objects_whole_ones_however_they_are_written(tmp_path, value):
    path = tmp_path / "films.jsonl"
    rows = [{"text": f"w{n}", "label": str(n % 2), "who": value(n // 10) if n else 0} for n in range(100)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = read("classify", path, group="who")
    assert " Groups: 9 to learn, 1 held out." in data.summary()
    path.write_text(path.read_text().replace('"who": 0', '"who": NaN'))
    with pytest.raises(DataError, match="the sequence has no group"):
        read("classify", path, group="who")


def test_a_run_with_groups_measures_files_without_them(tmp_path):
    write_table(path := tmp_path / "films.csv")
    trained = un.train_classifier(path, out=tmp_path / "run", group="who", hidden=4, embedding=4, epochs=1, evaluations=1, display=Silent())
    path.write_text(path.read_text().replace("who", "other"))
    assert trained.evaluate(path).size == un.load(tmp_path / "run").evaluate(path).size > 0
