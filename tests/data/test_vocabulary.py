"""The one vocabulary: strings to ids and back, and which of them are known."""

import contextlib
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.vocabulary import END, STEPS, TEXTS, UNKNOWN, Vocabulary
from unrolled.errors import ConfigError, DataError, RunError

CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
COUNTS = Counter({"b": 2, "c": 5, "a": 2, "z": 0, "d": 1})


@pytest.mark.parametrize("specials", [(), STEPS, TEXTS])
def test_most_frequent_first_then_alphabetical_and_size_counts_all(specials: tuple[str, ...]) -> None:
    assert Vocabulary.from_counts(COUNTS, specials=specials).symbols == (*specials, "c", "a", "b", "d")
    assert Vocabulary.from_counts(COUNTS, len(specials) + 2, specials=specials).symbols == (*specials, "c", "a")
    assert Vocabulary.from_counts(COUNTS, least=2, specials=specials).names == ("c", "a", "b")
    found = Vocabulary.from_counts(COUNTS, 99, specials=specials)
    assert found.size == len(found) == len(specials) + 4


def test_a_string_that_is_not_known_has_the_id_of_unknown_ones_or_none() -> None:
    steps, labels = Vocabulary(("b", "a")), Vocabulary(("b", "a"), ())
    assert (steps.unknown, labels.unknown) == (0, -1)
    assert steps.ids(["a", "z", "b", ""]).tolist() == [2, 0, 1, 0]
    assert labels.ids(["a", "z", "b", ""]).tolist() == [1, -1, 0, -1]
    assert steps.ids([]).dtype == steps.ids(["a"]).dtype == np.int64
    assert steps.ids(["a", "z"], "u1").dtype == np.uint8


def test_what_looks_like_a_special_symbol_is_none_unless_it_is_a_label() -> None:
    texts = Vocabulary.from_counts({UNKNOWN: 3, END: 2, "a": 1}, specials=TEXTS)
    assert texts.names == ("a",) and texts.ids([UNKNOWN, END, "a"]).tolist() == [0, 0, 2]
    labels = Vocabulary.from_counts({UNKNOWN: 3, END: 2, "a": 1}, specials=())
    assert labels.names == (UNKNOWN, END, "a") and labels.ids([UNKNOWN, END, "a", "b"]).tolist() == [0, 1, 2, -1]
    assert Vocabulary.from_json(json.loads(json.dumps(labels.to_json())), ()) == labels


@given(st.lists(st.text(max_size=3), unique=True, max_size=9), st.sampled_from([(), STEPS, TEXTS]))
def test_strings_come_back_from_their_ids(names: list[str], specials: tuple[str, ...]) -> None:
    known = Vocabulary(tuple(names), specials)
    assert known.strings(known.ids(names)) == names
    assert known.strings(range(known.size)) == list(known.symbols) == [*specials, *names]


@pytest.mark.parametrize("ids", [[-1], [0, 3]])
def test_ids_outside_are_refused(ids: list[int]) -> None:
    with pytest.raises(DataError, match=r"0\.\.2"):
        Vocabulary(("a",), TEXTS).strings(ids)


def test_counts_are_kept_with_the_rest_for_what_is_unknown_and_make_frequencies() -> None:
    small = Vocabulary.from_counts(COUNTS + Counter({END: 100}), 4, specials=TEXTS)
    assert small.counts == (3, 100, 5, 2)
    assert Vocabulary.from_json(json.loads(json.dumps(small.to_json())), TEXTS).counts == small.counts
    assert small.log_frequencies is not None
    np.testing.assert_allclose(np.exp(small.log_frequencies), np.array([4, 101, 6, 3]) / 114)
    bare = Vocabulary.from_json(["c", "a"], TEXTS)
    assert bare == small and bare.counts == () and bare.log_frequencies is None
    assert Vocabulary.from_counts(COUNTS, 2, specials=()).counts == (5, 2), "without a symbol for the rest there is no count of it"


@pytest.mark.parametrize(("specials", "size"), [(TEXTS, 2), (STEPS, 1), ((), 0)])
def test_a_size_without_room_is_refused(specials: tuple[str, ...], size: int) -> None:
    with pytest.raises(ConfigError, match=f"at least {size + 1}.*got {size}"):
        Vocabulary.from_counts({"a": 1}, size, specials=specials)


@pytest.mark.parametrize(("size", "dtype"), [(2, "u1"), (256, "u1"), (257, "u2"), (65536, "u2"), (65537, "u4")])
def test_ids_are_stored_as_narrowly_as_they_fit(size: int, dtype: str) -> None:
    known = Vocabulary(tuple(map(chr, range(0x10000, 0x10000 + size - 2))), TEXTS)
    assert known.dtype == np.dtype(dtype) and known.size == size


@given(CHARACTERS, st.sampled_from([(), STEPS, TEXTS]))
def test_json_round_trip(text: str, specials: tuple[str, ...]) -> None:
    known = Vocabulary.from_counts(Counter(text), specials=specials)
    again = Vocabulary.from_json(json.loads(json.dumps(known.to_json())), specials)
    assert again == known and again.counts == known.counts


BROKEN = {
    "nothing": None,
    "a text": "ab",
    "a number": 3,
    "no names": {"counts": []},
    "names that are no list": {"names": "ab", "counts": []},
    "names that are no strings": ["a", 3],
    "names that are lists": [["a"]],
    "twice": ["a", "a"],
    "half a character": ["\ud800"],
    "a special symbol": ["a", UNKNOWN],
    "counts too few": {"names": ["a", "b"], "counts": [1, 2]},
    "counts too many": {"names": [], "counts": [1, 2]},
    "counts below 0": {"names": ["a"], "counts": [1, -2]},
    "counts that are none": {"names": ["a"], "counts": [1, "2"]},
    "counts that are true": {"names": ["a"], "counts": [1, True]},
    "counts that are no list": {"names": ["a"], "counts": 2},
}


@pytest.mark.parametrize("found", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_damaged_is_refused(found: object) -> None:
    with pytest.raises(RunError, match=r"damaged or foreign: the (names|counts) of a vocabulary .*copy of the run"):
        Vocabulary.from_json(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["names", "counts", "x"]), inner, max_size=3),
)


@given(JSON)
def test_arbitrary_json_gives_a_vocabulary_or_the_projects_error(found: object) -> None:
    with contextlib.suppress(RunError):
        assert Vocabulary.from_json(found).ids(["a", "b"]).min() >= 0
