"""Whether a sentence is true of a drawing of NLVR (Suhr et al. 2017): three boxes with items, or towers of blocks, whose places are known.

Only sentences about colours, shapes, counts, towers and edges in the words that are usual there are understood; of others nothing is said.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

COLOURS = {"black": "black", "yellow": "yellow", "blue": "#0099ff"}
SHAPES = {"square": "square", "block": "square", "triangle": "triangle", "circle": "circle"}
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
BOX = 100
"""The side of a box."""

Item = dict[str, Any]
Has = Callable[[int], bool]


@dataclass(frozen=True)
class Drawing:
    """Three boxes with their items."""

    boxes: Sequence[Sequence[Item]]

    @cached_property
    def items(self) -> list[Item]:
        """Those of all boxes."""
        return [item for box in self.boxes for item in box]

    @cached_property
    def towers(self) -> list[list[Item]]:
        """Boxes that are a tower, from the base to the top; none where items lie anywhere."""
        stacked = [sorted(box, key=lambda item: -item["y_loc"]) for box in self.boxes if box]
        is_tower = all(item["type"] == "square" and item["size"] == 20 and item["x_loc"] == 40 for box in stacked for item in box)
        return stacked if is_tower else []


def _colour(item: Item) -> str:
    return next(name for name, code in COLOURS.items() if code == str(item["color"]).lower())


def _of_kind(words: str) -> Callable[[Item], bool] | None:
    """Items of a description such as "blue squares"; None for one with other words."""
    rest = [word.rstrip("s") for word in words.split()]
    wanted = {word for word in rest if word in COLOURS}
    shapes = {SHAPES[word] for word in rest if word in SHAPES}
    if len(wanted) > 1 or len(shapes) > 1 or any(word not in (*COLOURS, *SHAPES, "item", "object") for word in rest):
        return None
    return lambda item: (not wanted or _colour(item) in wanted) and (not shapes or item["type"] in shapes)


def _amount(words: str) -> Has | None:
    """What a number such as "exactly two" or "at least 3" allows. A plain number is exact, as people who judged such sentences took it, and "a" allows more."""
    found = re.fullmatch(r"(exactly|only|at ?least|at ?most|more than|less than)? ?(?:only )?(\w+)", words.strip())
    if found is None:
        return None
    number = NUMBERS.get(found[2], int(found[2]) if found[2].isdecimal() else None)
    if number is None:
        return None
    how = (found[1] or ("at least" if found[2] in ("a", "an") else "exactly")).replace("atleast", "at least").replace("atmost", "at most")
    tests: dict[str, Has] = {
        "exactly": lambda n: n == number,
        "only": lambda n: n == number,
        "at least": lambda n: n >= number,
        "at most": lambda n: n <= number,
        "more than": lambda n: n > number,
        "less than": lambda n: n < number,
    }
    return tests[how]


def truth(sentence: str, drawing: Drawing) -> bool | None:
    """Whether a sentence is true of a drawing; None if it is not understood."""
    text = re.sub(r"[.,]", " ", sentence.lower()).replace("atleast", "at least")
    text = re.sub(r"^(there (is|are)|there's) ", "", " ".join(text.split()))
    for understand in (_of_towers, _of_boxes, _of_edges, _of_items):
        found = understand(text, drawing)
        if found is not None:
            return found
    return None


_AMOUNT = r"((?:exactly|only|at ?least|at ?most|more than|less than)? ?\w+)"
_KIND = r"((?:(?:black|blue|yellow) )?(?:blocks?|items?|objects?|squares?|triangles?|circles?))"


def _of_towers(text: str, drawing: Drawing) -> bool | None:
    """ "1 tower with a yellow block at the base", "a tower with exactly three blocks", "a black block as the top of a tower"."""
    at = {"base": 0, "bottom": 0, "top": -1}
    if found := re.fullmatch(
        rf"{_AMOUNT} towers? (?:with|that has|that have) (?:a|one|1|the)? ?{_KIND} (?:at|on|in) the (base|bottom|top)", text
    ):
        return _counted(found[1], found[2], lambda has, kind: has(sum(kind(tower[at[found[3]]]) for tower in drawing.towers)))
    if found := re.fullmatch(rf"{_AMOUNT} {_KIND} (?:as|at) the (base|bottom|top) of (?:a|the) towers?(?: with {_AMOUNT} blocks?)?", text):
        high = _amount(found[4]) if found[4] else lambda _: True
        if high is None:
            return None
        towers = [tower for tower in drawing.towers if high(len(tower))]
        return _counted(found[1], found[2], lambda has, kind: has(sum(kind(tower[at[found[3]]]) for tower in towers)))
    if found := re.fullmatch(rf"{_AMOUNT} towers? with {_AMOUNT} {_KIND}", text):
        inner = _amount(found[2])
        if inner is None:
            return None
        return _counted(found[1], found[3], lambda has, kind: has(sum(inner(sum(map(kind, tower))) for tower in drawing.towers)))
    if found := re.fullmatch(rf"{_AMOUNT} towers? with (?:a|one) {_KIND} (?:over|above|on top of) (?:a|one) {_KIND}", text):
        lower = _of_kind(found[3])
        if lower is None:
            return None

        def over(tower: list[Item], upper: Callable[[Item], bool]) -> bool:
            return any(lower(below) and upper(above) for below, above in pairwise(tower))

        return _counted(found[1], found[2], lambda has, kind: has(sum(over(tower, kind) for tower in drawing.towers)))
    if found := re.fullmatch(rf"{_AMOUNT} (black|blue|yellow) towers?", text):
        return _counted(found[1], f"{found[2]} block", lambda has, kind: has(sum(all(map(kind, tower)) for tower in drawing.towers)))
    return None


def _of_boxes(text: str, drawing: Drawing) -> bool | None:
    """ "2 boxes with a black item", "a box with only blue items", "a box with items of only one color", "a box with items of all 3 different colors"."""
    boxes = list(drawing.boxes)
    if found := re.fullmatch(rf"{_AMOUNT} (?:grey )?box(?:es)? with only (black|blue|yellow) items?", text):
        return _counted(found[1], f"{found[2]} item", lambda has, kind: has(sum(bool(box) and all(map(kind, box)) for box in boxes)))
    if found := re.fullmatch(
        rf"{_AMOUNT} (?:grey )?box(?:es)? with (?:{_AMOUNT} )?items? of (?:only |exactly |all )?(\w+) (?:different )?colou?rs?", text
    ):
        items, colours = (
            _amount(found[2]) if found[2] else lambda _: True,
            NUMBERS.get(found[3], 3 if found[3] == "3" else 2 if found[3] == "2" else 0),
        )
        if items is None or not colours:
            return None
        return _counted(
            found[1], "item", lambda has, _: has(sum(items(len(box)) and len({*map(_colour, box)}) == colours for box in boxes))
        )
    if found := re.fullmatch(rf"{_AMOUNT} (?:grey )?box(?:es)? with {_AMOUNT} {_KIND}", text):
        inner = _amount(found[2])
        if inner is None:
            return None
        return _counted(found[1], found[3], lambda has, kind: has(sum(inner(sum(map(kind, box))) for box in boxes)))
    return None


def _of_edges(text: str, drawing: Drawing) -> bool | None:
    """ "a blue triangle touching the edge", "exactly two black circles not touching any edge", … the wall, the bottom, the top."""
    found = re.fullmatch(
        rf"{_AMOUNT} {_KIND} (not )?(?:closely )?touching (?:the|any|an|a) (edge|wall|bottom|top|right wall|left wall|corner)(?: of (?:a|the) box)?",
        text,
    )
    if found is None:
        return None

    def touches(item: Item) -> bool:
        x, y, size = item["x_loc"], item["y_loc"], item["size"]
        left, right, top, bottom = x <= 0, x + size >= BOX, y <= 0, y + size >= BOX
        places = {"bottom": bottom, "top": top, "right wall": right, "left wall": left, "corner": (left or right) and (top or bottom)}
        return places.get(found[4], left or right or top or bottom)

    wanted = not found[3]
    return _counted(found[1], found[2], lambda has, kind: has(sum(kind(item) and touches(item) == wanted for item in drawing.items)))


def _of_items(text: str, drawing: Drawing) -> bool | None:
    """ "exactly 2 blue squares", "a yellow circle"."""
    found = re.fullmatch(rf"{_AMOUNT} {_KIND}", text)
    return None if found is None else _counted(found[1], found[2], lambda has, kind: has(sum(map(kind, drawing.items))))


def _counted(amount: str, words: str, asked: Callable[[Has, Callable[[Item], bool]], bool]) -> bool | None:
    """The answer to a question about an amount of things of a kind; None where one of the two is not understood."""
    has, kind = _amount(amount), _of_kind(words)
    return None if has is None or kind is None else asked(has, kind)
