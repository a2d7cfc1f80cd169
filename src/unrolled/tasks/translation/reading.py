"""Pairs, read and encoded: what is learnt, what is held out, and the codecs of both sides."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from textwrap import shorten

import numpy as np

from unrolled.data.bitext import Bitext
from unrolled.data.codecs import PairCodec
from unrolled.data.examples import Example
from unrolled.data.formats.options import columns_named
from unrolled.data.formats.pairs import read_pairs, resolve_pairs
from unrolled.data.parts import Tally, divide, fold, key_of, together, usable
from unrolled.data.words import notice_clauses
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.overview import Overview
from unrolled.tasks.trained import Progress
from unrolled.tasks.translation.options import Reading, TranslateOptions, TranslationOptions

SHOWN = 60
"""Characters of an example that is shown."""


@dataclass(frozen=True)
class PairData:
    """The data of a run. `held_out` are pairs with all their references; `summary` says what was read, and what of it could not be used.

    `reading` says from which columns it came; so many sources to measure on are in both parts.
    """

    codecs: PairCodec
    train: Bitext
    held_out: list[Example]
    fingerprint: str
    summary: str
    reading: Reading
    in_both: int

    def overview(self, *, divided: bool) -> Overview:
        """All of it, with what is held out where that is a part of it: a sequence is the source of a pair, once for each of its targets."""
        names = self.reading.learnt or ("source", "target")
        targets = [len(pair.texts or ()) for pair in self.held_out]
        held_out = np.fromiter(map(len, self.codecs.sources(pair.text or "" for pair in self.held_out if divided)), np.int64)
        lengths = np.concatenate([self.train.source_lengths, np.repeat(held_out, targets if divided else 0)]) - 1
        return Overview(self.summary, lengths, names[:1], names[1:], self.reading.left, {}, len(self.train), sum(targets), 0, self.in_both)


def read_pair_data(
    configuration: Configuration[TranslationOptions], progress: Progress, widened: Callable[[PairCodec], PairCodec] = lambda codecs: codecs
) -> PairData:
    """Read what a configuration names, and set apart what is held out."""
    options = configuration.options
    data, symbols = options.data, options.symbols
    if data.validation and options.reading.group:
        raise ConfigError("`group` says what is held out together, and `validation` names files that are held out. Leave one of them out.")
    reading = resolve_pairs(data.sources, options.reading)
    level = symbols.level or ("char" if data.made_up else "subword")
    tally, other = Tally(), Tally()
    pairs = _read(data.sources, reading, level, tally, progress)
    if not pairs:
        raise DataError(f"There is no pair to learn: {tally}. Pass others, or raise `longest`.")
    if data.validation:
        learnt, held = pairs, together(_read(*_validation(data, reading), level, other, progress))
    elif data.fold:
        learnt, held = fold(pairs, data.fold[0], data.fold[1], options.training.seed)
    else:
        learnt, held = divide(pairs, data.held_out, options.training.seed)
    if level == "word":
        texts = (text for pair in learnt for text in (pair.text or "", *(pair.texts or ())))
        notice_clauses(texts, "Pass `level='char'`, or `level='subword'`.")
    codecs = widened(
        PairCodec.learn(
            learnt,
            level,
            shared=options.model.shared,
            reverse_source=symbols.reverse_source,
            size=symbols.vocabulary,
            least=symbols.min_count,
            subwords=symbols.subwords,
        )
    )
    read = f"{tally}; to measure on: {other}" if data.validation else str(tally)
    read += _doubts(data, learnt, held)
    train = Bitext(learnt, codecs, copy=options.model.copy)
    source, target = (f" (from {columns_named(names)})" if names else "" for names in (reading.learnt[:1], reading.learnt[1:]))
    left, first = f" Left out: {columns_named(reading.left)}." if reading.left else "", learnt[0]
    summary = (
        f"{read}. {len(train):,} to learn, of {train.target_lengths.sum():,} written symbols, {len(held):,} sources held out. "
        f"Input{source}: {codecs.source.size:,} symbols ({level}). Target{target}: {codecs.target.size:,} symbols.{left} "
        f"The first: {shown(first.text or '')!r} → {shown((first.texts or ('',))[0])!r}."
    )
    fingerprint = _fingerprint([*pairs, *(held if data.validation else ())], grouped=bool(reading.group))
    return PairData(codecs, train, held, fingerprint, summary, reading, _in_both(learnt, held) if data.validation else 0)


def shown(text: str) -> str:
    """A text, cut where it is long."""
    return shorten(text, SHOWN, placeholder="…")


def _doubts(data: TranslateOptions, learnt: list[Example], held: list[Example]) -> str:
    """What to know of what is measured, if there is something."""
    if data.validation:
        both = _in_both(learnt, held)
        return f"; {both:,} sources to measure on are learnt, too" if both else ""
    return (
        f"; nothing is held out, as all have one {'source' if learnt[0].group is None else 'group'}" if data.held_out and not held else ""
    )


def _in_both(learnt: list[Example], held: list[Example]) -> int:
    """How many of the sources to measure on are learnt."""
    known = {key_of(pair) for pair in learnt}
    return sum(key_of(pair) in known for pair in held)


def _validation(data: TranslateOptions, reading: Reading) -> tuple[tuple[str, ...], Reading]:
    """The sources to measure on, and how they are read: aligned files if those to learn are."""
    if not reading.source:
        return data.validation, reading
    if len(data.validation) < 2:
        raise ConfigError(
            f"`validation` must name two aligned files as `source` and `target` do, sources first, got {data.validation[0]}. "
            "Pass two: the sources, and the targets."
        )
    return (), replace(reading, source=data.validation[0], target=data.validation[1:])


def _read(sources: tuple[str, ...], reading: Reading, level: str, tally: Tally, progress: Progress) -> list[Example]:
    found = []
    for pair in usable(read_pairs(sources, reading), reading, level, tally):
        if reading.group and pair.group is None:
            cure = "Fill it in, or name another column or key."
            raise DataError(f"{pair.place}: the pair has no group, for which `group={reading.group!r}` names the column or key. {cure}")
        found.append(pair)
        if len(found) % 1000 == 0:
            progress(f"reading: {len(found):,} pairs", 0, 1)
    return found


def _fingerprint(pairs: Iterable[Example], *, grouped: bool) -> str:
    digest = blake2b(digest_size=16)
    for pair in pairs:
        digest.update(repr((pair.text, pair.texts, pair.group) if grouped else (pair.text, pair.texts)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
