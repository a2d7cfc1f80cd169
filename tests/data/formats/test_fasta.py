"""FASTA with regions and labels."""

import io
from pathlib import Path

import numpy as np
import pytest
from Bio import Align
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import read_examples
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.fasta import Fasta
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.regions import Region, paint, spans
from unrolled.errors import ConfigError, DataError, UnrolledWarning

SEQUENCES = '>one first sequence label=left\nACGT\nacgtnn\n>two label="far right"\r\nGGG\r\n'
BED = "track name=x\n#c\none\t2\t5\texon\t0\t+\none 7 8 promoter\n"
GFF = "##gff-version 3\none\tme\texon\t3\t5\t.\t+\t.\tID=1\none\tme\tpromoter\t8\t8\t.\t+\t.\tID=2\n##FASTA\n>one\n"
FORMAT = Fasta()


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "mine.fa"
    path.write_text(SEQUENCES)
    return path


def tag(fasta: Path, name: str, content: str):
    path = fasta.with_name(name)
    path.write_text(content)
    return list(decided(FORMAT.read([fasta], ReadingOptions(regions=(str(path),)), Target.TAGS)))


@pytest.mark.parametrize(("name", "content"), [("r.bed", BED), ("r.gff3", GFF)])
def test_regions_are_tags(fasta: Path, name: str, content: str) -> None:
    one, two = tag(fasta, name, content)
    assert "".join(one.tokens) == "ACGTACGTNN"
    assert one.tags == ("O", "O", "exon", "exon", "exon", "O", "O", "promoter", "O", "O")
    assert two.tags == ("O", "O", "O")
    assert (one.name, one.labels, one.place) == ("one", None, f"{fasta}, sequence one")


def regions_of(fasta: Path, name: str, content: str, **options):
    path = fasta.with_name(name)
    path.write_text(content)
    first, *_ = decided(FORMAT.read([fasta], ReadingOptions(regions=(str(path),), **options), Target.TAGS))
    return spans(first.tags)


def gff(*rows: str) -> str:
    """Lines of GFF from type, start, end and strand."""
    return "".join("one\tx\t{}\t{}\t{}\t.\t{}\t.\tID=1\n".format(*row.split()) for row in rows)


def test_only_what_ends_the_regions_ends_them(fasta: Path) -> None:
    exon = gff("exon 3 5 +")
    for line in ("##FASTA is below", "##FASTA-like", "###", "track name=x", "browser position one:1-9"):
        assert regions_of(fasta, "r.gff3", f"{line}\n{exon}") == {"exon": [[2, 5]]}
    for line in ("##FASTA", "##FASTA ", ">one"):
        assert regions_of(fasta, "r.gff3", f"{exon}{line}\none\tthis is no region\n") == {"exon": [[2, 5]]}
    assert regions_of(fasta, "r.bed", "##FASTA\none\t2\t5\texon\n") == {"exon": [[2, 5]]}


def test_sequences_may_be_called_as_lines_about_tracks_begin(fasta: Path) -> None:
    fasta.write_text(">track_7\nACGTACGT\n>browser1\nACG\n")
    bed = fasta.with_name("r.bed")
    bed.write_text("track\tname=x\ntrack_7\t1\t3\texon\nbrowser1\t0\t1\texon\n")
    first, second = decided(FORMAT.read([fasta], ReadingOptions(regions=(str(bed),)), Target.TAGS))
    assert (spans(first.tags), spans(second.tags)) == ({"exon": [[1, 3]]}, {"exon": [[0, 1]]})


def test_escaped_names_of_gff_are_those_of_the_sequences(fasta: Path) -> None:
    fasta.write_text(">a|b\nACGT\n")
    content = "a%7Cb\tx\tstem%3Bloop\t2\t3\t.\t+\t.\t.\n"
    assert regions_of(fasta, "r.gff3", content) == {"stem;loop": [[1, 3]]}
    with pytest.raises(DataError, match="no sequence 'a%7Cb'"):
        regions_of(fasta, "r.gtf", content)


BED12 = "one\t{}\t{}\tgene\t0\t{}\t0\t0\t0\t{}\t{}\t{}\n"


@pytest.mark.parametrize("fields", [(1, 9, "+", 2, "2,3,", "0,5,"), (0, 10, "-", 3, "1,2,1", "0,4,9"), (2, 8, "+", 1, "6", "0")])
def test_blocks_are_where_biopython_has_them(fasta: Path, fields: tuple) -> None:
    line = BED12.format(*fields)
    alignment = next(iter(Align.parse(io.StringIO(line), "bed")))
    assert regions_of(fasta, "r.bed", line) == {"gene": [[int(start), int(stop)] for start, stop in alignment.aligned[0]]}


@pytest.mark.parametrize(
    "blocks",
    [("2", "2,3,4", "0,5,6"), ("2", "2,3", "0,4"), ("2", "2,3", "1,5"), ("2", "6,3", "0,5"), ("2", "0,3", "0,5"), ("3", "2,3", "0,5")],
)
def test_blocks_that_do_not_fit_their_region_are_refused(fasta: Path, blocks: tuple) -> None:
    with pytest.raises(DataError, match=r"r.bed, line 1: the columns blockCount, blockSizes and blockStarts .* got \d, "):
        regions_of(fasta, "r.bed", BED12.format(1, 9, "+", *blocks))


def test_other_columns_are_no_blocks(fasta: Path) -> None:
    for columns in ("7\t8.33\t1", "3\t4\t5", "x\ty\tz"):
        assert regions_of(fasta, "r.bed", f"one\t1\t9\tsite\t0\t+\t0\t0\t0\t{columns}\n") == {"site": [[1, 9]]}
    assert regions_of(fasta, "peak.bed", "one\t1\t9\t.\t0\t.\n") == {"peak": [[1, 9]]}


GENES = gff("gene 1 10 +", "mRNA 1 10 +", "exon 1 6 +", "CDS 3 6 +", "exon 8 10 +", "CDS 8 10 +")


def test_types_that_overlap_are_told_and_can_be_chosen(fasta: Path) -> None:
    told = r"r.gff3, line 2: mRNA overlaps with gene .*`region_types`.*of exon \(2\), CDS \(2\), gene \(1\), mRNA \(1\)"
    with pytest.raises(DataError, match=told):
        regions_of(fasta, "r.gff3", GENES)
    assert regions_of(fasta, "r.gff3", GENES, region_types=("exon",)) == {"exon": [[0, 6], [7, 10]]}
    assert regions_of(fasta, "r.gff3", GENES, region_types=("CDS, exon",)) == {"exon": [[0, 2]], "CDS": [[2, 6], [7, 10]]}
    assert regions_of(fasta, "r.gff3", GENES, region_types=("exon", "CDS")) == {"exon": [[0, 6], [7, 10]]}
    assert regions_of(fasta, "r.gff3", GENES, region_types=("exon", "gene")) == {"exon": [[0, 6], [7, 10]], "gene": [[6, 7]]}
    bed = "one\t0\t5\ta\none\t4\t6\tb\n"
    assert regions_of(fasta, "r.bed", bed, region_types=("b", "a")) == {"a": [[0, 4]], "b": [[4, 6]]}
    with pytest.raises(ConfigError, match=r"No region has the type 'exons'; there are exon \(2\), .*`region_types`"):
        regions_of(fasta, "r.gff3", GENES, region_types=("exons",))
    with pytest.warns(UnrolledWarning, match="No region has the type 'exons'; there are"):
        regions_of(fasta, "r.gff3", GENES, region_types=("CDS", "exons"))


BOTH = gff("exon 1 3 +", "exon 5 7 -", "site 9 9 .")


def test_strands_are_told_apart_or_said_to_be_the_same(fasta: Path) -> None:
    with pytest.warns(UnrolledWarning, match=r"r.gff3: 1 regions lie on the strand \+ and 1 on -.*`strand='tag'`.*`strand='ignore'`"):
        assert regions_of(fasta, "r.gff3", BOTH) == {"exon": [[0, 3], [4, 7]], "site": [[8, 9]]}
    assert regions_of(fasta, "r.gff3", BOTH, strand="ignore") == {"exon": [[0, 3], [4, 7]], "site": [[8, 9]]}
    assert regions_of(fasta, "r.gff3", BOTH, strand="tag") == {"exon+": [[0, 3]], "exon-": [[4, 7]], "site": [[8, 9]]}
    assert regions_of(fasta, "r.gff3", BOTH, region_types=("site",)) == {"site": [[8, 9]]}
    with pytest.raises(DataError, match=r"exon- overlaps with exon\+ .*`strand='ignore'`"):
        regions_of(fasta, "r.gff3", gff("exon 1 3 +", "exon 2 7 -"), strand="tag", region_types=("exon",))
    with pytest.raises(ConfigError, match="`strand` must be one of ignore, tag"):
        ReadingOptions(strand="both")


def test_predicted_strands_are_written_in_their_column(fasta: Path) -> None:
    options = ReadingOptions(regions=(str(fasta.with_name("r.gff3")),), strand="tag")
    fasta.with_name("r.gff3").write_text(BOTH)
    one, *_ = decided(FORMAT.read([fasta], options, Target.TAGS))
    file = io.StringIO()
    FORMAT.write([(one, Prediction(tags=one.tags, probabilities=(1,) * 10))], file, options)
    assert file.getvalue() == "one\t0\t3\texon\t1000\t+\none\t4\t7\texon\t1000\t-\none\t8\t9\tsite\t1000\t.\n"
    assert regions_of(fasta, "again.bed", file.getvalue(), strand="tag") == spans(one.tags)


def test_regions_without_names_are_named_as_their_file(fasta: Path) -> None:
    assert spans(tag(fasta, "exon.bed", "one\t1\t3\n")[0].tags) == {"exon": [[1, 3]]}


def test_labels_of_sequences(fasta: Path) -> None:
    found = list(decided(FORMAT.read([fasta], ReadingOptions(), Target.LABELS)))
    assert [example.labels for example in found] == [("left",), ("far right",)]
    assert [example.tags for example in found] == [None, None]


def test_a_file_for_each_class(tmp_path: Path) -> None:
    paths = [tmp_path / "pos.fa", tmp_path / "neg.v1.fa"]
    for path in paths:
        path.write_text(f">{path.stem}\nACG\n")
    assert [example.labels for example in decided(FORMAT.read(paths, ReadingOptions(), Target.LABELS))] == [("pos",), ("neg",)]
    assert [example.labels for example in decided(FORMAT.read(paths[:1], ReadingOptions(), Target.LABELS))] == [None]


def test_an_inner_region_wins_and_equal_names_join(fasta: Path) -> None:
    content = "one\t4\t6\texon\none\t0\t8\tgene\none\t7\t10\tgene\none\t0\t2\texon\n"
    assert spans(tag(fasta, "r.bed", content)[0].tags) == {"exon": [[0, 2], [4, 6]], "gene": [[2, 4], [6, 10]]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("one\t0\t5\ta\none\t4\t6\tb\n", r"line 2: b overlaps with a .*r\.bed, line 1"),
        ("one\t4\t6\tb\none\t4\t6\ta\n", r"line 2: a overlaps with b .*r\.bed, line 1"),
        ("one\t4\t11\tb\n", "line 1: the region ends at 11 and one has 10 steps"),
        ("two\t0\t1\tb\nthree\t4\t6\tb\n", "line 2: there is no sequence 'three' in .*mine.fa; there are one, two"),
        ("one\t5\t5\tb\n", "line 1: a region must begin before it ends"),
        ("one\t-1\t5\tb\n", "line 1: a region must begin before it ends"),
        ("one\t0\n", "line 1: a line must have sequence, start, end"),
        ("one\ta\t3\n", "line 1: a line must have sequence, start, end"),
    ],
)
def test_bad_regions(fasta: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=f"r.bed, {message}"):
        tag(fasta, "r.bed", content)


def test_files_of_regions_may_belong_to_other_files_of_sequences(fasta: Path) -> None:
    mine, other = fasta.with_name("mine.bed"), fasta.with_name("other.bed")
    mine.write_text("one\t0\t2\ta\n")
    other.write_text("three\t0\t2\ta\n")
    both = ReadingOptions(regions=(str(mine), str(other)))
    first, *_ = decided(FORMAT.read([fasta], both, Target.TAGS))
    assert spans(first.tags or ()) == {"a": [[0, 2]]}
    for regions in ((other,), (other, other)):
        with pytest.raises(DataError, match=r"other.bed, line 1: there is no sequence 'three'"):
            list(decided(FORMAT.read([fasta], ReadingOptions(regions=tuple(map(str, regions))), Target.TAGS)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\nACGT\n", r"line 2: this is not FASTA, got 'ACGT'. Pass a file whose first line begins with '>'.$"),
        ("# of mice\n>a\nAC\n", "line 1: this is not FASTA, got '# of mice'"),
        (">a\nAC\n>b\n>c\nA\n", "sequence b has no residues"),
        (">a\nAC\u200b\n", "sequence a: residues must be ASCII"),
    ],
)
def test_bad_sequences(fasta: Path, content: str, message: str) -> None:
    fasta.write_text(content)
    with pytest.raises(DataError, match=f"mine.fa.*{message}"):
        list(decided(FORMAT.read([fasta], ReadingOptions(), Target.LABELS)))


def test_what_cannot_be_asked(fasta: Path) -> None:
    with pytest.raises(ConfigError, match="tag instead"):
        list(decided(FORMAT.read([fasta], ReadingOptions(regions=("r.bed",)), Target.LABELS)))
    with pytest.raises(ConfigError, match=r"got .*r\.txt"):
        tag(fasta, "r.txt", BED)


def test_predicted_tags_are_written_as_bed_that_reads_back(fasta: Path) -> None:
    one, two = tag(fasta, "r.bed", BED)
    probabilities = (1, 1, 0.5, 0.7, 0.6, 1, 1, 0.25, 1, 1)
    file = io.StringIO()
    FORMAT.write([(one, Prediction(tags=one.tags, probabilities=probabilities)), (two, Prediction(tags=two.tags))], file, ReadingOptions())
    assert file.getvalue() == "one\t2\t5\texon\t600\none\t7\t8\tpromoter\t250\n"
    assert [example.tags for example in tag(fasta, "again.bed", file.getvalue())] == [one.tags, two.tags]


def test_predicted_labels_are_written_into_the_descriptions(fasta: Path) -> None:
    file = io.StringIO()
    two = list(decided(FORMAT.read([fasta], ReadingOptions(), Target.LABELS)))[1]
    FORMAT.write([(two, Prediction(labels=("x y",), probabilities=(0.5,)))], file, ReadingOptions())
    assert file.getvalue() == '>two label="far right" predicted="x y" probability=0.5000\nGGG\n'


TAGS = st.lists(st.sampled_from("OOab"), max_size=30)


@given(TAGS)
def test_spans_paint_the_tags_that_they_came_from(tags: list[str]) -> None:
    regions = [Region("s", start, stop, name, "", Path()) for name, places in spans(tags).items() for start, stop in places]
    assert list(paint(regions, len(tags))) == tags


def test_regions_that_are_not_needed_are_not_read(fasta: Path) -> None:
    options = ReadingOptions(regions=("none.bed",)).to_predict()
    assert [example.tags for example in decided(FORMAT.read([fasta], options, Target.TAGS))] == [None, None]


def test_several_labels_of_one_sequence(fasta: Path) -> None:
    fasta.write_text(">a label=x,y\nACG\n")
    assert next(decided(FORMAT.read([fasta], ReadingOptions(separator=","), Target.LABELS))).labels == ("x", "y")


def test_labels_that_are_numbers(fasta: Path) -> None:
    fasta.write_text(">a label=1.5\nACG\n>b label=-2\nAC\n>c\nA\n")
    found = list(read_examples(fasta, ReadingOptions(), Target.VALUES))
    assert [None if example.values is None else example.values.tolist() for example in found] == [[1.5], [-2], None]
    fasta.write_text(SEQUENCES)
    with pytest.raises(DataError, match=r"mine.fa, sequence one: a target must be a number, got 'left'"):
        list(read_examples(fasta, ReadingOptions(), Target.VALUES))


def test_predicted_numbers_are_written_into_the_descriptions(fasta: Path) -> None:
    file = io.StringIO()
    two = list(decided(FORMAT.read([fasta], ReadingOptions(), Target.LABELS)))[1]
    FORMAT.write([(two, Prediction(values=np.array([1.25]), deviations=np.array([0.5])))], file, ReadingOptions())
    assert file.getvalue() == '>two label="far right" predicted="1.25" deviation=0.5\nGGG\n'


def test_predicted_numbers_of_residues_are_written_as_bed_graph(fasta: Path) -> None:
    file = io.StringIO()
    two = list(decided(FORMAT.read([fasta], ReadingOptions().to_predict(), Target.STEP_VALUES)))[1]
    values = np.array([[0.5], [-1], [2]])
    FORMAT.write(
        [(two, Prediction(values=values)), (two, Prediction(values=values[:1], deviations=values[:1] / 2))], file, ReadingOptions()
    )
    assert file.getvalue() == "two\t0\t1\t0.5\ntwo\t1\t2\t-1\ntwo\t2\t3\t2\ntwo\t0\t1\t0.5\t0.25\n"


def test_a_name_that_comes_again_matters_where_regions_are_of_it(fasta: Path) -> None:
    fasta.write_text(">a label=x\nAC\n>a label=y\nGG\n")
    with pytest.warns(UnrolledWarning, match="the name 'a' has come before. Both sequences are read"):
        assert [example.labels for example in read_examples(fasta, ReadingOptions(), Target.LABELS)] == [("x",), ("y",)]
    (fasta.parent / "r.bed").write_text("a\t0\t1\tr\n")
    options = ReadingOptions(regions=(str(fasta.parent / "r.bed"),))
    with pytest.raises(DataError, match=r"mine.fa, sequence a: the name has come before"):
        list(read_examples(fasta, options, Target.TAGS))
