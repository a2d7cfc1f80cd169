"""What lies in a folder of data."""

from pathlib import Path

from unrolled.data.opening import is_about
from unrolled.errors import DataError


def visible(folder: Path) -> list[Path]:
    """The files of a folder in the order of their names, without those about the data. If there is none, or it cannot be read: `DataError`."""
    files = [path for path in _entries(folder) if path.is_file() and not is_about(path)]
    if not files:
        raise DataError(f"{folder} has no files with data in it. Pass a folder with some.")
    return files


def visible_folders(folder: Path) -> list[Path]:
    """The folders in a folder in the order of their names, without hidden ones."""
    return [path for path in _entries(folder) if path.is_dir() and not is_about(path)]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}. Check its permissions.") from None
