"""TMX, the exchange format of translation memories: units with a text in each of several languages."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, iterparse

from unrolled.data.examples import Example
from unrolled.data.formats.files import HEAD
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.kinds import TMX
from unrolled.data.opening import inner_name, kind_in, open_unpacked
from unrolled.errors import ConfigError, DataError

_LANGUAGE = ("{http://www.w3.org/XML/1998/namespace}lang", "lang")


def is_tmx(path: Path) -> bool:
    """Whether a file is one, as its name or its beginning says."""
    return inner_name(path).lower().endswith(".tmx") or kind_in(path) is TMX


def read_tmx(path: Path, options: PairOptions) -> Iterator[Example | DataError]:
    """The units that have a source and a target; `input` and `target` name their languages, en also for en-GB. One without a text is bad."""
    if options.group and options.group_needed:
        raise ConfigError(f"`group` names a column of a table, or a key of JSON Lines, and {path} has neither. Leave it out.")
    source, targets = _languages(path, options)
    for number, unit in enumerate(_units(path), 1):
        place, texts = f"{path}, unit {number}", [text for target in targets for text in _texts(unit, target)]
        if not _texts(unit, source) or not (texts or not options.targets_needed):
            told = (
                f"{place}: there must be a text in {source} and in {', '.join(targets)}, got {', '.join(language for language, _ in unit)}"
            )
            yield DataError(f"{told}. Take the unit out, or pass other languages as `input` and `target`.")
            continue
        yield Example(place, text=_texts(unit, source)[0], texts=tuple(texts))


def learnt_languages(path: Path, options: PairOptions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The languages of sources and targets, and those that are left out."""
    source, targets = _languages(path, options)
    return (source, *targets), tuple(language for language in _first(path) if not any(_is(language, used) for used in (source, *targets)))


def _languages(path: Path, options: PairOptions) -> tuple[str, tuple[str, ...]]:
    """Those that are asked for or learnt, or else the two that there are, in their order."""
    source = options.input or next(iter(options.learnt[:1]), None)
    targets = options.target or options.learnt[1:]
    if source and (targets or not options.targets_needed):
        return source, targets
    there = list(_first(path))
    rest = [language for language in there if not any(_is(language, used) for used in (source, *targets) if used)]
    if len(there) != 2 and not (source or targets):
        raise ConfigError(f"{path} has the languages {', '.join(there) or 'none'}. Pass one as `input`, and one as `target`.")
    if not rest:
        raise ConfigError(f"{path} has no other language than {', '.join(there)}. Pass two of them as `input` and `target`.")
    return source or rest.pop(0), targets or tuple(rest[:1])


def _first(path: Path) -> Counter[str]:
    """The languages of the first units."""
    return Counter(language for unit in islice(_units(path), HEAD) for language, _ in unit)


def _texts(unit: list[tuple[str, str]], language: str) -> list[str]:
    return [text for other, text in unit if _is(other, language) and text]


def _is(language: str, asked: str) -> bool:
    """Whether a language is one that was asked for, or a kind of it."""
    return language.lower() == asked.lower() or language.lower().startswith((f"{asked.lower()}-", f"{asked.lower()}_"))


def _units(path: Path) -> Iterator[list[tuple[str, str]]]:
    """The languages and texts of each unit, one by one."""
    with open_unpacked(path) as file:
        try:
            for _, element in iterparse(file, events=("end",)):
                if _tag(element) == "tu":
                    yield [(_language(variant), _text(variant)) for variant in element if _tag(variant) == "tuv"]
                    element.clear()
        except ParseError as error:
            raise DataError(f"{path}, line {error.position[0]}: this is no XML: {error}. Get the file again.") from None


def _language(variant: Element) -> str:
    return next((variant.attrib[name] for name in _LANGUAGE if name in variant.attrib), "")


def _text(variant: Element) -> str:
    """The text of a variant, without marks inside."""
    segment = next((child for child in variant if _tag(child) == "seg"), None)
    return "" if segment is None else " ".join("".join(segment.itertext()).split())


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]
