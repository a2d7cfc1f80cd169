"""Pairs from files: every format, and what is said of files that cannot be read."""

import io
import json
import sys
import warnings
from contextlib import contextmanager
from dataclasses import replace

import pytest

from unrolled.data.examples import Example
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import PAIRS, read_pairs, resolve_pairs
from unrolled.errors import ConfigError, DataError, UnrolledError, UnrolledWarning
from unrolled.tasks.looking import look
from unrolled.tasks.translation.options import Reading

WANTED = [("Run!", ("Cours\u202f!",)), ('"Look," I said.', ("« Regarde », dis-je.",)), ("Who?", ("Qui ?",))]


def read(sources, **options):
    return [(pair.text, pair.texts) for pair in read_pairs(sources, PairOptions(**options))]


@contextmanager
def ignored():
    """Without what is told of headers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnrolledWarning)
        yield


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
    assert len(read(name, header=False)) == 4
    assert read(name) == read(name, header=True) == WANTED


def numbered(*row):
    """Rows in which `#` is the number of the row."""
    return ["\t".join(row).replace("#", str(n)) for n in range(1, 13)]


BY = "CC-BY 2.0 (France) Attribution: tatoeba.org #54#1 (CK) & #11 (sac)"


@pytest.mark.parametrize(
    ("row", "options", "pair", "left"),
    [
        (["7#", "a #", "8#", "b #"], {}, ("a 1", ("b 1",)), ("0", "2")),
        (["7#", "eng", "a #", "8#", "fra", "b #"], {}, ("a 1", ("b 1",)), ("0", "1", "3", "4")),
        (["a #", "b #", BY], {}, ("a 1", ("b 1",)), ("2",)),
        (["en-fr.#", "a #", "b #", "note #"], {}, ("a 1", ("b 1",)), ("0", "3")),
        (["#", "a #", "1#"], {}, ("a 1", ("11",)), ("0",)),
        (["#:#", "a #", "e#f-9", "b #"], {}, ("a 1", ("b 1",)), ("0", "2")),
        (["#+1", "1#"], {}, ("1+1", ("11",)), ()),
        (["a #", "#", BY], {}, ("a 1", ("1",)), ("2",)),
        (["x #", "a #", "b #"], {"input": "2", "target": ("1",)}, ("b 1", ("a 1",)), ("0",)),
        (["x #", "a #", "b #"], {"target": ("0",)}, ("a 1", ("x 1",)), ("2",)),
        (["x #", "a #", "b #"], {"input": "1", "target": ("0", "2")}, ("a 1", ("x 1", "b 1")), ()),
        (["7#", "a #", "b #"], {"references": True, "input": "0", "target": ("1",)}, ("71", ("a 1", "b 1")), ()),
    ],
)
def test_columns_of_pairs_are_named_or_found_among_ids_languages_and_attributions(write, row, options, pair, left):
    name = write("pairs.tsv", *numbered(*row))
    assert read(name, **options)[0] == pair
    resolved = resolve_pairs(name, PairOptions(**options))
    assert resolved.left == left
    again = replace(resolved, input=None, target=())
    write("other.tsv", *numbered(*row)[3:4])
    assert [(p.text, p.texts) for p in read_pairs("other.tsv", again)] == read("pairs.tsv", **options)[3:4]


@pytest.mark.parametrize(
    ("header", "options", "learnt"),
    [
        ("id,en,fr", {}, ("en", "fr")),
        ("id,fr,en", {"input": "en"}, ("en", "fr")),
        ("id,fr,en", {"source": "en"}, ("en", "fr")),
        ("lang,note,text,translation", {}, ("text", "translation")),
        ("answer,id,question", {}, ("question", "answer")),
        ("first,second,third", {"input": "third", "target": ("second", "first")}, ("third", "second", "first")),
        (",source,target", {}, ("source", "target")),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_of_pairs_by_their_names(write, header, options, learnt, delimiter):
    names = header.split(",")
    rows = [[f"{name or 'row'} {n}" for name in names] for n in range(3)]
    name = write("pairs.tsv" if delimiter == "\t" else "pairs.csv", *(delimiter.join(row) for row in (names, *rows)))
    source, *targets = (names.index(each) for each in learnt)
    assert read(name, **options) == [(row[source], tuple(row[at] for at in targets)) for row in rows]
    reading = resolve_pairs(name, PairOptions(**options))
    assert (reading.learnt, {*reading.left}) == (learnt, {each or "0" for each in names} - {*learnt})
    write("turned.tsv", "\t".join([*names[::-1], "more"]), "\t".join([*rows[0][::-1], "x"]))
    turned = replace(reading, input=None, target=())
    assert [(p.text, p.texts) for p in read_pairs("turned.tsv", turned)] == read(name, **options)[:1]


def test_what_was_learnt_and_is_not_there_is_told_and_not_guessed(write):
    learnt = PairOptions(learnt=("1", "3"))
    with pytest.raises(ConfigError, match=r"a.tsv has no column '3'; it has the columns 0, 1, 2. Pass one of them as `target`"):
        list(read_pairs(write("a.tsv", "1\ta\tb"), learnt))
    assert [(p.text, p.texts) for p in read_pairs("a.tsv", learnt.to_predict())] == [("a", ())]
    assert [p.text for p in read_pairs(write("b.tsv", "a", "b"), learnt.to_predict())] == ["a", "b"]
    named = PairOptions(learnt=("en", "fr"))
    with pytest.raises(ConfigError, match=r"c.csv has no column 'en'; it has the columns de, fr. Pass one of them as `input`"):
        list(read_pairs(write("c.csv", "de,fr", "a,b"), named))
    assert [(p.text, p.texts) for p in read_pairs(write("d.csv", "a,b"), named)] == [("a", ("b",))]


def test_quotes_of_csv_and_what_is_wrong_with_columns_of_pairs(write):
    assert read(write("a.csv", "en,fr", '"Yes, you.","Oui, ""toi""."')) == [("Yes, you.", ('Oui, "toi".',))]
    assert read(write("b.tsv", "message\tmessage", "question\tquestion"), encoding="utf-8")[0] == ("message", ("message",))
    with pytest.raises(ConfigError, match=r"a.csv has no column 'de'; it has the columns en, fr. Pass one of them as `target`"):
        read("a.csv", target=("de",))
    with pytest.raises(ConfigError, match=r"b.tsv has no column 'en'; it has the columns 0, 1. Pass one of them as `input`. If .*`header`"):
        read("b.tsv", input="en")
    with pytest.raises(DataError, match=r"c.csv, line 3: the names of the columns come again"):
        read(write("c.csv", "en,fr", "a,b", "en,fr"))
    with pytest.raises(DataError, match=r"d.tsv, line 2: there must be a source and a target, in the columns 1 and 3, got \"3 . c\""):
        read(write("d.tsv", "1\ta\t2\tb", "3\tc"))


@pytest.mark.parametrize(
    ("records", "options", "pair", "left"),
    [
        ([{"id": 1, "question": "a", "answer": "b"}], {}, ("a", ("b",)), ("id",)),
        ([{"en": "a", "fr": "b", "de": "c"}], {"input": "fr", "target": ("en", "de")}, ("b", ("a", "c")), ()),
        ([{"translation": {"en": "a", "fr": "b"}}], {"input": "translation.en", "target": ("translation.fr",)}, ("a", ("b",)), ()),
        ([{"x.y": "a", "x": {"y": "c"}, "target": "b"}], {"input": "x.y"}, ("a", ("b",)), ("x",)),
    ],
)
def test_keys_of_pairs(write, records, options, pair, left):
    name = write("pairs.jsonl", *map(json.dumps, records))
    assert read(name, **options) == [pair]
    reading = resolve_pairs(name, PairOptions(**options))
    assert (reading.left, [(p.text, p.texts) for p in read_pairs(name, replace(reading, input=None, target=()))]) == (left, [pair])


@pytest.mark.parametrize("second", [{"question": "a", "response": "b"}, {"source": "a", "answer": "b"}, {"question": "a"}])
def test_the_keys_of_the_first_pair_hold_for_all(write, second):
    name = write("pairs.jsonl", '{"question": "a", "answer": "b", "response": "c"}', json.dumps(second))
    with pytest.raises(DataError, match=r"pairs.jsonl, line 2: there is no key '(question|answer)'; the keys are .* Add it"):
        read(name)
    with pytest.raises(
        ConfigError, match=r"pairs.jsonl, line 1: which keys have source and target is not clear; the keys are en, fr. Pass two of them"
    ):
        read(write("pairs.jsonl", '{"en": "a", "fr": "b"}'))


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
        (["a\tb", "lonely"], "a.tsv", r"a.tsv, line 2: there must be a source and a target, in the columns 0 and 1, got \"lonely\""),
        (["no tab"], "a.txt", "a.txt, line 1, has no tab"),
        ([], "a.tsv", "no pair in a.tsv"),
        (['{"source": "a", "target": ["b", 4]}'], "a.jsonl", "'source' must be a text and 'target' a text or a list of texts, got"),
        (['{"source": "a", "target": null}'], "a.jsonl", "line 1: 'source' must be a text and 'target'"),
        (['{"source": "a", "target": "b"}', '{"source": "c"}'], "a.jsonl", "line 2: there is no key 'target'; the keys are source. Add it"),
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
        (["a.tsv"], {"source": "a", "input": "b"}, "`source` and `input` both name the column or key of the source, got 'a' and 'b'"),
        (["builtin:dates"], {"input": "0"}, "`input` and `target` are columns of files, and builtin:dates is none"),
        ([], {"source": "a"}, "from a file `source` beside a file `target`, got `source='a'`"),
        ([], {"target": ("a", "b")}, "from a file `source` beside a file `target`, got `target='a'`, `target='b'`"),
        (["a.tsv"], {"format": "xml"}, "no format 'xml' of pairs. Pass one of tsv, csv, jsonl, tmx, scan, lines"),
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
    header = name in ("csv", "tmx")
    assert len(found) == about.sample.count("\n") - header
    for number, example in enumerate(found, 1):
        assert example == Example(
            "sample.txt, unit 1" if name == "tmx" else f"sample.txt, line {number + header}", text=example.text, texts=example.texts
        )
        assert example.text and bool(example.texts) == ("texts" in about.gives)


GROUPED = {
    "pairs.csv": ({}, "who,source,target\n" + "".join(f"d{n // 4},s{n},t{n}\n" for n in range(24))),
    "pairs.tsv": ({}, "source\ttarget\twho\n" + "".join(f"s{n}\tt{n}\td{n // 4}\n" for n in range(24))),
    "many.tsv": ({"references": True}, "source\ttarget\twho\tmore\n" + "".join(f"s{n}\tt{n}\td{n // 4}\tu{n}\n" for n in range(24))),
    "odd.csv": ({}, "who,odd,even\n" + "".join(f"all of d{n // 4},what s{n},that t{n}\n" for n in range(24))),
    "pairs.jsonl": ({}, "".join(json.dumps({"who": n // 4 + 0.0, "source": f"s{n}", "target": f"t{n}"}) + "\n" for n in range(24))),
}


@pytest.mark.filterwarnings("ignore:.*is taken for the names of the columns")
@pytest.mark.parametrize("name", GROUPED)
def test_groups_of_pairs_in_files_of_every_kind(tmp_path, name):
    options, content = GROUPED[name]
    path = tmp_path / name
    path.write_text(content)
    reading = resolve_pairs(path, Reading(group="who", **options))
    found = list(read_pairs(path, reading))
    assert len(found) == 24 and len({pair.group for pair in found}) == 6 and "who" not in (*reading.learnt, *reading.left)
    assert [pair.text.split()[-1] for pair in found[:2]] == ["s0", "s1"] and found[0].texts[0].split()[-1] == "t0"
    assert "d0" not in " ".join(found[0].texts) and found[0].group in ("d0", "0", "all of d0")
    with pytest.raises(ConfigError, match=r"(columns|keys are) .*(who|0, 1, 2).*as `group`"):
        resolve_pairs(path, Reading(group="nope", **options))
    first, second = reading.learnt[:2]
    with pytest.raises(ConfigError, match=r"`group` names '.*', which has the target"):
        resolve_pairs(path, Reading(group=second, target=(second,), **options))
    if name != "odd.csv":
        with pytest.raises(ConfigError, match="`group` names 'source', which is taken for the input"):
            resolve_pairs(path, Reading(group=first, **options))
    path.write_text(content.replace("who", "other"))
    assert [pair.group for pair in read_pairs(path, reading.of_others())] == [None] * 24


def test_groups_are_asked_of_files_with_columns_alone(tmp_path):
    path = tmp_path / "one.txt"
    path.write_text("IN: jump OUT: JUMP\n")
    for sources, options in ((path, {}), ("builtin:dates", {}), ((), {"source": str(path), "target": (str(path),)})):
        with pytest.raises(ConfigError, match=r"`group` names a column of a table, or a key of JSON Lines, and .* has neither"):
            list(read_pairs(sources, Reading(group="who", **options)))


@pytest.mark.parametrize(
    ("names", "below"), [("english,french", "a dog {},un chien"), ("headline,article,author", "a dog {},it is here,Bo")]
)
def test_a_word_above_texts_is_the_name_of_its_column_and_this_is_told(write, names, below):
    name = write("a.csv", names, *(below.format(n) for n in range(9)))
    with pytest.warns(UnrolledWarning, match=r"a.csv: the first line, .*, is taken for the names .*`header=False`"):
        assert len(read(name)) == 9
    assert len(read(name, header=False)) == 10


def test_words_above_words_are_a_pair(write):
    assert len(read(write("a.csv", "dog,chien", *(f"cat{n},chat{n}" for n in "abcdefghi")))) == 10
    assert len(read(write("a.csv", "Dog!,chien", *(f"a cat {n},un chat" for n in range(9))))) == 10
    assert len(read(write("a.csv", "anna,anna", *(f"cat{n},chat{n}" for n in "abcdefghij")))) == 11
    assert len(read(write("a.csv", "a0b,b0a", *(f"cat{n},chat{n}" for n in "abcdefghij")))) == 11
    words = write("a.tsv", "anglais\tfrancais", *(f"cat{n}\tchat{n}" for n in "abcdefghij"))
    with pytest.warns(UnrolledWarning, match=r"a.tsv: the first line, .anglais . francais., is taken for a pair. .* pass `header`"):
        assert len(read(words)) == 11
    assert (len(read(words, header=True)), len(read(words, header=False))) == (10, 11)
    with ignored():
        assert [column.name for column in look(words).format.columns] == ["0", "1"]
    assert [column.name for column in look(words, header=True).format.columns] == ["anglais", "francais"]


@pytest.mark.parametrize("asked", [{}, {"input": "translation", "target": ("fr",)}, {"input": "en", "target": ("fr",)}])
def test_keys_that_errors_name_can_be_passed(write, asked):
    name = write("pairs.jsonl", '{"translation": {"en": "a", "fr": "b", "x": {"y": "c"}}, "id": 1}')
    with pytest.raises(UnrolledError, match=r"the keys are translation\.en, translation\.fr, translation\.x\.y, id\."):
        read(name, **asked)
    assert read(name, input="translation.en", target=("translation.x.y",)) == [("a", ("c",))]
    options = PairOptions(input="translation.en", target=("translation.fr",))
    assert resolve_pairs(name, options).left == ("translation.x.y", "id")


COMPARED = [(f"a man {n} runs", f"a dog {n} runs", ("yes", "no", "maybe")[n * n % 7 % 3]) for n in range(30)]


@pytest.mark.parametrize("header", [("premise", "hypothesis", "label"), ("left", "right", "kind"), None])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_texts_to_compare_are_no_translations(write, header, order):
    rows = [[row[at] for at in order] for row in ([header] if header else []) + COMPARED]
    name, names = write("a.tsv", *map("\t".join, rows)), [(header or "012")[at] for at in order] if header else ["0", "1", "2"]
    texts, label = ([names[order.index(at)] for at in (0, 1)], names[order.index(2)])
    with (
        ignored(),
        pytest.raises(
            ConfigError,
            match=rf"a.tsv: the columns {', '.join(texts)} seem to be texts to compare, with labels in {label}, .* as `input` and `target`",
        ),
    ):
        read(name)
    assert look(name).task.task != "translate"
    with ignored():
        assert read(name, input=texts[0], target=(label,))[0] == (COMPARED[0][0], (COMPARED[0][2],))


@pytest.mark.parametrize(
    "header", [("source", "target", "kind"), ("en", "fr", "kind"), ("eng", "deu", "lang"), ("question", "answer", "topic")]
)
def test_pairs_beside_classes_are_translated_where_names_say_it(write, header):
    with ignored():
        assert len(read(write("a.tsv", *map("\t".join, [header, *COMPARED])))) == 30


def test_short_words_that_seldom_come_again_are_no_languages(write):
    words = ["cat", "dog", "sun", "sea", "hat", "ear", "eye", "cow", "hen", "pie", "tea", "ink"]
    assert read(write("a.tsv", *(f"{word}\tsays it {word}\tof {word}" for word in words)))[0] == ("cat", ("says it cat",))


def test_languages_beside_pairs_are_no_labels(write):
    rows = [(one, other, ("eng", "deu", "fra")[n * n % 7 % 3]) for n, (one, other, _) in enumerate(COMPARED)]
    assert len(read(write("a.tsv", *map("\t".join, rows)))) == 30
