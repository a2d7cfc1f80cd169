"""What docs/data.md shows can be read with the flags that it names."""

import re
import shlex
from pathlib import Path

import click
import pytest

from unrolled.cli.flags import flags, given
from unrolled.data.examples import Target
from unrolled.data.formats import FORMATS, ReadingOptions, read_examples, resolve_format
from unrolled.data.words import word_shape
from unrolled.options import build

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "data.md").read_text()
SAMPLES = re.findall(r"```\n(.*?)```\n(?:\n[^`\n#]+)?\n`unrolled (.*?)`", PAGE, re.DOTALL)


def test_every_format_has_its_section() -> None:
    headings = " ".join(re.findall(r"^##+ (.*)$", PAGE, re.MULTILINE))
    assert all(f"`{name}`" in headings for name in FORMATS)
    assert len(SAMPLES) == 8, "one for each format of text, and one more for tables and for JSON Lines"


def test_shapes_of_words_are_as_shown() -> None:
    words, shapes = ([cell.strip() for cell in row.split("|")[2:-1]] for row in re.findall(r"^\| (?:word|shape) \|.*$", PAGE, re.MULTILINE))
    assert len(words) == 6
    for cell, shape in zip(words, shapes, strict=True):
        assert {f"`{word_shape(word)}`" for word in cell.split(", ")} == {shape}


def test_extras_that_are_named_can_be_installed() -> None:
    named = set(re.findall(r"unrolled\[(\w+)\]", PAGE))
    extras = re.search(r"^\[project.optional-dependencies\]\n(.*?)\n\n", (ROOT / "pyproject.toml").read_text(), re.MULTILINE | re.DOTALL)
    assert extras and named == {"datasets", "excel", "hdf5", "tables", "zstd"} <= set(re.findall(r"^(\w+) =", extras[1], re.MULTILINE))


@pytest.mark.parametrize(("sample", "typed"), SAMPLES)
def test_samples_are_read(sample: str, typed: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(typed)
    arguments = [click.Argument(["words"], nargs=-1), *flags([ReadingOptions])]
    command = click.Command("unrolled", params=arguments, context_settings={"ignore_unknown_options": True})
    with command.make_context("unrolled", words[2:]) as context:
        values = dict(context.params)
    names = [name for name in values.pop("words") if "." in name]
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(sample)
    options = build(ReadingOptions, given(values))
    options = options.to_predict() if words[0] == "predict" else options
    wanted = {"tag": Target.TAGS, "regress": Target.VALUES}.get(words[1], Target.LABELS)
    heading = PAGE[: PAGE.index(sample)].rpartition("\n### ")[2].splitlines()[0]
    assert f"`{resolve_format(names, options, wanted).format}`" in heading
    for example in read_examples(names, options, wanted):
        found = {Target.TAGS: example.tags, Target.VALUES: example.values, Target.LABELS: example.labels}[wanted]
        assert (found is not None and len(found)) or words[0] == "predict"
