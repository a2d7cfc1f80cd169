"""Texts cut into frequent pieces of words, which are learnt from texts; nothing is lost on the way, and no text is unknown.

The library `tokenizers` does it, on UTF-8 bytes written as printable characters, so that a piece may even be part of a character:
byte-pair encoding (Sennrich et al. 2016, Neural Machine Translation of Rare Words with Subword Units) and the unigram model (Kudo 2018,
Subword Regularization).
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as Bytes
from tokenizers.models import BPE, Unigram
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as InTurn
from tokenizers.trainers import BpeTrainer, UnigramTrainer

from unrolled.errors import ConfigError, RunError

KINDS = ("bpe", "unigram")

_BYTES = 256

_LETTERS = r"\p{L}[\p{L}\p{M}\x{200c}\x{200d}\x{ad}]*"
_WORD = rf"\s?{_LETTERS}(?:['’]{_LETTERS})*|\s?\p{{N}}|\s?[^\s\p{{L}}\p{{N}}]+|\s+"
"""What no piece goes beyond: words with inner apostrophes, single digits, marks, each with the blank of any kind before it."""

_MISSED = 1e-4
"""By how much the trainer of unigrams sets apart the scores of characters without one."""


class Subwords:
    """Pieces, in the order of how they were found (`bpe`) or how frequent they are (`unigram`)."""

    def __init__(self, model: Any) -> None:
        self._tokenizer = _around(model)

    @classmethod
    def learn(cls, texts: Iterable[str], size: int, kind: str = "bpe") -> "Subwords":
        """At most `size` pieces, of which the first 256 are the single bytes; equal texts give equal pieces.

        An unknown kind, and a size without room for the bytes, is a `ConfigError`.
        """
        if kind not in KINDS:
            raise ConfigError(f"The kind of subwords must be one of {', '.join(KINDS)}, got {kind!r}.")
        if size < _BYTES:
            raise ConfigError(f"There must be room for the {_BYTES} bytes among subwords, got {size}. Pass a larger `vocabulary`.")
        alphabet = sorted(ByteLevel.alphabet())
        trainer, model = (BpeTrainer, BPE()) if kind == "bpe" else (UnigramTrainer, Unigram())
        tokenizer = _around(model)
        given = trainer(vocab_size=size, show_progress=False, initial_alphabet=alphabet, special_tokens=[])
        tokenizer.train_from_iterator(map(_valid, texts), given)
        return cls(tokenizer.model if kind == "bpe" else _settled(tokenizer))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The pieces, with their bytes written as printable characters."""
        found = self._tokenizer.get_vocab()
        return tuple(sorted(found, key=found.__getitem__))

    def split(self, texts: Sequence[str]) -> list[list[str]]:
        """The pieces of each text."""
        return [found.tokens for found in self._tokenizer.encode_batch(list(map(_valid, texts)), add_special_tokens=False)]

    def join(self, pieces: Iterable[str]) -> str:
        """The text of pieces: that which was split, if it was. Bytes that are no character become replacement characters."""
        return str(self._tokenizer.decoder.decode(list(pieces)))

    def to_dict(self) -> dict[str, Any]:
        """What the library needs to know of the pieces, ready for JSON."""
        found: dict[str, Any] = json.loads(self._tokenizer.to_str())["model"]
        return found

    @classmethod
    def from_dict(cls, found: object) -> "Subwords":
        """What `to_dict` gave. `RunError` for something else."""
        try:
            return cls(Tokenizer.from_str(json.dumps({"version": "1.0", "added_tokens": [], "model": found})).model)
        except Exception as error:
            # The library raises nothing more special.
            raise RunError(f"The subwords of the run are damaged: {error}. Take them from a copy of the run.") from None


def _around(model: Any) -> Tokenizer:
    """A model between what cuts words and writes bytes, and what reads these again."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = InTurn([Split(Regex(_WORD), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = Bytes()
    return tokenizer


def _settled(tokenizer: Tokenizer) -> Unigram:
    """A trained unigram model without what differs from one training to the next: last digits, and the scores of bytes without one."""
    found = json.loads(tokenizer.to_str())["model"]["vocab"]
    least = min(score for _, score in found)
    missed = least + _MISSED * (_BYTES + 1)
    vocabulary = [(piece, round(least if len(piece) == 1 and score < missed else score, 4)) for piece, score in found]
    return Unigram(sorted(vocabulary, key=lambda entry: (-entry[1], entry[0])), None, False)


def _valid(text: str) -> str:
    """The text without halves of surrogate pairs, which are no characters and cannot be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()
