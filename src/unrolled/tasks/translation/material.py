"""Pairs, read and numbered: what is learnt, what is held out, and what must be known of it later."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b

from unrolled.data.pairs import Codings, Pair, Tally, divide, read_pairs, together, usable
from unrolled.data.pairs.bitext import Bitext
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.recipe import Progress
from unrolled.tasks.translation.options import Reading, TranslateOptions


@dataclass(frozen=True)
class Bilingual:
    """The data of a run. `held_out` are pairs with all their references, `told` says what was read, and what of it could not be used."""

    knowledge: Codings
    train: Bitext
    held_out: list[Pair]
    fingerprint: str
    told: str


def read_bilingual(configuration: Configuration, progress: Progress) -> Bilingual:
    """Read what a configuration names, and set apart what is held out."""
    data, reading, symbols = configuration["data"], configuration["reading"], configuration["symbols"]
    level = symbols.level or ("char" if data.made_up else "subword")
    tally, other = Tally(), Tally()
    pairs = _read(data.sources, reading, level, tally, progress)
    if not pairs:
        raise DataError(f"There is no pair to learn: {tally}. Pass others, or raise `--longest`.")
    if data.validation:
        learnt, held = pairs, together(_read(*_validation(data, reading), level, other, progress))
    else:
        learnt, held = divide(pairs, data.held_out, configuration["training"].seed)
    codings = Codings.learn(learnt, replace(symbols, level=level), shared=configuration["model"].shared)
    told = f"{tally}; to measure on: {other}" if data.validation else str(tally)
    told += _doubts(data, learnt, held)
    train = Bitext(learnt, codings, copy=configuration["model"].copy)
    return Bilingual(codings, train, held, _fingerprint([*learnt, *held]), told)


def _doubts(data: TranslateOptions, learnt: list[Pair], held: list[Pair]) -> str:
    """What to know of what is measured, if there is something."""
    if data.validation:
        known = {pair.key for pair in learnt}
        both = sum(pair.key in known for pair in held)
        return f"; {both:,} sources to measure on are learnt, too" if both else ""
    return "; nothing is held out, as all have one source" if data.held_out and not held else ""


def _validation(data: TranslateOptions, reading: Reading) -> tuple[tuple[str, ...], Reading]:
    """The sources to measure on, and how they are read: aligned files if those to learn are."""
    if not reading.source:
        return data.validation, reading
    if len(data.validation) < 2:
        raise ConfigError(
            f"`--validation` must name two aligned files as --source and --target do, sources first, got {data.validation[0]}. "
            "Pass it twice: --validation SOURCES --validation TARGETS."
        )
    return (), replace(reading, source=data.validation[0], target=data.validation[1:])


def _read(sources: tuple[str, ...], reading: Reading, level: str, tally: Tally, progress: Progress) -> list[Pair]:
    found = []
    for pair in usable(read_pairs(sources, reading), reading, level, tally):
        found.append(pair)
        if len(found) % 1000 == 0:
            progress(f"reading: {len(found):,} pairs", 0, 1)
    return found


def _fingerprint(pairs: Iterable[Pair]) -> str:
    digest = blake2b(digest_size=16)
    for pair in pairs:
        digest.update(repr((pair.source, pair.targets)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
