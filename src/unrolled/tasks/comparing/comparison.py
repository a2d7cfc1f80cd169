"""Runs in one table, means and spreads where they differ in seeds and folds alone, and one picture."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from operator import attrgetter
from os import PathLike
from pathlib import Path
from statistics import fmean
from typing import Any

from unrolled.data.text import Source
from unrolled.errors import ConfigError, RunError, UnrolledError
from unrolled.tasks.comparing.figures import FREE, Figures, measure_of, read_run
from unrolled.tasks.comparing.table import Column, Group, deviation, lines_of, numbers
from unrolled.tasks.pictures import save_picture
from unrolled.tasks.places import PICTURES, require_place
from unrolled.tasks.studies import is_study, runs_in
from unrolled.training import RunFolder
from unrolled.training.criterion import LOSS
from unrolled.training.listing import differing, folders_of_runs
from unrolled.training.plot import draw_comparison

Progress = Callable[[str, int, int], None]

_PART = re.compile(r"-?(seed-\d+)?-?(fold-\d+)?$")
"""What the runs of a study have in their names beside the cell."""

_SHOWN = frozenset({"cell", "hidden", "text"})
"""What has columns in the table."""

SPREAD = "The spread (±) is the standard deviation over runs, with n - 1."


@dataclass(frozen=True)
class Comparison:
    """Groups of runs; `measure` is the one by which the first kept its weights, None where that was the loss, or is not known yet. `notes` are sentences
    about what is not comparable, and what is missing."""

    groups: tuple[Group, ...]
    measure: str | None
    notes: tuple[str, ...]

    @property
    def runs(self) -> list[Figures]:
        """All runs."""
        return [run for group in self.groups for run in group.runs]

    @property
    def text(self) -> str:
        """The table, with a line for each run and one for each mean; then the notes."""
        columns = self._columns()
        said = [SPREAD] if any(len(group.finished) > 1 for group in self.groups) else []
        if any(column.of_group(group).endswith("]") for column in columns for group in self.groups if len(group.runs) > 1):
            said.append("A mean with [n] is of n runs: the others do not have the figure.")
        return "\n".join([*lines_of(columns, self.groups), *self._apart(), *said, *self.notes])

    def _apart(self) -> list[str]:
        """The options in which runs differ, beside those that have columns, with the runs of each value."""
        told = []
        for name in self.differing:
            by_value: dict[str, list[str]] = {}
            for run in self.runs:
                by_value.setdefault(_plain_value(run.flat.get(name)), []).append(run.name)
            told.append(f"`{name}`: " + "; ".join(f"{value} in {', '.join(names)}" for value, names in by_value.items()))
        return ["", "Options in which they differ:", *told] if told else []

    @property
    def differing(self) -> list[str]:
        """The options in which runs differ, beside those that have columns."""
        return [name for name in differing([run.flat for run in self.runs]) if name not in _SHOWN]

    def _columns(self) -> list[Column]:
        name, whole = self.measure, "{:,.0f}".format
        measure = [numbers(name.replace("_", " "), partial(measure_of, name=name), _short)] if name else []
        halves = [numbers("half-life", attrgetter("half_life"), _steps)] if any(run.half_life is not None for run in self.runs) else []
        return [
            Column("run", lambda run: run.name + ("" if run.finished else " *"), attrgetter("title")),
            Column("cell", attrgetter("cell"), lambda group: group.runs[0].cell),
            *(numbers(name, attrgetter(name), whole, spread=False) for name in ("hidden", "parameters", "updates")),
            numbers("seconds", attrgetter("seconds"), "{:,.1f}".format),
            numbers("tokens/s", attrgetter("speed"), whole, spread=False),
            *measure,
            numbers("loss", attrgetter("loss"), _short),
            *halves,
        ]

    def to_json(self) -> dict[str, Any]:
        """Plain values by name; what is not known, and a half-life that is infinite, is None. Means are of finished runs, `count` of which have the figure."""
        return {
            "task": self.runs[0].task,
            "differing": {name: {run.name: run.flat.get(name) for run in self.runs} for name in self.differing},
            "measure": self.measure or LOSS.option,
            "groups": [
                {
                    "name": group.label,
                    "runs": len(group.runs),
                    "finished": len(group.finished),
                    "mean": self._means(group, fmean),
                    "deviation": self._means(group, deviation),
                    "count": self._means(group, len),
                }
                for group in self.groups
            ],
            "runs": [{"name": run.name, "group": group.label, **_plain(run)} for group in self.groups for run in group.runs],
            "notes": list(self.notes),
        }

    def _means(self, group: Group, mean: Callable[[list[float]], float | None]) -> dict[str, float | None]:
        found = {name: group.values(attrgetter(name)) for name in ("parameters", "updates", "seconds", "speed", "loss", "half_life")}
        found |= {name: group.values(partial(measure_of, name=name)) for run in group.finished for name in run.measures}
        return {name: _finite(mean(values)) if values else None for name, values in found.items()}

    def draw(self, path: Path | str) -> bool:
        """Draw held-out losses against updates and against seconds, a line for each group; the end of `path` names the kind of picture.

        Gives whether there was anything to draw: losses that were measured on the way. `ConfigError` where matplotlib is missing, or for a kind that
        it does not know.
        """
        path = Path(path)
        require_place(path, PICTURES)
        drawn = import_module("unrolled.inspect.draw.style").drawn
        figure = drawn(draw_comparison)({group.label: [run.records for run in group.runs] for group in self.groups})
        if not figure.axes[0].lines:
            return False
        save_picture(figure, path)
        return True


def compare(*runs: Source | Sequence[Source], memory: bool = True, progress: Progress | None = None) -> Comparison:
    """Runs beside each other: folders of runs, or folders in which there are runs, as studies and searches make them, which stand for all of these; one
    after the other, or as a list.

    Without `memory` it is not measured how fast they forget, which takes a few seconds for each. Of a folder of runs what cannot be read is left out, and told. Raises
    `RunError` for another folder that holds no whole run, and where none is left, `ConfigError` for runs of different tasks.
    """
    folders, missing, alone = _folders([run for given in runs for run in ([given] if isinstance(given, (str, PathLike)) else given)])
    figures, broken = list[Figures](), dict[str, UnrolledError]()
    for number, (name, folder) in enumerate(folders.items()):
        if progress:
            progress("comparing", number, len(folders))
        try:
            figures.append(read_run(folder, name, memory=memory))
        except UnrolledError as error:
            if folder in alone:
                raise
            broken[name] = error
    if progress:
        progress("comparing", 1, 1)
    if not figures:
        raise next(iter(broken.values()))
    _require_one_task(figures)
    measures = [run.best_by for run in figures if run.best_by]
    measure = measures[0] if measures and measures[0] != LOSS.option else None
    left_out = [f"{name} is left out: {error}" for name, error in broken.items()]
    return Comparison(
        tuple(_grouped(figures)), measure, (*_differences(figures), *_repeated(figures), *_missing(figures, missing), *left_out)
    )


def _folders(runs: Sequence[Source]) -> tuple[dict[str, RunFolder], list[str], list[RunFolder]]:
    """The folders of runs by the names that they have in the table, the runs inside folders that have no weights, and those that were named themselves."""
    found, missing, alone = list[RunFolder](), list[str](), list[RunFolder]()
    for run in runs:
        folder = RunFolder(run)
        inside = _inside(folder)
        if not inside:
            found.append(folder)
            alone.append(folder)
        for each in inside:
            if each.has_weights():
                found.append(each)
            else:
                missing.append(each.path.name)
    if not found:
        raise RunError(f"There is no run to compare{' yet: none has learnt anything' if missing else ''}. Name the folders of runs.")
    names = [folder.path.resolve().name for folder in found]
    if len({*names}) < len(names):
        names = [str(folder) for folder in found]
    return dict(zip(names, found, strict=True)), missing, alone


def _inside(folder: RunFolder) -> list[RunFolder]:
    """The runs in the folder of a study, or in any other that holds no run itself."""
    if is_study(folder):
        return runs_in(folder)
    return [] if folder.begun or not folder.path.is_dir() else [*map(RunFolder, folders_of_runs(folder.path))]


def _require_one_task(runs: Sequence[Figures]) -> None:
    first = runs[0]
    for run in runs:
        if run.task != first.task:
            raise ConfigError(
                f"{first.name} is a run of the task {first.task!r} and {run.name} one of {run.task!r}: their measures are not the same. Compare runs of one task."
            )


def _grouped(runs: Sequence[Figures]) -> Iterator[Group]:
    kinds: dict[str, list[Figures]] = {}
    for run in runs:
        kinds.setdefault(run.kind, []).append(run)
    labels = [_label(members) for members in kinds.values()]
    for label, members in zip(labels, kinds.values(), strict=True):
        yield Group(label if labels.count(label) == 1 else f"{label} ({members[0].name})", tuple(members))


def _label(runs: Sequence[Figures]) -> str:
    """What runs are called together."""
    if len(runs) == 1:
        return runs[0].name
    names = {_PART.sub("", run.name) for run in runs}
    (name,) = names if len(names) == 1 else ("",)
    return name or runs[0].cell


def _differences(runs: Sequence[Figures]) -> Iterator[str]:
    """What makes measures no longer the same."""
    first = runs[0]
    others = [run.name for run in runs if run.fingerprint != first.fingerprint]
    if others:
        yield f"NOT OF THE SAME DATA as {first.name}: {', '.join(others)}. Their measures cannot be compared with it."
    groups = [group for group in first.settings if group not in FREE]
    for run in (run for run in runs[1:] if run.name not in others):
        for group in groups:
            ours, theirs = first.settings[group], run.settings[group]
            for name in sorted(name for name in {*ours, *theirs} - {"batch"} if ours.get(name) != theirs.get(name)):
                yield f"NOT THE SAME TASK: `{name}` is {ours.get(name)!r} in {first.name}, and {theirs.get(name)!r} in {run.name}."
    kept = {run.best_by for run in runs if run.best_by}
    if len(kept) > 1:
        yield f"Weights were not kept by the same measure: {', '.join(sorted(kept))}."


def _repeated(runs: Sequence[Figures]) -> Iterator[str]:
    """Which runs are the same one."""
    same: dict[tuple[Any, ...], list[str]] = {}
    for run in runs:
        same.setdefault((run.kind, run.seed, run.fold), []).append(run.name)
    for names in same.values():
        if len(names) > 1:
            yield f"NO DIFFERENCE between {' and '.join(names)}: data, options, seed and fold are the same. Their spread says nothing about chance; take other seeds."


def _missing(runs: Sequence[Figures], missing: Sequence[str]) -> Iterator[str]:
    if any(not run.finished for run in runs):
        yield "* is not finished, or holds nothing out: its loss is the lowest on the way, and it is in no mean."
    if missing:
        yield f"Without weights, as they have not begun or failed: {', '.join(missing)}."
    if lacking := [run.name for run in runs if run.fold and run.absent]:
        yield f"Not every label is held out in {', '.join(lacking)}: means over labels, as macro F1, are not of the same labels in all runs."
    reasons: dict[str, list[str]] = {}
    for run in runs:
        if run.no_half_life:
            reasons.setdefault(run.no_half_life, []).append(run.name)
    for reason, names in reasons.items():
        yield f"How fast {', '.join(names)} forgets is not measured: {reason.rstrip('.')}."


def _plain(run: Figures) -> dict[str, Any]:
    names = (
        "cell",
        "hidden",
        "seed",
        "fold",
        "parameters",
        "finished",
        "updates",
        "seconds",
        "speed",
        "best_by",
        "loss",
        "measures",
        "half_life",
    )
    found = {name: getattr(run, name) for name in names}
    return {**found, "fold": list(run.fold), "measures": dict(run.measures), "half_life": _finite(run.half_life)}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _plain_value(value: Any) -> str:
    return "not given" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _short(value: float) -> str:
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e3 or not value else f"{value:.4g}"


def _steps(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:.1f}"
