"""The options of all tasks as data, so that help, completion and messages load no task: `catalogued.py` writes them from the option dataclasses."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from unrolled.options import Option

FILE = Path(__file__).with_name("catalogue.json")

SEVERAL = "unrolled.tasks.studies.options.StudyOptions"
SEARCH = "unrolled.tasks.translation.options.SearchOptions"
"""Dataclasses whose options commands have beside those of a task."""

LOOKED_AT = (
    "unrolled.data.formats.options.DividedReadingOptions",
    "unrolled.data.formats.pair_options.DividedPairOptions",
    "unrolled.data.formats.caption_options.CaptionOptions",
)
"""Dataclasses whose options `unrolled look` has."""

ASKED = ("evaluating", "predicting", "sampling", "scoring", "backtesting")
"""What recipes call the option dataclasses of the commands about their runs."""

Group = tuple[Option, ...]
"""The options of one dataclass that have an explanation."""

_KINDS = {kind.__name__: kind for kind in (bool, int, float, str)}

USUAL = {"optional": False, "several": False, "default": None, "rare": False, "also": "", "written": ()}
"""What an option is where nothing else is stored."""


@dataclass(frozen=True)
class KnownTask:
    """What the command line says of a task without loading it: the help of its command, what its data is called, its groups of options by
    name, and those of commands about its runs by what recipes call them."""

    help: str
    data_name: str
    groups: dict[str, Group]
    asked: dict[str, tuple[Group, ...]]


@cache
def known_groups() -> dict[str, Group]:
    """All groups by the names of their dataclasses."""
    found = _read()
    options = {key: _option(**{**USUAL, **option}) for key, option in found["options"].items()}
    return {name: tuple(options[key] for key in keys) for name, keys in found["groups"].items()}


@cache
def known_tasks() -> dict[str, KnownTask]:
    """All tasks by name."""
    groups = known_groups()
    return {
        name: KnownTask(
            task["help"],
            task["data_name"],
            {title: groups[group] for title, group in task["groups"].items()},
            {part: tuple(groups[group] for group in task[part]) for part in ASKED},
        )
        for name, task in _read()["tasks"].items()
    }


def _option(kind: str, written: list[str], **others: Any) -> Option:
    return Option(kind=_KINDS[kind], written=tuple(written), **others)


@cache
def _read() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
