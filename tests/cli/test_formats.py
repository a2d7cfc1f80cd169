"""What formats say of themselves is true: samples are read with the options that stand beside them, and options have owners."""

import json
import shlex
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest

from at_the_terminal import call
from unrolled.data.examples import Target
from unrolled.data.formats import FORMATS, ReadingOptions, read_examples, resolve_format
from unrolled.data.formats.options import DividedReadingOptions
from unrolled.data.formats.pair_options import DividedPairOptions, PairOptions
from unrolled.data.formats.pairs import PAIRS, read_pairs
from unrolled.errors import ConfigError
from unrolled.options import build, options_of

FIELDS = ("text", "tokens", "numbers", "sound", "frames", "labels", "tags", "values", "texts")
TRAINED = [name for name in FORMATS if FORMATS[name].about.sample and FORMATS[name].about.task]


def said(*words):
    return call("formats", *words)


def present_in(examples):
    return {field for example in examples for field in FIELDS if getattr(example, field) is not None}


def typed(name, tmp_path, monkeypatch):
    """The files and the flags of the command that a format shows; its sample lies in the files."""
    monkeypatch.chdir(tmp_path)
    line = next(line for line in said(name).splitlines() if line.startswith("unrolled train "))
    words = shlex.split(line)[3:]
    files = [word for word in words if "." in word]
    about = {**FORMATS, **{f"pairs-{each}": known for each, known in PAIRS.items()}}[name].about
    for file in files:
        (tmp_path / file).write_text(about.sample, encoding="utf-8")
    flags = words[len(files) :]
    return files, {flag.removeprefix("--"): value for flag, value in zip(flags[::2], flags[1::2], strict=True)}


@pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].about.sample])
def test_a_sample_is_read_with_the_options_that_stand_beside_it(name, tmp_path):
    known = FORMATS[name]
    path = tmp_path / f"sample{next(iter(known.suffixes), '.csv')}"
    path.write_text(known.about.sample, encoding="utf-8")
    options = ReadingOptions(format=name, **known.about.reading)
    wanted = Target.TAGS if known.about.task == "tag" else Target.LABELS
    examples = list(read_examples(path, options if known.about.task else options.to_predict(), wanted))
    assert examples
    present = present_in(examples)
    assert present <= set(known.about.gives)
    assert ("tags" if wanted.each_step else "labels") in present or not known.about.task
    page = said(name)
    assert all(line in page for line in known.about.sample.splitlines())
    assert all(f"--{option.replace('_', '-')}" in page for option in known.about.options)
    if known.about.task:
        assert f"unrolled train {known.about.task} " in page


@pytest.mark.parametrize("name", PAIRS)
def test_a_sample_of_pairs_is_read_and_shown(name, tmp_path):
    about = PAIRS[name].about
    (tmp_path / "sample").write_text(about.sample, encoding="utf-8")
    options = PairOptions(format=name)
    examples = list(read_pairs(tmp_path / "sample", options if about.task else options.to_predict()))
    assert len(examples) == len(about.sample.splitlines()) - bool(about.reading)
    assert present_in(examples) - set(about.gives) == (set() if about.task else {"texts"})
    assert all(bool(example.texts) == bool(about.task) for example in examples)
    page = said(f"pairs-{name}")
    assert all(line in page for line in about.sample.splitlines())
    assert all(f"--{option.replace('_', '-')} " in page for option in (*about.options, "format", "encoding"))


@pytest.mark.parametrize("name", TRAINED)
def test_the_command_that_is_shown_reads_its_files_in_the_format(name, tmp_path, monkeypatch):
    files, flags = typed(name, tmp_path, monkeypatch)
    wanted = Target.TAGS if FORMATS[name].about.task == "tag" else Target.LABELS
    options = ReadingOptions(**flags)
    assert resolve_format(files, options, wanted).format == name
    assert any((example.tags if wanted.each_step else example.labels) for example in read_examples(files, options, wanted))


@pytest.mark.parametrize("name", [name for name in PAIRS if PAIRS[name].about.task])
def test_the_command_that_is_shown_for_pairs_reads_its_file(name, tmp_path, monkeypatch):
    files, flags = typed(f"pairs-{name}", tmp_path, monkeypatch)
    pairs = list(read_pairs(files, build(PairOptions, flags)))
    again = list(read_pairs(files, PairOptions(format=name)))
    assert pairs == again and len(pairs) == len(PAIRS[name].about.sample.splitlines()) - bool(PAIRS[name].about.reading)


def test_every_option_of_reading_belongs_to_some_formats_or_to_all():
    owned = {option for known in FORMATS.values() for option in known.about.options}
    assert owned <= {field.name for field in fields(ReadingOptions)}
    assert {option.name for option in options_of(DividedReadingOptions) if option.help} == owned | {
        "format",
        "encoding",
        "scheme",
        "bad_rows",
        # Of built-in pictures.
        "digits",
        "copies",
    }
    owned = {option for known in PAIRS.values() for option in known.about.options}
    assert {option.name for option in options_of(DividedPairOptions) if option.help} == owned | {
        "format",
        "encoding",
        "source",
        "target",
        "bad_rows",
    }


def test_all_formats_are_listed_and_an_unknown_one_is_refused():
    page, found = said(), json.loads(said("--json"))
    assert list(found) == [*FORMATS, *(f"pairs-{name}" for name in PAIRS)] and all(name in page for name in found)
    assert json.loads(said("csv", "--json")) == found["csv"]
    assert found["idx"]["options"].keys() == {"image", "format", "encoding", "bad_rows"}
    assert found["pairs-tsv"]["options"].keys() == {
        "input",
        "target",
        "header",
        "references",
        "group",
        "longest",
        "too_long",
        "bad_rows",
        "format",
        "encoding",
    }
    assert [found[f"pairs-{name}"]["suffixes"] for name in PAIRS] == [
        [".tsv", ".tab"],
        [".csv"],
        [".jsonl", ".ndjson", ".json"],
        [".tmx"],
        [],
        [],
    ]
    assert "--scheme" in said("conllu") and "--scheme" not in said("idx")
    with pytest.raises(ConfigError, match=r"no format 'cvs'. There are csv, .*, pairs-lines"):
        said("cvs")


def test_the_fields_of_a_format_are_those_that_examples_have():
    for name, known in json.loads(said("--json")).items():
        assert known["fields"] and set(known["fields"]) <= {*FIELDS, "step values"}
        assert f"Fields: {', '.join(known['fields'])}\n" in said(name)


def test_options_are_flags_and_keys_are_none_without_loading_what_trains():
    program = "import sys; sys.modules.update(torch=None); from unrolled.cli import main; main(['formats', *sys.argv[1:]])"
    for words, shown in (
        ([], "an event log, a row for each event, with `--case` and `--activity`"),
        (["events"], "events: an event log, a row for each event, with `--case` and `--activity`"),
        (["pairs-jsonl"], "pairs-jsonl: JSON Lines: an object a line with a source, a text"),
    ):
        done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert shown in done.stdout


def test_numbers_of_samples_are_numbers(tmp_path):
    path = tmp_path / "sample.ts"
    path.write_text(FORMATS["ts"].about.sample)
    first = next(read_examples(path, ReadingOptions(), Target.LABELS))
    np.testing.assert_allclose(first.numbers, [[0.1, 9.8], [0.3, 9.7], [0.2, 9.9]])
