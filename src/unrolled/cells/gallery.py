"""The built-in cells: a file for each, named after it, read when it is first asked for."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from unrolled.cells.cell import Cell, read_cell, split_file

_PATHS = dict(sorted((path.stem, path) for path in Path(__file__).with_name("built_in").glob("*.cell")))


class Gallery(Mapping[str, Cell]):
    """The built-in cells by name. Listing names reads no file; a cell is the same object whenever it is asked for."""

    def __getitem__(self, name: str) -> Cell:
        return _cell(_PATHS[name])

    def __iter__(self) -> Iterator[str]:
        return iter(_PATHS)

    def __len__(self) -> int:
        return len(_PATHS)

    def __contains__(self, name: object) -> bool:
        return name in _PATHS

    def written(self, name: str) -> str:
        """The equations of a cell as its file has them, which takes no algebra."""
        return split_file(_PATHS[name].read_text(encoding="utf-8"), name)[1].strip()

    def families(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What the files say beside their equations, by family and by name, the oldest first: a list of cells that needs no algebra."""
        told = {name: split_file(path.read_text(encoding="utf-8"), name)[0] for name, path in _PATHS.items()}
        by_year = sorted(told, key=lambda name: (told[name]["year"], name))
        families: dict[str, dict[str, dict[str, Any]]] = {told[name]["family"]: {} for name in by_year}
        for name in by_year:
            families[told[name]["family"]][name] = told[name]
        return families


_cell = cache(read_cell)

BUILT_IN = Gallery()
"""Every built-in cell by its name."""
