"""Which events may follow others: those of tunes may, and whatever is drawn of them has full bars."""

import pytest
import torch

from unrolled.data.codecs.music import learn_codec
from unrolled.data.music.events import bars, elements, play
from unrolled.tasks.music.grammar import Grammar

TUNE = [
    "M:3/4",
    "K:1",
    "|:",
    "n62",
    "=1/2",
    "n64",
    "=1/2",
    "|",
    "n67",
    "=1",
    "&",
    "n71",
    "=1",
    "n71",
    "=1/3",
    "n72",
    "=1/3",
    "n71",
    "=1/3",
    "n69",
    "=1",
    "-",
    "|",
    "n69",
    "=2",
    "r",
    "=1",
    "|",
    "[1",
    "n67",
    "=2",
    ":|",
    "[2",
    "n67",
    "=3",
    "||",
    "M:4/4",
    "K:0",
    "n60",
    "=3/2",
    "-",
    "&",
    "n64",
    "=3/2",
    "-",
    "n60",
    "=5/2",
    "&",
    "n64",
    "=5/2",
    "|",
    "n60",
    "=4",
    "|",
]


@pytest.fixture(scope="module")
def codec():
    return learn_codec("events", 4, [play(TUNE)])


def grammar(codec, *, full_bars=True):
    return Grammar(codec, torch.device("cpu"), full_bars=full_bars)


def names(codec, allowed):
    return {codec.vocabulary.symbols[i] for i in allowed.nonzero()[:, 0].tolist()}


def next_ones(codec, line):
    rules = grammar(codec)
    return names(codec, rules.allowed(rules.begin(codec.vocabulary.ids(line.split()).tolist()))[0])


@pytest.mark.parametrize("full_bars", [True, False])
def test_every_event_of_a_tune_may_follow_those_before_it(codec, full_bars):
    rules = grammar(codec, full_bars=full_bars)
    place = rules.begin([])
    for event in codec.encode(play(TUNE)).tolist():
        assert rules.allowed(place)[0, event]
        place = rules.after(place, torch.tensor([event]))


@pytest.mark.parametrize("full_bars", [True, False])
def test_whatever_is_drawn_of_what_may_follow_has_full_bars(codec, full_bars):
    rules, chance = grammar(codec, full_bars=full_bars), torch.Generator().manual_seed(0)
    place, drawn = rules.begin([]).repeated(64), []
    for _ in range(150):
        allowed = rules.allowed(place) & (torch.arange(codec.size) != codec.end)
        drawn.append(torch.multinomial(allowed.double(), 1, generator=chance)[:, 0])
        place = rules.after(place, drawn[-1])
    tunes = [codec.strings(column) for column in torch.stack(drawn, 1).numpy()]
    found = [bar for tune in tunes for bar in [*bars(elements(tune))][:-1]]
    wrong = [bar for bar in found if bar.length > bar.meant or (bar.length < bar.meant and not bar.edge)]
    assert len(found) > 500 and sum(bar.length == bar.meant for bar in found) > 50 and bool(wrong) != full_bars


def test_a_piece_begins_with_its_meter(codec):
    assert next_ones(codec, "") == {"M:3/4", "M:4/4"}


@pytest.mark.parametrize(
    ("line", "lengths"),
    [
        # A third leaves two thirds, which only thirds fill.
        ("M:3/4 n60 =2 r", {"=1", "=1/2", "=1/3"}),
        ("M:3/4 n60 =2 n60 =1/3 n62", {"=1/3"}),
        ("M:3/4 n60 =2 & n62", {"=3", "=5/2", "=2", "=3/2", "=1", "=1/2", "=1/3"}),
        ("M:4/4 n60 =4 | n62", {"=4", "=3", "=5/2", "=2", "=3/2", "=1", "=1/2", "=1/3"}),
    ],
)
def test_a_length_leaves_what_can_be_filled(codec, line, lengths):
    assert next_ones(codec, line) == lengths


@pytest.mark.parametrize(
    ("line", "may_end"),
    [
        ("M:3/4 n60 =1", True),
        ("M:3/4 n60 =3 | n60 =1", False),
        ("M:3/4 n60 =3 | n60 =3", True),
        ("M:3/4 n60 =3 || n60 =1", True),
        ("M:3/4 n60 =3 | [1 n60 =1", True),
        ("M:3/4 n60 =3 |", False),
        ("M:3/4 n60 =3 | n60 =2 n60 =2", True),
    ],
)
def test_a_bar_ends_where_it_is_full_or_may_be_shorter(codec, line, may_end):
    assert ("|" in next_ones(codec, line)) == may_end


def test_after_a_full_bar_comes_no_note(codec):
    assert not {"n60", "r", "M:4/4"} & next_ones(codec, "M:3/4 n60 =3") and {"-", "&", "|", ":|"} < next_ones(codec, "M:3/4 n60 =3")
    assert not {"n60", "r"} & next_ones(codec, "M:3/4 n60 =2 n60 =2")
