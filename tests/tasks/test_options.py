from dataclasses import dataclass
from pathlib import Path

import pytest

from unrolled import cells
from unrolled.data.vocabulary import END, UNKNOWN, Vocabulary
from unrolled.errors import ConfigError, RunError
from unrolled.options import build, closest, options_of, table
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.language_model import GROUPS, NAME, DataOptions, ModelOptions
from unrolled.training import RunFolder
from unrolled.training.options import option


@dataclass(frozen=True)
class Some:
    count: int = option(3, "How many.")
    rate: float | None = option(None, "How fast.")
    names: tuple[str, ...] = option((), "Which.")
    loud: bool = option(False, "Whether.")


def test_a_dataclass_says_what_options_there_are():
    assert [(o.name, o.kind, o.optional, o.several, o.default, o.flag) for o in options_of(Some)] == [
        ("count", int, False, False, 3, "--count"),
        ("rate", float, True, False, None, "--rate"),
        ("names", str, False, True, (), "--names"),
        ("loud", bool, False, False, False, "--loud"),
    ]


def test_plain_values_become_an_instance_and_come_back():
    some = build(Some, {"rate": 2, "names": ["a", Path("b")], "loud": True, "count": None})
    assert some == Some(3, 2.0, ("a", "b"), True)
    assert build(Some, {"names": "alone"}).names == ("alone",)
    assert build(Some, table(some)) == some
    assert table(Some()) == {"count": 3, "names": [], "loud": False}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cuont": 1}, "There is no option 'cuont'. Did you mean 'count'?"),
        ({"count": 1.5}, "`--count` must be of type int, got 1.5"),
        ({"count": True}, "`--count` must be of type int, got True"),
        ({"rate": "fast"}, "`--rate` must be of type float, got 'fast'"),
        ({"names": 3}, "`--names` must be a list, got 3"),
        ({"names": [3]}, "`--names` must be of type str, got 3"),
        ({"count": 10**400}, "`--count` must be less than 2^63, got a number of 1329 bits"),
        ({"count": -(2**63)}, "`--count` must be less than 2^63"),
        ({"rate": 10**400}, "`--rate` must be of type float"),
        ({"loud": 1}, "`--loud` must be of type bool, got 1"),
    ],
)
def test_what_does_not_fit_is_refused(values, said):
    with pytest.raises(ConfigError) as caught:
        build(Some, values)
    assert said in str(caught.value)


def test_only_a_close_name_is_guessed():
    assert closest("hiden", ["hidden", "layers"]) == " Did you mean 'hidden'?"
    assert closest("zebra", ["hidden", "layers"]) == ""


def test_a_configuration_survives_its_file(tmp_path):
    folder = RunFolder(tmp_path)
    values = {"sources": ["builtin:python-docs"], "hidden": 12, "vocabulary": 50, "minutes": 2.5, "backprop": 3}
    configuration = Configuration.from_flat(NAME, GROUPS, values)
    assert configuration["data"].level == "word"
    configuration.write(folder)
    assert Configuration.read(NAME, GROUPS, folder) == configuration


@pytest.mark.parametrize(
    ("found", "replacement"), [("hidden = 12", "hidden = true"), ("[model]", "[muddle]"), ("fingerprint", "footprint"), ("hidden", "hiden")]
)
def test_a_damaged_configuration_is_an_error_of_the_run(tmp_path, found, replacement):
    folder = RunFolder(tmp_path)
    Configuration.from_flat(NAME, GROUPS, {"hidden": 12}).write(folder)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace(found, replacement))
    with pytest.raises(RunError, match="is damaged or foreign"):
        Configuration.read(NAME, GROUPS, folder)


def test_epochs_told_anew_replace_minutes_and_the_other_way_round():
    begun = Configuration.from_flat(NAME, GROUPS, {"minutes": 2.0})
    longer = begun.told_anew({"epochs": 3})
    assert (longer["training"].epochs, longer["training"].minutes) == (3, None)
    assert longer.told_anew({"learning_rate": 0.5})["training"].epochs == 3
    assert longer.told_anew({"minutes": 1.0})["training"].epochs is None
    with pytest.raises(ConfigError, match="both say when to stop"):
        begun.told_anew({"epochs": 3, "minutes": 1.0})


def test_an_option_of_no_group_is_refused_with_a_guess():
    with pytest.raises(ConfigError, match=r"There is no option 'dropuot'\. Did you mean 'dropout'\?"):
        Configuration.from_flat(NAME, GROUPS, {"dropuot": 0.1})


@pytest.mark.parametrize("held_out", [0.0, 1.0, -0.1, float("nan")])
def test_something_must_be_held_out_and_something_learnt(held_out):
    with pytest.raises(ConfigError, match="`--held-out` must be a fraction above 0 and below 1"):
        DataOptions(held_out=held_out)


@pytest.mark.parametrize(
    ("given", "level", "vocabulary"),
    [
        ({}, "char", None),
        ({"vocabulary": 9}, "word", 9),
        ({"level": "word"}, "word", 10_000),
        ({"level": "char", "vocabulary": 9}, "char", 9),
    ],
)
def test_what_is_left_open_about_the_symbols_follows_from_what_is_said(given, level, vocabulary):
    resolved = DataOptions(**given).resolved()
    assert (resolved.level, resolved.vocabulary) == (level, vocabulary)


def test_paths_hold_wherever_one_stands_and_built_in_texts_are_no_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    resolved = DataOptions(sources=("a.txt", "builtin:python-docs"), validation=("/b.txt",)).resolved()
    assert resolved.sources == (str(tmp_path / "a.txt"), "builtin:python-docs")
    assert resolved.validation == ("/b.txt",)


@pytest.mark.parametrize(
    ("options", "symbols", "embedding"),
    [({"hidden": 8}, 100, 8), ({}, 100, 96), ({}, 3, 16), ({}, 10_000, 256), ({"tied": True}, 100, 512), ({"embedding": 0}, 100, 0)],
)
def test_input_vectors_have_no_more_columns_than_there_are_symbols_or_units(options, symbols, embedding):
    known = Vocabulary("char", (UNKNOWN, END, *map(chr, range(0x10000, 0x10000 + symbols - 2))))
    assert ModelOptions(**options).for_vocabulary(known).embedding == embedding


@pytest.mark.parametrize(
    ("level", "asked", "lines"), [("char", None, False), ("event", None, True), ("word", True, True), ("event", False, False)]
)
def test_lines_stand_alone_for_events_if_nothing_is_said(level, asked, lines):
    assert ModelOptions(lines=asked).for_vocabulary(Vocabulary(level, (UNKNOWN, END, "a"))).lines is lines


def test_a_network_that_does_not_fit_in_memory_is_refused():
    with pytest.raises(ConfigError, match="does not fit in memory"):
        ModelOptions(hidden=10**9).build(5, cells.find_cell("lstm"))
    with pytest.raises(ConfigError, match="--tied"):
        ModelOptions(tied=True, embedding=3).build(5, cells.find_cell("lstm"))
