"""What is learnt of pairs, and what is held out; what cannot be used is left out and counted."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from unrolled.data.batches import evenly
from unrolled.data.columns import Places, joined, numbered
from unrolled.data.examples import Example
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.words import first_words, normal, says_nothing
from unrolled.errors import ConfigError, UnrolledWarning

LETTERS = 20
"""Characters on the whole for each word that a side may have: text without blanks is bounded, too."""


@dataclass
class Tally:
    """How many pairs there were, and what was found wrong with how many of them; the places are those of the first."""

    pairs: int = 0
    empty: int = 0
    empty_place: str = ""
    long: int = 0
    long_place: str = ""
    limit: str = ""

    cut: bool = False

    @property
    def left_out(self) -> int:
        """Pairs that are not used."""
        return self.empty + (0 if self.cut else self.long)

    def __str__(self) -> str:
        told = [f"{self.pairs:,} pairs"]
        if self.empty:
            told.append(f"{self.empty:,} with an empty side left out, first {self.empty_place}")
        if self.long:
            told.append(f"{self.long:,} {self.limit}, first {self.long_place}")
        return "; ".join(told)


def usable(pairs: Iterable[Example], options: PairOptions, level: str, tally: Tally) -> Iterator[Example]:
    """The pairs of which no side is empty, nor longer than `options` allow at `level`; longer ones are cut if that is asked for.

    Of several targets those that can be used stay. `tally` counts on while pairs are taken.
    """
    most, cut = options.most(level), options.too_long == "cut"
    tally.cut = cut
    tally.limit = f"with a side of more than {_limit(most, level)} {'cut' if cut else 'left out'}"
    for pair in pairs:
        tally.pairs += 1
        targets = tuple(text for text in (pair.texts or ()) if not says_nothing(text))
        if says_nothing(pair.text or "") or not targets:
            tally.empty, tally.empty_place = tally.empty + 1, tally.empty_place or pair.place
            continue
        source, *shorter = (_first(text, most, level) for text in ((pair.text or ""), *targets))
        fitting = tuple(shorter) if cut else tuple(text for text, short in zip(targets, shorter, strict=True) if text == short)
        dropped = not cut and (source != (pair.text or "") or not fitting)
        if dropped or source != (pair.text or "") or fitting != targets:
            tally.long, tally.long_place = tally.long + 1, tally.long_place or pair.place
        if not dropped:
            yield replace(pair, text=source, texts=fitting)


def shortened(pairs: Iterable[Example], options: PairOptions, level: str) -> Iterator[Example]:
    """The pairs with sources that are cut where they are longer than `options` allow, however those are; the first one is told."""
    most, told = options.most(level), False
    for pair in pairs:
        source = _first((pair.text or ""), most, level)
        if source != (pair.text or "") and not told:
            told = True
            cure = "Pass `longest` to read more."
            warnings.warn(f"{pair.place}: a source of more than {_limit(most, level)} is cut. {cure}", UnrolledWarning, stacklevel=2)
        yield replace(pair, text=source)


def _first(text: str, most: int, level: str) -> str:
    """As much of a text as a side may have."""
    return text[:most] if level == "char" else first_words(text[: most * LETTERS], most)


def _limit(most: int, level: str) -> str:
    """The same in words."""
    return f"{most:,} characters" if level == "char" else f"{most:,} words and marks, or {most * LETTERS:,} characters,"


def key_of(pair: Example) -> str:
    """What must not be both learnt and held out. Sources that differ only in their blanks, or in how Unicode writes a letter, are the same."""
    return _alike(pair.text or "") if pair.group is None else pair.group


def _alike(source: str) -> str:
    return " ".join(normal(source).split())


def divide(pairs: Iterable[Example], held_out: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Pairs in two parts, drawn at random, which have no `key_of` in common: those to learn, and those held out, `together`.

    `held_out` is the share of all keys, or from 1 on their number; at least one and not all of them, unless it is 0. Groups that have a source in common
    lie on one side, unless nothing could then be held out, or only more than twice the share.
    """
    pairs = list(pairs)
    alone, joint = _units(pairs)
    for units in (joint, alone):
        members = _members(pairs, units)
        learnt, held = evenly(np.arange(len(members)), held_out, np.random.default_rng(seed))
        share = held_out if held_out < 1 else held_out / max(int(alone.max(initial=0)) + 1, 1)
        if not held_out or 0 < sum(len(members[i]) for i in held) <= 2 * max(share * len(pairs), 1):
            break
    return _parted(members, learnt, held)


def fold(pairs: Iterable[Example], number: int, folds: int, seed: int) -> tuple[list[Example], list[Example]]:
    """The same, where all keys are dealt into so many parts, of which that of a `number`, from 1 on, is held out: each pair is in one of them.

    Groups that have a source in common are in one part, unless there are then fewer units than parts, or one with twice the pairs of a part.
    `ConfigError` for more parts than there are keys.
    """
    pairs = list(pairs)
    alone, units = _units(pairs)
    most = int(alone.max(initial=-1)) + 1
    if folds > most:
        of_what = "groups of `group`" if any(pair.group is not None for pair in pairs) else "sources that differ"
        raise ConfigError(f"`folds={folds}` needs as many {of_what}, and DATA has {most:,}. Ask for at most {most:,} folds.")
    sizes = np.bincount(units)
    members = _members(pairs, alone if len(sizes) < folds or sizes.max() * folds > 2 * len(pairs) else units)
    shuffled = np.random.default_rng(seed).permutation(len(members))
    held = np.sort(shuffled[number - 1 :: folds])
    return _parted(members, np.setdiff1d(shuffled, held), held)


def _units(pairs: list[Example]) -> tuple[Places, Places]:
    """For each pair the number of its `key_of`, and that of all keys which have sources in common, and so on from each to the next."""
    keys = numbered(map(key_of, pairs))
    return keys, joined(keys, numbered(_alike(pair.text or "") for pair in pairs))


def _members(pairs: list[Example], units: Places) -> list[list[Example]]:
    """The pairs of each unit."""
    found: list[list[Example]] = [[] for _ in range(int(units.max(initial=-1)) + 1)]
    for pair, unit in zip(pairs, units.tolist(), strict=True):
        found[unit].append(pair)
    return found


def _parted(members: list[list[Example]], learnt: Places, held: Places) -> tuple[list[Example], list[Example]]:
    return [pair for i in learnt for pair in members[i]], together(pair for i in held for pair in members[i])


def together(pairs: Iterable[Example]) -> list[Example]:
    """Each source once, with all its different targets in the order in which they come."""
    found: dict[str, Example] = {}
    for pair in pairs:
        name = _alike(pair.text or "")
        known = found.setdefault(name, replace(pair, texts=()))
        found[name] = replace(known, texts=tuple(dict.fromkeys((*(known.texts or ()), *(pair.texts or ())))))
    return list(found.values())
