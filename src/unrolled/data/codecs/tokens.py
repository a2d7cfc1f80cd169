"""Tokens as ids: the words that steps are, the characters that spell them, and their shapes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from unrolled.data.codecs.tokenizer import Tokenizer
from unrolled.data.dataset import LEVELS, cut_text
from unrolled.data.vocabulary import Ids, Vocabulary, damaged, switch
from unrolled.data.words import normal, split_words, word_shape
from unrolled.errors import ConfigError


@dataclass(frozen=True)
class TokenCodec:
    """How tokens become ids.

    `level` is word, char or both. `words` has the tokens themselves, in lower case if `lower`; `characters` those that spell them and
    `shapes` their shapes, or None where these are not read. `divided` says that tokens came otherwise cut than texts are.
    """

    level: str
    lower: bool
    words: Vocabulary
    characters: Vocabulary | None = None
    shapes: Vocabulary | None = None
    divided: bool = False

    @classmethod
    def learn(
        cls,
        seen: Mapping[str, int],
        *,
        level: str | None = None,
        lower: bool = False,
        shapes: bool = False,
        size: int | None = None,
        least: int | None = None,
        more: tuple[str, ...] = (),
    ) -> "TokenCodec":
        """From tokens and how often each came; words in `more` are known as well, as far as there is room.

        What is not said is found out: both words and characters are read unless all tokens are single characters, and words must then come
        twice to be known, so that rare ones are spelt. `ConfigError` where characters are to be read and tokens are words.
        """
        counts: Counter[str] = Counter()
        for token, n in seen.items():
            counts[_plain(token, lower)] += n
        word = next((token for token in seen if len(normal(token)) > 1), None) if level == "char" else None
        if word is not None:
            raise ConfigError(
                f"`level='char'` reads steps that are one character each, and those of DATA are words, such as {word[:30]!r}. Leave it out; "
                "or, with `from_run`, begin from a run that reads words, such as a language model that was trained with `level='word'`."
            )
        level = level or ("both" if any(len(token) > 1 for token in counts) else "char")
        words = Vocabulary.from_counts(counts, size, least=least or (2 if level == "both" else 1))
        if more:
            names = dict.fromkeys((*words.names, *(word for word in more if word not in words.specials)))
            words = Vocabulary(tuple(names)[: None if size is None else size - 1])
        spelt = Vocabulary.from_counts(Counter(c for token in seen for c in normal(token))) if level == "both" else None
        shaped = Vocabulary.from_counts(Counter(map(word_shape, seen))) if shapes else None
        return cls(level, lower, words, spelt, shaped, level != "char" and _divided(seen))

    def widened(self, learnt: "TokenCodec", *, widen: bool = True) -> "TokenCodec":
        """This one with the tokens of another one besides. `ConfigError` where that cuts or spells them in another way."""
        for name in ("level", "lower"):
            ours, theirs = getattr(self, name), getattr(learnt, name)
            if ours != theirs:
                raise ConfigError(f"`{name}={theirs!r}` is not that of the run that is begun from, {ours!r}. Leave it out.")
        spelt, shaped = (
            other if own is None or other is None else own.widened(other, widen=widen)
            for own, other in ((self.characters, learnt.characters), (self.shapes, learnt.shapes))
        )
        return replace(self, words=self.words.widened(learnt.words, widen=widen), characters=spelt, shapes=shaped)

    def ids(self, tokens: Iterable[str]) -> Ids:
        """The id of each token, `[N]`."""
        return self.words.ids(_plain(token, self.lower) for token in tokens)

    def spellings(self, tokens: Iterable[str]) -> tuple[Ids, Ids]:
        """The ids of the characters that spell some tokens, one token after the other, and where each token begins, and the last one ends."""
        assert self.characters is not None
        spelt = [normal(token) for token in tokens]
        return self.characters.ids("".join(spelt)), np.cumsum([0, *map(len, spelt)])

    def cut(self, text: str) -> tuple[str, ...]:
        """The tokens of a text, as those that were learnt are cut and, where all are characters in capitals, written."""
        if self.divided:
            return tuple(self._cutter.cut(text))
        tokens = cut_text(text, self.level)
        return tuple(token.upper() if len(token.upper()) == 1 else token for token in tokens) if self._capitals else tuple(tokens)

    @cached_property
    def _cutter(self) -> Tokenizer:
        return Tokenizer(self.words.names, lower=self.lower)

    @cached_property
    def _capitals(self) -> bool:
        """Whether steps are characters with capitals, and without small letters among them."""
        names = "".join(self.words.names) if self.level == "char" else ""
        return names.upper() == names != names.lower()

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        return {
            "level": self.level,
            "lower": self.lower,
            "words": self.words.to_json(),
            "characters": self.characters and self.characters.to_json(),
            "shapes": self.shapes and self.shapes.to_json(),
            "divided": self.divided,
        }

    @classmethod
    def from_json(cls, found: object) -> "TokenCodec":
        """What `to_json` gave. `RunError` for something else."""
        if not isinstance(found, dict) or {*found} != {"level", "lower", "words", "characters", "shapes", "divided"}:
            raise damaged("tokens must have 'level', 'lower', 'words', 'characters', 'shapes' and 'divided'")
        if found["level"] not in LEVELS:
            raise damaged(f"'level' must be one of {', '.join(LEVELS)}, got {found['level']!r}")
        characters, shapes = (None if found[key] is None else Vocabulary.from_json(found[key]) for key in ("characters", "shapes"))
        words = Vocabulary.from_json(found["words"])
        return cls(found["level"], switch(found, "lower"), words, characters, shapes, switch(found, "divided"))


def _plain(token: str, lower: bool) -> str:
    """A token as words are compared."""
    return normal(token).lower() if lower else normal(token)


def _divided(tokens: Iterable[str]) -> bool:
    """Whether there are tokens that would not stay together in a text."""
    return any(len(split_words(token)) > 1 for token in tokens)
