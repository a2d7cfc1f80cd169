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

    def resolve(self, names: Iterable[tuple[str, str]], fixed: Iterable[str]) -> None:
        """Give each name whose size nothing says that of another: `names` are such pairs, `fixed` the names whose size is said."""
        known = {self._root(name) for name in fixed}
        for name, other in names:
            if self._root(name) not in known:
                self.join(name, other)

    def labels(self, names: Iterable[str]) -> dict[str, str]:
        """One label for every name: `"x"` where the size is the input's, else the first name of the class."""
        label: dict[str, str] = {self._root("x"): "x"}
        return {name: label.setdefault(self._root(name), name) for name in names}

    def _root(self, name: str) -> str:
        while (parent := self._parent.get(name, name)) != name:
            name = parent
        return name
