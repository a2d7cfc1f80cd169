"""Tags of spans: recognised, converted to BIO, counted where they break the rules."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.bio import IllegalTagError, Scheme, find_scheme, in_bio, strays, to_bio
from unrolled.errors import ConfigError, DataError, UnrolledWarning

SPANS = st.lists(st.tuples(st.sampled_from(["", "PER", "B-x"]), st.integers(1, 3)), min_size=1, max_size=6)


def write(spans: list[tuple[str, int]], scheme: Scheme) -> tuple[str, ...]:
    """Spans, those without a type being what lies between, as tags."""
    tags, before = [], ""
    for kind, length in spans:
        if not kind:
            tags += ["O"] * length
        elif scheme is Scheme.BIO:
            tags += [f"B-{kind}", *[f"I-{kind}"] * (length - 1)]
        elif scheme is Scheme.IOB1:
            tags += [f"{'B' if before == kind else 'I'}-{kind}", *[f"I-{kind}"] * (length - 1)]
        else:
            tags += [f"S-{kind}"] if length == 1 else [f"B-{kind}", *[f"I-{kind}"] * (length - 2), f"E-{kind}"]
        before = kind
    return tuple(tags)


@given(SPANS, st.sampled_from([Scheme.BIO, Scheme.IOB1, Scheme.BIOES]))
def test_every_scheme_becomes_bio(spans, scheme: Scheme) -> None:
    tags = write(spans, scheme)
    assert to_bio(tags) == write(spans, Scheme.BIO)
    assert strays(tags, scheme) == strays(to_bio(tags), Scheme.BIO) == []


@given(st.lists(st.sampled_from(["O", *(f"{letter}-{name}" for letter in "BIESMLU" for name in ("PER", "x-y"))]), max_size=9))
def test_tags_in_any_disorder_are_the_spans_that_seqeval_finds(tags: list[str]) -> None:
    usual = [{"L": "E", "U": "S", "M": "I"}.get(tag[0], tag[0]) + tag[1:] for tag in tags]
    found = list(to_bio(tags))
    assert get_entities(found) == get_entities(usual)
    assert strays(found, Scheme.BIO) == []
    assert (found == usual) == (strays(tags, Scheme.BIO) == [])


@pytest.mark.parametrize("tags", ["U-A B-A I-A L-A O", "S-A B-A M-A E-A O"])
def test_bilou_and_bmes_are_bioes_by_other_letters(tags: str) -> None:
    assert to_bio(tags.split()) == ("B-A", "B-A", "I-A", "I-A", "O")
    assert strays(tags.split(), Scheme.BIOES) == []
    assert find_scheme([tags.split()]) is Scheme.BIOES


@pytest.mark.parametrize(
    ("sequences", "scheme"),
    [
        (["O B-A I-A", "O O", "B-C"], Scheme.BIO),
        (["O I-A I-A", "I-C B-C"], Scheme.IOB1),
        (["O B-A E-A", "S-C"], Scheme.BIOES),
        (["O B-A I-A", "B-C", "O I-C"], Scheme.BIO),
        (["B I O O B"], Scheme.BIO),
        (["O I-A", "I-A B-A I-A"], Scheme.IOB1),
        (["O I-A", "I-A", "O B-A"], Scheme.IOB1),
        (["B-A O", "B-A I-A", "O I-A"], Scheme.BIO),
        (["B-A I-A", "B-A I-A", "B-A E-A", "S-A"], Scheme.BIO),
        (["I O I O"], Scheme.NONE),
        (["DET NOUN", "VERB"], Scheme.NONE),
        (["O O O"], Scheme.NONE),
        (["H H B E", "B I S L O"], Scheme.NONE),
    ],
)
def test_the_scheme_is_recognised_over_all_sequences(sequences: list[str], scheme: Scheme) -> None:
    assert find_scheme([tags.split() for tags in sequences]) is scheme


@pytest.mark.parametrize(
    ("tags", "scheme", "steps"),
    [
        ("O I-A", Scheme.BIO, [1]),
        ("I-A B-A I-C I-C", Scheme.BIO, [0, 2]),
        ("B-A E-A O", Scheme.BIO, [1]),
        ("O B-A B-A I-A B-C", Scheme.IOB1, [1, 4]),
        ("B-A O S-A", Scheme.BIOES, [1]),
        ("B-A E-C", Scheme.BIOES, [1]),
        ("I-A E-A", Scheme.BIOES, [0]),
        ("S-A E-A O B-A", Scheme.BIOES, [1, 3]),
    ],
)
def test_what_breaks_the_rules_of_a_scheme(tags: str, scheme: Scheme, steps: list[int]) -> None:
    assert strays(tags.split(), scheme) == steps


def test_a_tag_of_no_scheme_is_illegal() -> None:
    with pytest.raises(IllegalTagError, match="a tag of spans must be O or begin as in B-PER, got 'X'") as error:
        to_bio(["O", "X"])
    assert error.value.step == 1


def test_the_scheme_is_what_files_show_and_else_what_is_given() -> None:
    lone, nothing = [Example("a, line 1", tags=("O", "I-A"))], [Example("a, line 1", tags=("O", "O"))]
    for scheme in ("bio", "iob1", None):
        (found,) = in_bio(lone, scheme)
        assert (found.tags, found.scheme) == (("O", "B-A"), "iob1")
    (found,) = in_bio(lone, "none")
    assert (found.tags, found.scheme) == (("O", "I-A"), "none")
    (found,) = in_bio(nothing, "bioes")
    assert (found.tags, found.scheme) == (("O", "O"), "bioes")
    with pytest.raises(ConfigError, match="`scheme` must be one of bio, iob1, bioes, none, got 'iob3'"):
        list(in_bio(lone, "iob3"))
    with pytest.raises(DataError, match=r"a, line 1, step 2: a tag of spans must .* got 'X'. Mend the tag, or say with `scheme` if"):
        list(decided(in_bio([Example("a, line 1", tags=("O", "X"))], "bio")))


FILES = {
    "a.conll": "a O\nb I-A\n\nc B-A\nd I-A\n",
    "a.tsv": "text\ttags\na b\tO I-A\nc d\tB-A I-A\n",
    "a.jsonl": '{"tokens": ["a", "b"], "tags": ["O", "I-A"]}\n{"tokens": ["c", "d"], "tags": ["B-A", "I-A"]}\n',
    "a.conllu": "".join(
        f"{i}\t{w}" + "\t_" * 7 + f"\t{tag}\n{end}"
        for i, w, tag, end in ((1, "a", "O", ""), (2, "b", "I-A", "\n"), (1, "c", "B-A", ""), (2, "d", "I-A", ""))
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_stray_tags_are_read_in_every_format(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    with pytest.warns(UnrolledWarning, match=f"^Tags that break the rules of BIO: 1, first .*{name}, line .*: I-A after O"):
        options = ReadingOptions(column="misc" if name == "a.conllu" else None)
        found = list(read_examples(tmp_path / name, options, Target.TAGS))
    assert [example.tags for example in found] == [("O", "B-A"), ("B-A", "I-A")]


def test_examples_are_converted_and_stray_tags_are_counted_once() -> None:
    examples = [Example("a, line 1", tags=("B-A", "I-A", "B-C")), Example("a, line 4"), Example("a, line 9", tags=("O", "I-A", "I-C"))]
    with pytest.warns(
        UnrolledWarning, match=r"^Tags that break the rules of BIO: 2, first a, line 9, step 2: I-A after O\. Read as"
    ) as told:
        found = [example.tags for example in in_bio(examples)]
    assert found == [("B-A", "I-A", "B-C"), None, ("O", "B-A", "B-C")]
    assert len(told) == 1
