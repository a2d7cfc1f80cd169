"""Named regions of sequences: read from BED and GFF files, painted onto steps as tags, and found again in tags.

BED counts from 0 and leaves the end out (https://samtools.github.io/hts-specs/BEDv1.pdf); GFF counts from 1 and its end belongs to
the region (https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md), where a line ##FASTA, or one that begins with >, ends
the regions. Here everything is as in BED.
"""

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote

from unrolled.data.formats.files import read_lines
from unrolled.data.opening import inner_name
from unrolled.errors import ConfigError, DataError, UnrolledWarning

OUTSIDE = "O"
"""The tag of a step that lies in no region."""

_MOST_LISTED = 15
"""Types that are named in a message."""

_BED = (".bed",)
_GFF = (".gff", ".gff3", ".gtf")


@dataclass(frozen=True)
class Region:
    """The steps `start` to `stop - 1` of a sequence, and where which file says so. The tag `name` is its `type`, perhaps with the strand after it."""

    sequence: str
    start: int
    stop: int
    name: str
    place: str
    file: Path
    type: str = ""
    strand: str = ""


class Regions:
    """Regions, those of one sequence at a time, which come from some `sources`.

    Only those of `types` are kept, if some are named, of which the first wins where they overlap. `strand` says whether tags tell it
    (`tag`) or not (`ignore`); if it is None and regions lie on both strands, that is an `UnrolledWarning`. Types of which no region has any are a `ConfigError`.
    """

    def __init__(self, regions: Iterable[Region], sources: Sequence[str], types: Sequence[str] = (), strand: str | None = None) -> None:
        self.types, self.of = types, dict[str, list[Region]]()
        self._counts, strands = Counter[str](), Counter[str]()
        for region in regions:
            self._counts[region.type] += 1
            if not types or region.type in types:
                strands[region.strand] += 1
                tag = region.type + region.strand if strand == "tag" else region.type
                self.of.setdefault(region.sequence, []).append(replace(region, name=tag))
        if unknown := [name for name in types if name not in self._counts]:
            told = f"No region has the type {', '.join(map(repr, unknown))}; there are {self._listed()}."
            if len(unknown) == len(types):
                raise ConfigError(f"{told} Pass some of these as `region_types`.")
            warnings.warn(told, UnrolledWarning, stacklevel=2)
        if strand is None and strands["+"] and strands["-"]:
            told = f"{strands['+']:,} regions lie on the strand + and {strands['-']:,} on -, and get the same tags"
            cure = "Pass `strand='tag'` to tell them apart, or `strand='ignore'` if they are the same to you."
            warnings.warn(f"{', '.join(sources)}: {told}. {cure}", UnrolledWarning, stacklevel=2)

    def tags(self, sequence: str, length: int) -> tuple[str, ...]:
        """The tag of each step of a sequence; errors as in `paint`, with the types that one can choose from."""
        regions = self.of.get(sequence, [])
        if not self.types:
            cure = f"Pass as `region_types` those to read, of {self._listed()}; where these overlap, the first one wins."
            return paint(regions, length, cure)
        tags = (OUTSIDE,) * length
        for name in reversed(self.types):
            over = paint((region for region in regions if region.type == name), length, "Pass `strand='ignore'`, or leave one of them out.")
            tags = tuple(tag if tag != OUTSIDE else under for tag, under in zip(over, tags, strict=True))
        return tags

    def _listed(self) -> str:
        """The types with their numbers, the most frequent ones first."""
        told = ", ".join(f"{name} ({count:,})" for name, count in self._counts.most_common(_MOST_LISTED))
        more = len(self._counts) - _MOST_LISTED
        return f"{told} and {more:,} more" if more > 0 else told


def read_regions(path: Path, encoding: str) -> Iterator[Region]:
    """The regions of a BED, GFF or GTF file. In BED without names, the file's own name is the type of all of them."""
    suffix = Path(inner_name(path)).suffix.lower()
    if suffix not in _BED + _GFF:
        raise ConfigError(f"Regions are read from files that end in {', '.join(_BED + _GFF)}, got {path}. Name it after its format.")
    bed = suffix in _BED
    for number, line in read_lines(path, encoding):
        if not bed and (line.strip() == "##FASTA" or line.startswith(">")):
            return
        if not line.strip() or line.startswith("#") or line.split(maxsplit=1)[0] in ("track", "browser"):
            continue
        place = f"{path}, line {number}"
        try:
            regions = _bed(path, place, line) if bed else [_gff(path, place, line, escaped=suffix != ".gtf")]
        except DataError:
            raise
        except (ValueError, IndexError):
            columns = "sequence, start, end, name" if bed else "sequence, source, type, start, end, …"
            raise DataError(f"{place}: a line must have {columns}, divided by tabs, got {line[:60]!r}. Mend it.") from None
        if any(not 0 <= region.start < region.stop for region in regions):
            raise DataError(f"{place}: a region must begin before it ends, and not before the sequence, got {line[:60]!r}. Mend it.")
        yield from regions


def _bed(path: Path, place: str, line: str) -> list[Region]:
    """The region of a line, or its blocks, which lie in it as the exons of a transcript do."""
    cells = [cell.strip() for cell in (line.split("\t") if "\t" in line else line.split())]
    named = len(cells) > 3 and cells[3] not in ("", ".")
    name, strand = cells[3] if named else path.name.partition(".")[0], cells[5] if len(cells) > 5 else ""
    start, stop = int(cells[1]), int(cells[2])
    blocks = _blocks(cells[9:12], start, stop, place) if len(cells) > 11 else [(start, stop)]
    return [Region(cells[0], begin, end, name, place, path, name, _known(strand)) for begin, end in blocks]


def _blocks(cells: Sequence[str], start: int, stop: int, place: str) -> list[tuple[int, int]]:
    """Where the blocks of a region lie, from their number, sizes and starts; columns that hold something else tell of none."""
    count, *lists = cells
    if not count.isdecimal() or int(count) < 2 or not all(re.fullmatch(r"\d+(,\d+)+,?", cell) for cell in lists):
        return [(start, stop)]
    sizes, starts = ([int(part) for part in cell.strip(",").split(",")] for cell in lists)
    blocks = [(start + at, start + at + size) for at, size in zip(starts, sizes, strict=False)]
    ends = [start, *(end for _, end in blocks)]
    fit = all(end <= begin < after for end, (begin, after) in zip(ends, blocks, strict=False))
    if len(sizes) != int(count) or len(starts) != int(count) or not fit or blocks[0][0] != start or blocks[-1][1] != stop:
        raise DataError(
            f"{place}: the columns blockCount, blockSizes and blockStarts must have as many blocks, one after the other, from the start of the "
            f"region to its end, got {count}, {lists[0][:30]}, {lists[1][:30]}. Mend the line, or keep its first six columns."
        )
    return blocks


def _gff(path: Path, place: str, line: str, *, escaped: bool) -> Region:
    cells = line.split("\t")
    sequence, kind = (unquote(cell.strip()) if escaped else cell.strip() for cell in (cells[0], cells[2]))
    strand = _known(cells[6].strip() if len(cells) > 6 else "")
    return Region(sequence, int(cells[3]) - 1, int(cells[4]), kind, place, path, kind, strand)


def _known(strand: str) -> str:
    """A strand, if it is one."""
    return strand if strand in ("+", "-") else ""


def paint(regions: Iterable[Region], length: int, cure: str = "Leave one of the two out.") -> tuple[str, ...]:
    """The tag of each step of a sequence: the name of the innermost region around it, or `O` outside of all.

    A region that reaches beyond the sequence, and two with different names of which neither lies inside the other, are a `DataError`; `cure` is
    what to do with these two.
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
                    f"{region.place}: {region.name} overlaps with {other.name} ({other.place}), and a step has one tag: "
                    f"only a region inside a longer one is clear. {cure}"
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
