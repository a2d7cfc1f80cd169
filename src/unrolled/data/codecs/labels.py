"""Labels of sequences and tags of steps as ids."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.codecs.codec import NAMED, SHOWN
from unrolled.data.columns import Places
from unrolled.data.dataset import TAGS, Dataset
from unrolled.data.examples import Prediction, Target, marks_spans
from unrolled.data.label_kinds import KINDS, TEXT
from unrolled.data.numerals import is_number
from unrolled.data.vocabulary import Vocabulary, damaged, switch
from unrolled.errors import DataError, UnrolledWarning

_NAMED, _LISTED = 5, 10
"""Labels that are named in a message, and with their numbers when training begins."""


@dataclass(frozen=True)
class LabelCodec:
    """The labels, in the order of the network's scores.

    `target` says whether they are those of whole sequences, of which `several` may hold at once, or tags of steps; `scheme` is how the
    files mark spans, if they are tags, which inside are BIO. Labels are text; `kind` is the type that they had where they were given in memory,
    one of `KINDS`.
    """

    vocabulary: Vocabulary
    target: Target
    several: bool = False
    scheme: str | None = None
    kind: str = TEXT

    @classmethod
    def learn(cls, dataset: Dataset, part: Places, target: Target, *, several: bool = False, divided_by: str = "held_out") -> "LabelCodec":
        """From some of the sequences, the training part, which the option `divided_by` set apart. `DataError` if there is only one label."""
        counts = label_counts(dataset, part, target)
        labels = sorted(counts, key=_order)
        if len(labels) < 2:
            only = f"all of them are {labels[0]!r}" if labels else "there is none"
            told = f"There must be at least 2 different labels to tell apart; in what is learnt {only}."
            if len(label_counts(dataset, np.arange(len(dataset)), target)) > len(labels):
                raise DataError(f"{told} The others are held out: change `{divided_by}` or `group`, or add examples.")
            raise DataError(f"{told} Look at the column, or add other examples.")
        return cls(Vocabulary(tuple(labels), (), tuple(counts[label] for label in labels)), target, several, dataset.scheme)

    def widened(self, learnt: "LabelCodec") -> "LabelCodec":
        """This one with the labels of another one besides; the other one where they have none in common."""
        if self.target is not learnt.target or self.several != learnt.several or {*self.labels}.isdisjoint(learnt.labels):
            return learnt
        kind = learnt.kind if self.kind == learnt.kind else TEXT
        return replace(learnt, vocabulary=self.vocabulary.widened(learnt.vocabulary), kind=kind)

    def given(self, label: str) -> Any:
        """A label as it was given: a whole number where all were such, and so on."""
        return KINDS[self.kind](label)

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels."""
        return self.vocabulary.names

    @property
    def frequent(self) -> str | None:
        """The most frequent label of what was learnt, if that is known."""
        counts = self.vocabulary.counts
        return max(zip(counts, self.labels, strict=True), key=lambda pair: pair[0])[1] if counts else None

    @property
    def marks_spans(self) -> bool:
        """Whether the labels are tags of spans, in BIO."""
        return marks_spans(self.scheme)

    def encode(self, dataset: Dataset) -> "LabelTargets":
        """Whole numbers; a label that is not known is -1, and so is the whole row of several labels if one of them is not known, or if nothing
        is said."""
        known = np.append(self.vocabulary.ids(dataset.names), -1)
        if self.target is Target.TAGS:
            return LabelTargets(dataset, known, None)
        if not self.several:
            alone = [known[chosen[0]] if len(chosen) == 1 else -1 for chosen in dataset.label_sets]
            return LabelTargets(dataset, known, np.array([*alone, -1]))
        rows = np.zeros((len(dataset.label_sets) + 1, len(self.labels)), np.int64)
        for row, chosen in zip(rows, dataset.label_sets, strict=False):
            places = known[list(chosen)]
            row[places] = 1
            row[:] = np.where((places < 0).any(), -1, row)
        rows[-1] = -1
        return LabelTargets(dataset, known, rows)

    def notice_unknown(self, dataset: Dataset, which: Places) -> None:
        """Say which labels of some sequences were not learnt, and how often they come."""
        known = self.vocabulary.ids(dataset.names)
        tags = self.target is Target.TAGS
        sets = [(name,) for name in range(len(dataset.names))] if tags else dataset.label_sets
        found = dataset.columns[TAGS].take(which) if tags else dataset.labels[which]
        counts = np.bincount(found[found >= 0], minlength=len(sets)).tolist()
        unseen = {places: n for places, n in zip(sets, counts, strict=True) if n and min(known[list(places)], default=0) < 0}
        if unseen:
            names = sorted({dataset.names[place] for places in unseen for place in places if known[place] < 0})
            unit = "steps have a tag" if tags else "sequences have a label"
            warnings.warn(
                f"{sum(unseen.values()):,} of {sum(counts):,} {unit} that was not learnt: {enumerated(names)}. They count as wrong, and have no part in the loss.",
                UnrolledWarning,
                stacklevel=3,
            )

    def absent(self, dataset: Dataset, which: Places) -> str:
        """The labels that were learnt and do not hold in some sequences."""
        found = label_counts(dataset, which, self.target)
        return enumerated([label for label in self.labels if label not in found])

    def supposed(self, prediction: Prediction) -> NDArray[Any]:
        """The ids of what a prediction says."""
        if prediction.tags is not None:
            return self.vocabulary.ids(prediction.tags)[:, None]
        labels = prediction.labels or ()
        return np.array([[int(label in labels) for label in self.labels]]) if self.several else self.vocabulary.ids(labels)

    def describe(self) -> str:
        """How many labels there are, and the most frequent ones."""
        counts = self.vocabulary.counts or (0,) * len(self.labels)
        first = sorted(zip(counts, self.labels, strict=True), key=lambda pair: -pair[0])[:NAMED]
        more = ", …" if len(self.labels) > NAMED else ""
        scheme = f" ({str(self.scheme).upper()})" if self.marks_spans else ""
        kind = "tags" if self.target is Target.TAGS else "labels"
        return f"{len(self.labels):,} {kind}{scheme}: {', '.join(f'{name} ({n:,})' for n, name in first)}{more}"

    def show(self, dataset: Dataset, sequence: int) -> str:
        """The labels of a sequence, or the tags of its first steps."""
        if self.target is not Target.TAGS:
            place = dataset.labels[sequence]
            return ", ".join(dataset.names[name] for name in (dataset.label_sets[place] if place >= 0 else ())) or "none"
        tags = dataset.columns[TAGS].take(np.array([sequence]))
        return " ".join(dataset.names[tag] if tag >= 0 else "-" for tag in tags[:SHOWN].tolist()) + (" …" if len(tags) > SHOWN else "")

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        return {
            "labels": self.vocabulary.to_json(),
            "target": self.target.value,
            "several": self.several,
            "scheme": self.scheme,
            "kind": self.kind,
        }

    @classmethod
    def from_json(cls, found: object) -> "LabelCodec":
        """What `to_json` gave. `RunError` for something else."""
        try:
            assert isinstance(found, dict)
            vocabulary = Vocabulary.from_json(found["labels"], ())
            kind = str(found["kind"])
            codec = cls(vocabulary, Target(found["target"]), switch(found, "several"), found["scheme"], kind)
            for label in codec.labels:
                codec.given(label)
            return codec
        except (KeyError, AssertionError, ValueError, TypeError) as error:
            raise damaged(f"labels must have names, a target and a scheme ({error!r})") from None


@dataclass(frozen=True)
class LabelTargets:
    """Labels of a dataset: `known` has the id of each of its names, `sets` that of each of its sets of labels, None where tags are meant."""

    dataset: Dataset
    ids: NDArray[np.int64]
    sets: NDArray[np.int64] | None

    def take(self, which: Places) -> NDArray[Any]:
        """`[B]`, or `[B, K]` zeros and ones where several may hold; of steps `[S]`."""
        found: NDArray[Any] = (
            self.ids[self.dataset.columns[TAGS].take(which)] if self.sets is None else self.sets[self.dataset.labels[which]]
        )
        return found

    def known(self, which: Places) -> NDArray[np.bool_]:
        """Of which sequences all labels were learnt, `[B]`; of steps those that have a tag, of which there must be one."""
        if self.sets is not None:
            return np.asarray(self.take(which).reshape(len(which), -1).min(-1) >= 0)
        if not len(which):
            return np.zeros(0, bool)
        tags, lengths = self.dataset.columns[TAGS].take(which), self.dataset.lengths[which]
        begins = np.cumsum(lengths) - lengths
        unknown = (self.ids[tags] < 0) & (tags >= 0)
        return (np.add.reduceat(unknown, begins) == 0) & (np.add.reduceat(tags >= 0, begins) > 0)


def label_counts(dataset: Dataset, part: Places, target: Target) -> dict[str, int]:
    """How often each label comes in some sequences."""
    counts = dict[str, int]()
    if target is Target.TAGS:
        tags, times = np.unique(dataset.columns[TAGS].take(part), return_counts=True)
        return {dataset.names[tag]: n for tag, n in zip(tags.tolist(), times.tolist(), strict=True) if tag >= 0}
    chosen, times = np.unique(dataset.labels[part], return_counts=True)
    for place, n in zip(chosen.tolist(), times.tolist(), strict=True):
        for name in dataset.label_sets[place] if place >= 0 else ():
            counts[dataset.names[name]] = counts.get(dataset.names[name], 0) + n
    return counts


def enumerated(names: Sequence[str]) -> str:
    """Labels in a message: the first few by name."""
    return ", ".join(map(repr, names[:_NAMED])) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")


def _order(label: str) -> tuple[int, float, str]:
    """Numbers by their size, then words by the alphabet."""
    return (0, float(label), label) if is_number(label) else (1, 0.0, label)
