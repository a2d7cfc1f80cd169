"""JSON files that describe pictures: COCO's images and annotations, and the splits of Karpathy & Fei-Fei (2015)."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.caption_tables import Named
from unrolled.data.formats.object_lines import shown
from unrolled.errors import ConfigError, DataError

_WITH = {"train": ("train", "restval")}
"""Splits that are read together."""


def is_described(record: Any) -> TypeGuard[dict[str, Any]]:
    """Whether the value of a JSON file is one of the two."""
    return isinstance(record, dict) and isinstance(record.get("images"), list)


def is_coco(record: dict[str, Any]) -> bool:
    """Whether it is COCO's, with annotations, or without them as of the pictures of a test."""
    return "annotations" in record or any(isinstance(image, dict) and "file_name" in image for image in record["images"])


def described(path: Path, record: dict[str, Any], options: CaptionOptions) -> Iterator[Named | DataError]:
    """What it says of each picture."""
    if is_coco(record):
        if options.part is not None:
            raise ConfigError(f"`part` names a split, and {path} has none. Leave it out, or pass the file of that split.")
        return _coco(path, record)
    return _karpathy(path, record["images"], options)


def _coco(path: Path, record: dict[str, Any]) -> Iterator[Named | DataError]:
    annotations = record.get("annotations", [])
    if not isinstance(annotations, list):
        raise DataError(f"{path}: 'annotations' must be a list, got {shown(annotations)}. Mend it.")
    sentences = defaultdict[Any, list[str]](list)
    for number, annotation in enumerate(annotations, 1):
        if _has(annotation, ("image_id",), "caption"):
            sentences[annotation["image_id"]].append(annotation["caption"])
        else:
            told = "must have 'image_id', and a text under 'caption'"
            yield DataError(f"{path}, annotation {number} {told}, got {shown(annotation)}. Mend it.")
    for number, image in enumerate(record["images"], 1):
        if _has(image, ("id",), "file_name"):
            yield Named(f"{path}, image {image['id']}", image["file_name"], tuple(sentences.pop(image["id"], ())))
        else:
            yield DataError(f"{path}, image {number} must have 'id', and a text under 'file_name', got {shown(image)}. Mend it.")
    for number in sentences:
        yield DataError(f"{path}: the sentence {sentences[number][0][:40]!r} is of the image {number}, which is not there. Take it out.")


def _has(record: Any, keys: tuple[str, ...], text: str) -> bool:
    """Whether something is an object with numbers or texts under some keys, and a text under another one."""
    plain = isinstance(record, dict) and all(isinstance(record.get(key), str | int) for key in keys)
    return plain and isinstance(record.get(text), str)


def _karpathy(path: Path, images: list[Any], options: CaptionOptions) -> Iterator[Named | DataError]:
    splits = {str(image.get("split")) for image in images if isinstance(image, dict)}
    if options.part is not None and options.part not in splits:
        raise ConfigError(f"`part={options.part!r}` is no split of {path}, which has {', '.join(sorted(splits))}. Pass one of them.")
    for number, image in enumerate(images):
        place = f"{path}, image {image.get('imgid', number) if isinstance(image, dict) else number}"
        if options.part is not None and isinstance(image, dict) and image.get("split") not in _WITH.get(options.part, (options.part,)):
            continue
        said = image.get("sentences", None if options.sentences_needed else []) if isinstance(image, dict) else None
        if isinstance(said, list) and all(_has(sentence, (), "raw") for sentence in said) and _has(image, (), "filename"):
            folder = image.get("filepath")
            name = f"{folder}/{image['filename']}" if folder else image["filename"]
            yield Named(place, name, tuple(sentence["raw"] for sentence in said))
        else:
            yield DataError(f"{place} must have 'filename', and 'sentences' with texts under 'raw', got {shown(image)}. Mend it.")
