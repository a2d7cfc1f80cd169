"""Tags of spans over tokens, and their one form inside the toolkit: BIO, in which every span begins with B.

`B-PER I-PER O`: B begins a span of a type, I goes on with it, O is outside. In IOB1 (Ramshaw and Marcus 1995,
https://aclanthology.org/W95-0107) a span begins with I, and with B only right after one of its type. BIOES, also written BILOU, has E or L
for the last token of a span, and S or U for the only one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum

from unrolled.data.examples import Example
from unrolled.errors import DataError

_SEEN = 1000
"""Sequences by which the scheme of a file is known, if they have spans."""

_LONGEST_WAIT = 20_000
"""Sequences without any span after which the tags are left as they are."""

_TYPED = re.compile(r"[BIESLU]-.+")
_ENDS = {"E": "I", "L": "I", "S": "B", "U": "B"}


class Scheme(Enum):
    """How spans are written as tags."""

    BIO = "BIO"
    IOB1 = "IOB1"
    BIOES = "BIOES"


def find_scheme(sequences: Iterable[Sequence[str]]) -> Scheme | None:
    """The scheme of some sequences of tags; None if they do not mark spans.

    They do if they begin with a letter of a scheme and a hyphen or are O, or are nothing but B, I and O; one in twenty that does not is
    taken for a mistake. BIO and IOB1 differ where a span begins: the scheme is that which more beginnings speak for.
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
        return None
    if 20 * ends > spans:
        return Scheme.BIOES
    return Scheme.IOB1 if with_i > with_b else Scheme.BIO


def to_bio(tags: Sequence[str], scheme: Scheme) -> tuple[str, ...]:
    """The tags in BIO. A tag that is illegal where it stands is an `IllegalTagError`."""
    found: list[str] = []
    before = ("O", "")
    for step, tag in enumerate(tags):
        kind, name = _parts(tag)
        if not kind or (kind in _ENDS and scheme is not Scheme.BIOES):
            raise IllegalTagError(step, f"a tag of {scheme.value} must be O or begin as in B-PER, got {tag!r}")
        goes_on = before[0] in ("B", "I") and before[1] == name
        if scheme is Scheme.BIOES:
            _check_ends(step, tag, before)
        elif scheme is Scheme.BIO and kind == "I" and not goes_on:
            raise IllegalTagError(step, f"{tag} must follow B-{name} or I-{name}" if name else "I must follow B or I")
        elif scheme is Scheme.IOB1 and kind == "B" and not goes_on:
            raise IllegalTagError(step, f"the file is IOB1, in which {tag} must follow a span of its type")
        # In IOB1 the first I of a span is its beginning.
        plain = "B" if kind == "I" and not goes_on else _ENDS.get(kind, kind)
        found.append(plain if not name else f"{plain}-{name}")
        before = (kind, name)
    if scheme is Scheme.BIOES and before[0] in ("B", "I"):
        raise IllegalTagError(len(tags) - 1, f"the span of {tags[-1]} does not end, as it must with E or L in {scheme.value}")
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
        after = "-".join(part for part in before if part) if step else "the start"
        raise IllegalTagError(step, f"{tag} must not come after {after} in {Scheme.BIOES.value}")


def _parts(tag: str) -> tuple[str, str]:
    """The letter and the type of a tag; no letter if it is none of a scheme."""
    if tag in ("O", "B", "I", "E", "S", "L", "U"):
        return tag, ""
    return (tag[0], tag[2:]) if _TYPED.fullmatch(tag) else ("", "")


def in_bio(examples: Iterable[Example]) -> Iterator[Example]:
    """The examples with tags of spans in BIO, and with other tags as they are; the scheme is found from the first ones.

    An illegal tag is a `DataError`.
    """
    waiting: list[Example] = []
    rest = iter(examples)
    spans = False
    for example in rest:
        waiting.append(example)
        spans = spans or any(tag != "O" for tag in example.tags or ())
        if len(waiting) >= (_SEEN if spans else _LONGEST_WAIT):
            break
    scheme = find_scheme(example.tags or () for example in waiting)
    for part in (waiting, rest):
        for example in part:
            yield example if scheme is None or example.tags is None else _converted(example, scheme)


def _converted(example: Example, scheme: Scheme) -> Example:
    try:
        return replace(example, tags=to_bio(example.tags or (), scheme))
    except IllegalTagError as error:
        raise DataError(f"{example.step_place(error.step)}: {error}. Mend the tag.") from None
