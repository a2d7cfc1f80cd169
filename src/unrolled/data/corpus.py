"""A text encoded once, streaming, into token files that are kept in the cache."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from unrolled.data.codecs.text import CHAR, WORD, TextCodec
from unrolled.data.columns import Mapped
from unrolled.data.counting import count_symbols
from unrolled.data.entries import Written, encoded, key_of, require_tokens, token_path
from unrolled.data.text import Chunk, Source, TextSource, find_sources, read_text, whole_words
from unrolled.data.words import notice_clauses
from unrolled.errors import ConfigError

Progress = Callable[[str, int, int], None]
"""Is told what is being done, and how many bytes are done of how many."""


@dataclass(frozen=True)
class Corpus:
    """An encoded text: its codec, the ids to learn from, and those held out.

    `fingerprint` identifies the texts, their encoding and the level: it is equal exactly when those are.
    """

    codec: TextCodec
    train: Mapped
    held_out: Mapped
    fingerprint: str

    @property
    def codecs(self) -> TextCodec:
        """What is kept for later use."""
        return self.codec


def prepare(
    sources: Source | Sequence[Source],
    *,
    level: str = "char",
    size: int | None = None,
    encoding: str = "utf-8",
    validation: Source | Sequence[Source] = (),
    held_out: float = 0.1,
    codec: TextCodec | None = None,
    known: TextCodec | None = None,
    widen: bool = True,
    progress: Progress | None = None,
) -> Corpus:
    """Encode a text for training; what was encoded before is found again in the cache.

    The last `held_out` of the bytes is held out, or else the `validation` texts are. The symbols are those of the training part, at most
    `size` at `level`; a given `codec` decides both, and one that is `known` is widened by them, if that is wanted. Options that cannot be are a `ConfigError`; texts that cannot be read,
    that leave nothing to train on or nothing to hold out, and a full disk are a `DataError`.
    """
    level = _checked_level(level, size, held_out, codec)
    trained = find_sources(sources, encoding)
    validated = find_sources(validation, encoding) if validation else ()
    if level == WORD and codec is None:
        notice_clauses((line for chunk in read_text(trained) for line in chunk.text.split("\n")), "Pass `level='char'` to read characters.")
    contents = [_hash(texts, progress) for texts in (trained, validated)]
    encodings = [text.encoding for text in (*trained, *validated)]
    fingerprint = key_of(contents, encodings, level)
    cut = None if validated else int((1 - held_out) * _bytes(trained))

    def write(folder: Path) -> Written:
        learnt = codec or _learn(trained, cut, level, size, progress)
        used = learnt if known is None else known.widened(learnt, widen=widen)
        if validated:
            lengths = _encode(folder, ["train"], trained, None, used, progress)
            lengths |= _encode(folder, ["held_out"], validated, None, used, progress)
        else:
            lengths = _encode(folder, ["train", "held_out"], trained, cut, used, progress)
        require_tokens(lengths, held_out if not validated else 1)
        return used, lengths

    chosen = ((level, size) if codec is None else codec.to_json(), known and [known.to_json(), widen])
    used, files = encoded(key_of(contents, encodings, None if validated else held_out, chosen), ["train", "held_out"], write)
    return Corpus(used, files["train"], files["held_out"], fingerprint)


def encode(sources: Source | Sequence[Source], codec: TextCodec, *, encoding: str = "utf-8", progress: Progress | None = None) -> Mapped:
    """The ids of a text in a codec that is there already, from the cache if it was encoded before; errors as in `prepare`."""
    texts = find_sources(sources, encoding)

    def write(folder: Path) -> Written:
        lengths = _encode(folder, ["text"], texts, None, codec, progress)
        require_tokens(lengths, 0)
        return codec, lengths

    key = key_of(_hash(texts, progress), [text.encoding for text in texts], codec.to_json())
    return encoded(key, ["text"], write)[1]["text"]


def _checked_level(level: str, size: int | None, held_out: float, codec: TextCodec | None) -> str:
    if level not in (CHAR, WORD):
        raise ConfigError(f"`level` must be {CHAR} or {WORD}, got {level!r}.")
    if size is not None and size < 3:
        raise ConfigError(f"The size of a vocabulary must be at least 3, as it counts the two special symbols, got {size}.")
    if not 0 <= held_out < 1:
        raise ConfigError(f"`held_out` must be a fraction from 0 to below 1, got {held_out}. Pass 0.1 to hold out the last tenth.")
    return level if codec is None else codec.level


def _bytes(texts: Sequence[TextSource]) -> int:
    return sum(text.size for text in texts)


def _hash(texts: Sequence[TextSource], progress: Progress | None) -> str:
    """A hash of the bytes of the texts and of where each ends."""
    content = blake2b(digest_size=16)
    done = 0
    for text in texts:
        content.update(text.size.to_bytes(8, "little"))
        for block in text.blocks():
            content.update(block)
            done += len(block)
            if progress:
                progress("reading", done, _bytes(texts))
    return content.hexdigest()


def _chunks(texts: Sequence[TextSource], cut: int | None, level: str, what: str, progress: Progress | None) -> Iterator[Chunk]:
    """The texts in chunks that can be encoded one by one, each reported when it has been dealt with."""
    chunks = read_text(texts, cut)
    for chunk in whole_words(chunks) if level == "word" else chunks:
        yield chunk
        if progress:
            progress(what, chunk.position, _bytes(texts))


def _learn(texts: Sequence[TextSource], cut: int | None, level: str, size: int | None, progress: Progress | None) -> TextCodec:
    """The symbols of what lies before the cut."""
    chunks = _chunks(texts, cut, level, "counting", progress)
    return TextCodec.of_lines(level, count_symbols((chunk.text for chunk in chunks if not chunk.after), level), size)


def _encode(
    folder: Path, names: Sequence[str], texts: Sequence[TextSource], cut: int | None, known: TextCodec, progress: Progress | None
) -> dict[str, int]:
    """Write the tokens before the cut to the first name and those after it to the second; gives the number of tokens in each."""
    with ExitStack() as stack:
        files = [stack.enter_context(open(token_path(folder, name), "wb")) for name in names]
        for text, after, _ in _chunks(texts, cut, known.level, "encoding", progress):
            files[after].write(known.encode(text, known.vocabulary.dtype).data)
        for file in files:
            file.flush()
            os.fsync(file.fileno())
        return {name: file.tell() // known.vocabulary.dtype.itemsize for name, file in zip(names, files, strict=True)}
