"""JSON files that are one array: of objects, or of texts with their spans and of documents as spaCy has them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unrolled.data.formats.files import LEFT, named, open_text
from unrolled.data.formats.json_values import whole_value
from unrolled.errors import DataError

_LOOKED_AT = 1 << 10
"""Characters in which a file of an array begins with a bracket."""


def read_array(path: Path, encoding: str) -> Iterator[tuple[str, dict[str, Any]] | DataError] | None:
    """The objects of an array, each with its place; None if the file is something else. What is no object in it is bad."""
    with open_text(path, encoding, LEFT) as file:
        if not file.read(_LOOKED_AT).lstrip().startswith("["):
            return None
    found = whole_value(path, encoding)
    some = isinstance(found, list) and any(isinstance(part, dict) or _is_pair(part) for part in found)
    return objects_of(found, f"{named(path)}, object") if some else None


def objects_of(found: list[Any], called: str) -> Iterator[tuple[str, dict[str, Any]] | DataError]:
    """The objects of an array, each with its place, what they are `called` and their number. What is no object in it is bad."""
    for number, part in enumerate(found, 1):
        place = f"{called} {number}"
        if isinstance(part, dict) and "paragraphs" in part:
            yield from _sentences(part, place)
        elif isinstance(part, dict):
            yield place, part
        elif _is_pair(part):
            yield place, {"text": part[0], **part[1]}
        else:
            yield DataError(f"{place} must be a JSON object, got {str(part)[:30]!r}. Take it out of the array.")


def _is_pair(part: Any) -> bool:
    """Whether a part of an array is a text with an object, as in `["Ada wrote", {"entities": [[0, 3, "PER"]]}]`."""
    return isinstance(part, list) and len(part) == 2 and isinstance(part[0], str) and isinstance(part[1], dict)


def _sentences(document: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]] | DataError]:
    """The sentences of a document of spaCy 2: tokens with the tags of names and of speech."""
    try:
        sentences = [sentence["tokens"] for paragraph in document["paragraphs"] for sentence in paragraph["sentences"]]
        for tokens in sentences:
            tags = {key: [token[name] for token in tokens] for key, name in (("ner_tags", "ner"), ("pos_tags", "tag")) if name in tokens[0]}
            yield place, {"tokens": [token["orth"] for token in tokens], **tags}
    except (KeyError, TypeError, IndexError) as error:
        yield DataError(f"{place} must have paragraphs of sentences of tokens as spaCy writes them, and lacks {error}. Mend it.")
