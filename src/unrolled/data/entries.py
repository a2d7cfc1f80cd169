"""The ids of texts and the codec that made them, as one entry of the cache."""

import json
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

from unrolled.data.cache import cached
from unrolled.data.codecs.text import TextCodec
from unrolled.data.columns import Mapped
from unrolled.errors import DataError, UnrolledError
from unrolled.files import digest_of, read_file, write_file
from unrolled.plain import from_json

_FORMAT = 5
_RECORD = "entry.json"

Written = tuple[TextCodec, dict[str, int]]
"""A codec, and how many tokens each name has."""


def key_of(*parts: object) -> str:
    """A name that is equal exactly when all parts, plain values, are."""
    return blake2b(json.dumps([_FORMAT, *parts]).encode(), digest_size=16).hexdigest()


def token_path(folder: Path, name: str) -> Path:
    """Where the tokens of a name lie in an entry."""
    return folder / f"{name}.bin"


def encoded(key: str, names: Sequence[str], write: Callable[[Path], Written]) -> tuple[TextCodec, dict[str, Mapped]]:
    """The codec and the ids of the names, which `write` puts into a folder if the cache has not got them; errors as in `cached`."""

    def build(folder: Path) -> None:
        codec, lengths = write(folder)
        digests = {name: digest_of(token_path(folder, name)) for name in lengths}
        record = {"codec": codec.to_json(), "lengths": lengths, "digests": digests}
        write_file(folder / _RECORD, json.dumps([record, key_of(record)]).encode())

    return cached(f"text-{key}", build, lambda folder: _load(folder, names))


def require_tokens(lengths: dict[str, int], held_out: float) -> None:
    """Refuse a text without tokens, and a held-out part without any unless nothing was to be held out."""
    for name, length in lengths.items():
        if not length and (name != "held_out" or held_out):
            found = ", ".join(f"{n} tokens for {name}" for name, n in lengths.items())
            other = ", or `validation` to hold out another one" if "held_out" in lengths else ""
            raise DataError(f"The text is too short: {found}. Pass a longer text{other}.")


def _load(folder: Path, names: Sequence[str]) -> tuple[TextCodec, dict[str, Mapped]] | None:
    """What was written there; None if it is missing or is not what was written."""
    try:
        record, key = from_json(read_file(folder / _RECORD))
        if key_of(record) != key or any(digest_of(token_path(folder, name)) != record["digests"][name] for name in names):
            return None
        codec = TextCodec.from_json(record["codec"])
        return codec, {n: Mapped(token_path(folder, n), codec.vocabulary.dtype, int(record["lengths"][n])) for n in names}
    except (OSError, ValueError, KeyError, TypeError, UnrolledError):
        return None
