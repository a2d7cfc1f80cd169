"""Texts as words and marks, by Unicode's rules for word boundaries (UAX #29, https://unicode.org/reports/tr29/), and set as texts again.

No rule needs a dictionary: what is written without blanks is one word up to the next mark. Numbers are cut at their marks, and a mark is
a whole character as a person sees it, such as a flag or a family of joined emoji.
"""

import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import regex

from unrolled.errors import UnrolledWarning

_BLANK = r"[\s\x1c-\x1f]"
_LETTER = r"[[\w\p{N}]--\p{So}]"
_RUN = rf"{_LETTER}[\w\p{{N}}\p{{WB=Extend}}]*+"
_INNER = r"(?:['’＇·\u0387‧׳]|(?<=\p{Hebrew}\p{M}*)[\"״](?=\p{Hebrew})|\p{WB=Format}+)"
"""What joins the parts of a word: apostrophes, Catalan and Hebrew marks, and what is not seen, such as a soft hyphen."""

_WORD = regex.compile(
    rf"\n|<{_LETTER}+>(?!\p{{WB=Extend}})|[0-9]\ufe0f?\u20e3|{_RUN}(?:{_INNER}{_RUN})*|(?!\p{{GCB=Prepend}}|{_BLANK})\X|(?!{_BLANK}).",
    regex.V1 | regex.DOTALL,
)
_UNSEEN = regex.compile(rf"(?:{_BLANK}|[\p{{DI}}\p{{Cf}}\p{{Cc}}\p{{Z}}])*+")

_ASCII = re.compile(r"\n|<\w+>|\w+(?:'\w+)*|[^\w\s\x1c-\x1f]", re.ASCII)
"""The same for text of ASCII characters alone, in a third of the time."""

_CLOSING = regex.compile(r"[\p{Terminal_Punctuation}\p{Pe}\p{Pf}%…]\p{M}*")
_OPENING = regex.compile(r"[\p{Ps}\p{Pi}¿¡]\p{M}*")
_WIDE = regex.compile(r"[\u3000-\u303f\uff00-\uff65]\p{M}*")
"""Marks of Chinese and Japanese, which have their room within themselves."""

_REPEATED = regex.compile(r"(.)\1\1+", regex.DOTALL)


def normal(text: str) -> str:
    """The text in Unicode's normal form NFC, in which é is one character, however it was typed: in it words are compared."""
    return unicodedata.normalize("NFC", text)


def says_nothing(text: str) -> bool:
    """Whether a text has nothing in it but blanks and characters that cannot be seen, such as those of no width."""
    return _UNSEEN.fullmatch(text) is not None


def split_words(text: str) -> list[str]:
    """The words of `text` in order, in NFC: newlines, `<tags>`, words with what joins their parts, and single marks."""
    return _ASCII.findall(text) if text.isascii() else _WORD.findall(normal(text))


def word_places(text: str) -> Iterator[tuple[int, int]]:
    """Where the words and marks of `text` begin and end, newlines left out."""
    return (found.span() for found in _WORD.finditer(text) if found.group() != "\n")


def first_words(text: str, most: int) -> str:
    """The text up to the end of its word number `most`, as `split_words` counts them; all of it if it has fewer."""
    last = next(islice(_WORD.finditer(text), most - 1, None), None)
    return text if last is None else text[: last.end()]


def set_words(words: Iterable[str]) -> str:
    """The text of words, marks and newlines, set with spaces as in print."""
    pieces: list[str] = []
    glued = True
    for word in words:
        if word != "\n" and not glued and not _CLOSING.fullmatch(word) and not _WIDE.fullmatch(word):
            pieces.append(" ")
        pieces.append(word)
        glued = word == "\n" or bool(_OPENING.fullmatch(word) or _WIDE.fullmatch(word))
    return "".join(pieces)


def word_shape(word: str) -> str:
    """A word with X for each capital, x for each other letter and 0 for each digit; of a run of the same only two are left.

    "Apple" is Xxx, "NASA" XX, "U2" X0 and "don't" xx'x. What combines with a letter, such as an accent or a vowel sign, is part of it.
    """
    alone = (c for c in normal(word) if unicodedata.category(c)[0] != "M")
    signs = ("X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in alone)
    return _REPEATED.sub(r"\1\1", "".join(signs))


_WITHOUT_BLANKS = (
    (regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]"), 4),
    (regex.compile(r"[\p{L}&&\p{Line_Break=SA}]", regex.V1), 8),
)
"""Letters of scripts that put no blanks between words, and how many of them are more than a word has on average."""

_WORDLIKE = regex.compile(r"[\p{L}\p{N}]")

_LONG = 5
"""Characters of words on average from which on it is worth saying that each stands alone."""

_LOOKED_AT = 100_000
"""Characters by which it is seen how texts are written."""


def notice_clauses(texts: Iterable[str], cure: str) -> None:
    """Say it if words are not what stands between blanks and marks in some texts, as in Chinese and Thai, in DNA and in proteins.

    So much is looked at as it takes to see it. `cure` says what else can be read, as in "Pass `level='char'`".
    """
    some, room = list[list[str]](), _LOOKED_AT
    for text in texts:
        some.append([word for word in split_words(text[:room]) if _WORDLIKE.search(word)])
        room -= len(text)
        if room <= 0:
            break
    if told := _clauses([word for words in some for word in words]) or _single(list(filter(None, some))):
        warnings.warn(f"{told} {cure}", UnrolledWarning, stacklevel=3)


def _clauses(words: Sequence[str]) -> str | None:
    """What is wrong with words that are whole clauses."""
    for letters, most in _WITHOUT_BLANKS:
        written = [len(found) for word in words if (found := letters.findall(word))]
        if 3 * sum(written) > sum(map(len, words)) and sum(written) > most * len(written):
            return f"What stands between blanks and marks is read as one word, and here it is whole clauses, such as {_shown(words)}."
    return None


def _single(texts: Sequence[Sequence[str]]) -> str | None:
    """What is wrong with texts of one long word each."""
    alone = [words[0] for words in texts if len(words) == 1]
    if not alone or 10 * len(alone) < 9 * len(texts) or sum(map(len, alone)) < _LONG * len(alone):
        return None
    return f"Nearly every text, or line, is one word, such as {_shown(alone)}: a single step to read."


def _shown(words: Sequence[str]) -> str:
    """The longest of the first words, cut where it is too long for a message."""
    word = max(words[:20], key=len)
    return repr(word if len(word) <= 30 else f"{word[:29]}…")
