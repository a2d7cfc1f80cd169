"""What was measured, as text or Markdown."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from side_by_side.cases import STEP, Case

OURS = "ours"
NAMES = (OURS, "ours, stream", "torch.nn", "torch.nn, T = 1", "eager loop", "JAX scan", "ONNX Runtime")
"""Contenders in the order of the tables."""

UNITS = {"ms": 1e3, "µs": 1e6}

Report = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One contender's figures for one case; times in seconds."""

    median: float
    least: float
    low: float
    high: float
    gflops: float
    of_peak: float
    cores: float
    faults: float
    system: float
    engine: str

    def times(self, unit: str) -> str:
        """Median and quartiles."""
        median, low, high = (_short(t * UNITS[unit]) for t in (self.median, self.low, self.high))
        return f"{median} ({low}–{high})"


@dataclass(frozen=True)
class Row:
    """One case with one number of threads."""

    case: Case
    threads: int
    cells: dict[str, Cell]

    @property
    def table(self) -> tuple[int, str, str]:
        """Which table it stands in."""
        return self.threads, self.case.lengths, self.case.mode

    @property
    def unit(self) -> str:
        """The unit of its times."""
        return "µs" if self.case.mode == STEP else "ms"

    def ratio(self, peer: str) -> float | None:
        """Our median by the peer's; None where one was not measured."""
        if peer not in self.cells or OURS not in self.cells:
            return None
        return self.cells[OURS].median / self.cells[peer].median


def make_rows(report: Report) -> list[Row]:
    """Figures of all cases."""
    peaks = {(p["threads"], p["dtype"]): p["gflops"] for p in report["peaks"]}
    rows = []
    for result in report["results"]:
        case = Case(**result["case"])
        peak = peaks.get((result["threads"], case.dtype), math.nan)
        found = result["contenders"]
        cells = {name: _cell(found[name], result["gflop"], peak) for name in NAMES if name in found}
        rows.append(Row(case, result["threads"], cells))
    return rows


def by_table(rows: Iterable[Row]) -> dict[tuple[int, str, str], list[Row]]:
    """Rows by number of threads, lengths and mode."""
    tables: dict[tuple[int, str, str], list[Row]] = {}
    for row in rows:
        tables.setdefault(row.table, []).append(row)
    return tables


def summarise(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """For each table and cell the geometric mean over the shapes of our median by each peer's, with the number of shapes."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((*row.table, row.case.cell), []).append(row)
    found = []
    for (threads, lengths, mode, cell), members in groups.items():
        ratios = {peer: [r for row in members if (r := row.ratio(peer)) is not None] for peer in NAMES[1:]}
        means = {peer: {"ratio": statistics.geometric_mean(values), "shapes": len(values)} for peer, values in ratios.items() if values}
        found.append({"threads": threads, "lengths": lengths, "mode": mode, "cell": cell, "peers": means})
    return found


def as_text(report: Report) -> str:
    """Everything, for a terminal."""
    rows = make_rows(report)
    parts = [*_about(report), "", *report["how"]]
    for table, members in by_table(rows).items():
        parts += ["", table_title(table), *_columns([_text_head(members[0].unit), *(line for row in members for line in _text_lines(row))])]
    parts += ["", "Our time by a peer's: geometric mean of the ratios of medians (below 1 ours is faster; shapes in brackets)"]
    return "\n".join([*parts, *_columns(_summary(rows))])


def as_markdown(report: Report) -> str:
    """The tables for a page, peers side by side."""
    rows = make_rows(report)
    parts = [*(f"- {line}" for line in _about(report))]
    for table, members in by_table(rows).items():
        parts += ["", f"### {table_title(table)}", "", *_markdown(_wide(members))]
    parts += ["", "### Our time by a peer's", "", "Geometric mean over the shapes (their number in brackets); below 1 ours is faster.", ""]
    return "\n".join([*parts, *_markdown(_summary(rows))])


def _text_head(unit: str) -> list[str]:
    return [
        "cell",
        "T,B,I,H",
        "shape",
        "",
        f"median {unit}",
        "min",
        "quartiles",
        "GFLOP/s",
        "of peak",
        "cores",
        "faults",
        "system",
        "ours takes",
    ]


def _text_lines(row: Row) -> list[list[str]]:
    lines: list[list[str]] = []
    for name, cell in row.cells.items():
        ratio = row.ratio(name)
        times = [_short(t * UNITS[row.unit]) for t in (cell.median, cell.least, cell.low, cell.high)]
        lines.append(
            [
                *([row.case.cell, row.case.sizes, row.case.shape] if not lines else ["", "", ""]),
                f"{name} ({cell.engine})" if cell.engine and name == OURS else name,
                *times[:2],
                f"{times[2]}–{times[3]}",
                f"{cell.gflops:.3g}",
                f"{cell.of_peak:.0%}",
                f"{cell.cores:.1f}",
                f"{cell.faults:.0f}",
                f"{cell.system:.0%}",
                f"{ratio:.2f} x" if ratio and name != OURS else "",
            ]
        )
    return lines


def _wide(rows: list[Row]) -> list[list[str]]:
    peers = [name for name in NAMES if any(name in row.cells for row in rows)]
    if rows[0].case.mode == STEP:
        table = [["cell", "B,I,H", *(f"{name}, µs" for name in peers)]]
        return table + [[r.case.cell, f"{r.case.batch},{r.case.inputs},{r.case.units}", *(_times(r, n) for n in peers)] for r in rows]
    table = [["cell", "T,B,I,H", *(f"{name}, ms · GFLOP/s" for name in peers), "ours: engine, of peak"]]
    for row in rows:
        ours = row.cells.get(OURS)
        last = f"{ours.engine}, {ours.of_peak:.0%}" if ours else "–"
        cells = [f"{_times(row, name)} · {row.cells[name].gflops:.3g}" if name in row.cells else "–" for name in peers]
        table.append([row.case.cell, row.case.sizes, *cells, last])
    return table


def _times(row: Row, name: str) -> str:
    return row.cells[name].times(row.unit) if name in row.cells else "–"


def _summary(rows: list[Row]) -> list[list[str]]:
    found = summarise(rows)
    peers = [name for name in NAMES[1:] if any(name in entry["peers"] for entry in found)]
    table = [["threads", "lengths", "mode", "cell", *peers]]
    for entry in found:
        means = (entry["peers"].get(peer) for peer in peers)
        cells = [f"{m['ratio']:.2f} ({m['shapes']})" if m else "–" for m in means]
        table.append([str(entry["threads"]), entry["lengths"], entry["mode"], entry["cell"], *cells])
    return table


def _about(report: Report) -> list[str]:
    machine = report["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f} at the start, {machine['system']}",
        f"{versions}; {machine['date']}; engine asked for: {report['options']['engine']}; dtype {report['options']['dtype']}",
    ]
    for p in report["peaks"]:
        others = ", ".join(f"{name} {value:.0f}" for name, value in p["all"].items())
        product = f"a product of {p['side']} x {p['side']} matrices"
        lines.append(f"Peak with {_threads(p['threads'])}: {p['gflops']:.0f} GFLOP/s, {product} by {p['by']} ({others})")
    others = [result["others"] for result in report["results"] if result["others"] is not None]
    if others:
        mean, most = statistics.mean(others), max(others)
        lines.append(
            f"Other processes took {mean:.2f} cores on average, {most:.2f} during one case: near 0, or else the figures say little"
        )
    return lines if report["complete"] else [*lines, "Not complete: the run was ended before its last case."]


def table_title(table: tuple[int, str, str]) -> str:
    """A heading for one of `by_table`'s."""
    threads, lengths, mode = table
    names = {"infer": "Inference", "train": "Training", STEP: "One step of a stream"}
    if mode == STEP:
        return f"{names[mode]}, {_threads(threads)}"
    batch = {"full": "all steps real", "ragged": "ragged lengths, 55 % of the steps real"}[lengths]
    return f"{names[mode]}, {batch}, {_threads(threads)}"


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def _cell(found: dict[str, Any], gflop: float, peak: float) -> Cell:
    seconds = found["seconds"]
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return Cell(
        median,
        min(seconds),
        low,
        high,
        gflop / median,
        gflop / median / peak,
        found["cores"],
        found["faults"],
        found["system"],
        found["engine"],
    )


def _short(value: float) -> str:
    """Three figures, never in exponents."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _columns(table: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]


def _markdown(table: list[list[str]]) -> list[str]:
    rule = ["---"] * len(table[0])
    return [f"| {' | '.join(line)} |" for line in (table[0], rule, *table[1:])]
