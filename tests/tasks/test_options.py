from dataclasses import dataclass
from pathlib import Path

import pytest

from unrolled.errors import ConfigError, RunError
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.language_model import GROUPS, NAME
from unrolled.tasks.options import build, closest, options_of, table
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
