"""JSON files that describe pictures: COCO's images and annotations, and the splits of Karpathy & Fei-Fei (2015)."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeGuard

from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.caption_tables import Named
from unrolled.errors import ConfigError, DataError

_WITH = {"train": ("train", "restval")}
"""Splits that are read together."""


def is_described(record: Any) -> TypeGuard[dict[str, Any]]:
    """Whether the value of a JSON file is one of the two."""
    return isinstance(record, dict) and isinstance(record.get("images"), list)


def described(path: Path, record: dict[str, Any], options: CaptionOptions) -> Iterator[Named | DataError]:
    """What it says of each picture."""
    if "annotations" in record:
        if options.part is not None:
            raise ConfigError(f"`part` names a split, and {path} has none. Leave it out, or pass the file of that split.")
        return _coco(path, record)
    return _karpathy(path, record["images"], options.part)


def _coco(path: Path, record: dict[str, Any]) -> Iterator[Named | DataError]:
    sentences = defaultdict[Any, list[str]](list)
    try:
        for annotation in record["annotations"]:
            sentences[annotation["image_id"]].append(str(annotation["caption"]))
        images = [(image["id"], str(image["file_name"])) for image in record["images"]]
    except (KeyError, TypeError) as error:
        told = "must have images with 'id' and 'file_name', and annotations with 'image_id' and 'caption'"
        raise DataError(f"{path} {told}, and lacks {error}. Mend it.") from None
    for number, name in images:
        yield Named(f"{path}, image {number}", name, tuple(sentences.pop(number, ())))
    for number in sentences:
        yield DataError(f"{path}: the sentence {sentences[number][0][:40]!r} is of the image {number}, which is not there. Take it out.")


def _karpathy(path: Path, images: list[Any], part: str | None) -> Iterator[Named | DataError]:
    splits = {str(image.get("split")) for image in images if isinstance(image, dict)}
    if part is not None and part not in splits:
        raise ConfigError(f"`part={part!r}` is no split of {path}, which has {', '.join(sorted(splits))}. Pass one of them.")
    for number, image in enumerate(images):
        place = f"{path}, image {image.get('imgid', number) if isinstance(image, dict) else number}"
        try:
            if part is not None and image.get("split") not in _WITH.get(part, (part,)):
                continue
            name = "/".join(filter(None, (image.get("filepath"), image["filename"])))
            yield Named(place, name, tuple(str(sentence["raw"]) for sentence in image["sentences"]))
        except (KeyError, TypeError, AttributeError) as error:
            yield DataError(f"{place} must have 'filename' and 'sentences' with 'raw', and lacks {error}. Mend it.")
