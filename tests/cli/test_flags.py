"""Messages speak of arguments in Python, and of flags at the terminal."""

import pytest

from unrolled.cli.catalogue import FILE
from unrolled.cli.catalogued import catalogue
from unrolled.cli.flags import as_flags, read_options
from unrolled.errors import ConfigError
from unrolled.options import options_of
from unrolled.tasks import RECIPES, find_recipe
from unrolled.tasks.configuration import groups_of


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("`hidden` must be at least 1, got 0.", "`--hidden` must be at least 1, got 0."),
        ("`learning_rate` and `top_k`", "`--learning-rate` and `--top-k`"),
        ("Train one with `attention='general'`.", "Train one with `--attention general`."),
        ("Try `learning_rate=1e-05`.", "Try `--learning-rate 1e-05`."),
        ("`layers=0` has none", "`--layers 0` has none"),
        ("Use `bidirectional=False`, or `impute=True`.", "Use `--no-bidirectional`, or `--impute`."),
        ("Pass `channels=['x', 'the y']`.", "Pass `--channels x --channels 'the y'`."),
        ("pass `case='Case ID', activity='Event'` instead", "pass `--case 'Case ID' --activity Event` instead"),
        ("`prefix=''`", "`--prefix ''`"),
        ("`regions=('a.bed', 'b.bed')`", "`--regions a.bed --regions b.bed`"),
    ],
)
def test_arguments_become_flags(said, shown):
    assert as_flags(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "hidden and attention='general' without backticks",
        "`unrolled predict RUN --help` lists the options",
        "`sequences[1]` must be a text, and `x` must have two symbols",
        "`nothing=3` is no option, nor are `hidden=3, nothing=4`",
        "`hidden + 1`, `hidden=3, 4`, `f(hidden=3)` and `Hidden`",
        "must have `format = 1`, got None",
        "`hidden=n`, `seed=f(x)`, `level=*x`, `time=` and `cell=(`",
        "`hidden\nlayers`",
        "an odd `hidden",
        "`" + "hidden=" + "(" * 5000 + "`",
    ],
)
def test_what_is_something_else_stays_as_it_is(said):
    assert as_flags(said) == said


def test_every_option_that_has_a_flag_is_known_and_no_other():
    recipes = [find_recipe(name) for name in RECIPES]
    groups = [group for recipe in recipes for group in (*groups_of(recipe.options).values(), *recipe.evaluating, *recipe.predicting)]
    options = [option for group in groups for option in options_of(group)]
    with_flag = {option.name for option in options if option.help} - {"sources"}
    for option in options:
        assert as_flags(f"`{option.name}`") == f"`{option.flag if option.name in with_flag else option.name}`"


def test_the_catalogue_holds_what_the_dataclasses_say():
    assert FILE.read_text(encoding="utf-8") == catalogue(), "options have changed: run `make docs`"


def test_options_of_a_file_stand_in_tables_or_alone(tmp_path):
    path = tmp_path / "options.toml"
    path.write_text('\ufefftask = "lm"\nformat = 1\nhidden = 3\n[training]\nseed = 5\n[corpus]\nfingerprint = "x"\n', encoding="utf-8")
    assert read_options(path) == {"hidden": 3, "seed": 5}
    path.write_text("hidden =", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not TOML"):
        read_options(path)
