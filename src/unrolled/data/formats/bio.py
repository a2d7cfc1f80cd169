"""Tags of spans over tokens, and their one form inside the toolkit: BIO, in which every span begins with B.

`B-PER I-PER O`: B begins a span of a type, I goes on with it, O is outside. In IOB1 (Ramshaw and Marcus 1995,
https://aclanthology.org/W95-0107) a span begins with I, and with B only right after one of its type. BIOES, also written BILOU or BMES, has
E or L for the last token of a span, and S or U for the only one.

Published files have tags that break these rules. All are read as the scorers of the field read them, conlleval and seqeval: a span begins
with B or S, and with any other letter where none of its type is open; it is closed by E, S and O.
"""

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from itertools import chain

from unrolled.data.examples import NO_SPANS, Example
from unrolled.data.formats.bad_rows import good, tried
from unrolled.errors import ConfigError, DataError, UnrolledWarning

_SEEN = 1000
"""Sequences by which the scheme of a file is known, if they have spans."""

_LONGEST_WAIT = 20_000
"""Sequences without any span after which the tags are left as they are."""

_TYPED = re.compile(r"[BIESLUM]-.+", re.DOTALL)
_LETTERS = {"O": "O", "B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S"}


class Scheme(Enum):
    """How spans are written as tags; none of these ways if tags mark no spans."""

    BIO = "bio"
    IOB1 = "iob1"
    BIOES = "bioes"
    NONE = NO_SPANS


SCHEMES = ", ".join(scheme.value for scheme in Scheme)


def find_scheme(sequences: Sequence[Sequence[str]]) -> Scheme:
    """The scheme of some sequences of tags: that of which they break the rules least often.

    Tags mark spans if they begin with a letter of a scheme and a hyphen or are O, or are nothing but B, I and O; one in twenty that does
    not is taken for a mistake.
    """
    counts = Counter(tag for tags in sequences for tag in tags if tag != "O")
    typed = sum(n for tag, n in counts.items() if _TYPED.fullmatch(tag))
    spans = typed or (counts["B"] and counts["B"] + counts["I"])
    if not spans or 20 * (counts.total() - spans) > spans:
        return Scheme.NONE
    return min((Scheme.BIO, Scheme.IOB1, Scheme.BIOES), key=lambda scheme: sum(len(strays(tags, scheme)) for tags in sequences))


def to_bio(tags: Sequence[str]) -> tuple[str, ...]:
    """The tags of spans in BIO, from any scheme. One that is of no scheme is an `IllegalTagError`."""
    found: list[str] = []
    before = ("O", "")
    for step, tag in enumerate(tags):
        kind, name = _parts(tag)
        if not kind:
            raise IllegalTagError(step, f"a tag of spans must be O or begin as in B-PER, got {tag!r}")
        begins = kind in ("B", "S") or before[0] in ("O", "E", "S") or before[1] != name
        letter = "O" if kind == "O" else "B" if begins else "I"
        found.append(f"{letter}-{name}" if name else letter)
        before = (kind, name)
    return tuple(found)


def strays(tags: Sequence[str], scheme: Scheme) -> list[int]:
    """The steps whose tags cannot stand where they do in a scheme, at the last step also what should not be the last."""
    found = []
    before = ("O", "")
    for step, tag in enumerate(tags):
        kind, name = _parts(tag)
        goes_on = before[0] in ("B", "I") and before[1] == name
        if scheme is Scheme.BIOES:
            legal = kind in ("I", "E") if goes_on else kind in ("O", "B", "S") and before[0] not in ("B", "I")
        else:
            always = ("O", "B" if scheme is Scheme.BIO else "I")
            legal = kind in always or (goes_on and kind in ("B", "I"))
        if not legal or (scheme is Scheme.BIOES and step == len(tags) - 1 and kind in ("B", "I")):
            found.append(step)
        before = (kind, name)
    return found


class IllegalTagError(ValueError):
    """A tag that marks no span; `step` counts from 0."""

    def __init__(self, step: int, told: str) -> None:
        self.step = step
        super().__init__(told)


def _parts(tag: str) -> tuple[str, str]:
    """The letter, one of O, B, I, E, S, and the type of a tag; no letter if it is of no scheme."""
    if tag in _LETTERS:
        return _LETTERS[tag], ""
    return (_LETTERS[tag[0]], tag[2:]) if _TYPED.fullmatch(tag) else ("", "")


def in_bio(examples: Iterable[Example | DataError], scheme: str | None = None) -> Iterator[Example | DataError]:
    """The examples with tags of spans in BIO, and with other tags as they are; each says in which scheme its own were.

    That is found from the first examples and holds for all; where they show none it is `scheme`, one of `SCHEMES`. With `scheme` none no
    tags mark spans. Tags that break the rules of the scheme are counted in one `UnrolledWarning`; an example with one that is of no scheme is bad,
    another name a `ConfigError`.
    """
    given = Scheme.NONE if scheme is None else _named(scheme)
    rest = iter(examples)
    first = [] if scheme == NO_SPANS else _first(rest)
    shown = find_scheme([example.tags or () for example in good(first)])
    known = given if shown is Scheme.NONE else shown
    count, place = 0, ""

    def convert(example: Example) -> Example:
        nonlocal count, place
        if example.tags is None:
            return example
        converted = _converted(example, known)
        if known is not Scheme.NONE and (steps := strays(example.tags, known)):
            count, place = count + len(steps), place or _told(example, steps[0])
        return converted

    yield from tried(chain(first, rest), convert)
    if count:
        rule = "Read as conlleval and seqeval do: a tag that goes on with no span begins one."
        warnings.warn(f"Tags that break the rules of {known.name}: {count:,}, first {place}. {rule}", UnrolledWarning, stacklevel=2)


def _told(example: Example, step: int) -> str:
    """Where a tag stands, and after which."""
    tags = example.tags or ()
    return f"{example.step_place(step)}: {tags[step]} after {tags[step - 1] if step else 'the start'}"


def _named(scheme: str) -> Scheme:
    try:
        return Scheme(scheme)
    except ValueError:
        raise ConfigError(f"`scheme` must be one of {SCHEMES}, got {scheme!r}.") from None


def _first(examples: Iterator[Example | DataError]) -> list[Example | DataError]:
    """As many of the examples as it takes to see the scheme."""
    found: list[Example | DataError] = []
    spans = False
    for example in examples:
        found.append(example)
        spans = spans or any(tag != "O" for each in good([example]) for tag in each.tags or ())
        if len(found) >= (_SEEN if spans else _LONGEST_WAIT):
            break
    return found


def _converted(example: Example, scheme: Scheme) -> Example:
    tags = example.tags or ()
    try:
        return replace(example, tags=tags if scheme is Scheme.NONE else to_bio(tags), scheme=scheme.value)
    except IllegalTagError as error:
        cure = f"Mend the tag, or say with `scheme` if tags mark spans ({SCHEMES})."
        raise DataError(f"{example.step_place(error.step)}: {error}. {cure}") from None
