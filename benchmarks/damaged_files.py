"""Small files of every format, damaged by chance: what cannot be read must be an error of the toolkit's own that names the file.

    python benchmarks/damaged_files.py --count 2000

For each format so many files are cut, doubled in part, and have bytes flipped, put in and taken out, and are read, with bad rows as errors and left out.
Prints how many of them were read and how many refused, and the first of each kind that failed otherwise or took more than `--seconds` of the processor.
"""

import argparse
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from breaking.small_files import Sample, samples
from unrolled.errors import UnrolledError


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The same bytes, cut, doubled in part, or with some flipped, put in or taken out, one to three times."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        first = chance.randrange(len(data) + 1)
        last = min(first + chance.choice((1, 2, 8, 64)), len(data))
        kind = chance.choice(("cut", "double", "flip", "insert", "remove"))
        if kind == "cut":
            del data[first:]
        elif kind == "double":
            data[first:first] = data[first:last]
        elif kind == "flip" and first < len(data):
            data[first] ^= 1 << chance.randrange(8)
        elif kind == "insert":
            data[first:first] = chance.choice((b'"', b"\0", b"\n", b"\t", b",", b"\xff", b"[", b"{", b"9" * 400, b"\r", b"'"))
        else:
            del data[first:last]
    return bytes(data)


def put(sample: Sample, folder: Path) -> Path:
    """A sample in a folder of its own, with what lies beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**sample.beside, sample.name: sample.content}.items():
        (folder / name).write_bytes(content)
    return folder / sample.name


def outcome(sample: Sample, path: Path) -> str:
    """What becomes of a damaged file: read or refused. What is raised otherwise, and an error that does not name the file, are raised."""
    found = "read"
    for bad_rows in ("error", "skip"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                sample.read(path, bad_rows)
        except UnrolledError as error:
            found = "refused"
            if path.name not in str(error):
                raise AssertionError(f"the error does not name the file: {error}") from error
    return found


def main() -> int:
    """Damage and read; the status is 1 if something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for place, sample in enumerate(samples()):
            if not sample.name.startswith(options.only):
                continue
            path, counts = put(sample, Path(folder, str(place))), Counter[str]()
            for number in range(options.count):
                path.write_bytes(damaged(sample.content, random.Random(f"{options.seed} {sample.name} {number}")))
                begin = time.process_time()
                try:
                    kind = outcome(sample, path)
                except Exception as error:
                    kind = f"FAILED: {type(error).__name__}"
                    if not counts[kind]:
                        traceback.print_exc()
                        print(f"number {number}: {path.read_bytes()[:300]!r}")
                if time.process_time() - begin > options.seconds:
                    print(f"number {number} took {time.process_time() - begin:.1f} s: {path.read_bytes()[:300]!r}")
                    kind = "FAILED: slow"
                counts[kind] += 1
            failed = failed or any(kind.startswith("FAILED") for kind in counts)
            print(f"{sample.name:24} {', '.join(f'{kind} {count:,}' for kind, count in counts.most_common())}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
