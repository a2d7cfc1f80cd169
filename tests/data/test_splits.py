from collections import Counter

import numpy as np
import pytest

from unrolled.data.dataset import gather
from unrolled.data.examples import Example, Target
from unrolled.data.splits import deal, divide, input_keys
from unrolled.errors import ConfigError, UnrolledWarning


def labelled(labels, texts=None, groups=None):
    """Sequences with these labels, each a text of its own unless `texts` say otherwise."""
    texts, groups = texts or [f"w{i}" for i in range(len(labels))], groups or [None] * len(labels)
    rows = zip(labels, texts, groups, strict=True)
    return gather((Example(str(i), text=text, labels=tuple(some), group=group) for i, (some, text, group) in enumerate(rows)), "word")


def draw(dataset, target=Target.LABELS, held_out=0.1, seed=0):
    """What is held out, of a division that has everything once."""
    learnt, held = divide(dataset, target, held_out, np.random.default_rng(seed))
    assert sorted([*learnt, *held]) == list(range(len(dataset)))
    assert held.tolist() == divide(dataset, target, held_out, np.random.default_rng(seed))[1].tolist()
    return held.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_of_every_label_the_same_share_is_held_out(seed):
    labels = ["rare"] * 42 + ["usual"] * 558
    held = draw(labelled([[label] for label in labels]), seed=seed)
    assert Counter(labels[i] for i in held) == {"rare": 4, "usual": 56}
    assert held != draw(labelled([[label] for label in labels]), seed=seed + 1)


def test_a_label_that_comes_twice_is_on_both_sides_and_one_that_comes_once_is_learnt():
    labels = ["once", *["twice"] * 2, *["often"] * 97]
    held = draw(labelled([[label] for label in labels]))
    assert Counter(labels[i] for i in held) == {"twice": 1, "often": 9}


def test_what_cannot_be_divided_is_learnt_and_other_labels_give_no_more_for_it():
    labels, texts = ["same"] * 300 + ["other"] * 100, ["x"] * 300 + [f"w{n}" for n in range(100)]
    held = draw(labelled([[label] for label in labels], texts=texts))
    assert Counter(labels[i] for i in held) == {"other": 10}


def test_the_share_holds_where_there_are_more_labels_than_it_has_room_for():
    labels = [f"l{n % 150}" for n in range(750)]
    held = draw(labelled([[label] for label in labels]))
    assert len(held) == len({labels[i] for i in held}) == 75


def test_nothing_is_held_out_of_labels_that_all_come_once_but_one_sequence():
    assert len(draw(labelled([[f"l{n}"] for n in range(30)]))) == 1


def test_several_labels_at_once_are_held_out_in_equal_shares():
    chance = np.random.default_rng(1)
    labels = [[f"l{k}" for k in range(8) if chance.random() < 0.4 * 0.6**k] for _ in range(1000)]
    held = draw(labelled(labels))
    every, found = Counter(label for some in labels for label in some), Counter(label for i in held for label in labels[i])
    assert len(held) == 100 and any(not labels[i] for i in held)
    for label, times in every.items():
        assert found[label] == pytest.approx(0.1 * times, abs=1 + 0.03 * times)


def test_every_tag_is_on_both_sides():
    tags = [("O", "O"), *[("O", "B-y")] * 2, *[("O", "B-x", "O")] * 3, *[("O",) * 4] * 94]
    tokens = (tuple(f"{i}-{step}" for step in range(len(some))) for i, some in enumerate(tags))
    dataset = gather((Example(str(i), tokens=words, tags=some) for i, (words, some) in enumerate(zip(tokens, tags, strict=True))), "word")
    held = draw(dataset, Target.TAGS)
    assert len(held) == 10 and {tag for i in held for tag in tags[i]} == {"O", "B-x", "B-y"}


@pytest.mark.parametrize("each_step", [False, True])
def test_of_every_tenth_of_numbers_some_are_held_out(each_step):
    numbers = np.random.default_rng(2).permutation(200) ** 3.0
    examples = (
        Example(str(i), text=f"w{i} w{i + 1}", values=np.array([[n], [n]]) if each_step else np.array([n])) for i, n in enumerate(numbers)
    )
    held = draw(gather(examples, "word"), Target.STEP_VALUES if each_step else Target.VALUES)
    assert Counter(int(np.cbrt(numbers[i]) + 0.5) // 20 for i in held) == dict.fromkeys(range(10), 2)


def test_groups_lie_on_one_side():
    groups = [f"g{n % 20}" for n in range(200)]
    held = draw(labelled([["a"], ["b"]] * 100, groups=groups))
    assert 10 <= len(held) <= 30 and len(held) == 10 * len({groups[i] for i in held})
    assert {i % 2 for i in held} == {0, 1}


def test_of_two_groups_one_is_held_out_and_of_one_nothing():
    assert len(draw(labelled([["a"], ["b"]] * 5, groups=["x"] * 8 + ["y"] * 2))) in (2, 8)
    assert draw(labelled([["a"], ["b"]] * 5, groups=["x"] * 10)) == []
    assert draw(labelled([["a"]])) == [] == draw(labelled([["a"], ["b"]] * 5), held_out=0.0)


def test_equal_sequences_lie_on_one_side_also_through_their_groups():
    texts = [f"w{n % 40}" for n in range(120)]
    held = draw(labelled([["a"], ["b"]] * 60, texts=texts))
    assert len(held) == 12 and not {texts[i] for i in held} & {texts[i] for i in range(120) if i not in held}
    groups = [f"g{n // 4}" for n in range(120)]
    held = draw(labelled([["a"], ["b"]] * 60, texts=texts, groups=groups))
    assert held
    for one in (texts, groups):
        assert not {one[i] for i in held} & {one[i] for i in range(120) if i not in held}


def test_equal_sequences_are_divided_where_a_label_would_else_not_be_learnt():
    held = draw(labelled([["a"], ["b"]] * 10, texts=["x", "y"] * 10), held_out=0.2)
    assert Counter(i % 2 for i in held) == {0: 2, 1: 2}


def test_sequences_are_compared_across_datasets_by_what_is_read():
    some = labelled([["a"]] * 3, texts=["one two", "three", "four"])
    other = labelled([["b"]] * 4, texts=["five", "three", "two one", "one  two"])
    known = [*input_keys(some)]
    assert [key in known for key in input_keys(other, some.table)] == [False, True, False, True]
    rows = [np.array([[1.0], [2.0]], np.float32), np.array([[1.0], [3.0]], np.float32)]
    first, second = (gather([Example("", numbers=row) for row in order], "word") for order in (rows, rows[::-1]))
    assert [*input_keys(first)] == [*input_keys(second, first.table)][::-1]


def test_equal_sequences_are_divided_where_far_more_would_else_be_held_out_than_is_asked_for():
    held = draw(labelled([["a"]] * 20, texts=["x", "y"] * 10))
    assert len(held) == 2


@pytest.mark.parametrize("seed", range(20))
def test_what_is_left_of_every_label_is_learnt(seed):
    chance = np.random.default_rng(seed)
    labels = [[f"l{k}" for k in chance.choice(12, chance.integers(1, 4), replace=False)] for _ in range(25)]
    groups = [str(chance.integers(15)) for _ in labels]
    held = draw(labelled(labels, groups=groups), held_out=0.5, seed=seed)
    learnt = {label for i, some in enumerate(labels) if i not in held for label in some}
    assert learnt == {label for some in labels for label in some}


def test_where_room_is_scarce_frequent_labels_are_held_out_first():
    labels = [*(f"often{n % 20}" for n in range(400)), *(f"twice{n % 50}" for n in range(100))]
    held = Counter(labels[i] for i in draw(labelled([[label] for label in labels]), held_out=20 / 500))
    assert {label for label in held if label.startswith("often")} == {f"often{n}" for n in range(20)}
    assert sum(n for label, n in held.items() if label.startswith("twice")) == 4


def dealt(dataset, folds, target=Target.LABELS, seed=0):
    """What is held out in each part, of a division that has everything once."""
    part = deal(dataset, target, folds, np.random.default_rng(seed))
    assert part.tolist() == deal(dataset, target, folds, np.random.default_rng(seed)).tolist()
    found = [np.flatnonzero(part == number).tolist() for number in range(folds)]
    assert sorted(i for part in found for i in part) == list(range(len(dataset))) and all(found)
    return found


@pytest.mark.parametrize("folds", [2, 3, 7, 10])
def test_every_part_has_its_share_of_every_label_and_everything_is_in_one(folds):
    labels = np.random.default_rng(3).permutation(["rare"] * 23 + ["usual"] * 200 + ["often"] * 300).tolist()
    parts = dealt(labelled([[label] for label in labels]), folds)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    for label in ("rare", "usual", "often"):
        counts = [sum(labels[i] == label for i in part) for part in parts]
        assert max(counts) - min(counts) <= 1


def test_several_labels_at_once_are_dealt_in_equal_shares():
    chance = np.random.default_rng(1)
    labels = [[f"l{k}" for k in range(8) if chance.random() < 0.4 * 0.6**k] for _ in range(1000)]
    parts = dealt(labelled(labels), 4)
    counts = [Counter(label for i in part for label in labels[i]) for part in parts]
    for label, times in Counter(label for some in labels for label in some).items():
        assert all(abs(count[label] - times / 4) < 2 for count in counts)
    assert all(abs(len(part) - 250) <= 5 for part in parts)


def test_other_chance_deals_other_parts():
    dataset = labelled([["a"]] * 40)
    assert dealt(dataset, 4) != dealt(dataset, 4, seed=1)


def test_groups_and_equal_sequences_are_in_one_part():
    chance = np.random.default_rng(4)
    groups = [f"g{chance.integers(30)}" for _ in range(300)]
    texts = [f"w{i % 296}" for i in range(300)]
    labels = [["a" if chance.random() < 0.3 else "b"] for _ in range(300)]
    parts = dealt(labelled(labels, texts, groups), 5)
    for kept in (groups, texts):
        assert not any({kept[i] for i in one} & {kept[i] for i in other} for one in parts for other in parts if one is not other)
    assert all(abs(len(part) - 60) <= 15 for part in parts)


def test_equal_sequences_are_apart_where_there_were_too_few_parts_else():
    parts = dealt(labelled([["a"]] * 8 + [["b"]] * 8, texts=["x", "y"] * 8), 4)
    assert [len(part) for part in parts] == [4] * 4


def test_tags_and_numbers_are_dealt_evenly():
    tags = [("O", "B-x") if i % 10 == 0 else ("O", "O", "O") for i in range(100)]
    examples = (Example(str(i), tokens=tuple(f"{i}-{t}" for t in range(len(some))), tags=some) for i, some in enumerate(tags))
    assert [sum(i % 10 == 0 for i in part) for part in dealt(gather(examples, "word"), 5, Target.TAGS)] == [2] * 5
    numbers = np.random.default_rng(2).permutation(100) ** 3.0
    examples = (Example(str(i), text=f"w{i}", values=np.array([n])) for i, n in enumerate(numbers))
    for part in dealt(gather(examples, "word"), 5, Target.VALUES):
        assert sorted(round(numbers[i] ** (1 / 3)) // 10 for i in part) == sorted([*range(10)] * 2)


def test_labels_with_fewer_sequences_than_parts_are_told_and_spread():
    labels = ["once", "twice", "twice", *["often"] * 40]
    with pytest.warns(UnrolledWarning, match="Of 'once', 'twice' there are fewer sequences than `folds=4`"):
        part = deal(labelled([[label] for label in labels]), Target.LABELS, 4, np.random.default_rng(0))
    assert part[1] != part[2] and sorted(np.bincount(part)) == [10, 11, 11, 11]


@pytest.mark.parametrize(
    ("folds", "groups", "told"),
    [
        (1, None, "`folds` must be at least 2"),
        (7, None, "`folds=7` needs as many sequences, and DATA has 6. Ask for at most 6"),
        (3, ["a", "b"] * 3, "`folds=3` needs as many groups of `group`, and DATA has 2"),
    ],
)
def test_more_parts_than_can_be_filled_are_refused(folds, groups, told):
    with pytest.raises(ConfigError, match=told):
        deal(labelled([["a"]] * 6, groups=groups), Target.LABELS, folds, np.random.default_rng(0))


def test_as_many_parts_as_sequences_leave_one_out():
    assert sorted(len(part) for part in dealt(labelled([["a"]] * 6), 6)) == [1] * 6
