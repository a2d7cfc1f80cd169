"""JSON files that describe pictures: COCO's images and annotations, and the splits of Karpathy & Fei-Fei (2015)."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.caption_parts import of_part, require_whole, split_of
from unrolled.data.formats.caption_tables import Named
from unrolled.data.formats.object_lines import shown
from unrolled.errors import DataError


def is_described(record: Any) -> TypeGuard[dict[str, Any]]:
    """Whether the value of a JSON file is one of the two."""
    return isinstance(record, dict) and isinstance(record.get("images"), list)


def is_coco(record: dict[str, Any]) -> bool:
    """Whether it is COCO's, with annotations, or without them as of the pictures of a test."""
    return "annotations" in record or any(isinstance(image, dict) and "file_name" in image for image in record["images"])


def described(path: Path, record: dict[str, Any], options: CaptionOptions) -> Iterator[Named | DataError]:
    """What it says of each picture."""
    if is_coco(record):
        require_whole(path, options.part)
        return _coco(path, record)
    return _karpathy(path, record["images"], options)


def _coco(path: Path, record: dict[str, Any]) -> Iterator[Named | DataError]:
    annotations = record.get("annotations", [])
    if not isinstance(annotations, list):
        raise DataError(f"{path}: 'annotations' must be a list, got {shown(annotations)}. Mend it.")
    # Numbers may stand as texts in one of the two lists.
    sentences, names = defaultdict[str, list[str]](list), dict[str, str]()
    for number, annotation in enumerate(annotations, 1):
        if _has(annotation, ("image_id",), "caption"):
            sentences[str(annotation["image_id"])].append(annotation["caption"])
        else:
            told = "must have 'image_id', and a text under 'caption'"
            yield DataError(f"{path}, annotation {number} {told}, got {shown(annotation)}. Mend it.")
    for number, image in enumerate(record["images"], 1):
        if not _has(image, ("id",), "file_name"):
            yield DataError(f"{path}, image {number} must have 'id', and a text under 'file_name', got {shown(image)}. Mend it.")
            continue
        name, key = image["file_name"], str(image["id"])
        if names.setdefault(key, name) != name:
            yield DataError(f"{path}, image {number}: the 'id' {key} is of {names[key]} and of {name}. Give each picture its own.")
        else:
            yield Named(f"{path}, image {key}", name, tuple(sentences.get(key, ())))
    for key, said in sentences.items():
        if key not in names:
            yield DataError(f"{path}: the sentence {said[0][:40]!r} is of the image {key}, which is not there. Take it out.")


def _has(record: Any, keys: tuple[str, ...], text: str) -> bool:
    """Whether something is an object with numbers or texts under some keys, and a text under another one."""
    plain = isinstance(record, dict) and all(isinstance(record.get(key), str | int) for key in keys)
    return plain and isinstance(record.get(text), str)


def _karpathy(path: Path, images: list[Any], options: CaptionOptions) -> Iterator[Named | DataError]:
    def placed(numbered: tuple[int, Any]) -> tuple[str, dict[str, Any]]:
        number, image = numbered
        if not isinstance(image, dict):
            raise _no_picture(f"{path}, image {number}", image)
        return f"{path}, image {image.get('imgid', number)}", image

    def named(placed: tuple[str, dict[str, Any]]) -> Named:
        place, image = placed
        said = image.get("sentences", None if options.sentences_needed else [])
        if not isinstance(said, list) or not all(_has(sentence, (), "raw") for sentence in said) or not _has(image, (), "filename"):
            raise _no_picture(place, image)
        folder = image.get("filepath")
        name = f"{folder}/{image['filename']}" if folder else image["filename"]
        return Named(place, name, tuple(sentence["raw"] for sentence in said))

    some = of_part(path, tried(enumerate(images), placed), options.part, lambda one: split_of(one[1], one[0]))
    return tried(some, named)


def _no_picture(place: str, image: Any) -> DataError:
    return DataError(f"{place} must have 'filename', and 'sentences' with texts under 'raw', got {shown(image)}. Mend it.")
