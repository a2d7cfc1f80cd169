"""fastText, CoNLL-2012, TMX, FASTQ, GenBank, and tables that say what divides them."""

import io
from pathlib import Path

import pytest
from Bio import SeqIO

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples, resolve_format, write_predictions
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import read_pairs, resolve_pairs
from unrolled.errors import ConfigError, DataError

LABELS, TAGS = Target.LABELS, Target.TAGS


def test_fast_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("__label__pos __label__new  a good film\nbad __label__neg one\n\n")
    assert resolve_format(path, ReadingOptions(), LABELS).format == "fasttext"
    found = [(e.text, e.labels) for e in labelled_examples(path, ReadingOptions(), LABELS, several=True)]
    assert found == [("a good film", ("pos", "new")), ("bad one", ("neg",))]
    path.write_text("__label__a x\n__label__b\n")
    with pytest.raises(DataError, match=r"a.txt, line 2: there is no text beside the label"):
        list(read_examples(path, ReadingOptions(), LABELS))


ONTONOTES = """#begin document (bc/x); part 000
bc/x 0 0 Ada NNP (TOP(S(NP* - - - Spk#1 (PERSON* (ARG0* (0
bc/x 0 1 Lovelace NNP *) - - - Spk#1 *) *) 0)
bc/x 0 2 saw VBD (VP* see 01 1 Spk#1 * (V*) -
bc/x 0 3 Paris NNP (NP*)))) - - - Spk#1 (GPE) * -

bc/x 0 0 Yes UH (TOP(INTJ*)) - - - - * -

#end document
"""


def test_conll_2012(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(ONTONOTES)
    first, second = labelled_examples(path, ReadingOptions(), TAGS)
    assert (first.tokens, first.tags) == (("Ada", "Lovelace", "saw", "Paris"), ("B-PERSON", "I-PERSON", "O", "B-GPE"))
    assert (second.tokens, second.tags) == (("Yes",), ("O",))
    assert [e.tags for e in labelled_examples(path, ReadingOptions(column="pos"), TAGS)] == [("NNP", "NNP", "VBD", "NNP"), ("UH",)]
    file = io.StringIO()
    write_predictions(
        [(e, Prediction(tags=e.tags, probabilities=(1.0,) * len(e.tags))) for e in (first, second)],
        file,
        ReadingOptions(format="conll2012"),
    )
    lines = file.getvalue().splitlines()
    assert lines[:3] == [
        "#begin document (bc/x); part 000",
        ONTONOTES.splitlines()[1] + " B-PERSON",
        ONTONOTES.splitlines()[2] + " I-PERSON",
    ]
    path.write_text(ONTONOTES.replace("*) *) 0)", "* *) 0)"))
    with pytest.raises(DataError, match=r"a.txt, line 5: names must stand in brackets that close, got '\(GPE\)'"):
        list(read_examples(path, ReadingOptions(), TAGS))
    with pytest.raises(ConfigError, match="the columns ner and pos"):
        list(read_examples(path, ReadingOptions(column="x"), TAGS))


TMX = """<?xml version="1.0" encoding="UTF-8"?>
<tmx version="1.4"><header srclang="en"/><body>
<tu><note>x</note><tuv xml:lang="en-GB"><seg>Good <bpt i="1">&lt;b&gt;</bpt>day</seg></tuv><tuv xml:lang="fr"><seg>Bonjour</seg></tuv></tu>
<tu><tuv xml:lang="EN-gb"><seg>Yes</seg></tuv><tuv xml:lang="fr"><seg>Oui</seg></tuv><tuv xml:lang="de"><seg>Ja</seg></tuv></tu>
<tu><tuv xml:lang="en-GB"><seg>No</seg></tuv></tu>
</body></tmx>
"""


def test_tmx(tmp_path: Path) -> None:
    path = tmp_path / "a.tmx"
    path.write_text(TMX)
    options = PairOptions(input="en", target=("fr",), bad_rows="skip")
    with pytest.warns(match=r"1 bad row is left out. The first: .*unit 3: there must be a text in en and in fr, got en-GB"):
        pairs = [(pair.text, pair.texts) for pair in read_pairs(path, options)]
    assert pairs == [("Good <b>day", ("Bonjour",)), ("Yes", ("Oui",))]
    with pytest.raises(ConfigError, match=r"has the languages en-GB, fr, EN-gb, de. Pass one as `input`, and one as `target`"):
        list(read_pairs(path, PairOptions()))
    assert resolve_pairs(path, PairOptions(input="en", target=("fr",))).learnt == ("en", "fr")
    path.write_text(TMX[:300])
    with pytest.raises(DataError, match=r"a.tmx, line \d+: this is no XML"):
        list(read_pairs(path, options))


def test_fastq_and_genbank_are_read_as_biopython_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq"
    path.write_text("@r1 label=x\nACgt\n+\nIIII\n@r2 label=y\nGG\n+\n@@\n")
    assert [("".join(e.tokens), e.labels, e.name) for e in labelled_examples(path, ReadingOptions(), LABELS)] == [
        ("ACGT", ("x",), "r1"),
        ("GG", ("y",), "r2"),
    ]
    (tmp_path / "reads").write_text(path.read_text())
    assert resolve_format(tmp_path / "reads", ReadingOptions(), LABELS).format == "fastq"
    path.write_text("@r1\nACGT\n+\nII\n")
    with pytest.raises(DataError, match=r"a.fastq is not FASTQ: "):
        list(read_examples(path, ReadingOptions(), LABELS))
    genbank = tmp_path / "a.gb"
    genbank.write_text(GENBANK)
    (found,) = labelled_examples(genbank, ReadingOptions(strand="ignore"), TAGS)
    record = SeqIO.read(io.StringIO(GENBANK), "genbank")
    assert "".join(found.tokens) == str(record.seq).upper()
    tags = ["O"] * len(record)
    for feature in record.features:
        for part in feature.location.parts if feature.type == "exon" else ():
            tags[int(part.start) : int(part.end)] = ["exon"] * len(part)
    assert list(found.tags) == tags and tags.count("exon") == 7
    (stranded,) = labelled_examples(genbank, ReadingOptions(strand="tag"), TAGS)
    assert {*stranded.tags} == {"O", "exon+", "exon-"}


GENBANK = """LOCUS       AB0001                    20 bp    DNA     linear   SYN 01-JAN-2024
DEFINITION  label=x.
ACCESSION   AB0001
VERSION     AB0001.1
FEATURES             Location/Qualifiers
     source          1..20
     exon            join(2..4,7..8)
     exon            complement(15..16)
ORIGIN
        1 acgtacgtac gtacgtacgt
//
"""


def test_the_first_line_may_say_what_divides_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('sep=;\ntext;label\n"a; b, c";x\n\nd,e;y\nf\n')
    with pytest.raises(DataError, match="line 6: a row must have 2 cells"):
        list(read_examples(path, ReadingOptions(), LABELS))
    path.write_text('sep=;\r\ntext;label\r\n"a; b, c";x\r\nd,e;y\r\n')
    assert [(e.text, e.place.rpartition(" ")[2]) for e in read_examples(path, ReadingOptions(), LABELS)] == [("a; b, c", "3"), ("d,e", "4")]
