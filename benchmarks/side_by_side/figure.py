"""What was measured, as a picture: GFLOP/s of every contender with quartiles, a panel for each table."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from side_by_side.tables import NAMES, Report, Row, by_table, make_rows, table_title

COLOURS = dict(zip(NAMES, ("#c1272d", "#e58d8f", "#3f6fb5", "#8fb0de", "#8a8a8a", "#3d9970", "#b07aa1"), strict=True))
ROW_INCHES = 0.34


def draw(report: Report, path: Path) -> None:
    """Write the picture; its format follows from the file's name."""
    tables = by_table(make_rows(report))
    peaks = {p["threads"]: p["gflops"] for p in report["peaks"]}
    tall = [len(rows) + 3 for rows in tables.values()]
    figure = Figure(figsize=(9, ROW_INCHES * sum(tall) + 1), layout="constrained")
    panels = figure.subplots(len(tables), squeeze=False, height_ratios=tall)
    for panel, (table, rows) in zip(panels[:, 0], tables.items(), strict=True):
        panel.set_title(table_title(table), loc="left", fontsize=10)
        _draw_panel(panel, rows, peaks.get(table[0]))
    entries = {label: handle for panel in panels[:, 0] for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)}
    figure.legend(list(entries.values()), list(entries), loc="outside upper center", ncols=len(entries), fontsize=8)
    figure.savefig(path, dpi=150)


def _draw_panel(panel: Axes, rows: list[Row], peak: float | None) -> None:
    for name in reversed(NAMES):
        places = [y for y, row in enumerate(rows) if name in row.cells]
        if not places:
            continue
        cells = [rows[y].cells[name] for y in places]
        work = [c.gflops * c.median for c in cells]
        rates = [c.gflops for c in cells]
        below = [r - w / c.high for r, w, c in zip(rates, work, cells, strict=True)]
        above = [w / c.low - r for r, w, c in zip(rates, work, cells, strict=True)]
        panel.errorbar(rates, places, xerr=(below, above), fmt="o", markersize=5, capsize=2, color=COLOURS[name], label=name)
    if peak is not None:
        panel.axvline(peak, color="black", linewidth=0.8, linestyle=":", label="large product")
    panel.set_yticks(range(len(rows)), [f"{row.case.cell} {row.case.sizes}" for row in rows], fontsize=8)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_xlim(left=0)
    panel.set_xlabel("GFLOP/s of the matrix products")
    panel.grid(axis="x", alpha=0.3)
