"""Names for the columns and keys that predictions add to what a file has: none of its own is lost or comes twice."""

import warnings
from collections.abc import Collection, Iterable
from itertools import count

from unrolled.errors import UnrolledWarning


class AddedNames:
    """What is added to the rows, objects or descriptions of a file by name; a name that is taken gets a number, as in `predicted_2`.

    A name holds from the first place that needs it to the end, and an `UnrolledWarning` tells of it.
    """

    def __init__(self) -> None:
        self._names = dict[str, str]()

    def beside(self, taken: Iterable[str], wanted: Collection[str], place: str) -> tuple[str, ...]:
        """The names for those `wanted`, in their order, beside those that are `taken` at a place."""
        used = {name.strip() for name in taken}
        return tuple(self._free(name, used, place) for name in wanted)

    def _free(self, name: str, used: Collection[str], place: str) -> str:
        known = self._names.setdefault(name, name)
        if known not in used:
            return known
        free = next(other for number in count(2) if (other := f"{name}_{number}") not in used)
        told = f"{place}: {known!r} is there already and stays as it is; what is predicted is written as {free!r}"
        warnings.warn(f"{told}. Rename yours before you predict if you want it otherwise.", UnrolledWarning, stacklevel=3)
        self._names[name] = free
        return free
