"""Writes the catalogue of all options, as `make docs` does: `python -m unrolled.cli.catalogued`."""

import dataclasses
import json
from collections.abc import Iterable
from itertools import chain, count
from typing import Any

from unrolled.cli.catalogue import ASKED, FILE, USUAL
from unrolled.data.formats.options import DividedReadingOptions
from unrolled.data.formats.pair_options import DividedPairOptions
from unrolled.options import Option, options_of
from unrolled.tasks import RECIPES, find_recipe
from unrolled.tasks.configuration import groups_of
from unrolled.tasks.studies import StudyOptions


def catalogue() -> str:
    """What the file is to hold."""
    options: dict[str, dict[str, Any]] = {}
    groups: dict[str, list[str]] = {}

    def key(option: dict[str, Any]) -> str:
        """Where an option is: under its name, or its name and a number where another one has it."""
        keys = chain([option["name"]], (f"{option['name']} {number}" for number in count(2)))
        return next(key for key in keys if options.setdefault(key, option) == option)

    def named(kinds: Iterable[type]) -> list[str]:
        names = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in kinds}
        groups.update({name: [key(_plain(option)) for option in options_of(kind) if option.help] for name, kind in names.items()})
        return list(names)

    tasks = {}
    for name in RECIPES:
        recipe = find_recipe(name)
        own = groups_of(recipe.options)
        about = {"help": recipe.help, "data_name": recipe.data_name, "groups": dict(zip(own, named(own.values()), strict=True))}
        tasks[name] = {**about, **{part: named(getattr(recipe, part)) for part in ASKED}}
    named([StudyOptions, DividedReadingOptions, DividedPairOptions])
    return _laid_out({"tasks": tasks, "options": options, "groups": groups})


def _laid_out(sections: dict[str, dict[str, Any]]) -> str:
    """JSON with a line for each entry of each section."""

    def text(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    found = [
        f"{text(title)}: {{\n" + ",\n".join(f"{text(key)}: {text(v)}" for key, v in section.items()) + "\n}"
        for title, section in sections.items()
    ]
    return "{\n" + ",\n".join(found) + "\n}\n"


def _plain(option: Option) -> dict[str, Any]:
    """An option as plain values, without what is usual."""
    default = None if option.default in ((), dataclasses.MISSING) else option.default
    values = {**dataclasses.asdict(option), "kind": option.kind.__name__, "default": default}
    return {name: value for name, value in values.items() if name not in USUAL or value != USUAL[name]}


if __name__ == "__main__":
    FILE.write_text(catalogue(), encoding="utf-8")
