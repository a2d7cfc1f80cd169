"""Tags of spans: recognised, converted to BIO, refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.examples import Example
from unrolled.data.formats.bio import IllegalTagError, Scheme, find_scheme, in_bio, to_bio
from unrolled.errors import ConfigError, DataError

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
    assert to_bio(write(spans, scheme), scheme) == write(spans, Scheme.BIO)


def test_bilou_is_bioes_by_other_letters() -> None:
    assert to_bio(["U-A", "B-A", "I-A", "L-A", "O"], Scheme.BIOES) == ("B-A", "B-A", "I-A", "I-A", "O")


@pytest.mark.parametrize(
    ("sequences", "scheme"),
    [
        (["O B-A I-A", "O O", "B-C"], Scheme.BIO),
        (["O I-A I-A", "I-C B-C"], Scheme.IOB1),
        (["O B-A E-A", "S-C"], Scheme.BIOES),
        (["O B-A I-A", "B-C", "O I-C"], Scheme.BIO),
        (["B I O O B"], Scheme.BIO),
        (["O I-A", "I-A B-A I-A"], Scheme.IOB1),
        (["O I-A", "I-A", "O B-A"], Scheme.BIO),
        (["I O I O"], Scheme.NONE),
        (["DET NOUN", "VERB"], Scheme.NONE),
        (["O O O"], Scheme.NONE),
        (["H H B E", "B I S L O"], Scheme.NONE),
    ],
)
def test_the_scheme_is_recognised_over_all_sequences(sequences: list[str], scheme: Scheme) -> None:
    assert find_scheme(tags.split() for tags in sequences) is scheme


@pytest.mark.parametrize(
    ("tags", "scheme", "step", "message"),
    [
        ("O I-A", Scheme.BIO, 1, "I-A must come after B-A or I-A in BIO, got it after O"),
        ("B-A I-C", Scheme.BIO, 1, "I-C must come after B-C or I-C in BIO, got it after B-A"),
        ("B-A E-A", Scheme.BIO, 1, "got 'E-A'"),
        ("O X", Scheme.BIO, 1, "got 'X'"),
        ("O B-A", Scheme.IOB1, 1, "B-A must come after a span of its type in IOB1, got it after O"),
        ("B-A O", Scheme.BIOES, 1, "O must not come after B-A"),
        ("B-A E-C", Scheme.BIOES, 1, "E-C must not come after B-A"),
        ("I-A E-A", Scheme.BIOES, 0, "I-A must not come after the start"),
        ("O B-A", Scheme.BIOES, 1, "does not end"),
    ],
)
def test_illegal_tags(tags: str, scheme: Scheme, step: int, message: str) -> None:
    with pytest.raises(IllegalTagError, match=message) as error:
        to_bio(tags.split(), scheme)
    assert error.value.step == step


def test_a_scheme_that_is_known_is_not_looked_for() -> None:
    lone = [Example("a, line 1", tags=("O", "I-A"))]
    with pytest.raises(DataError, match=r"a, line 1, step 2: I-A must come after B-A or I-A in BIO, got it after O\. Mend"):
        list(in_bio(lone, "bio"))
    (found,) = in_bio(lone, "iob1")
    assert (found.tags, found.scheme) == (("O", "B-A"), "iob1")
    (found,) = in_bio(lone, "none")
    assert (found.tags, found.scheme) == (("O", "I-A"), "none")
    with pytest.raises(ConfigError, match="`scheme` must be one of bio, iob1, bioes, none, got 'iob3'"):
        list(in_bio(lone, "iob3"))


def test_examples_are_converted_and_the_illegal_one_is_named() -> None:
    examples = [Example("a, line 1", tags=("I-A", "O", "I-C")), Example("a, line 4"), Example("a, line 9", tags=("O", "B-A"))]
    found = in_bio(examples, "iob1")
    assert next(found).tags == ("B-A", "O", "B-C")
    assert next(found).tags is None
    with pytest.raises(
        DataError, match=r"a, line 9, step 2: B-A must come after a span of its type in IOB1, got it after O. Mend .* `scheme`"
    ):
        next(found)
