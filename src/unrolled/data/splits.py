"""What is learnt and what is held out: sequences that belong together on one side, and on both sides some of every label, as far as it goes."""

import warnings
from collections.abc import Iterator
from hashlib import blake2b
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places, joined, numbered, places
from unrolled.data.dataset import FRAMES, NUMBERS, STEP_VALUES, TAGS, TOKENS, Dataset
from unrolled.data.examples import Target
from unrolled.errors import ConfigError, UnrolledWarning

QUANTILES = 10
"""Into how many parts of equal size numbers to predict are divided, so that each is held out in part."""

_NAMED = 5
"""Most labels that a message names."""


def deal(dataset: Dataset, target: Target, folds: int, chance: np.random.Generator) -> Places:
    """For each sequence in which of the `folds` parts it is, from 0 on `[N]`: parts of about the same size, and with about as much of every label.

    Those of one group are in one part, and so are equal ones, unless there are then fewer units than parts, or one with twice the sequences
    of a part. `ConfigError` for fewer than two parts, or more than there are sequences or groups.
    """
    everything = np.arange(len(dataset))
    alone = everything if dataset.groups is None else np.unique(dataset.groups, return_inverse=True)[1]
    most, of_what = int(alone.max(initial=-1)) + 1, "sequences" if dataset.groups is None else "groups of `group`"
    if folds < 2:
        raise ConfigError(f"`folds` must be at least 2, as each part is learnt from the others, got {folds}.")
    if folds > most:
        raise ConfigError(f"`folds={folds}` needs as many {of_what}, and DATA has {most:,}. Ask for at most {most:,} folds.")
    labels = _labels(dataset, target)
    together = joined(alone, numbered(input_keys(dataset)))
    sizes = np.bincount(together)
    if len(sizes) < folds or sizes.max() * folds > 2 * len(dataset):
        together = alone
    dealing = _Dealing(together, *labels, chance)
    if not target.numbers and len(rare := np.flatnonzero((dealing.having > 0) & (dealing.having < folds))):
        named = ", ".join(repr(dataset.names[label]) for label in rare[:_NAMED]) + (" and others" if len(rare) > _NAMED else "")
        told = f"Of {named} there are fewer sequences than `folds={folds}`, or fewer that are not equal or of one group: not every part has some."
        warnings.warn(f"{told} Ask for fewer folds, or find more.", UnrolledWarning, stacklevel=2)
    return dealing.deal(folds)[together]


def divide(dataset: Dataset, target: Target, held_out: float, chance: np.random.Generator) -> tuple[Places, Places]:
    """The sequences to learn, and those held out: a share of them, drawn at random, at least one unless all belong together or it is 0.

    Those of one group lie on one side, and so do equal ones, unless nothing could then be held out without leaving a label unlearnt, or only
    more than twice the share. Of each label, tag or tenth of the numbers to predict about the same share is held out, and of each that comes in two groups at least one, as long
    as the share has room; one that comes in one group is learnt.
    """
    everything = np.arange(len(dataset))
    alone = everything if dataset.groups is None else dataset.groups
    held = np.zeros(len(dataset), bool)
    if held_out and alone.any():
        wanted = min(max(round(held_out * len(dataset)), 1), len(dataset) - 1)
        labels = _labels(dataset, target)
        together = joined(alone, numbered(input_keys(dataset)))
        held = _Drawing(together, *labels, chance).draw(wanted)[together]
        if not 0 < held.sum() <= 2 * wanted:
            drawing = _Drawing(alone, *labels, chance)
            held = drawing.draw(wanted)[alone]
            held = held if held.any() else alone == drawing.smallest()
    return np.flatnonzero(~held), np.flatnonzero(held)


def input_keys(dataset: Dataset, table: tuple[str, ...] | None = None) -> Iterator[bytes]:
    """What is the same for two sequences exactly when their steps are; `table` are the tokens of another dataset to compare with."""
    numbers = {token: place for place, token in enumerate(table or dataset.table)}
    known = np.array([numbers.get(token, -1) for token in dataset.table], np.int64)
    for first, last in pairwise(dataset.starts.tolist()):
        digest = blake2b(digest_size=16)
        if TOKENS in dataset.columns:
            digest.update(known[dataset.columns[TOKENS].elements.read(first, last)].tobytes())
        for name in (NUMBERS, FRAMES):
            if name in dataset.columns:
                digest.update(np.ascontiguousarray(dataset.columns[name].elements.read(first, last)).tobytes())
        yield digest.digest()


def _labels(dataset: Dataset, target: Target) -> tuple[Places, Places]:
    """Which sequences have which labels: places of sequences, and beside them those of labels."""
    everything = np.arange(len(dataset))
    if target is Target.TEXTS:
        return everything[:0], everything[:0]
    if target is Target.TAGS:
        return np.repeat(everything, dataset.lengths), dataset.columns[TAGS].take(everything)
    if target.numbers:
        values = _means(dataset) if target.each_step else dataset.values
        return np.tile(everything, values.shape[1]), _quantiles(values).T.flatten()
    sets = [*dataset.label_sets, ()]
    sizes = np.array([len(names) for names in sets])[dataset.labels]
    chosen = [name for place in dataset.labels.tolist() for name in sets[place]]
    return np.repeat(everything, sizes), np.array(chosen, np.int64)


def _means(dataset: Dataset) -> NDArray[np.float64]:
    """Those of the numbers of each sequence's steps, `[N, K]`."""
    values = dataset.columns[STEP_VALUES].elements.read(0, int(dataset.starts[-1]))
    means: NDArray[np.float64] = np.add.reduceat(values, dataset.starts[:-1]) / dataset.lengths[:, None]
    return means


def _quantiles(values: NDArray[np.float64]) -> Places:
    """In which of the quantiles numbers `[N, K]` lie, other numbers for each of the K; equal ones in the same."""
    ranks = np.stack([np.searchsorted(np.sort(column), column) for column in values.T], axis=1)
    return ranks * QUANTILES // len(values) + QUANTILES * np.arange(values.shape[1])


class _Units:
    """U units of sequences, to be divided by iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011): the rarest label first.

    `labels` are all (unit, label), by units, and `times` how often each comes; `begins` `[U + 1]` is where those of a unit begin. `having` `[K]` is how
    many units have each label; `order` is a random one.
    """

    def __init__(self, units: Places, sequences: Places, labels: Places, chance: np.random.Generator) -> None:
        self.sizes = np.bincount(units)
        self.count = int(labels.max(initial=-1)) + 1
        both, self.times = np.unique(units[sequences[labels >= 0]] * self.count + labels[labels >= 0], return_counts=True)
        self.labels = both % max(self.count, 1)
        self.begins = np.searchsorted(both, np.arange(len(self.sizes) + 1) * self.count)
        self.having = np.bincount(self.labels, minlength=self.count)
        self.order = chance.permutation(len(self.sizes))

    def strata(self) -> Iterator[tuple[int, Places]]:
        """The units by their rarest label, the rarest labels first, and those without any last, under K; each in random order."""
        labels = np.append(np.argsort(self.having, kind="stable"), self.count)
        rank = np.argsort(labels)
        rarest = np.full(len(self.sizes), self.count)
        has = np.flatnonzero(np.diff(self.begins))
        if len(has):
            rarest[has] = np.minimum.reduceat(rank[self.labels], self.begins[has])
        by_rank = self.order[np.argsort(rarest[self.order], kind="stable")]
        for units in np.split(by_rank, np.flatnonzero(np.diff(rarest[by_rank])) + 1):
            yield int(labels[rarest[units[0]]]), units

    def of(self, unit: int) -> slice:
        """Where the labels of a unit stand."""
        return slice(self.begins[unit], self.begins[unit + 1])


class _Dealing(_Units):
    """Units that are dealt out like cards."""

    def deal(self, folds: int) -> Places:
        """In which part each unit is, `[U]`: a part that has least of its rarest label, and of these the smallest one.

        So no part stays empty that could have a unit, as an empty one always comes first.
        """
        given, filled = np.zeros((self.count + 1, folds), np.int64), np.zeros(folds, np.int64)
        part = np.zeros(len(self.sizes), np.int64)
        for label, units in self.strata():
            for unit in units[np.argsort(-self.sizes[units], kind="stable")].tolist():
                chosen = int(np.lexsort((filled, given[label]))[0])
                part[unit] = chosen
                filled[chosen] += self.sizes[unit]
                given[self.labels[self.of(unit)], chosen] += self.times[self.of(unit)]
        return part


class _Drawing(_Units):
    """Units of which some are drawn.

    `held` `[U]` are the units that are drawn, `learnt` and `measured` `[K]` how many of those with each label are not and are.
    """

    def __init__(self, units: Places, sequences: Places, labels: Places, chance: np.random.Generator) -> None:
        super().__init__(units, sequences, labels, chance)
        self.learnt, self.measured = self.having.copy(), np.zeros_like(self.having)
        self.held = np.zeros(len(self.sizes), bool)

    def draw(self, wanted: int) -> NDArray[np.bool_]:
        """Which units are drawn, so that they have about as many sequences as `wanted`: none where each would leave a label unlearnt."""
        # Of the labels that can be on both sides only as many must be as there is room for, the frequent ones first.
        can = np.flatnonzero(self.learnt > 1)
        self.must = np.zeros(self.count, bool)
        self.must[can[np.argsort(-self.learnt[can], kind="stable")[:wanted]]] = True
        share, owed = wanted / self.sizes.sum(), 0.0
        for label, units in self.strata():
            # A label that cannot be divided is learnt, and no other gives more for it.
            can_be = label == self.count or self.learnt[label] > 1
            target = owed + can_be * share * self.sizes[units].sum()
            owed = target - self._take(units, target, self.must & (np.arange(self.count) == label))
        self._take(self.order[~self.held[self.order]], owed, self.must)
        return self.held

    def smallest(self) -> int:
        """One of the smallest units."""
        return int(self.order[np.argmin(self.sizes[self.order])])

    def _take(self, units: Places, target: float, must: NDArray[np.bool_]) -> int:
        """Draw some of the units, so that they have about as many sequences as the `target`; gives how many they have.

        Those go first that have labels of which nothing is drawn yet. One with a label that `must` be drawn is drawn even if the target has no
        room for it, a small one. What is left of every label is learnt.
        """
        sizes, taken, changed = self.sizes[units], 0, True
        for place in np.lexsort((-self._lacking(units, self.must), np.where(sizes / 2 < target, 0, sizes))).tolist():
            fits = sizes[place] / 2 < target - taken
            if changed and not fits:
                lacking, changed = self._lacking(units, must), False
            if (fits or lacking[place]) and (self.learnt[self.labels[self.of(units[place])]] > 1).all():
                self._hold(units[place])
                taken, changed = taken + int(sizes[place]), True
        return taken

    def _lacking(self, units: Places, must: NDArray[np.bool_]) -> Places:
        """How many labels each has that `must` be drawn, and of which nothing is."""
        lacks = must & (self.measured == 0)
        which = np.repeat(np.arange(len(units)), self.begins[units + 1] - self.begins[units])
        return np.bincount(which[lacks[self.labels[places(self.begins, units)]]], minlength=len(units))

    def _hold(self, unit: int) -> None:
        self.held[unit] = True
        self.learnt[self.labels[self.of(unit)]] -= 1
        self.measured[self.labels[self.of(unit)]] += 1
