"""Texts read in pieces are the same texts."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data import text as text_module
from unrolled.data.builtin import BUILTIN, builtin_text
from unrolled.data.text import TextSource, find_sources, read_text, whole_words
from unrolled.data.words import split_words
from unrolled.errors import DataError

CONTENT = st.text(st.sampled_from("ab \r\n\té漢😀'<>."), min_size=1, max_size=40)
BLOCKS = st.integers(1, 9)


@pytest.mark.parametrize("given", [{"a": 1}.keys, 5, ["a", None], [b"a"]])
def test_files_are_given_by_their_paths(given):
    with pytest.raises(DataError, match="Files are given by their paths, got"):
        find_sources(given)


def memory(content: bytes, encoding: str = "utf-8") -> TextSource:
    return TextSource("memory", len(content), encoding, content)


def plain(content: str) -> str:
    return content.replace("\r\n", "\n").replace("\r", "\n")


def sides(chunks: list[text_module.Chunk]) -> tuple[str, str]:
    assert all(chunk.text for chunk in chunks), "no chunk may be empty"
    flags = [chunk.after for chunk in chunks]
    assert flags == sorted(flags), "nothing before the cut may come later"
    return "".join(c.text for c in chunks if not c.after), "".join(c.text for c in chunks if c.after)


@given(st.lists(CONTENT, min_size=1, max_size=3), BLOCKS, st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-8-sig"]))
def test_pieces_make_the_whole(texts: list[str], block: int, encoding: str) -> None:
    joined = ""
    for text in texts:
        joined += ("\n" if joined and not joined.endswith("\n") else "") + plain(text)
    chunks = list(read_text([memory(text.encode(encoding), encoding) for text in texts], block=block))
    assert sides(chunks) == (joined, "")


@given(CONTENT, BLOCKS, st.floats(0, 1))
def test_cut_falls_at_the_next_character(text: str, block: int, share: float) -> None:
    content = text.encode()
    cut = int(share * len(content))
    border = cut
    while border < len(content) and content[border] & 0xC0 == 0x80:
        border += 1
    before, after = sides(list(read_text([memory(content)], cut, block)))
    assert before == plain(content[:border].decode())
    assert before + after == plain(text)


@given(st.lists(CONTENT, min_size=1, max_size=3), BLOCKS, st.floats(0, 1))
def test_words_are_never_cut_and_the_line_is_finished(texts: list[str], block: int, share: float) -> None:
    sources = [memory(text.encode()) for text in texts]
    cut = int(share * sum(source.size for source in sources))
    begun, rest = sides(list(read_text(sources, cut, 1 << 20)))
    chunks = list(whole_words(read_text(sources, cut, block)))
    before, after = sides(chunks)
    assert before + after == begun + rest
    word = min((at for at in map(rest.find, " \n\t") if at >= 0), default=len(rest))
    line = "" if not begun or begun.endswith("\n") else rest[: rest.find("\n") + 1] or rest[: word + 1]
    assert before == begun + line
    assert [word for chunk in chunks for word in split_words(chunk.text)] == split_words(before + after)


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_where_no_line_begins_near_the_cut_a_word_is_held_out_first(block: int) -> None:
    text = "word " * 4000 + "\nlast line"
    assert sides(list(whole_words(read_text([memory(text.encode())], 9003, block)))) == (text[:9005], text[9005:])
    assert sides(list(whole_words(read_text([memory(text.encode())], 18003, block)))) == (text[:20001], "last line")


def test_a_text_without_blanks_is_cut_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "LONGEST_WORD", 10)
    chunks = list(whole_words(read_text([memory(b"x" * 100)], block=4)))
    assert max(len(chunk.text) for chunk in chunks) <= 14
    assert sides(chunks) == ("x" * 100, "")


def test_cut_at_the_border_of_two_files() -> None:
    sources = [memory(b"one"), memory(b"two")]
    assert sides(list(read_text(sources, 3))) == ("one\n", "two")
    assert sides(list(read_text(sources, 2))) == ("on", "e\ntwo")
    assert sides(list(read_text(sources, 4))) == ("one\nt", "wo")


def test_a_byte_order_mark_is_dropped_once_at_each_start() -> None:
    content = b"\xef\xbb\xbf\xef\xbb\xbfa\xef\xbb\xbf\n"
    for block in range(1, 6):
        assert sides(list(read_text([memory(content)] * 2, block=block)))[0] == "\ufeffa\ufeff\n" * 2


def test_positions_count_the_bytes_up_to_the_end() -> None:
    positions = [chunk.position for chunk in read_text([memory("é\n".encode() * 5), memory(b"abc")], block=4)]
    assert positions == sorted(positions) and positions[-1] == 18


def test_files_and_built_in_texts_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("é\r\n".encode("latin-1"))
    first, second = find_sources([path, "builtin:python-docs"], "latin1")
    assert (first.name, first.size, first.encoding) == (str(path), 3, "iso8859-1")
    assert (second.encoding, second.size) == ("utf-8", len(builtin_text("builtin:python-docs")))
    assert find_sources(path) == find_sources([str(path)])
    assert sides(list(read_text([first], block=1)))[0] == "é\n"


@pytest.mark.parametrize("name", BUILTIN)
def test_built_in_texts_are_long_and_plain(name: str) -> None:
    content = builtin_text(name)
    assert len(content) > 200_000 and content.endswith(b"\n")
    assert "def " in content.decode()


@pytest.mark.parametrize(
    ("content", "block", "offset", "reason"),
    [(b"abc\xffdef", 2, 3, "invalid start"), ("aé".encode() + b"\xc3", 2, 3, "unexpected end"), (b"ab\xe6\xbcx", 3, 2, "invalid cont")],
)
def test_wrong_bytes_are_named(content: bytes, block: int, offset: int, reason: str) -> None:
    with pytest.raises(DataError, match=rf"memory is not utf-8: {reason}.* at byte {offset}\..*`encoding='cp1252'`"):
        list(read_text([memory(b"fine"), memory(content)], block=block))


def test_quotes_of_windows_are_no_latin_1(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("caf\xe9 “ab”\n".encode("cp1252"))
    assert sides(list(read_text(find_sources(tmp_path / "a.txt", "cp1252"))))[0] == "café “ab”\n"
    with pytest.raises(DataError, match=r"a\.txt has the byte 0x93, .*`encoding='cp1252'`, in which it is '“'"):
        list(read_text(find_sources(tmp_path / "a.txt", "latin-1"), block=3))


def refusal(sources: object, encoding: str = "utf-8") -> str:
    with pytest.raises(DataError) as caught:
        list(read_text(find_sources(sources, encoding)))  # type: ignore[arg-type]
    return str(caught.value)


def test_sources_that_cannot_be_read(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.txt", tmp_path / "text.txt"
    empty.touch()
    text.write_text("text")
    assert "empty.txt is empty" in refusal(empty)
    assert "does not exist" in refusal([text, tmp_path / "missing"])
    (tmp_path / "folder").mkdir()
    assert "has no files with data" in refusal(tmp_path / "folder")
    assert "cannot be opened" in refusal("nul\0byte")
    assert "cannot be opened" in refusal(text / "below")
    assert "at least one file" in refusal([])
    assert all(name in refusal("builtin:nothing") for name in BUILTIN)
    for encoding in ("utf-99", "base64", "rot13", "utf-7", "unicode_escape", "nul\0", ""):
        assert "no text encoding" in refusal(text, encoding)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_are_refused_as_they_are_read_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is a pipe" in refusal(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("text")
    path.chmod(0)
    assert "secret.txt cannot be read: Permission denied" in refusal(path)


def test_a_file_that_changes_or_goes_away_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("text")
    (source,) = find_sources(path)
    path.write_text("text and more")
    with pytest.raises(DataError, match="had 4 bytes and now has 13"):
        list(read_text([source]))
    path.unlink()
    with pytest.raises(DataError, match="does not exist"):
        list(read_text([source]))


def test_folders_and_patterns_are_the_files_that_they_mean(tmp_path):
    (tmp_path / "a b").mkdir()
    for name, text in (("b.txt", "second\n"), ("a.txt", "first\n"), ("README", "about\n")):
        (tmp_path / "a b" / name).write_text(text)
    for sources in (tmp_path / "a b", str(tmp_path / "a b" / "*.txt"), str(tmp_path / "**" / "?.txt")):
        assert "".join(chunk.text for chunk in read_text(find_sources(sources))) == "first\nsecond\n"
    (tmp_path / "[x].txt").write_text("itself\n")
    assert [source.name for source in find_sources(tmp_path / "[x].txt")] == [str(tmp_path / "[x].txt")]
    with pytest.raises(DataError, match=r"none\*.txt does not exist"):
        find_sources(tmp_path / "none*.txt")
