"""Texts as words and marks, by Unicode's rules for word boundaries (UAX #29, https://unicode.org/reports/tr29/), and set as texts again.

No rule needs a dictionary: what is written without blanks is one word up to the next mark. Numbers are cut at their marks, and a mark is
a whole character as a person sees it, such as a flag or a family of joined emoji.
"""

import unicodedata
from collections.abc import Iterable
from itertools import islice

import regex

_BLANK = r"[\s\x1c-\x1f]"
_LETTER = r"[[\w\p{N}]--\p{So}]"
_RUN = rf"{_LETTER}[\w\p{{N}}\p{{WB=Extend}}]*+"
_INNER = r"(?:['’＇·\u0387‧׳]|(?<=\p{Hebrew}\p{M}*)[\"״](?=\p{Hebrew})|\p{WB=Format}+)"
"""What joins the parts of a word: apostrophes, Catalan and Hebrew marks, and what is not seen, such as a soft hyphen."""

_WORD = regex.compile(
    rf"\n|<{_LETTER}+>(?!\p{{WB=Extend}})|[0-9]\ufe0f?\u20e3|{_RUN}(?:{_INNER}{_RUN})*|(?!\p{{GCB=Prepend}}|{_BLANK})\X|(?!{_BLANK}).",
    regex.V1 | regex.DOTALL,
)
_CLOSING = regex.compile(r"[\p{Terminal_Punctuation}\p{Pe}\p{Pf}%…]\p{M}*")
_OPENING = regex.compile(r"[\p{Ps}\p{Pi}¿¡]\p{M}*")
_WIDE = regex.compile(r"[\u3000-\u303f\uff00-\uff65]\p{M}*")
"""Marks of Chinese and Japanese, which have their room within themselves."""


def normal(text: str) -> str:
    """The text in Unicode's normal form NFC, in which é is one character, however it was typed: in it words are compared."""
    return unicodedata.normalize("NFC", text)


def split_words(text: str) -> list[str]:
    """The words of `text` in order, in NFC: newlines, `<tags>`, words with what joins their parts, and single marks."""
    return _WORD.findall(normal(text))


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
