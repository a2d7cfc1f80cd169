"""Labels that may say that nothing is known, and texts that are names of files."""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from unrolled.data.examples import Example
from unrolled.data.words import normal
from unrolled.errors import DataError, UnrolledWarning

_DOUBTFUL = frozenset(("NA", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "NaN", "nan", "None", "?"))
"""How R, Excel, SQL, Weka, pandas and Python write that a value is missing."""

_RARE = 0.05
"""The share of sequences up to which such a label most likely is a missing one: real labels seldom are as rare."""

_NAMES = 20
"""Texts by which it is found out whether they are names of files."""


def not_names(examples: Iterable[Example], sources: Sequence[Path]) -> Iterator[Example]:
    """The examples as they are. `DataError` in the end if the texts of the first ones, at least two, all name files or folders that lie beside a source:
    whoever has such a table means what is in the files."""
    folders = {source.parent for source in sources}
    first, every = list[Example](), True
    for example in examples:
        if every and len(first) < _NAMES:
            first.append(example)
            every = bool(example.text) and any(os.path.exists(folder / str(example.text).strip()) for folder in folders)
        yield example
    if every and len(first) > 1:
        raise DataError(
            f"{first[0].place}: the texts name files or folders that are there, such as {first[0].text!r}, and their names would be learnt in the place of what is "
            "in them. Sound, pictures, videos and folders of pictures are known by their names; tables with a frame of numbers on each line need `shape`. "
            "Pass that, or the files themselves."
        )


def in_normal_form(then: Callable[[Example], Example]) -> Callable[[Example], Example]:
    """What reads an example with its labels and tags in Unicode's form NFC, of which an `UnrolledWarning` tells once: else one could be two that look the same."""
    told = False

    def read(example: Example) -> Example:
        nonlocal told
        said = (*(example.labels or ()), *(example.tags or ()))
        other = next((label for label in said if not label.isascii() and normal(label) != label), None)
        if other is None:
            return then(example)
        if not told:
            cure = "All are read in NFC, in which one label is the same however it was typed."
            warnings.warn(
                f"{example.place}: the label {normal(other)!r} is not in Unicode's form NFC. {cure}", UnrolledWarning, stacklevel=2
            )
            told = True
        labels, tags = (None if some is None else tuple(map(normal, some)) for some in (example.labels, example.tags))
        return then(replace(example, labels=labels, tags=tags))

    return read


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
