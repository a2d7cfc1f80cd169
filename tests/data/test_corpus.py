"""Texts encoded on disk: the split, the cache, and what goes wrong."""

import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unrolled import folders
from unrolled.data import corpus, text
from unrolled.data.codecs import TextCodec
from unrolled.data.columns import Mapped
from unrolled.data.corpus import Corpus, encode, prepare
from unrolled.data.vocabulary import END, TEXTS, UNKNOWN, Vocabulary
from unrolled.data.words import split_words
from unrolled.errors import ConfigError, DataError
from unrolled.folders import cache_folder

POEM = "The wind, the wind,\nit blows (and blows);\nand no one knows\nwhere the wind goes.\n" * 3


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def poem(tmp_path: Path) -> Path:
    path = tmp_path / "poem.txt"
    path.write_bytes(POEM.encode())
    return path


def shown(part: Mapped, codec: TextCodec) -> str:
    return codec.decode(part.read(0, len(part)))


def parts(found: Corpus) -> tuple[str, str]:
    return shown(found.train, found.codec), shown(found.held_out, found.codec)


def test_the_last_tenth_of_the_characters_is_held_out(poem: Path) -> None:
    found = prepare(poem)
    border = int(0.9 * len(POEM))
    assert parts(found) == (POEM[:border], POEM[border:])
    assert set(found.codec.symbols) == {UNKNOWN, END, *POEM[:border]} - {"\n"}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(20, 400), st.sampled_from([0.1, 0.2, 0.5]))
def test_the_split_of_ascii_is_exact(tmp_path: Path, length: int, held_out: float) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"abcd\n" * length)
    found = prepare(path, held_out=held_out)
    assert len(found.train) == int((1 - held_out) * 5 * length)
    assert len(found.train) + len(found.held_out) == 5 * length


def test_words_are_held_out_by_lines(poem: Path) -> None:
    found = prepare(poem, level="word", size=8)
    before, after = POEM.splitlines(keepends=True)[:-1], POEM.splitlines(keepends=True)[-1:]
    for part, lines in ((found.train, before), (found.held_out, after)):
        assert part.read(0, len(part)).tolist() == found.codec.encode("".join(lines)).tolist()
    assert found.codec.size == 8 and len(found.train) == len(split_words("".join(before)))


def test_characters_of_the_held_out_part_alone_are_unknown(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"a" * 90 + b"b" * 10)
    found = prepare(path)
    assert found.codec.symbols == (UNKNOWN, END, "a")
    assert found.held_out.read(0, 10).tolist() == [0] * 10


def test_validation_texts_take_the_place_of_the_last_tenth(poem: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("The end", encoding="utf-8")
    found = prepare([poem, poem], validation=other)
    assert parts(found) == (POEM * 2, "The end")


def test_nothing_need_be_held_out(poem: Path) -> None:
    found = prepare(poem, held_out=0)
    assert parts(found) == (POEM, "") and len(found.held_out) == 0


def test_a_given_codec_decides(poem: Path) -> None:
    codec = TextCodec("word", Vocabulary(("wind",), TEXTS), lines=True)
    found = prepare(poem, codec=codec)
    assert found.codec == found.codecs == codec
    assert found.train.read(0, 6).tolist() == [0, 2, 0, 0, 2, 0]


def test_encode_takes_all_of_the_text(poem: Path) -> None:
    codec = prepare(poem).codec
    assert shown(encode([poem, poem], codec), codec) == POEM * 2


@pytest.mark.parametrize("level", ["char", "word"])
def test_small_blocks_change_nothing(poem: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, level: str) -> None:
    whole = prepare(poem, level=level)
    monkeypatch.setattr(text.read_text, "__defaults__", (None, 7))
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "elsewhere"))
    pieces = prepare(poem, level=level)
    assert (parts(pieces), pieces.codec, pieces.fingerprint) == (parts(whole), whole.codec, whole.fingerprint)
    assert pieces.train.path != whole.train.path


def test_a_second_call_only_reads(poem: Path) -> None:
    first: list[tuple[str, int, int]] = []
    second: list[tuple[str, int, int]] = []
    one = prepare(poem, progress=lambda *report: first.append(report))
    two = prepare(poem, progress=lambda *report: second.append(report))
    assert {what for what, _, _ in first} == {"reading", "counting", "encoding"}
    assert {what for what, _, _ in second} == {"reading"}
    assert first[-1][1:] == (len(POEM), len(POEM))
    assert (one.train.path, one.fingerprint, parts(one)) == (two.train.path, two.fingerprint, parts(two))


def test_every_option_has_its_own_entry_and_content_its_fingerprint(poem: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.txt"
    copy.write_text(POEM, encoding="utf-8")
    other = tmp_path / "other.txt"
    other.write_text(POEM[:-1], encoding="utf-8")
    base = prepare(poem)
    assert prepare(copy).train.path == base.train.path
    variants = [
        prepare(poem, level="word"),
        prepare(poem, size=9),
        prepare(poem, encoding="latin-1"),
        prepare(poem, held_out=0.2),
        prepare(poem, codec=TextCodec("char", Vocabulary(("a",), TEXTS), lines=True)),
        prepare(other),
        prepare([poem, poem]),
    ]
    assert len({base.train.path, *(v.train.path for v in variants)}) == 8
    same = [v.fingerprint == base.fingerprint for v in variants]
    assert same == [False, True, False, True, True, False, False]


@pytest.mark.parametrize("damage", ["shorter", "longer", "other", "gone", "record", "lengths", "codec", "deep", "link", "pipe"])
def test_a_damaged_entry_is_made_again(poem: Path, damage: str) -> None:
    path = prepare(poem).train.path
    record = path.parent / "entry.json"
    if damage in ("shorter", "longer"):
        path.write_bytes(path.read_bytes()[:-1] if damage == "shorter" else path.read_bytes() + b"x")
    elif damage == "other":
        path.write_bytes(path.read_bytes()[::-1])
    elif damage in ("gone", "link", "pipe"):
        path.rename(path.with_name("moved"))
        {"gone": lambda _: None, "link": lambda at: at.symlink_to("moved"), "pipe": os.mkfifo}[damage](path)
    else:
        (found, key), text = json.loads(record.read_text(encoding="utf-8")), ""
        if damage == "lengths":
            text = json.dumps([found | {"lengths": {"train": -1}}, key])
        elif damage == "codec":
            found["codec"]["symbols"]["names"].reverse()
            text = json.dumps([found, key])
        record.write_text(text or {"record": "{", "deep": "[" * 100_000}[damage], encoding="utf-8")
    assert "".join(parts(prepare(poem))) == POEM


def leftovers(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if not entry.name.startswith("text-")]


def test_an_interrupted_encoding_leaves_nothing(poem: Path, folder: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if what == "encoding":
            assert leftovers(folder), "it is written aside"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(poem, progress=interrupt)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named_and_nothing_stays(poem: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "token_path", lambda *_: Path("/dev/full"))
    with pytest.raises(DataError, match=r"cache cannot be written: No space left.*UNROLLED_CACHE"):
        prepare(poem)
    assert list(folder.iterdir()) == []


def test_what_was_killed_long_ago_is_swept_away(poem: Path, folder: Path) -> None:
    old, new = folder / ".unfinished-old", folder / ".unfinished-new"
    for unfinished in (old, new):
        (unfinished / "fresh").mkdir(parents=True)
    past = time.time() - 2 * 24 * 3600
    os.utime(old, (past, past))
    prepare(poem)
    assert leftovers(folder) == [new.name]


def test_a_quicker_builder_wins(poem: Path, folder: Path) -> None:
    inner: list[Corpus] = []

    def overtake(what: str, done: int, total: int) -> None:
        if what == "encoding" and not inner:
            inner.append(prepare(poem))

    outer = prepare(poem, progress=overtake)
    assert parts(outer) == parts(inner[0]) and outer.train.path == inner[0].train.path
    assert leftovers(folder) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_two_processes_at_once_both_end_well(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(POEM * 2000, encoding="utf-8")
    context = multiprocessing.get_context("fork")
    begin, answers = context.Barrier(2), context.SimpleQueue()

    def build() -> None:
        begin.wait()
        corpus = prepare(path, level="word")
        answers.put((len(corpus.train), int(corpus.train.read(0, len(corpus.train)).sum()), corpus.fingerprint))

    running = [context.Process(target=build) for _ in range(2)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0, 0]
    assert answers.get() == answers.get()
    assert leftovers(folder) == [] and len(list(folder.iterdir())) == 1


def test_an_unwritable_cache_gives_way_to_a_temporary_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poem: Path) -> None:
    monkeypatch.setenv("UNROLLED_CACHE", str(poem / "below-a-file"))
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path))
    assert cache_folder().parent == tmp_path and cache_folder().name.startswith("unrolled-")
    monkeypatch.setattr(folders.tempfile, "tempdir", str(poem / "below-a-file"))
    with pytest.raises(DataError, match="UNROLLED_CACHE"):
        cache_folder()


def test_the_users_cache_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNROLLED_CACHE")
    monkeypatch.setattr(folders, "user_cache_path", lambda name: tmp_path / "user" / name)
    assert cache_folder() == tmp_path / "user" / "unrolled" and cache_folder().is_dir()


@pytest.mark.parametrize("options", [{"level": "byte"}, {"size": 2}, {"held_out": 1.0}, {"held_out": -0.1}])
def test_impossible_options_are_refused(poem: Path, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        prepare(poem, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("content", "level"), [(b"a", "char"), (b"one line only", "word"), (b"\xef\xbb\xbf", "char"), (b"   ", "word")])
def test_texts_too_short_to_divide_are_refused(tmp_path: Path, content: bytes, level: str, folder: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match="too short"):
        prepare(path, level=level)
    assert list(folder.iterdir()) == []


def test_a_text_of_one_line_is_divided_between_words(tmp_path: Path) -> None:
    path = tmp_path / "line.txt"
    path.write_text("word and more " * 400)
    found = prepare(path, level="word")
    assert (len(found.train), len(found.held_out)) == (1081, 119)
