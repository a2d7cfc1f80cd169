"""Texts as words and marks, and words as texts."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import unrolled as un
from unrolled.data.words import first_words, notice_clauses, set_words, split_words, word_shape
from unrolled.errors import UnrolledWarning

# Letters with what combines with them, joiners, emoji and their parts, marks and blanks of many scripts.
PARTS = st.sampled_from(
    [*"aé'’<>_1-. \n\t\u00ad\u200c\u200d\u0301\u0338\ufe0f\u20e3\u0600हिन्दीमَर中ไ👩🇩👍🏽\"·ªⅣ²🅰\u0345", 'צ"', "<a>", "e\u0301"]
)
TEXTS = st.lists(PARTS, max_size=12).map("".join) | st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def test_words_are_split_at_punctuation_but_not_at_apostrophes() -> None:
    text = "Don't stop, O’Neill's (big) <tag> x-ray 3.14 x² U_2...\n"
    words = "Don't stop , O’Neill's ( big ) <tag> x - ray 3 . 14 x² U_2 . . ."
    assert split_words(text) == [*words.split(), "\n"]


@pytest.mark.parametrize(
    "words",
    [
        ["हिन्दी", "में", "।"],
        ["தமிழ்", "மொழி"],
        ["مَرْحَبًا", "،", "بِكُم"],
        ["می\u200cخواهم", "نمی\u200cدانم"],
        ["അവൻ", "നന്\u200dമ"],
        ["Wör\u00adter", "Wör\u00ad\u2060ter"],
        ["שָׁלוֹם", 'צה"ל', "צ׳ק"],
        ["col·legi", "l'été"],
        ["👩\u200d👩\u200d👧", "🇩🇪", "🇫🇷", "👍🏽", "1\ufe0f⃣", "#\ufe0f⃣", "❤\ufe0f", "🅰\ufe0f", "a"],
        ["🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "!"],
    ],
)
def test_a_letter_keeps_what_combines_with_it(words: list[str]) -> None:
    assert split_words(" ".join(words)) == words


def test_marks_divide_although_nothing_stands_between() -> None:
    assert split_words("👩\u200d👧🇩🇪🇫🇷👍🏽1\ufe0f⃣2\ufe0f⃣!") == ["👩\u200d👧", "🇩🇪", "🇫🇷", "👍🏽", "1\ufe0f⃣", "2\ufe0f⃣", "!"]
    assert split_words('שלום\u200f "הי"') == ["שלום", "\u200f", '"', "הי", '"']


def test_a_mark_is_whole_with_what_combines_with_it_and_alone_before_others() -> None:
    assert split_words("<a>\u0301 <a>") == ["<", "a", ">\u0301", "<a>"]
    assert split_words("🅰a ⓐb") == ["🅰", "a", "ⓐ", "b"]
    assert split_words("\u0600! \u06001") == ["\u0600", "!", "\u0600", "1"]


def test_the_tokenizer_is_public() -> None:
    assert un.data.split_words is split_words and un.data.split_words("हिन्दी में") == ["हिन्दी", "में"]
    with pytest.raises(AttributeError, match="has no attribute 'split'"):
        _ = un.data.split


def test_a_letter_is_the_same_however_it_was_typed() -> None:
    assert split_words(unicodedata.normalize("NFD", "été, Ω")) == split_words("été, \u2126") == ["été", ",", "\u03a9"]


@given(st.text(st.sampled_from([*map(chr, range(128))] + list("ab'<>_ 1") * 9), max_size=12))
def test_the_way_for_ascii_is_the_same_way(text: str) -> None:
    assert split_words(text) == split_words(f"{text} é")[:-1]


@given(TEXTS)
def test_nothing_but_blanks_is_lost_and_a_word_is_one_by_itself(text: str) -> None:
    words = split_words(text)
    kept = unicodedata.normalize("NFC", text)
    assert "".join(words) == "".join(c for c in kept if c == "\n" or not c.isspace())
    assert all(split_words(word) == [word] for word in words)


@given(TEXTS, st.integers(1, 9))
def test_the_first_words_of_a_text(text: str, most: int) -> None:
    found = first_words(text, most)
    assert text.startswith(found)
    assert split_words(found) == split_words(text)[:most]
    assert found == text or len(split_words(found)) == most


@pytest.mark.parametrize(
    "text",
    ["Say (so): “no”, he said; 5% «là» … ¿sí?", "मैं हूँ। क्या?", "مرحبا، كيف؟", "中文，日本語。「はい」！", "‘yes’ [e\u0301]\nno"],
)
def test_words_are_set_as_in_print(text: str) -> None:
    assert set_words(split_words(text)) == unicodedata.normalize("NFC", text).replace(" …", "…")


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("Apple", "Xxx"),
        ("NASA", "XX"),
        ("a", "x"),
        ("U2", "X0"),
        ("don't", "xx'x"),
        ("2017-03-01", "00-00-00"),
        ("!!!", "!!"),
        ("Éire", "Xxx"),
        ("E\u0301ire", "Xxx"),
        ("हिन्दी", "xx"),
        ("1\ufe0f⃣", "0"),
        ("", ""),
    ],
)
def test_the_shape_of_a_word(word, shape):
    assert word_shape(word) == shape


CLAUSES = ["今天天气很好，我们一起去公园散步。", "东京は日本の首都です。とても大きい都市だ。", "วันนี้อากาศดีมากเราไปเดินเล่นที่สวนสาธารณะกันเถอะ"]
WORDS = [
    "今天 天气 很 好 ， 我们 一起 去 公园 散步 。",
    "Nous avons mangé une pomme.",
    "वह घर जाता है।",
    "안녕하세요 여러분 반갑습니다",
    "",
    "3.14 !",
]


@pytest.mark.parametrize("text", CLAUSES)
def test_text_without_blanks_is_told_once(text: str) -> None:
    with pytest.warns(UnrolledWarning, match=r"here it is whole clauses, such as '.{8,30}'\. Pass it") as told:
        notice_clauses(["Yes.", text] * 9, "Pass it")
    assert len(told) == 1


@pytest.mark.parametrize("text", ["MKVLAAGITYQQ" * 9, "Lefèvre"])
def test_texts_of_one_word_each_are_told(text: str) -> None:
    with pytest.warns(UnrolledWarning, match=f"is one word, such as '{text[:29]}…?': a single step to read. Pass it"):
        notice_clauses([text] * 9, "Pass it")


@pytest.mark.parametrize("text", WORDS)
def test_texts_with_words_are_nothing_to_tell(text: str) -> None:
    notice_clauses([text, "a", ""] * 9, "Pass it")


def test_so_much_is_looked_at_as_it_takes_to_see_it() -> None:
    rest = iter(range(1_000_000))
    notice_clauses(("two words " * 100 for _ in rest), "Pass it")
    assert next(rest) < 1000
