"""Files as `train` would read them: their format, their columns, what there is to learn, and how it is trained on."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.builtin import paths_of
from unrolled.data.formats.heads import FormatSeen
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError
from unrolled.options import options_of
from unrolled.tasks import RECIPES, find_recipe
from unrolled.tasks.configuration import Configuration, groups_of
from unrolled.tasks.looking.guess import Guess, guess_task
from unrolled.tasks.looking.opening import unreadable
from unrolled.tasks.overview import Overview
from unrolled.tasks.pictures import save_picture
from unrolled.tasks.places import PICTURES, require_place
from unrolled.tasks.telling import told_once

Progress = Callable[[str, int, int], None]

_LISTED = 10
"""Labels that are listed with their numbers."""

_NEEDED = {"forecast": {"horizon": 1}}
"""Options without which a task reads nothing."""

_QUARTILES = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class Look:
    """What `train` would read of files for a task, and `command`, which does it.

    Where it would stop, `problem` is the error, and there is no `overview`.
    """

    sources: tuple[str, ...]
    task: Guess
    format: FormatSeen
    overview: Overview | None
    command: str
    problem: ConfigError | DataError | None = None

    @property
    def text(self) -> str:
        """All of it for people to read."""
        lines = [f"{_listed(self.sources)}: {self.format.name}, {self.format.why}. Task: {self.task.task}, {self.task.why}."]
        if self.format.columns:
            lines += [
                "",
                *_table([("column", "kind", "first values"), *((c.name, c.kind, " | ".join(c.first)) for c in self.format.columns)]),
            ]
        if self.overview is not None:
            lines += ["", *self._read(self.overview), "", f"Train on it: {self.command}"]
        return "\n".join(lines)

    def _read(self, found: Overview) -> list[str]:
        lines = [found.summary]
        least, first, middle, third, most = _quartiles(found)
        lines.append(
            f"Steps of a sequence: {least:,} to {most:,}; a quarter has at most {first:,}, half {middle:,}, three quarters {third:,}."
        )
        if found.labels:
            ranked = sorted(found.labels.items(), key=lambda label: -label[1])
            more = f" and {len(ranked) - _LISTED:,} more" if len(ranked) > _LISTED else ""
            lines.append(f"Labels: {', '.join(f'{name} {count:,}' for name, count in ranked[:_LISTED])}{more}.")
        return [*lines, *found.notes]

    def to_json(self) -> dict[str, Any]:
        """Plain values by name; what is not known, as there is a problem, is left out."""
        seen: dict[str, Any] = {
            "format": self.format.name,
            "why": self.format.why,
            "columns": [{"name": c.name, "kind": c.kind, "first": list(c.first)} for c in self.format.columns],
            "task": self.task.task,
            "task_why": self.task.why,
        }
        if self.overview is None:
            return {**seen, "problem": str(self.problem)}
        found = self.overview
        names = ("min", "lower_quartile", "median", "upper_quartile", "max")
        return {
            **seen,
            "sequences": len(found.lengths),
            "steps": int(found.lengths.sum()),
            "inputs": list(found.inputs),
            "targets": list(found.targets),
            "left_out": list(found.left_out),
            "labels": dict(found.labels),
            "lengths": dict(zip(names, _quartiles(found), strict=True)),
            "learnt": found.learnt,
            "held_out": found.held_out,
            "repeated": found.repeated,
            "in_both": found.in_both,
            "summary": found.summary,
            **({"notes": list(found.notes)} if found.notes else {}),
            "command": self.command,
        }

    def draw(self, path: Path | str) -> None:
        """Draw how long sequences are, and how often labels come; the end of `path` names the kind of picture.

        `ConfigError` where matplotlib is missing, or for a kind that it does not know.
        """
        require_place(Path(path), PICTURES)
        if self.overview is None:
            raise self.problem or DataError("There is nothing to draw.")
        draw: Any = import_module("unrolled.inspect.draw")
        save_picture(draw.data(self.overview.lengths, self.overview.labels), path)


def look(sources: Source | Sequence[Source], task: str | None = None, *, progress: Progress | None = None, **options: Any) -> Look:
    """Read files as `train` would for a `task`, which is guessed from them where it is None; `options` are those of `unrolled train`.

    What would stop the training, unclear columns for instance, is the `problem` of what comes out, as far as the files can be looked at; where they cannot,
    or for a task or an option that does not exist, it is raised as an error.
    """
    names = tuple(paths_of(sources))
    if task is not None and task not in RECIPES:
        raise ConfigError(f"There is no task {task!r}. Pass one of {', '.join(RECIPES)}.")
    with told_once():
        return _look(names, task, options, progress or _silent)


def _look(names: tuple[str, ...], task: str | None, options: Mapping[str, Any], progress: Progress) -> Look:
    guess = Guess(task, "as was asked for", _NEEDED.get(task, {})) if task else guess_task(names, options)
    recipe = find_recipe(guess.task)
    asked = {**guess.options, **options}
    configuration = Configuration.from_flat(recipe.name, recipe.options, {**asked, "sources": names})
    seen = recipe.seen_format(configuration)
    try:
        data = recipe.read(configuration, progress)
        overview = recipe.overview(data, configuration)
    except (ConfigError, DataError) as error:
        return Look(names, guess, seen, None, _command(guess.task, names, asked), unreadable(names) or error)
    return Look(names, guess, seen, overview, _command(guess.task, names, _with_columns(recipe, asked, seen, overview)))


def _silent(what: str, done: int, total: int) -> None:
    """Tells nobody."""


def _with_columns(recipe: Any, asked: Mapping[str, Any], seen: FormatSeen, found: Overview) -> dict[str, Any]:
    """The options with the columns that were found, where these are options of the task and files have columns of that name."""
    known = {option.name for group in groups_of(recipe.options).values() for option in options_of(group)}
    columns = {column.name for column in seen.columns}
    named = {"input": found.inputs, "target": found.targets}
    if asked.keys() & {"series", "channels", "case", "source"} or seen.name == "columns":
        return dict(asked)
    more = {
        name: ",".join(names)
        for name, names in named.items()
        if name in known and name not in asked and names and columns.issuperset(names)
    }
    return {**asked, **more}


def _command(task: str, sources: Sequence[str], options: Mapping[str, Any]) -> str:
    words = ["unrolled", "train", task, *sources]
    for name, value in options.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            for each in value if isinstance(value, list | tuple) else [value]:
                words += [f"--{flag}", str(each)]
    return shlex.join(words)


def _quartiles(found: Overview) -> list[int]:
    return (
        [int(length) for length in np.percentile(found.lengths, _QUARTILES, method="lower")]
        if len(found.lengths)
        else [0] * len(_QUARTILES)
    )


def _listed(sources: Sequence[str]) -> str:
    more = f" and {len(sources) - 3:,} more" if len(sources) > 3 else ""
    return ", ".join(sources[:3]) + more


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their cells below each other."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)), row[-1]]) for row in rows]
