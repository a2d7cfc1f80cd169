"""Texts cut into tokens as those are that were learnt, from files that cut texts in their own way."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import regex

from unrolled.data.words import split_words, word_shape

_ENDING = regex.compile(r"([^'’]+?)(n['’]t|['’][^'’]+)", regex.IGNORECASE)
"""A word with what treebanks cut off it: `do` and `n't`, `Ada` and `'s`."""

_LETTERS = regex.compile(r"[\p{L}\p{M}]+")

_WORD = regex.compile(r"[\p{L}\p{N}]\p{M}*$")
"""What ends as words do, and not as marks."""

_COMPOUND = regex.compile(r"[\p{L}\p{M}_]['’/-]|['’/-][\p{L}_]")
"""What is found in words that some files cut and others do not, such as `well-known`, each in its own way."""


class Tokenizer:
    """Cuts texts as far as known tokens show how; `names` are these, the most frequent first.

    Words and marks are those of `split_words`, but marks stay with what they touch where that is a known token, as `U.S.`, `...` or `e-mail`
    may be, where it looks like known ones, as `3.14` and `@zoë` may, and where a mark is no known token; and a word with an apostrophe is cut
    before a known ending. A full stop, and such an ending, stay where a token with them is more frequent than what is left without. With
    `lower` names are in lower case, and are those of words in any.
    """

    def __init__(self, names: Sequence[str], *, lower: bool = False) -> None:
        self._lower = lower
        self._rank = {name: rank for rank, name in enumerate(names)}

    def cut(self, text: str) -> list[str]:
        """The tokens of a text."""
        return [token for chunk in text.split() for token in self._tokens(split_words(chunk))]

    @cached_property
    def _shapes(self) -> frozenset[str]:
        """The shapes of known tokens that `split_words` would cut."""
        return frozenset(word_shape(name) for name in self._rank if len(split_words(name)) > 1)

    def _tokens(self, pieces: Sequence[str]) -> Iterator[str]:
        """The tokens of what stands between two blanks: from each place the longest one that stays together; all of it if marks never stand alone."""
        first = 0
        if not all(_WORD.search(piece) or self._known(piece) for piece in pieces):
            yield "".join(pieces)
            return
        while first < len(pieces):
            last = next((end for end in range(len(pieces), first + 1, -1) if self._together(pieces[first:end])), first + 1)
            yield from self._without_ending(pieces[first]) if last == first + 1 else ["".join(pieces[first:last])]
            first = last

    def _together(self, pieces: Sequence[str]) -> bool:
        whole = "".join(pieces)
        if self._known(whole):
            return not (pieces[1:] == ["."] and _LETTERS.fullmatch(pieces[0]) and self._more_frequent(pieces, whole))
        return bool(_WORD.search(whole)) and not _COMPOUND.search(whole) and word_shape(self._plain(whole)) in self._shapes

    def _without_ending(self, word: str) -> Sequence[str]:
        """A word, or what is left of it and its ending."""
        found = _ENDING.fullmatch(word)
        divided = found and self._known(found[2]) and (not self._known(word) or self._more_frequent(found.groups(), word))
        return found.groups() if found and divided else [word]

    def _plain(self, token: str) -> str:
        return token.lower() if self._lower else token

    def _known(self, token: str) -> bool:
        return self._plain(token) in self._rank

    def _more_frequent(self, parts: Sequence[str], whole: str) -> bool:
        """Whether all parts of a known token are known, and come more often than it does."""
        return all(self._rank.get(self._plain(part), len(self._rank)) < self._rank[self._plain(whole)] for part in parts)
