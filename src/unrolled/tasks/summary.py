"""What a trained network has to say at a terminal and to programs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

Writing = Callable[[TextIO], None]
"""Writes everything that was asked for."""


@dataclass(frozen=True)
class Summary:
    """What was measured: `numbers` by name, for programs, and the same as `text`."""

    numbers: Mapping[str, Any]
    text: str

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return dict(self.numbers)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Answering:
    """How predictions are written: as JSON or as the format has them, and whether somebody waits for each at a terminal.

    `say` tells people something beside what is written.
    """

    as_json: bool
    typed: bool
    say: Callable[[str], None]
