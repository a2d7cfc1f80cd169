"""Files that are to be written: whether they can be is said before the work that fills them."""

import os
from pathlib import Path

from unrolled.errors import ConfigError
from unrolled.extras import extra
from unrolled.files import require_ordinary

PICTURES = (".png", ".svg", ".pdf")
"""How names of pictures may end."""

_LIBRARIES = {**dict.fromkeys(PICTURES, "matplotlib"), ".gif": "PIL.Image", ".mid": "mido", ".midi": "mido"}


def require_place(path: Path, ends: tuple[str, ...] = (), name: str = "path") -> None:
    """`ConfigError` where no file can be written that the option `name` asks for: another end than one of `ends`, no folder, one without permission, or
    something in its place that is no file; and where the library is missing that writes it."""
    end = path.suffix.lower()
    if ends and end not in ends:
        raise ConfigError(f"`{name}` must end in {', '.join(ends)}, got {path}. Give the file {_one_of(ends)}.")
    if not os.path.isdir(path.parent):
        raise ConfigError(f"The folder of `{name}` must exist, got {path}. Make {path.parent} first.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ConfigError(f"`{name}` must lie in a folder that one may write into, got {path}. Give it another place, or permission there.")
    try:
        require_ordinary(path)
    except OSError as error:
        raise ConfigError(f"`{name}` must be a file that can be replaced, got {path}: {error.strerror}. Name another one.") from None
    if ends and end in _LIBRARIES:
        extra(_LIBRARIES[end])


def _one_of(ends: tuple[str, ...]) -> str:
    return "this end" if len(ends) == 1 else "one of these ends"
