"""What is warned of is told once."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def told_once() -> Iterator[None]:
    """What is warned of several times inside, as in every run of a study or whenever a file is read, is told the first time."""
    told = set[str]()
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_new(message: Warning | str, *about: Any, **more: Any) -> None:
            if str(message) not in told:
                told.add(str(message))
                show(message, *about, **more)

        warnings.showwarning = show_new
        yield
