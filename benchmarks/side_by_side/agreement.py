"""Before anything is timed, every contender must compute what ours computes."""

import numpy as np

from side_by_side.material import Arrays
from side_by_side.method import TOLERANCES


class MismatchError(Exception):
    """A contender computes something else."""


def check_agreement(name: str, dtype: str, ours: Arrays, theirs: Arrays) -> float:
    """The largest difference of all arrays, as a share of ours; `MismatchError` when it is too large or an array is missing."""
    if ours.keys() != theirs.keys():
        raise MismatchError(f"{name} gives {sorted(theirs)}, ours {sorted(ours)}.")
    worst = 0.0
    for key, wanted in ours.items():
        if theirs[key].shape != wanted.shape:
            raise MismatchError(f"{name}: {key} has shape {theirs[key].shape}, ours {wanted.shape}.")
        off = float(np.abs(theirs[key] - wanted).max() / np.abs(wanted).max())
        if not off <= TOLERANCES[dtype]:
            raise MismatchError(f"{name}: {key} is off by {off:.1e} of the largest entry of ours; {TOLERANCES[dtype]:.0e} is allowed.")
        worst = max(worst, off)
    return worst
