from dataclasses import dataclass
from pathlib import Path

import pytest

from unrolled.errors import ConfigError, RunError
from unrolled.models import NextStepOptions, language_model
from unrolled.options import build, closest, option, options_of, table
from unrolled.tasks.configuration import Configuration, groups_of
from unrolled.tasks.texts.options import LanguageModelOptions, TextDataOptions, resolved_model
from unrolled.training import RunFolder


def asked(values):
    return Configuration.from_flat("lm", LanguageModelOptions, values)


def read(folder):
    return Configuration.read("lm", LanguageModelOptions, folder)


@dataclass(frozen=True)
class Some:
    count: int = option(3, "How many.")
    rate: float | None = option(None, "How fast.")
    names: tuple[str, ...] = option((), "Which.")
    loud: bool = option(False, "Whether.", rare=True)


def test_a_dataclass_says_what_options_there_are():
    assert [(o.name, o.kind, o.optional, o.several, o.default, o.flag, o.rare) for o in options_of(Some)] == [
        ("count", int, False, False, 3, "--count", False),
        ("rate", float, True, False, None, "--rate", False),
        ("names", str, False, True, (), "--names", False),
        ("loud", bool, False, False, False, "--loud", True),
    ]
    assert [o.help for o in options_of(Some)] == ["How many.", "How fast.", "Which.", "Whether."]


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
        ({"count": 1.5}, "`count` must be of type int, got 1.5"),
        ({"count": True}, "`count` must be of type int, got True"),
        ({"rate": "fast"}, "`rate` must be of type float, got 'fast'"),
        ({"names": 3}, "`names` must be a list, got 3"),
        ({"names": [3]}, "`names` must be of type str, got 3"),
        ({"count": 10**400}, "`count` must be less than 2^63, got a number of 1329 bits"),
        ({"count": -(2**63)}, "`count` must be less than 2^63"),
        ({"rate": 10**400}, "`rate` must be of type float"),
        ({"loud": 1}, "`loud` must be of type bool, got 1"),
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
    configuration = asked(values)
    assert list(groups_of(LanguageModelOptions)) == ["data", "model", "streams", "training"]
    assert configuration.options.data.level == "word"
    configuration.write(folder)
    assert read(folder) == configuration


@pytest.mark.parametrize(
    ("found", "replacement"), [("hidden = 12", "hidden = true"), ("[model]", "[muddle]"), ("fingerprint", "footprint"), ("hidden", "hiden")]
)
def test_a_damaged_configuration_is_an_error_of_the_run(tmp_path, found, replacement):
    folder = RunFolder(tmp_path)
    asked({"hidden": 12}).write(folder)
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace(found, replacement))
    with pytest.raises(RunError, match="is damaged or foreign"):
        read(folder)


def test_epochs_told_anew_replace_minutes_and_the_other_way_round():
    begun = asked({"minutes": 2.0})
    longer = begun.changed({"epochs": 3})
    assert (longer.options.training.epochs, longer.options.training.minutes) == (3, None)
    assert longer.changed({"learning_rate": 0.5}).options.training.epochs == 3
    assert longer.changed({"minutes": 1.0}).options.training.epochs is None
    with pytest.raises(ConfigError, match="`epochs` and `minutes` both say when to stop"):
        begun.changed({"epochs": 3, "minutes": 1.0})
    with pytest.raises(ConfigError, match="`hidden` cannot change when a run is resumed"):
        begun.changed({"hidden": 3})


def test_an_option_of_no_group_is_refused_with_a_guess():
    with pytest.raises(ConfigError, match=r"There is no option 'dropuot'\. Did you mean 'dropout'\?"):
        asked({"dropuot": 0.1})


@pytest.mark.parametrize("held_out", [0.0, 1.0, -0.1, float("nan")])
def test_something_must_be_held_out_and_something_learnt(held_out):
    with pytest.raises(ConfigError, match="`held_out` must be a fraction above 0 and below 1"):
        TextDataOptions(held_out=held_out)


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
    resolved = TextDataOptions(**given).resolved()
    assert (resolved.level, resolved.vocabulary) == (level, vocabulary)


def test_paths_hold_wherever_one_stands_and_built_in_texts_are_no_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    resolved = TextDataOptions(sources=("a.txt", "builtin:python-docs"), validation=("/b.txt",)).resolved()
    assert resolved.sources == (str(tmp_path / "a.txt"), "builtin:python-docs")
    assert resolved.validation == ("/b.txt",)


@pytest.mark.parametrize(
    ("options", "symbols", "embedding"),
    [({"hidden": 8}, 100, 8), ({}, 100, 96), ({}, 3, 16), ({}, 10_000, 256), ({"tied": True}, 100, 512), ({"embedding": 0}, 100, 0)],
)
def test_input_vectors_have_no_more_columns_than_there_are_symbols_or_units(options, symbols, embedding):
    assert resolved_model(NextStepOptions(**options), symbols, "char").embedding == embedding


@pytest.mark.parametrize(
    ("level", "said", "lines"), [("char", None, False), ("event", None, True), ("word", True, True), ("event", False, False)]
)
def test_lines_stand_alone_for_events_if_nothing_is_said(level, said, lines):
    assert resolved_model(NextStepOptions(lines=said), 3, level).lines is lines


def test_tied_embeddings_are_as_wide_as_what_the_output_layer_reads():
    with pytest.raises(ConfigError, match="`tied` needs `embedding` equal to `hidden`, got 3 and 512"):
        language_model(5, NextStepOptions(tied=True, embedding=3))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layers": -1}, "`layers` must be from 0 to 1000, got -1"),
        ({"hidden": 0}, "`hidden` must be at least 1, got 0"),
        ({"input_window": 0}, "`input_window` must be at least 1, which is the step itself, got 0"),
        (
            {"layers": 0, "residual": True},
            "`layers=0` has no recurrent layers, and `recurrent_dropout`, `residual` and `initial_state` say",
        ),
        ({"layers": 0, "recurrent_dropout": 0.1}, "`layers=0` has no recurrent layers"),
        ({"layers": 0, "initial_state": "learned"}, "`layers=0` has no recurrent layers"),
    ],
)
def test_networks_that_cannot_be_are_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        asked(options)
