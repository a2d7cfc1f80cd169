"""Modules that are loaded when something of them is used, so that help needs none."""

from importlib import import_module
from typing import Any


class Later:
    """A module by its name, which is loaded when an attribute of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)
