"""Pairs from files: every format, and what is said of files that cannot be read."""

import io
import json
import sys

import pytest

from unrolled.data.examples import Example
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import PAIRS, read_pairs
from unrolled.errors import ConfigError, DataError, UnrolledWarning

WANTED = [("Run!", ("Cours\u202f!",)), ('"Look," I said.', ("« Regarde », dis-je.",)), ("Who?", ("Qui ?",))]


def read(sources, **options):
    return [(pair.text, pair.texts) for pair in read_pairs(sources, PairOptions(**options))]


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(name, *lines, end="\n"):
        (tmp_path / name).write_bytes(end.join((*lines, "")).encode())
        return name

    return written


@pytest.mark.parametrize("name", ["pairs.tsv", "pairs.txt"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_source_tab_target(write, name, end):
    lines = [f"{source}\t {targets[0]}\tby somebody" for source, targets in WANTED]
    assert read(write(name, "", *lines, end=end)) == WANTED
    assert read(name, references=True)[0] == ("Run!", ("Cours\u202f!", "by somebody"))
    write(name, "en\tfr", *lines)
    assert len(read(name)) == 4
    assert read(name, header=True) == WANTED


def test_aligned_files(write):
    write("a.en", *(source for source, _ in WANTED))
    write("a.fr", *(targets[0] for _, targets in WANTED))
    write("b.fr", "1", "", "3")
    assert read([], source="a.en", target=("a.fr",)) == WANTED
    assert [targets for _, targets in read([], source="a.en", target=("a.fr", "b.fr"))] == [
        (first, more) for (_, (first,)), more in zip(WANTED, ("1", "", "3"), strict=True)
    ]


@pytest.mark.parametrize(("long", "short"), [("en", "fr"), ("fr", "en")])
def test_a_line_without_partner_is_named(write, long, short):
    write(f"a.{long}", *map(str, range(1, 1235)))
    write(f"a.{short}", *map(str, range(1, 1233)))
    with pytest.raises(DataError, match=rf"a.{long} has 1,234 lines and a.{short} has 1,232: line 1233 of a.{long}, \"1233\", has no part"):
        read([], source="a.en", target=("a.fr",))


def test_json_lines(write):
    objects = [{"id": 7, "source": "a", "target": " b "}, {"source": "c\nd", "target": ["e", "f"]}]
    wanted = [("a", ("b",)), ("c\nd", ("e", "f"))]
    for name in ("pairs.jsonl", "pairs.txt"):
        assert read(write(name, *map(json.dumps, objects))) == wanted


def test_halves_of_characters_in_json_become_question_marks_which_is_told_once(write):
    name = write("pairs.jsonl", r'{"source": "a\ud83d b \ud83d\ude00 \\ud800", "target": ["\udc00", "\u00e9"]}')
    with pytest.warns(UnrolledWarning, match=r"pairs.jsonl, line 1 has half of a character, such as \\ud83d, .* read as a question mark"):
        found = read(name)
    assert found == [("a? b 😀 \\ud800", ("?", "é"))]


def test_commands_of_scan(write):
    name = write("tasks.txt", "IN: jump twice OUT: JUMP JUMP", "IN: turn left OUT: LTURN")
    assert read(name) == [("jump twice", ("JUMP JUMP",)), ("turn left", ("LTURN",))]
    with pytest.raises(DataError, match=r"tasks.txt, line 2: the line must be `IN: … OUT: …`, got \"turn"):
        read(write("tasks.txt", "IN: jump OUT: JUMP", "turn left"))


def test_places_name_file_and_line(write):
    pairs = list(read_pairs(write("a.tsv", "", "x\ty", "", "z\tw"), PairOptions()))
    assert [pair.place for pair in pairs] == ["a.tsv, line 2", "a.tsv, line 4"]


def test_sources_alone_are_read_to_predict(write, monkeypatch):
    options = PairOptions(encoding="latin-1").to_predict()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Où\tça ?\n\n {x}\n".encode("latin-1"))))
    with pytest.warns(UnrolledWarning, match=r"standard input, line 1, \"Où.tça .\", is read as a source. Pass `format='tsv'`"):
        found = [(pair.text, pair.texts) for pair in read_pairs("-", options)]
    assert found == [("Où\tça ?", ()), ("", ()), ("{x}", ())]
    options = PairOptions().to_predict()
    assert [pair.text for pair in read_pairs(write("a.tsv", "x\ty", "", "z"), options)] == ["x", "", "z"]
    assert [pair.texts for pair in read_pairs(write("a.jsonl", '{"source": "x"}'), options)] == [()]
    assert [pair.text for pair in read_pairs([], PairOptions(source=write("a.en", "x", "y")).to_predict())] == ["x", "y"]


@pytest.mark.parametrize(
    ("lines", "name", "message"),
    [
        (["a\tb", "lonely"], "a.tsv", r"a.tsv, line 2: there must be a source, a tab and a target, got \"lonely\""),
        (["no tab"], "a.txt", "a.txt, line 1, has no tab"),
        ([], "a.tsv", "no pair in a.tsv"),
        (['{"source": "a"}'], "a.jsonl", "a.jsonl, line 1: 'source' must be a text and 'target'"),
        (['{"source": "a", "target": ["b", 4]}'], "a.jsonl", "'target' a text or a list of texts, got"),
        (['{"en": "a", "fr": "b"}'], "a.jsonl", r"jq -c '\{source: .en, target: .fr\}'"),
        (["[1]"], "a.jsonl", "a.jsonl, line 1 must be a JSON object"),
    ],
)
def test_what_cannot_be_read_is_named(write, lines, name, message):
    with pytest.raises(DataError, match=message):
        read(write(name, *lines))


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        ([], {}, "There are no PAIRS"),
        (["a.tsv"], {"source": "a", "target": ("b",)}, "one or the other"),
        ([], {"source": "a"}, "from a file `source` beside a file `target`, got `source='a'`"),
        ([], {"target": ("a", "b")}, "from a file `source` beside a file `target`, got `target='a'`, `target='b'`"),
        (["a.tsv"], {"format": "csv"}, "no format 'csv' of pairs. Pass one of tsv, jsonl, scan, lines"),
        (["a.tsv"], {"format": "lines"}, "sources without targets"),
        ([], {"longest": 0}, "`longest` must be at least 1, got 0"),
        ([], {"too_long": "weep"}, "`too_long` must be one of drop, cut, got 'weep'"),
    ],
)
def test_what_contradicts_itself_is_told(sources, options, message):
    with pytest.raises(ConfigError, match=message):
        read(sources, **options)


def test_built_in_pairs_that_do_not_exist():
    with pytest.raises(DataError, match=r"no built-in examples 'builtin:cats'. Pass one of builtin:dates"):
        read("builtin:cats")
    with pytest.raises(ConfigError, match=r"builtin:intents has only labels for whole sequences. Train `classify` on it"):
        read("builtin:intents")


def test_pairs_come_one_by_one(write):
    pairs = read_pairs(write("a.tsv", "a\tb", "broken"), PairOptions())
    assert next(pairs).text == "a"
    with pytest.raises(DataError):
        next(pairs)


@pytest.mark.parametrize("name", PAIRS)
def test_the_sample_of_a_format_is_read_in_it(write, name):
    about = PAIRS[name].about
    options = PairOptions(format=name)
    write("sample.txt", about.sample.removesuffix("\n"))
    found = list(read_pairs("sample.txt", options if "texts" in about.gives else options.to_predict()))
    assert len(found) == about.sample.count("\n")
    for number, example in enumerate(found, 1):
        assert example == Example(f"sample.txt, line {number}", text=example.text, texts=example.texts)
        assert example.text and bool(example.texts) == ("texts" in about.gives)
