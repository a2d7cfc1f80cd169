"""What there is to learn from in files, as numbers and names, before anything is learnt."""

from collections.abc import Mapping
from dataclasses import dataclass

from unrolled.data.columns import Places


@dataclass(frozen=True)
class Overview:
    """What a recipe reads of its data.

    `lengths` `[N]` are the steps of each sequence, `labels` says how often each label or tag comes in all of them. `inputs` and `targets` are the
    columns or keys that are read, or what kind of fields they are where these have no names, and `left_out` the other ones. So many sequences are
    `learnt`, so many `held_out`; `repeated` of those learnt and held out come again on the same side, and `in_both` of those held out are learnt, too.
    `summary` is what is said of it when training begins, and `notes` are more sentences of that kind.
    """

    summary: str
    lengths: Places
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    left_out: tuple[str, ...]
    labels: Mapping[str, int]
    learnt: int
    held_out: int
    repeated: int = 0
    in_both: int = 0
    notes: tuple[str, ...] = ()
