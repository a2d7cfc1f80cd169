"""Parts of a tune in ABC, put in the order in which they are played (ABC 2.1, section 3.1.9)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from unrolled.data.music.events import KEY, METER, Element

PART = "P:"
"""What stands before the name of a part where it begins, among the elements of a tune that is read."""

MOST_PARTS = 1000
"""Parts that a tune plays, at most."""

_LIST = re.compile(r"[A-Z()\d\s.]+")
_TOKEN = re.compile(r"[A-Z()]|\d+")


class PartsError(Exception):
    """What is wrong with an order of parts."""


@dataclass
class _Part:
    """A part: the meter and key that hold where it begins, and what is in it."""

    state: dict[str, str]
    found: list[Element] = field(default_factory=list)


def is_order(text: str) -> bool:
    """Whether a text is a list of parts, and not a word about them."""
    return _LIST.fullmatch(text) is not None


def in_order_of_play(found: Sequence[Element], text: str | None) -> list[Element]:
    """The elements of a tune as the order in `text` plays its parts: `AB3` or `(AB)2C`; as they are written where it says nothing else.

    What stands before the first part comes first. Each part begins in the meter and key in which it is written, and is repeated from its beginning where it closes a
    repeat that it does not open.
    """
    before, parts = _parts(found)
    names, order = [name for name, _ in parts], [] if text is None else _order(text)
    if text is None or (len({*order}) == len(order) and _in_turn(names, order)):
        return [element for element in found if not _begins_part(element)]
    for name in order:
        if names.count(name) != 1:
            wrong = "twice" if name in names else "nowhere"
            raise PartsError(
                f"P:{text} plays part {name}, which begins {wrong} in the tune. Write P:{name} where it begins, or leave P:{text} out"
            )
    return [*before.found, *_played(before.found, dict(parts), order)]


def _parts(found: Sequence[Element]) -> tuple[_Part, list[tuple[str, _Part]]]:
    """What stands before the first part, and the parts in the order in which they are written."""
    before, parts = _Part({}), list[tuple[str, _Part]]()
    part, now = before, dict[str, str]()
    for element in found:
        if isinstance(element, str) and element.startswith(PART):
            part = _Part(dict(now))
            parts.append((element[len(PART) :], part))
        elif _is_noted(now, element) and part is not before and not part.found:
            part.state = dict(now)
        else:
            part.found.append(element)
    return before, parts


def _played(before: Iterable[Element], parts: dict[str, _Part], order: Iterable[str]) -> Iterator[Element]:
    now: dict[str, str] = {}
    for element in before:
        _is_noted(now, element)
    for name in order:
        part = parts[name]
        yield from (event for kind, event in part.state.items() if now.get(kind) != event)
        if next((element != "|:" for element in part.found if element in ("|:", ":|", "::")), False):
            yield "|:"
        now = dict(part.state)
        for element in part.found:
            _is_noted(now, element)
            yield element


def _is_noted(now: dict[str, str], element: Element) -> bool:
    """Whether an element says meter or key, which holds from `now` on."""
    if isinstance(element, str) and element.startswith((METER, KEY)):
        now[element[: len(METER)]] = element
        return True
    return False


def _begins_part(element: Element) -> bool:
    return isinstance(element, str) and element.startswith(PART)


def _in_turn(some: Sequence[str], order: Sequence[str]) -> bool:
    """Whether some names stand in an order one after the other."""
    left = iter(order)
    return all(name in left for name in some)


def _order(text: str) -> list[str]:
    """The names of the parts as they are played."""
    stack: list[list[list[str]]] = [[]]
    made = 0
    for token in _TOKEN.findall(text):
        if token == "(":
            stack.append([])
        elif token == ")":
            group = [name for one in stack.pop() for name in one]
            if not stack or not group:
                raise _no_order(text)
            stack[-1].append(group)
        elif not token.isdigit():
            stack[-1].append([token])
        elif not stack[-1] or not int(token):
            raise _no_order(text)
        else:
            made += int(token) * len(stack[-1][-1])
            if made > MOST_PARTS:
                raise PartsError(f"P:{text} plays more than {MOST_PARTS} parts")
            stack[-1][-1] *= int(token)
    if len(stack) != 1:
        raise _no_order(text)
    return [name for one in stack[0] for name in one]


def _no_order(text: str) -> PartsError:
    return PartsError(f"P:{text} is no order of parts. Write one such as AAB, A2B or (AB)3C")
