"""Which runs a study has, as a file in its folder."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import tomli_w

from unrolled.cells import Cell, cell_from_text
from unrolled.errors import ConfigError, RunError, UnrolledError
from unrolled.plain import from_toml
from unrolled.training import RunFolder
from unrolled.training.run_folder import FORMAT, STUDY

Settings = Mapping[str, Any]
"""Options by name."""


@dataclass(frozen=True)
class Plan:
    """A study: the `options` that all its runs of a `task` have, and by name those that each of the `runs` has of its own.

    `cells` are those that runs name, so that a file of equations may change or go. `fingerprint` is that of the data all of them learn.
    """

    task: str
    options: Settings
    cells: Mapping[str, Cell]
    runs: Mapping[str, Settings]
    fingerprint: str

    def of(self, run: str) -> dict[str, Any]:
        """All options of one run."""
        settings = {**self.options, **self.runs[run]}
        return {**settings, "cell": self.cells[settings["cell"]]}

    def write(self, folder: RunFolder) -> None:
        """Store it."""
        cells = {name: cell.to_file_text() for name, cell in self.cells.items()}
        content = {"format": FORMAT, "task": self.task, "fingerprint": self.fingerprint, "options": dict(self.options)}
        folder.write_text(STUDY, tomli_w.dumps({**content, "cells": cells, "runs": dict(self.runs)}))

    @classmethod
    def read(cls, folder: RunFolder) -> "Plan":
        """From the folder of a study. `RunError` if it holds something else."""
        try:
            found = from_toml(folder.read_text(STUDY))
            if found["format"] != FORMAT:
                raise RunError(f"{folder.path / STUDY} must have `format = {FORMAT}`, got {found['format']!r}: another version wrote it.")
            cells = {name: cell_from_text(text, name) for name, text in found["cells"].items()}
            runs = {name: dict(settings) for name, settings in found["runs"].items()}
            if not isinstance(found["task"], str):
                raise ValueError(f"`task` must be the name of a task, got {found['task']!r}")
            plan = cls(found["task"], dict(found["options"]), cells, runs, str(found["fingerprint"]))
            if not runs or any(
                name in ("", STUDY) or _folder_of(name) != name or settings["cell"] not in cells for name, settings in runs.items()
            ):
                raise ValueError("it names no runs, or others than it describes")
        except RunError:
            raise
        except (KeyError, ValueError, TypeError, AttributeError, UnrolledError) as error:
            raise RunError(f"{folder.path / STUDY} is damaged or foreign: {error}. Take it from a copy of the study.") from None
        return plan


def is_study(folder: RunFolder) -> bool:
    """Whether a folder is that of a study and of no run, though its file may be none that can be read."""
    return os.path.lexists(folder.path / STUDY)


def runs_in(folder: RunFolder) -> list[RunFolder]:
    """The folders of a study's runs, those to come too. `RunError` if it is none, or if something else lies in the place of one."""
    return [folder.inside(name) for name in Plan.read(folder).runs]


def runs_of(cells: Sequence[Cell], hidden: Mapping[str, int], seeds: Sequence[int], folds: int | None, named: bool) -> dict[str, Settings]:
    """The settings of every run by its name: all cells of a seed and a fold come before the next ones, so that what is stopped can be compared.

    `hidden` are the sizes that were chosen for cells; seeds are `named` where several were asked for.
    """
    parts = [None] if folds is None else [(number, folds) for number in range(1, folds + 1)]
    runs: dict[str, Settings] = {}
    for seed, part, cell in product(seeds, parts, cells):
        name = [cell.name] if len(cells) > 1 else []
        name += [f"seed-{seed}"] if named else []
        name += [f"fold-{part[0]}"] if part else []
        size = {"hidden": hidden[cell.name]} if cell.name in hidden else {}
        runs[_folder_of("-".join(name))] = {"cell": cell.name, "seed": seed, **size, **({"fold": list(part)} if part else {})}
    if len(runs) < len(cells) * len(seeds) * len(parts):
        raise ConfigError(
            f"`cell` names cells whose runs would have one folder: {', '.join(cell.name for cell in cells)}. Name them apart."
        )
    return runs


def _folder_of(name: str) -> str:
    """A name as that of a folder."""
    return re.sub(r"[^\w.-]|^\.+", "_", name)
