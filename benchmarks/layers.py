"""Our layers beside torch.nn's, the same cell in an eager loop, JAX's `lax.scan` under `jit` and ONNX Runtime, as far as they are installed.

    python benchmarks/layers.py                                          # the main shapes, inference and training
    python benchmarks/layers.py --shapes all --lengths both --threads 1,2 --json > layers.json
    python benchmarks/layers.py --read layers.json --markdown            # tables of a run that was kept; --png FILE draws it
    python benchmarks/layers.py --step --threads 1                       # one step of a stream, in microseconds

All contenders of a case have the same weights and input, must agree before anything is timed, and take turns in one process. The output
says what is inside the timer. Ctrl-C ends a run and prints what has been measured.
"""

import argparse
import json
import sys
from pathlib import Path

from side_by_side.cases import CELLS, FULL, GROUPS, MODES, RAGGED, SHAPES, STEP, STEPS, find_shapes, find_steps, make_cases
from side_by_side.figure import draw
from side_by_side.machine import count_cores, describe_machine
from side_by_side.method import HOW, WARM_UP_SECONDS
from side_by_side.processes import measure
from side_by_side.tables import Report, as_markdown, as_text, make_rows, summarise


def main() -> None:
    """Measure, or read what was measured, and print."""
    parser = make_parser()
    options = parser.parse_args()
    report = read_report(options, parser) if options.read else measure_report(options, parser)
    if not report["results"]:
        sys.exit("Nothing was measured.")
    if options.png:
        draw(report, options.png)
    if options.json:
        print(json.dumps(report))
    else:
        print(as_markdown(report) if options.markdown else as_text(report))
    sys.exit(0 if report["complete"] else 1)


def make_parser() -> argparse.ArgumentParser:
    """All flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--cells", type=names, default=list(CELLS), help="names of cells, or cell files; all: %(default)s")
    add("--shapes", type=names, default=["main"], help=f"names ({', '.join(SHAPES)}), groups (all, {', '.join(GROUPS)}), or TxBxIxH")
    add("--modes", type=names, default=list(MODES), help="infer, train, or both: infer,train")
    add("--lengths", choices=(FULL, RAGGED, "both"), default=FULL, help="ragged: random lengths, 55 %% of the steps real")
    add("--step", action="store_true", help=f"time layer.step instead, for all of {', '.join(STEPS)}, or those named as shapes")
    add("--engine", default="auto", help="the engine of ours (default: auto)")
    add("--threads", type=names, default=[str(count_cores())], help="numbers of threads, each in a process of its own: 1,2")
    add("--dtype", choices=("float32", "float64"), default="float32")
    add("--rounds", type=int, default=20, help="rounds for each case (default: %(default)s)")
    add("--seconds", type=float, help="end a case's rounds after so long, but not before the third")
    add("--warm-up", type=float, default=WARM_UP_SECONDS, help="seconds of calls before a contender is timed (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the order within a round")
    add("--peak-side", type=int, default=2048, help="rows of the square matrices whose product is the yardstick (default: %(default)s)")
    add("--read", type=Path, metavar="FILE", help="print or draw what --json wrote, and measure nothing")
    add("--markdown", action="store_true", help="print tables in Markdown")
    add("--json", action="store_true", help="print one JSON object with every sample")
    add("--png", type=Path, metavar="FILE", help="draw a picture as well")
    return parser


def names(text: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def read_report(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Report:
    """A report that was kept."""
    try:
        return json.loads(options.read.read_text())
    except (OSError, ValueError) as error:
        parser.error(f"{options.read} cannot be read as what --json writes: {error}")


def measure_report(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Report:
    """Measure what the flags ask for."""
    try:
        shapes = find_steps(options.shapes) if options.step else find_shapes(options.shapes)
        threads = [int(count) for count in options.threads]
    except ValueError as error:
        parser.error(str(error))
    if min(threads, default=0) < 1 or options.rounds < 1 or not set(options.modes) <= set(MODES):
        parser.error("--threads and --rounds need numbers from 1 on; --modes knows infer and train.")
    lengths = [FULL, RAGGED] if options.lengths == "both" else [options.lengths]
    modes, lengths = ([STEP], [FULL]) if options.step else (options.modes, lengths)
    cases = make_cases(options.cells, shapes, modes, lengths, options.dtype)
    if not cases:
        parser.error("Nothing to measure: batches of one sequence are not ragged, and nothing is trained on one step.")
    machine = describe_machine()
    gathered = measure(cases, threads, options.engine, options.rounds, options.seconds, options.warm_up, options.seed, options.peak_side)
    asked = {key: value for key, value in vars(options).items() if key not in ("read", "png", "json", "markdown")}
    report = {"machine": machine, "options": asked, "how": HOW, **vars(gathered)}
    return {**report, "summary": summarise(make_rows(report))}


if __name__ == "__main__":
    main()
