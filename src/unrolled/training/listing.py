"""The runs in a folder, from their files alone: nothing of a network is loaded."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrolled.data.builtin import PREFIX
from unrolled.errors import RunError
from unrolled.training.criterion import LOSS, LOSS_KEY
from unrolled.training.run_folder import BEST_BY, CONFIG, TRAINED, RunFolder

DEEP = 4
"""Folders inside folders in which runs are looked for."""

_PLACES = {"fingerprint", "format", "task", "sources", "validation", "learnt", "left"}
"""What is said of a run and is no option in which runs differ."""

UNKNOWN = "–"


@dataclass(frozen=True)
class Listed:
    """A run: where it is, its task, what it learnt from, all its options, whether it is `finished`, by which measure it kept its weights and the measure's
    value, as far as there are some, its updates, the seconds of training, and when it was last written to."""

    path: str
    task: str
    data: str
    options: Mapping[str, Any]
    finished: bool
    measure: str
    score: float | None
    updates: int
    seconds: float
    written: float

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        names = ("path", "task", "data", "finished", "measure", "score", "updates", "seconds")
        return {**{name: getattr(self, name) for name in names}, "options": dict(self.options)}


def list_runs(folder: Path) -> tuple[list[Listed], list[str]]:
    """The runs in a folder and in folders inside, the one that was written to last first; and what is wrong with those that cannot be read.

    `RunError` where there is no such folder, or no run in it.
    """
    if not folder.is_dir():
        raise RunError(f"There is no folder {folder}. Name one with runs in it; `unrolled train` makes them in runs.")
    found, broken = list[Listed](), list[str]()
    for path in folders_of_runs(folder):
        try:
            found.append(_listed(path))
        except RunError as error:
            broken.append(str(error))
    if not found and not broken:
        raise RunError(f"There is no run in {folder}. Name a folder with runs in it.")
    return sorted(found, key=lambda run: -run.written), broken


def folders_of_runs(folder: Path, deep: int = DEEP) -> Iterator[Path]:
    """Those of the runs in a folder, and in so many folders inside each other; the folder itself, if it is that of a run."""
    if os.path.lexists(folder / CONFIG):
        yield folder
        return
    if deep:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from folders_of_runs(Path(entry.path), deep - 1)


def _listed(path: Path) -> Listed:
    folder = RunFolder(path)
    config, records = folder.read_config(), folder.history.records()
    last = records[-1] if records else {}
    tables = [table for table in config.values() if isinstance(table, dict)]
    options = {name: value for table in tables for name, value in table.items()}
    measure = str(last.get(BEST_BY, LOSS.option))
    key = LOSS_KEY if measure == LOSS.option else measure
    on_the_way = [record[LOSS_KEY] for record in records if isinstance(record.get(LOSS_KEY), float)]
    score = last.get(f"final_{key}", min(on_the_way, default=None))
    sources = options.get("sources") or [options.get("source") or "memory"]
    data = ", ".join(source if str(source).startswith(PREFIX) else Path(str(source)).name for source in sources[:2])
    return Listed(
        str(path),
        str(config.get("task")),
        data + (", …" if len(sources) > 2 else ""),
        {name: value for name, value in options.items() if name not in _PLACES},
        BEST_BY in last,
        measure,
        score if isinstance(score, float) else None,
        int(last.get("update", 0)),
        float(last.get(TRAINED, last.get("seconds", 0.0))),
        (path / CONFIG).stat().st_mtime,
    )


def differing(options: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of options that are not the same in all."""
    names = dict.fromkeys(name for each in options for name in each)
    return [name for name in names if any(each.get(name) != options[0].get(name) for each in options[1:])]


def table_of(runs: Sequence[Listed]) -> str:
    """A table for the runs of each task, with a column for each option in which they differ; `*` marks those that are not finished."""
    parts = []
    for task in dict.fromkeys(run.task for run in runs):
        some = [run for run in runs if run.task == task]
        names = differing([run.options for run in some])
        head = ["run", "data", *names, "measure", "score", "updates", "seconds"]
        rows = [
            [
                run.path + ("" if run.finished else " *"),
                run.data,
                *(_shown(run.options.get(name)) for name in names),
                run.measure.replace("_", " "),
                UNKNOWN if run.score is None else f"{run.score:.4g}",
                f"{run.updates:,}",
                f"{run.seconds:,.1f}",
            ]
            for run in some
        ]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)]
        parts.append("\n".join([task, *(f"  {line}" for line in lines)]))
    notes = ["* is not finished: its score is the lowest loss on the way."] if any(not run.finished for run in runs) else []
    return "\n\n".join([*parts, *notes])


def _shown(value: Any) -> str:
    if value is None:
        return UNKNOWN
    return ",".join(map(str, value)) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)
