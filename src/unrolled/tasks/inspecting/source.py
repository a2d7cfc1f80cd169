"""What a run was begun with, as far as it can be read again."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unrolled.data.builtin import PREFIX
from unrolled.errors import UnrolledError, UnrolledWarning
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.tasks import find_recipe
from unrolled.tasks.configuration import Configuration
from unrolled.training import RunFolder

MOST_BYTES = 64 << 20
"""Larger files are not read again: it would take longer than all the rest."""


def held_out(folder: RunFolder, trained: Any, most: int) -> InspectionInput | None:
    """The beginning of what a run held out, with others like it.

    None where nothing was, or where its data is gone, is too large, or is not what it was: a page must not fail for that.
    """
    try:
        data = read_again(folder)
        inspected: InspectionInput | None = None if data is None else trained.held_out(data, most)
        return inspected
    except (UnrolledError, OSError):
        return None


def read_again(folder: RunFolder) -> Any:
    """The data of a run. None where it is gone, is too large, or is not what it was."""
    recipe = find_recipe(folder.read_config()["task"])
    configuration: Configuration[Any] = Configuration.read(recipe.name, recipe.options, folder)
    try:
        if sum(os.path.getsize(path) for path in _files(configuration)) > MOST_BYTES:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnrolledWarning)
            data = recipe.read(configuration, lambda *_: None)
        return data if data.fingerprint == configuration.fingerprint else None
    except (UnrolledError, OSError):
        return None


def _files(configuration: Configuration[Any]) -> Iterator[Path]:
    """All files that are read: also vectors of words, and aligned files, which stand among the options of reading."""
    data, reading = configuration.options.data, getattr(configuration.options, "reading", None)
    aligned = [getattr(reading, "source", None), *(getattr(reading, "target", None) or () if hasattr(reading, "source") else ())]
    for name in filter(None, [*data.sources, *data.validation, getattr(data, "vectors", None), *aligned]):
        path = Path(name)
        if not name.startswith(PREFIX):
            yield from (p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
