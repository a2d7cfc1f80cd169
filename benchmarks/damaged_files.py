"""Small files of every format, damaged by chance: what cannot be read must be an error of the toolkit's own that names the file.

    python benchmarks/damaged_files.py --count 2000

For each format so many files are cut, doubled in part, and have bytes flipped, put in and taken out, and are read, with bad rows as errors and left out.
Prints how many of them were read and how many refused, and the first of each kind that failed otherwise or took longer than `--seconds`.
"""

import argparse
import io
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.examples import Target
from unrolled.data.formats import FORMATS, ReadingOptions, labelled_examples, read_examples
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import PAIRS, read_pairs
from unrolled.errors import UnrolledError
from unrolled.options import build

ROWS = [("a good film, really", "pos"), ('it was "bad"', "neg"), ("é ü\tß", "pos")]


@dataclass(frozen=True)
class Sample:
    """A valid file: its name, its bytes, and how it is read, as pairs or with what is wanted of its sequences."""

    name: str
    content: bytes
    options: ReadingOptions | PairOptions
    wanted: Target = Target.LABELS

    def read(self, path: Path, bad_rows: str = "error") -> int:
        """How many sequences or pairs are read of a file like this."""
        options = replace(self.options, bad_rows=bad_rows)
        if isinstance(options, PairOptions):
            return sum(1 for _ in read_pairs(path, options))
        read = labelled_examples if options.labels_needed else read_examples
        return sum(1 for _ in read(path, options, self.wanted))


def samples() -> list[Sample]:
    """A file of every format that has something to learn from."""
    found = []
    for name, known in FORMATS.items():
        about = known.about
        if about.sample and about.task:
            suffix = next(iter(known.suffixes), ".csv" if about.reading else ".txt")
            wanted = Target.TAGS if about.task == "tag" else Target.LABELS
            options = ReadingOptions(format=name, **about.reading)
            found.append(Sample(f"{name}{suffix}", about.sample.encode(), options, wanted))
    for name, pair in PAIRS.items():
        if pair.about.task:
            found.append(
                Sample(f"pairs-{name}.txt", pair.about.sample.encode(), build(PairOptions, {"format": name, **pair.about.reading}))
            )
    return [*found, *_made(), *_tables()]


def _made() -> Iterator[Sample]:
    """Formats whose samples are not shown in help."""
    arff = "@relation r\n@attribute text string\n@attribute label {pos,neg}\n@data\n" + "".join(
        f"'{text}',{label}\n" for text, label in ROWS
    )
    yield Sample("a.arff", arff.encode(), ReadingOptions())
    yield Sample(
        "spans.jsonl", b'{"text": "Ada ran", "label": [[0, 3, "PER"]]}\n{"text": "no one", "label": []}\n', ReadingOptions(), Target.TAGS
    )
    yield Sample("array.json", b'[{"text": "a b", "label": "x"},\n {"text": "c", "label": "y"}]\n', ReadingOptions())
    xes = "".join(
        f'<trace><string key="concept:name" value="c{n}"/><string key="y" value="{n}"/><event><string key="concept:name" value="go"/>'
        '<date key="time:timestamp" value="2020-01-01T10:00:00+00:00"/></event></trace>\n'
        for n in range(2)
    )
    yield Sample("a.xes", f'<?xml version="1.0"?>\n<log>\n{xes}</log>\n'.encode(), ReadingOptions(target="case:y"))
    genbank = "LOCUS       AB0001                    20 bp    DNA     linear   SYN 01-JAN-2024\nDEFINITION  label=x.\nACCESSION   AB0001\nVERSION     AB0001.1\n"
    features = "FEATURES             Location/Qualifiers\n     exon            2..4\nORIGIN\n        1 acgtacgtac gtacgtacgt\n//\n"
    yield Sample("a.gb", (genbank + features).encode(), ReadingOptions(), Target.TAGS)
    images = bytes((0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2)) + bytes(range(8))
    yield Sample("x-images-idx3-ubyte", images, ReadingOptions().to_predict())
    array = io.BytesIO()
    np.savez(array, X=np.ones((3, 4, 2)), y=np.arange(3))
    yield Sample("a.npz", array.getvalue(), ReadingOptions())


def _tables() -> Iterator[Sample]:
    """Tables of libraries, as far as these are installed."""
    if find_spec("pandas") is None:
        return
    pandas = import_module("pandas")
    frame = pandas.DataFrame(ROWS, columns=["text", "label"])
    with tempfile.TemporaryDirectory() as folder:
        writers: dict[str, Callable[[Path], Any]] = {
            "a.parquet": frame.to_parquet,
            "a.feather": frame.to_feather,
            "a.xlsx": lambda path: frame.to_excel(path, index=False),
            "a.h5": lambda path: frame.to_hdf(path, key="data"),
        }
        for name, write in writers.items():
            try:
                write(path := Path(folder, name))
            except ImportError:
                continue
            yield Sample(name, path.read_bytes(), ReadingOptions())


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
        for sample in samples():
            if not sample.name.startswith(options.only):
                continue
            path, counts = Path(folder, sample.name), Counter[str]()
            for number in range(options.count):
                path.write_bytes(damaged(sample.content, random.Random(f"{options.seed} {sample.name} {number}")))
                begin = time.monotonic()
                try:
                    kind = outcome(sample, path)
                except Exception as error:
                    kind = f"FAILED: {type(error).__name__}"
                    if not counts[kind]:
                        traceback.print_exc()
                        print(f"number {number}: {path.read_bytes()[:300]!r}")
                if time.monotonic() - begin > options.seconds:
                    kind = "FAILED: slow"
                counts[kind] += 1
            failed = failed or any(kind.startswith("FAILED") for kind in counts)
            print(f"{sample.name:24} {', '.join(f'{kind} {count:,}' for kind, count in counts.most_common())}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
