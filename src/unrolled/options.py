"""How an option dataclass declares a field; flags, TOML and stored configurations follow from it."""

from dataclasses import field
from typing import Any


def option(default: Any, help: str) -> Any:
    """A dataclass field with its explanation."""
    return field(default=default, metadata={"help": help})
