"""What is used of pairs, and how they are divided."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data.examples import Example
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.parts import Tally, divide, fold, key_of, shortened, together, usable
from unrolled.errors import ConfigError, UnrolledWarning


def pair(source, *targets, place="", group=None):
    return Example(place, text=source, texts=targets, group=group)


SOME = [
    pair("", "x", place="1"),
    pair("a b", "c", place="2"),
    pair("a, b c", "d", place="3"),
    pair("a", "", place="4"),
    pair("a", "", "d e f", "g h i j", place="5"),
    pair("a b c", "d e f g", place="6"),
]


def test_empty_and_long_sides_are_left_out_and_counted():
    tally = Tally()
    found = list(usable(SOME, PairOptions(longest=3), "word", tally))
    assert found == [SOME[1], pair("a", "d e f", place="5")]
    long = "3 with a side of more than 3 words and marks, or 60 characters, left out, first 3"
    assert str(tally) == f"6 pairs; 2 with an empty side left out, first 1; {long}"


def test_long_sides_are_cut_if_that_is_asked_for():
    tally = Tally()
    found = [(p.text, p.texts) for p in usable(SOME, PairOptions(longest=3, too_long="cut"), "word", tally)]
    assert found == [("a b", ("c",)), ("a, b", ("d",)), ("a", ("d e f", "g h i")), ("a b c", ("d e f",))]
    assert (tally.pairs, tally.empty, tally.long, tally.long_place) == (6, 2, 3, "3")


def test_characters_count_at_their_level():
    tally = Tally()
    options = PairOptions(longest=5)
    assert [p.place for p in usable(SOME, options, "char", tally)] == ["2", "5"]
    assert str(tally) == "6 pairs; 2 with an empty side left out, first 1; 3 with a side of more than 5 characters left out, first 3"
    assert [options.most("char"), PairOptions().most("char"), PairOptions().most("subword")] == [5, 1000, 250]


def test_text_without_blanks_is_bounded_too():
    tally, long = Tally(), [pair("x" * 60, "y", place="1"), pair("a", "y" * 61, place="2")]
    assert list(usable(long, PairOptions(longest=3), "subword", tally)) == long[:1]
    (_, cut) = usable(long, PairOptions(longest=3, too_long="cut"), "subword", tally)
    assert cut.texts == ("y" * 60,)


def test_sources_to_predict_are_cut_and_the_first_one_is_told():
    pairs = [pair("a b", place="1"), pair("a, b c", "d", place="2"), pair("e f g h", place="3")]
    with pytest.warns(UnrolledWarning, match="^2: a source of more than 3 words and marks, or 60 characters, is cut") as told:
        assert [p.text for p in shortened(pairs, PairOptions(longest=3), "word")] == ["a b", "a, b", "e f g"]
    assert len(told) == 1
    assert list(shortened(pairs, PairOptions(longest=7), "char")) == pairs


def test_a_file_without_faults_needs_no_more_words():
    tally = Tally()
    assert list(usable(SOME[1:3], PairOptions(), "word", tally)) == SOME[1:3]
    assert str(tally) == "2 pairs"


sides = st.sampled_from(["a", "b", "c d", "c  d", "c\u202fd", "e"])


@settings(deadline=None)
@given(st.lists(st.tuples(sides, sides), min_size=2, max_size=40), st.sampled_from([0.0, 0.01, 0.3, 0.99, 1, 3, 50]), st.integers(0, 9))
def test_no_source_is_both_learnt_and_held_out(texts, held_out, seed):
    pairs = [pair(*both) for both in texts]
    learnt, held = divide(pairs, held_out, seed)
    assert (learnt, held) == divide(pairs, held_out, seed)
    plain = [{" ".join(p.text.split()) for p in part} for part in (learnt, held)]
    assert not plain[0] & plain[1]
    keys = len(plain[0] | plain[1])
    assert keys == len({" ".join(p.text.split()) for p in pairs})
    wanted = held_out if held_out >= 1 else round(held_out * keys)
    assert len(held) == len(plain[1]) == (min(max(wanted, 1), keys - 1) if held_out else 0)
    written = [Counter((p.text, p.texts) for p in some) for some in (learnt, pairs)]
    assert not written[0] - written[1]
    for kept in held:
        assert set(kept.texts) == {t for s, t in texts if s.split() == kept.text.split()}
        assert len(set(kept.texts)) == len(kept.texts)


def test_groups_stay_together():
    pairs = [pair(f"{form} {day}", str(day), group=str(day)) for form in ("the", "on", "at") for day in range(10)]
    learnt, held = divide(pairs, 0.2, 1)
    assert len(held) == 6
    assert len({p.group for p in held}) == 2
    assert not {p.group for p in held} & {p.group for p in learnt}
    assert divide(pairs, 0.2, 2)[1] != held


def test_a_side_in_which_nothing_can_be_seen_is_empty():
    pairs = [
        Example("0", text="\u200b", texts=("a",)),
        Example("1", text="b", texts=("\ufeff ", "\u2060")),
        Example("2", text="c", texts=("\u00ad", "d")),
    ]
    tally = Tally()
    assert [pair.texts for pair in usable(pairs, PairOptions(), "word", tally)] == [("d",)] and tally.empty == 2


def test_what_is_kept_apart_is_the_group_or_else_the_source_whatever_its_blanks():
    assert key_of(pair(" a\u202fb  c", "x")) == "a b c"
    assert key_of(pair("e\u0301", "x")) == key_of(pair("é", "x"))
    assert key_of(pair("a", "x", group="1998-05-03")) == "1998-05-03"


def test_references_of_a_source_come_together_once():
    found = together([pair("a", "x", "y", place="1"), pair("b", "z", place="2"), pair("a", "y", "w", place="3")])
    assert found == [pair("a", "x", "y", "w", place="1"), pair("b", "z", place="2")]


def test_every_source_is_held_out_in_one_part_with_all_its_targets():
    pairs = [pair(f"s{i // 2}", f"t{i}") for i in range(23)]
    parts = [fold(pairs, number, 5, seed=3) for number in range(1, 6)]
    assert sorted(p.text for _, held in parts for p in held) == sorted({p.text for p in pairs})
    for learnt, held in parts:
        assert not {p.text for p in learnt} & {p.text for p in held}
        assert sorted(t for p in [*learnt, *held] for t in p.texts) == sorted(f"t{i}" for i in range(23))
        assert 2 <= len(held) <= 3
    assert parts[0] != fold(pairs, 1, 5, seed=4)
    with pytest.raises(ConfigError, match="`folds=13` needs as many sources that differ, and DATA has 12"):
        fold(pairs, 1, 13, seed=3)


def test_groups_with_a_source_in_common_are_not_torn():
    pairs = [pair(f"s{n}", f"t{n}", group=f"g{n // 3}") for n in range(30)] + [pair("s 0", "x", group="g0"), pair("s 0", "y", group="g1")]
    for seed in range(9):
        for learnt, held in (divide(pairs, 0.3, seed), *(fold(pairs, number, 3, seed) for number in (1, 2, 3))):
            assert held and not {p.text for p in learnt} & {p.text for p in held}
            assert not {p.group for p in learnt} & {p.group for p in held}


def test_groups_that_all_have_a_source_in_common_are_kept_apart_by_themselves():
    pairs = [pair(text, f"t{n}", group=f"g{n}") for n in range(10) for text in (f"s{n}", "the same")]
    for learnt, held in (divide(pairs, 0.2, 1), divide(pairs, 2, 1), *(fold(pairs, number, 5, 1) for number in range(1, 6))):
        assert len({p.group for p in learnt}) == 8 and len({p.text for p in held}) == 3
    with pytest.raises(ConfigError, match="`folds=11` needs as many groups of `group`, and DATA has 10"):
        fold(pairs, 1, 11, 1)
