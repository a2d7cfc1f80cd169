"""FASTA: sequences of residues, each with a label in its description, or with a tag for each residue from BED or GFF files."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.added import AddedNames
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.files import STANDARD_INPUT, named, open_text, read_lines
from unrolled.data.formats.format import About
from unrolled.data.formats.guesses import are_parts
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.regions import Region, Regions, read_regions, spans
from unrolled.data.formats.table_layouts import split_labels
from unrolled.errors import ConfigError, DataError, UnrolledError
from unrolled.extras import extra

if TYPE_CHECKING:
    from Bio.SeqRecord import SeqRecord

_LABEL = re.compile(r'\blabel=(?:"([^"]*)"|(\S+))')

_KEY = re.compile(r"(\w+)=")


GENBANK = "genbank"
_NAMES = {"fastq": "FASTQ", GENBANK: "GenBank"}
RESIDUES = ("fasta", *_NAMES)
"""The formats of sequences of residues."""

_NAMED = 5
"""Sequences that are named in a message."""


class Fasta:
    """FASTA files; the tokens of an example are its residues, in capitals whatever the file has.

    The label of a sequence is what follows `label=` in its description, or else, where several files are read that are no parts of a data set, the
    name of its file.
    The tags of residues are the names of the `regions` around them.
    """

    name = "fasta"
    suffixes: tuple[str, ...] = (".fasta", ".fa", ".fna", ".faa", ".ffn")
    parser = "fasta"
    about = About(
        "FASTA: sequences of residues, with a label in the description, or tags from `regions`",
        ("tokens", "labels", "tags", "values"),
        ("separator", "regions", "region_types", "strand"),
        ">s1 label=promoter\nTATAAAGC\n>s2 label=exon\nATGGCC\n",
        labels="Pass `regions` to tag, or write label=… into each description to classify.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The sequences. An empty one is bad, and so is the second of one name where names matter, as regions have them.

        A `DataError` is a region of none of them, unless another file has regions and all that its own has are of other sequences.
        """
        if options.regions and not wanted.each_step:
            raise ConfigError("`regions` are tags for residues, and here a sequence has one label. Leave them out, or tag instead.")
        by_file = len(paths) > 1 and not are_parts([_class_of(path) for path in paths])
        painted = (bool(options.regions) or (wanted.each_step and self.parser == GENBANK)) and options.labels_needed
        regions = self._regions(paths, options) if painted else Regions((), ())
        seen: dict[str | None, str] = {}

        def labelled(path: Path, record: "SeqRecord") -> Example:
            example = _example(record, path)
            if painted and record.id in seen:
                raise DataError(f"{example.place}: the name has come before, in {seen[record.id]}. Give each sequence its own name.")
            seen[record.id] = str(path)
            if painted:
                return replace(example, tags=regions.tags(str(record.id), len(example.tokens or ())))
            return example if wanted.each_step else replace(example, labels=_labels(record, path if by_file else None, options))

        for path in paths:
            yield from tried(_records(path, options.encoding, self.parser), partial(labelled, path))
        _require_known(regions.of, seen, paths)

    def _regions(self, paths: Sequence[Path], options: ReadingOptions) -> Regions:
        """Those of the files that were named, or else those that sequences come with."""
        sources = options.regions or tuple(map(str, paths))
        named_ones = chain.from_iterable(read_regions(Path(path), options.encoding) for path in options.regions)
        own = chain.from_iterable(_features(path, options.encoding) for path in paths if not options.regions)
        types = [name.strip() for given in options.region_types for name in given.split(",")]
        return Regions(chain(named_ones, own), sources, types, options.strand)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """Tags as regions in BED, whose score is the mean probability in thousandths, and numbers of residues as in bedGraph; labels and numbers
        of sequences in the descriptions of FASTA."""
        added = AddedNames()
        for example, prediction in found:
            if prediction.tags is not None:
                file.writelines(_bed(example, prediction, stranded=options.strand == "tag"))
            else:
                file.writelines(_bed_graph(example, prediction) if prediction.each_step else _fasta(example, prediction, added))


class Fastq(Fasta):
    """FASTQ files: the qualities of residues are not read."""

    name = parser = "fastq"
    suffixes = (".fastq", ".fq")
    about = replace(
        Fasta.about, says="FASTQ: reads with qualities, which are left out", sample="@r1 label=a\nACGT\n+\nIIII\n@r2 label=b\nGG\n+\nII\n"
    )


class GenBank(Fasta):
    """GenBank files; without `regions` the tags of residues are the types of the sequence's own features, but of the one that is all of it."""

    name, parser = "genbank", GENBANK
    suffixes = (".gb", ".gbk", ".genbank", ".gbff")
    about = replace(
        Fasta.about,
        says="GenBank: sequences of residues with their features as tags, or with `regions`",
        sample="",
        labels="Choose features as `region_types` to tag, or write label=… into each definition to classify.",
    )


def _features(path: Path, encoding: str) -> Iterator[Region]:
    """The features of the sequences of a GenBank file, a region for each part of one."""
    for record in _records(path, encoding, GENBANK):
        for feature in record.features:
            for part in feature.location.parts if feature.location and feature.type != "source" else ():
                strand = {1: "+", -1: "-"}.get(part.strand or 0, "")
                place = f"{path}, sequence {record.id}, feature {feature.type}"
                yield Region(str(record.id), int(part.start), int(part.end), feature.type, place, path, feature.type, strand)


def _require_known(regions: Mapping[str, Sequence[Region]], seen: Collection[str | None], paths: Sequence[Path]) -> None:
    """`DataError` for a region whose sequence is not there, although others of its file are, or those of no file are."""
    used = {region.file for name, found in regions.items() if name in seen for region in found}
    strangers = (region for name, found in regions.items() if name not in seen for region in found)
    unknown = next((region for region in strangers if not used or region.file in used), None)
    if unknown:
        files = ", ".join(map(str, paths))
        names = ", ".join(map(str, islice(seen, _NAMED))) + (", …" if len(seen) > _NAMED else "")
        raise DataError(
            f"{unknown.place}: there is no sequence {unknown.sequence!r} in {files}; there are {names}. Mend the name, or keep the lines of these alone."
        )


def _records(path: Path, encoding: str, parser: str) -> "Iterator[SeqRecord]":
    parse = extra("Bio.SeqIO").parse
    with open_text(path, encoding) as file:
        try:
            yield from parse(file, parser)
        except (UnrolledError, MemoryError):
            raise
        except Exception as error:
            if parser != "fasta":
                raise DataError(f"{named(path)} is not {_NAMES[parser]}: {' '.join(str(error).split())}. Get the file again.") from None
            raise DataError(f"{_first_line(path, encoding)} Pass a file whose first line begins with '>'.") from None


def _first_line(path: Path, encoding: str) -> str:
    """Where a file first says something that is not FASTA, and what, as a sentence."""
    if path == STANDARD_INPUT:
        return f"{named(path)} is not FASTA."
    number, line = next(((number, line) for number, line in read_lines(path, encoding) if line.strip()), (1, ""))
    return f"{named(path)}, line {number}: this is not FASTA, got {line[:30]!r}."


def _example(record: "SeqRecord", path: Path) -> Example:
    """One sequence, without labels or tags."""
    place = f"{named(path)}, sequence {record.id}"
    try:
        residues = tuple(str(record.seq).upper())
    except UnicodeDecodeError:
        raise DataError(f"{place}: residues must be ASCII characters, got others. Take them away.") from None
    except ValueError:
        residues = ()
    if not residues:
        raise DataError(f"{place} has no residues. Take it out of the file.")
    return Example(place, tokens=residues, name=str(record.id), origin=record)


def _labels(record: "SeqRecord", path: Path | None, options: ReadingOptions) -> tuple[str, ...] | None:
    """What the description says, or else the name of the file where that is its class."""
    said = _LABEL.search(record.description)
    if said:
        return split_labels(said[1] or said[2], options.separator)
    return (_class_of(path),) if path else None


def _class_of(path: Path) -> str:
    """The class that the name of a file says."""
    return path.name.partition(".")[0]


def _bed(example: Example, prediction: Prediction, *, stranded: bool) -> Iterator[str]:
    """A line for each region of a sequence, with its strand in a column of its own if tags tell it."""
    found = [(start, stop, name) for name, places in spans(prediction.tags or ()).items() for start, stop in places]
    for start, stop, name in sorted(found):
        score = round(1000 * sum(prediction.probabilities[start:stop]) / (stop - start))
        strand = name[-1] if stranded and name[-1:] in ("+", "-") else ""
        cells = [example.name, start, stop, name.removesuffix(strand), score, *([strand or "."] if stranded else [])]
        yield "\t".join(map(str, cells)) + "\n"


def _bed_graph(example: Example, prediction: Prediction) -> Iterator[str]:
    """A line for each residue of a sequence: https://genome.ucsc.edu/goldenPath/help/bedgraph.html."""
    for step, cells in enumerate(prediction.step_cells(",")):
        yield "\t".join([str(example.name), str(step), str(step + 1), *cells]) + "\n"


def _fasta(example: Example, prediction: Prediction, added: AddedNames) -> Iterator[str]:
    """The sequence with the prediction in its description."""
    record = example.origin
    names = added.beside(_KEY.findall(record.description), prediction.columns, example.place)
    said, *known = zip(names, prediction.cells(","), strict=True)
    described = " ".join([record.description, '{}="{}"'.format(*said), *map("=".join, known)])
    yield format(extra("Bio.SeqRecord").SeqRecord(record.seq, id=record.id, description=described), "fasta")
