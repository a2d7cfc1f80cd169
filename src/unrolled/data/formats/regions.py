"""Named regions of sequences: read from BED and GFF files, painted onto steps as tags, and found again in tags.

BED counts from 0 and leaves the end out (https://samtools.github.io/hts-specs/BEDv1.pdf); GFF counts from 1 and its end belongs to
the region (https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md). Here everything is as in BED.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from unrolled.data.formats.files import read_lines
from unrolled.data.opening import inner_name
from unrolled.errors import ConfigError, DataError

OUTSIDE = "O"
"""The tag of a step that lies in no region."""

_BED = (".bed",)
_GFF = (".gff", ".gff3", ".gtf")


@dataclass(frozen=True)
class Region:
    """The steps `start` to `stop - 1` of a sequence, and where which file says so."""

    sequence: str
    start: int
    stop: int
    name: str
    place: str
    file: Path


def read_regions(paths: Iterable[str], encoding: str) -> dict[str, list[Region]]:
    """The regions of each sequence. In BED without names, the file's own name is that of all its regions; in GFF the type is the name."""
    found: dict[str, list[Region]] = {}
    for path in map(Path, paths):
        for region in _read(path, encoding):
            found.setdefault(region.sequence, []).append(region)
    return found


def _read(path: Path, encoding: str) -> Iterator[Region]:
    suffix = Path(inner_name(path)).suffix.lower()
    if suffix not in _BED + _GFF:
        raise ConfigError(f"Regions are read from files that end in {', '.join(_BED + _GFF)}, got {path}. Name it after its format.")
    for number, line in read_lines(path, encoding):
        if line.startswith("##FASTA"):
            return
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        try:
            region = _bed(path, number, line) if suffix in _BED else _gff(path, number, line)
        except (ValueError, IndexError):
            columns = "sequence, start, end, name" if suffix in _BED else "sequence, source, type, start, end, …"
            raise DataError(f"{path}, line {number}: a line must have {columns}, divided by tabs, got {line[:60]!r}. Mend it.") from None
        if not 0 <= region.start < region.stop:
            raise DataError(f"{region.place}: a region must begin before it ends, and not before the sequence, got {line[:60]!r}. Mend it.")
        yield region


def _bed(path: Path, number: int, line: str) -> Region:
    cells = line.split("\t") if "\t" in line else line.split()
    name = cells[3].strip() if len(cells) > 3 else path.name.partition(".")[0]
    return Region(cells[0], int(cells[1]), int(cells[2]), name, f"{path}, line {number}", path)


def _gff(path: Path, number: int, line: str) -> Region:
    cells = line.split("\t")
    return Region(cells[0], int(cells[3]) - 1, int(cells[4]), cells[2].strip(), f"{path}, line {number}", path)


def paint(regions: Iterable[Region], length: int) -> tuple[str, ...]:
    """The tag of each step of a sequence: the name of the innermost region around it, or `O` outside of all.

    A region that reaches beyond the sequence, and two with different names of which neither lies inside the other, are a `DataError`.
    """
    tags = [OUTSIDE] * length
    around: list[Region] = []
    for region in sorted(regions, key=lambda region: (region.start, -region.stop)):
        if region.stop > length:
            raise DataError(f"{region.place}: the region ends at {region.stop} and {region.sequence} has {length} steps. Mend one of them.")
        around = [other for other in around if other.stop > region.start]
        for other in around:
            inside = region.stop <= other.stop and (region.start, region.stop) != (other.start, other.stop)
            if region.name != other.name and not inside:
                raise DataError(
                    f"{region.place}: {region.name} overlaps with {other.name} ({other.place}), and a step has one tag. "
                    "Leave one of the two out; only a region inside a longer one is clear."
                )
        around.append(region)
        tags[region.start : region.stop] = [region.name] * (region.stop - region.start)
    return tuple(tags)


def spans(tags: Sequence[str]) -> dict[str, list[list[int]]]:
    """Where each region lies that tags tell of, as in `{"promoter": [[0, 67]], "exon": [[74, 103]]}`; the end is left out."""
    found: dict[str, list[list[int]]] = {}
    start = 0
    for name, run in groupby(tags):
        stop = start + sum(1 for _ in run)
        if name != OUTSIDE:
            found.setdefault(name, []).append([start, stop])
        start = stop
    return found
