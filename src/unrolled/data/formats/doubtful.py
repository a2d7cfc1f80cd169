"""Labels that may say that nothing is known."""

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator

from unrolled.data.examples import Example
from unrolled.errors import UnrolledWarning

_DOUBTFUL = frozenset(("NA", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "NaN", "nan", "None", "?"))
"""How R, Excel, SQL, Weka, pandas and Python write that a value is missing."""

_RARE = 0.05
"""The share of sequences up to which such a label most likely is a missing one: real labels seldom are as rare."""


def noticed(examples: Iterable[Example]) -> Iterator[Example]:
    """The examples as they are; an `UnrolledWarning` at the end says which of their labels may stand for missing ones, and how often each comes."""
    total, found = 0, Counter[str]()
    for example in examples:
        total += 1
        found.update(label for label in example.labels or () if label in _DOUBTFUL)
        yield example
    if not found:
        return
    told = ", ".join(f"{label!r} ({count:,} of {total:,})" for label, count in found.most_common())
    likely = "most likely a missing value" if max(found.values()) <= _RARE * total else "perhaps a missing value"
    cure = "If it is one, leave its cell empty and pass `bad_rows='skip'`, which leaves rows without a label out; if not, nothing needs to be done."
    warnings.warn(f"Read as a label, and {likely}: {told}. {cure}", UnrolledWarning, stacklevel=2)
