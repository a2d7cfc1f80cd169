"""Runs that are killed, whose disk is full, or that others have made: how many of them end as they should.

    python benchmarks/faults.py --folders 500 --stops 8 --json

`--stops` of each moment of a run (before and after a file is put in place, half-written files and lines, updates) are taken to kill it, or
to tell it that the disk is full; it is then gone on with and must end bit for bit like the one that was left alone. `--folders` of each kind
of change are made to whole runs of every task, which are then used, measured, inspected or resumed: that must end within seconds, in a
result or an error of the toolkit's own, with nothing written outside the folder and nothing executed. What does not is shown. Linux only.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # a process with threads of its own cannot be forked safely

import torch

from breaking.children import FINE, REFUSED, Ended
from breaking.folders import cases, fuzzed
from breaking.mutations import KINDS
from breaking.stops import stopped

Found = Iterable[tuple[str, Ended]]


def main() -> None:
    """Break, count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stops", type=int, default=8, help="of each moment")
    parser.add_argument("--folders", type=int, default=500, help="of each kind")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of changes to folders")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder in which what did not end well stays")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    torch.set_num_threads(1)
    # In memory where there is such a place: what is synchronised thousands of times need not reach a disk.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as temporary:
        place = Path(options.keep or temporary).resolve()
        os.environ["UNROLLED_CACHE"] = str(place / "cache")
        counts, bad = _count(_all(place, options))
    if options.json:
        print(json.dumps({"counts": counts, "bad": bad}))
    else:
        _table(counts)
        for line in bad:
            print(line)
    sys.exit(bool(bad))


def _all(place: Path, options: argparse.Namespace) -> Iterator[tuple[str, Ended]]:
    for name in ("stops", "folders"):
        (place / name).mkdir(parents=True)
    text = place / "stops" / "text"
    text.write_text("the cat sat on a mat.\n" * 40)
    if options.stops:
        yield from stopped(text, place / "stops", options.stops, options.seed)
    chosen = cases(options.folders, options.seed, tuple(options.kinds.split(",")))
    if chosen:
        for case, ended in zip(chosen, fuzzed(place / "folders", chosen), strict=True):
            yield case.kind, ended if ended[0] in (FINE, REFUSED) else (ended[0], f"{case}\n{ended[1]}")


def _count(found: Found) -> tuple[dict[str, dict[str, int]], list[str]]:
    """How often each kind ended in each way, and what is said of those that should not have ended so."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    bad = []
    for kind, (how, said) in found:
        counts[kind][how] += 1
        if how not in (FINE, REFUSED):
            bad.append(f"{kind}: {how}: {said}")
    return {kind: dict(how) for kind, how in counts.items()}, bad


def _table(counts: dict[str, dict[str, int]]) -> None:
    ways = list(dict.fromkeys([FINE, REFUSED, *(way for found in counts.values() for way in found)]))
    print(f"{'':32}" + "".join(f"{way:>12}" for way in ways))
    for kind, found in counts.items():
        print(f"{kind:32}" + "".join(f"{found.get(way, 0):12}" for way in ways))


if __name__ == "__main__":
    main()
