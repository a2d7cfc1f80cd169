"""Runs as the lines of a table, and what several have in common as further ones."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from unrolled.tasks.comparing.figures import Figures

Read = Callable[[Figures], float | None]

UNKNOWN = "–"


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but seed and fold."""

    label: str
    runs: tuple[Figures, ...]

    @property
    def finished(self) -> tuple[Figures, ...]:
        """Those that means are of."""
        return tuple(run for run in self.runs if run.finished)

    @property
    def title(self) -> str:
        """Of what a line has the means."""
        done, every = len(self.finished), len(self.runs)
        if len({(run.seed, run.fold) for run in self.runs}) == 1 < every:
            return f"{self.label}: the same {every} times"
        return f"{self.label}: " + (
            f"mean of {done}" if done == every else f"mean of {done} of {every}" if done else f"none of {every} finished"
        )

    def values(self, read: Read) -> list[float]:
        """A figure of all finished runs that have it."""
        return [value for run in self.finished if (value := read(run)) is not None]


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, what it shows of a run, and what of a group."""

    heading: str
    of_run: Callable[[Figures], str]
    of_group: Callable[[Group], str]


def numbers(heading: str, read: Read, show: Callable[[float], str], *, spread: bool = True) -> Column:
    """The column of a figure: of a group its mean, with the `spread` if that is of interest, and of how many runs if not of all finished ones."""

    def of_run(run: Figures) -> str:
        value = read(run)
        return UNKNOWN if value is None else show(value)

    def of_group(group: Group) -> str:
        found = group.values(read)
        if not found:
            return UNKNOWN
        apart = deviation(found) if spread else None
        fewer = f" [{len(found)}]" if len(found) < len(group.finished) else ""
        return show(fmean(found)) + ("" if apart is None else f" ± {show(apart)}") + fewer

    return Column(heading, of_run, of_group)


def deviation(values: Sequence[float]) -> float | None:
    """The standard deviation of a sample; None where it has none."""
    return stdev(values) if len(values) > 1 and all(map(math.isfinite, values)) else None


def lines_of(columns: Sequence[Column], groups: Sequence[Group]) -> list[str]:
    """The headings, a line for each run, and after an empty one a line for each group of several."""
    several = [group for group in groups if len(group.runs) > 1]
    runs = [run for group in groups for run in group.runs]
    shown = [[c.heading, *map(c.of_run, runs), *([""] if several else []), *map(c.of_group, several)] for c in columns]
    widths = [max(map(len, column)) for column in shown]
    texts = [_aligned(column, width, left=number < 2) for number, (column, width) in enumerate(zip(shown, widths, strict=True))]
    return ["  ".join(line).rstrip() for line in zip(*texts, strict=True)]


def _aligned(column: Sequence[str], width: int, *, left: bool) -> list[str]:
    return [cell.ljust(width) if left else cell.rjust(width) for cell in column]
