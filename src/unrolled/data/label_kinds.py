"""Types of labels that are given in memory: they are learnt as text, and said again in their own type."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

TEXT = "text"

_TRUTHS = {"true": True, "false": False}

KINDS: Mapping[str, Callable[[str], Any]] = {TEXT: str, "whole": int, "real": float, "truth": lambda label: _TRUTHS[label.lower()]}
"""What makes labels of a type of their text."""

_TYPES = {bool: "truth", int: "whole", float: "real"}


class Kind:
    """The type that all labels have which it was shown."""

    def __init__(self) -> None:
        self._found = set[str]()

    def see(self, given: Any) -> None:
        """Look at a label, or at a list, set or array of them."""
        if isinstance(given, set | frozenset) or np.ndim(given):
            for label in given:
                self.see(label)
        else:
            self._found.add(_TYPES.get(type(given.item() if hasattr(given, "item") else given), TEXT))

    @property
    def name(self) -> str:
        """One of `KINDS`: that of text where they differ."""
        return next(iter(self._found)) if len(self._found) == 1 else TEXT
