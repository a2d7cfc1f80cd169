"""Where the package keeps what can be made again."""

import getpass
import os
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

from unrolled.errors import DataError


def cache_folder() -> Path:
    """`$UNROLLED_CACHE`, else the user's own cache folder, else, when that cannot be written, a folder among the temporary files.

    It exists and can be written; when there is no such place, that is a `DataError`.
    """
    wanted = Path(os.environ.get("UNROLLED_CACHE") or user_cache_path("unrolled"))
    if _writable(wanted):
        return wanted
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    spare = Path(tempfile.gettempdir()) / f"unrolled-{user}"
    if _writable(spare) and _own(spare):
        return spare
    raise DataError(f"Neither {wanted} nor {spare} can be written. Let UNROLLED_CACHE name a folder that can.")


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _own(folder: Path) -> bool:
    """Whether nobody else made the folder: in a shared place anybody can."""
    return not hasattr(os, "getuid") or (folder.lstat().st_uid == os.getuid() and not folder.is_symlink())
