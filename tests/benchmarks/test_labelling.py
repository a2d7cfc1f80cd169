from pathlib import Path

import pytest

from labelling import ROWS
from unrolled.tasks import find_recipe
from unrolled.tasks.configuration import Configuration


@pytest.mark.parametrize("name", ROWS)
def test_every_option_of_a_row_is_one_of_its_task(name):
    recipe, options = find_recipe(ROWS[name].task), ROWS[name].options
    files = {"validation": [options["validation"]]} if "validation" in options else {}
    found = Configuration.from_flat(recipe.name, recipe.options, {**options, **files}).options
    assert found.training.epochs == options["epochs"]


def test_names_without_repeats_stay_in_each_of_their_languages(tmp_path):
    data, folder = tmp_path / "data", tmp_path / "split"
    (data / "names").mkdir(parents=True)
    folder.mkdir()
    own = {"Czech": [f"Novak{n}" for n in range(29)], "German": [f"Bauer{n}" for n in range(19)]}
    for language, names in own.items():
        (data / "names" / f"{language}.txt").write_text("".join(f"{name}\n" for name in [*names, "Adam", *names[:7], "Adam"]))
    for row, again in (("names-once", 0), ("names", 8)):
        part = folder / row
        part.mkdir()
        parts = [Path(place) for (place,) in ROWS[row].split(data, part, 3)]
        for language, names in own.items():
            learnt, tested = ((place / f"{language}.txt").read_text().splitlines() for place in parts)
            assert sorted({*learnt, *tested}) == sorted([*names, "Adam"])
            assert len(learnt) + len(tested) == len(names) + 1 + again
            assert len(tested) == -(-(len(names) + 1 + again) // 10)
            assert again or not {*learnt} & {*tested}
