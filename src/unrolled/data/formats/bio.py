"""Tags of spans over tokens, and their one form inside the toolkit: BIO, in which every span begins with B.

`B-PER I-PER O`: B begins a span of a type, I goes on with it, O is outside. In IOB1 (Ramshaw and Marcus 1995,
https://aclanthology.org/W95-0107) a span begins with I, and with B only right after one of its type. BIOES, also written BILOU, has E or L
for the last token of a span, and S or U for the only one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from itertools import chain

from unrolled.data.examples import NO_SPANS, Example
from unrolled.errors import ConfigError, DataError

_SEEN = 1000
"""Sequences by which the scheme of a file is known, if they have spans."""

_LONGEST_WAIT = 20_000
"""Sequences without any span after which the tags are left as they are."""

_TYPED = re.compile(r"[BIESLU]-.+")
_ENDS = {"E": "I", "L": "I", "S": "B", "U": "B"}


class Scheme(Enum):
    """How spans are written as tags; none of these ways if tags mark no spans."""

    BIO = "bio"
    IOB1 = "iob1"
    BIOES = "bioes"
    NONE = NO_SPANS


SCHEMES = ", ".join(scheme.value for scheme in Scheme)


def find_scheme(sequences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme of some sequences of tags.

    Tags mark spans if they begin with a letter of a scheme and a hyphen or are O, or are nothing but B, I and O; one in twenty that does
    not is taken for a mistake. It is IOB1 if spans begin with I and none begins with B, but right after one of its type; a single B
    elsewhere makes it BIO.
    """
    typed = bare = other = ends = with_b = with_i = 0
    for tags in sequences:
        before = "O"
        for tag in tags:
            kind, name = _parts(tag)
            if _TYPED.fullmatch(tag):
                typed += 1
            elif tag in ("B", "I"):
                bare += 1
            elif tag != "O":
                other += 1
            ends += kind in _ENDS
            begins = before == "O" or _parts(before)[1] != name
            with_b += kind == "B" and begins
            with_i += kind == "I" and begins
            before = tag
    spans = typed or bare
    if not spans or not (typed or with_b) or 20 * (other + bare + typed - spans) > spans:
        return Scheme.NONE
    if 20 * ends > spans:
        return Scheme.BIOES
    return Scheme.IOB1 if with_i and not with_b else Scheme.BIO


def to_bio(tags: Sequence[str], scheme: Scheme) -> tuple[str, ...]:
    """The tags in BIO, or as they are if they mark no spans. A tag that is illegal where it stands is an `IllegalTagError`."""
    if scheme is Scheme.NONE:
        return tuple(tags)
    found: list[str] = []
    before = ("O", "")
    for step, tag in enumerate(tags):
        kind, name = _parts(tag)
        if not kind or (kind in _ENDS and scheme is not Scheme.BIOES):
            raise IllegalTagError(step, f"a tag of {scheme.name} must be O or begin as in B-PER, got {tag!r}")
        goes_on = before[0] in ("B", "I") and before[1] == name
        if scheme is Scheme.BIOES:
            _check_ends(step, tag, before)
        elif scheme is Scheme.BIO and kind == "I" and not goes_on:
            legal = f"B-{name} or I-{name}" if name else "B or I"
            raise IllegalTagError(step, f"{tag} must come after {legal} in BIO, got it after {_told(step, before)}")
        elif scheme is Scheme.IOB1 and kind == "B" and not goes_on:
            raise IllegalTagError(step, f"{tag} must come after a span of its type in IOB1, got it after {_told(step, before)}")
        # In IOB1 the first I of a span is its beginning.
        plain = "B" if kind == "I" and not goes_on else _ENDS.get(kind, kind)
        found.append(plain if not name else f"{plain}-{name}")
        before = (kind, name)
    if scheme is Scheme.BIOES and before[0] in ("B", "I"):
        raise IllegalTagError(len(tags) - 1, f"the span of {tags[-1]} does not end, as it must with E or L in BIOES")
    return tuple(found)


class IllegalTagError(ValueError):
    """A tag that cannot stand where it does; `step` counts from 0."""

    def __init__(self, step: int, told: str) -> None:
        self.step = step
        super().__init__(told)


def _check_ends(step: int, tag: str, before: tuple[str, str]) -> None:
    """Whether a tag of BIOES may come after another: inside a span only I, E or L of its type, elsewhere only O, B, S or U."""
    kind, name = _parts(tag)
    inside = before[0] in ("B", "I")
    if inside != (kind in ("I", "E", "L")) or (inside and before[1] != name):
        raise IllegalTagError(step, f"{tag} must not come after {_told(step, before)} in BIOES")


def _told(step: int, before: tuple[str, str]) -> str:
    """What stands before a step, in words."""
    return "-".join(part for part in before if part) if step else "the start"


def _parts(tag: str) -> tuple[str, str]:
    """The letter and the type of a tag; no letter if it is none of a scheme."""
    if tag in ("O", "B", "I", "E", "S", "L", "U"):
        return tag, ""
    return (tag[0], tag[2:]) if _TYPED.fullmatch(tag) else ("", "")


def in_bio(examples: Iterable[Example], scheme: str | None = None) -> Iterator[Example]:
    """The examples with tags of spans in BIO, and with other tags as they are; each says in which scheme its own were.

    That is `scheme`, one of `SCHEMES`, or else it is found from the first examples and holds for all. An illegal tag is a `DataError`,
    another name a `ConfigError`.
    """
    rest = iter(examples)
    first = [] if scheme else _first(rest)
    found = _named(scheme) if scheme else find_scheme(example.tags or () for example in first)
    for example in chain(first, rest):
        yield example if example.tags is None else _converted(example, found)


def _named(scheme: str) -> Scheme:
    try:
        return Scheme(scheme)
    except ValueError:
        raise ConfigError(f"`scheme` must be one of {SCHEMES}, got {scheme!r}.") from None


def _first(examples: Iterator[Example]) -> list[Example]:
    """As many of the examples as it takes to see the scheme."""
    found: list[Example] = []
    spans = False
    for example in examples:
        found.append(example)
        spans = spans or any(tag != "O" for tag in example.tags or ())
        if len(found) >= (_SEEN if spans else _LONGEST_WAIT):
            break
    return found


def _converted(example: Example, scheme: Scheme) -> Example:
    try:
        return replace(example, tags=to_bio(example.tags or (), scheme), scheme=scheme.value)
    except IllegalTagError as error:
        cure = f"Mend the tag, or say how the files mark spans with `scheme` ({SCHEMES})."
        raise DataError(f"{example.step_place(error.step)}: {error}. {cure}") from None
