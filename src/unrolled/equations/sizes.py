"""Which names must have equally many units."""

from collections.abc import Iterable


class Sizes:
    """Classes of names of equal size, joined as the text adds and multiplies them; `""` stands for a number, which fits any size."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def join(self, left: str, right: str) -> str:
        """Record that two names are of one size; return either, or the one that is not a number."""
        if left and right:
            self._parent[self._root(left)] = self._root(right)
        return left or right

    def resolve(self, names: Iterable[str], fixed: Iterable[str], default: str) -> None:
        """Give the names the size of `default` that none in `fixed` says the size of: constants that meet no vector."""
        known = {self._root(name) for name in fixed}
        for name in names:
            if self._root(name) not in known:
                self.join(name, default)

    def labels(self, assigned: Iterable[str], parameters: Iterable[str]) -> dict[str, str]:
        """One label for every name: `"x"` where the size is the input's, else the first name of the class, assigned ones before parameters."""
        label = {self._root("x"): "x"}
        for name in assigned:
            label.setdefault(self._root(name), name)
        names = ["x", *assigned, *(p + end for p in parameters for end in ("", ":rows", ":columns"))]
        return {name: label.setdefault(self._root(name), name) for name in names}

    def _root(self, name: str) -> str:
        while (parent := self._parent.get(name, name)) != name:
            name = parent
        return name
