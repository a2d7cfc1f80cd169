"""What formats say of themselves is true: samples are read with the options that stand beside them, and options have owners."""

import json
from dataclasses import fields

import numpy as np
import pytest
from click.testing import CliRunner

from unrolled.cli import cli
from unrolled.data.formats import FORMATS, ReadingOptions, read_examples
from unrolled.errors import ConfigError
from unrolled.options import options_of


def said(*words):
    done = CliRunner().invoke(cli, ["formats", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


@pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].about.sample])
def test_a_sample_is_read_with_the_options_that_stand_beside_it(name, tmp_path):
    known = FORMATS[name]
    path = tmp_path / f"sample{next(iter(known.suffixes), '.csv')}"
    path.write_text(known.about.sample, encoding="utf-8")
    options = ReadingOptions(format=name, **known.about.reading)
    tagged = known.about.task == "tag"
    examples = list(read_examples(path, options if known.about.task else options.to_predict(), tagged=tagged))
    assert examples
    present = {
        field for example in examples for field in ("text", "tokens", "numbers", "labels", "tags") if getattr(example, field) is not None
    }
    assert present <= set(known.about.gives)
    assert ("tags" if tagged else "labels") in present or not known.about.task
    page = said(name)
    assert all(line in page for line in known.about.sample.splitlines())
    assert all(f"--{option}" in page for option in known.about.options)
    if known.about.task:
        assert f"unrolled train {known.about.task} " in page


def test_every_option_of_reading_belongs_to_some_formats_or_to_all():
    owned = {option for known in FORMATS.values() for option in known.about.options}
    assert owned <= {field.name for field in fields(ReadingOptions)}
    assert {option.name for option in options_of(ReadingOptions) if option.help} == owned | {"format", "encoding", "scheme"}


def test_all_formats_are_listed_and_an_unknown_one_is_refused():
    page, found = said(), json.loads(said("--json"))
    assert list(found) == list(FORMATS) and all(name in page for name in FORMATS)
    assert json.loads(said("csv", "--json")) == found["csv"]
    assert found["idx"]["options"].keys() == {"image", "format", "encoding"}
    assert "--scheme" in said("conllu") and "--scheme" not in said("idx")
    with pytest.raises(ConfigError, match="no format 'cvs'"):
        said("cvs")


def test_numbers_of_samples_are_numbers(tmp_path):
    path = tmp_path / "sample.ts"
    path.write_text(FORMATS["ts"].about.sample)
    first = next(read_examples(path, ReadingOptions(), tagged=False))
    np.testing.assert_allclose(first.numbers, [[0.1, 9.8], [0.3, 9.7], [0.2, 9.9]])
