"""Two sequences that belong together, as they were read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """A source with its targets, which are references that are all right: one to learn from, or several to be measured by.

    `place` is where it stands, as in "fra.tsv, line 3", for messages. `targets` is empty where the file has none and none is needed.
    `group` is what must not be both learnt and held out, such as the day of a date; None: the source itself.
    """

    place: str
    source: str
    targets: tuple[str, ...]
    group: str | None = None

    @property
    def key(self) -> str:
        """What must not be both learnt and held out. Sources that differ only in their blanks are the same."""
        return " ".join(self.source.split()) if self.group is None else self.group
