"""Named spans of a text, as doccano, spaCy and Label Studio have them, as tags of its words."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from unrolled.data.words import normal, word_places

Span = tuple[int, int, str]
"""Where a span begins and ends in a text, counted in characters from 0, and what it is."""


def spans_in(value: Any) -> list[Span] | None:
    """The spans that a value of an object has: lists of begin, end and name, or objects with these; None if it is something else."""
    if not isinstance(value, list):
        return None
    found = [_span(part) for part in value]
    return None if None in found else [span for span in found if span is not None]


def _span(part: Any) -> Span | None:
    if isinstance(part, dict):
        name = next((part[key] for key in ("label", "type", "tag", "entity", "ner") if key in part), None)
        begin, end = (next((part[key] for key in keys if key in part), None) for keys in (("start", "start_offset"), ("end", "end_offset")))
    elif isinstance(part, list) and len(part) in (3, 4):
        begin, end, name = part[:3]
    else:
        return None
    if not (isinstance(begin, int) and isinstance(end, int) and isinstance(name, str) and name):
        return None
    return begin, end, name


def tagged_words(text: str, spans: Sequence[Span]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words and marks of a text and their tags in BIO; a word is cut where a span begins or ends in it.

    A span that is empty or not inside the text, and two that overlap, are a `ValueError`.
    """
    end = 0
    for first, last, name in sorted(spans):
        if not 0 <= first < last <= len(text):
            raise ValueError(f"the span {name!r} from {first} to {last} is not inside the text of {len(text)} characters")
        if first < end:
            raise ValueError(f"the span {name!r} from {first} to {last} overlaps with one that ends at {end}")
        end = last
    cuts = sorted({place for first, last, _ in spans for place in (first, last)})
    words, tags = list[str](), list[str]()
    rest, before = sorted(spans), None
    for first, last in _cut(word_places(text), cuts):
        while rest and rest[0][1] <= first:
            rest.pop(0)
        inside = rest[0] if rest and rest[0][0] <= first else None
        words.append(normal(text[first:last]))
        tags.append("O" if inside is None else f"{'I' if inside is before else 'B'}-{inside[2]}")
        before = inside
    return tuple(words), tuple(tags)


def _cut(places: Iterator[tuple[int, int]], cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The places of words, cut where one of some places lies inside."""
    for first, last in places:
        inside = [first, *(cut for cut in cuts if first < cut < last), last]
        yield from pairwise(inside)
