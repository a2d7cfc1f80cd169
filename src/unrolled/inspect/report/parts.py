"""What a section of a page is made of: pictures, coloured text, tables and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from unrolled.files import write_file
from unrolled.inspect import draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BARS = 120
"""Up to so many symbols have bars; longer texts are coloured."""

MOST_SHOWN = 400
"""Symbols of a text that are shown, the last ones up to the step that it is about."""

_SIGNS = str.maketrans({"\n": "⏎", "\t": "⇥"})


class Part(Protocol):
    """Something that a page can show."""

    def html(self) -> str:
        """An element of HTML."""


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str

    def html(self) -> str:
        """A paragraph."""
        return f"<p>{escape(self.text)}</p>"


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure under a name, which is also that of its files, with what it shows in words; `wide` ones are as wide as the page."""

    name: str
    figure: "Figure"
    caption: str
    wide: bool = False

    def html(self) -> str:
        """The figure as SVG."""
        return _figure(draw.to_svg(self.figure, self.name), self.caption, "wide" if self.wide else "")

    def save(self, folder: Path) -> list[Path]:
        """Write it as PNG and as SVG."""
        paths = [folder / f"{self.name}.png", folder / f"{self.name}.svg"]
        for path in paths:
            draw.save(self.figure, path)
        return paths


@dataclass(frozen=True)
class Graph:
    """A picture that is SVG already."""

    name: str
    svg: str
    caption: str

    def html(self) -> str:
        """The picture, which keeps its size and is moved aside where it is wider than the page."""
        return _figure(self.svg, self.caption, "wide fixed")

    def save(self, folder: Path) -> list[Path]:
        """Write it."""
        path = folder / f"{self.name}.svg"
        write_file(path, self.svg.encode())
        return [path]


@dataclass(frozen=True)
class Bars:
    """A text with a bar above each symbol: `heights` `[T]` from 0 to 1, NaN for none, and what each says when it is pointed at.

    `below` stands under each symbol. The symbol at the step `mark` is framed.
    """

    heading: str
    symbols: Sequence[str]
    heights: Sequence[float]
    titles: Sequence[str]
    mark: int | None = None
    below: Sequence[str] = ()

    def html(self) -> str:
        """Blocks that flow like text."""
        return _text(self.heading, "bars told" if self.below else "bars", [self._symbol(t) for t in _window(len(self.symbols), self.mark)])

    def _symbol(self, t: int) -> str:
        kind = " at" if t == self.mark else ""
        below = f"<small>{escape(self.below[t])}</small>" if self.below else ""
        symbol, height = self.symbols[t], self.heights[t]
        style = "" if isnan(height) else f' style="--v:{height:.3f}"'
        return f'<span class="s{kind}"{style} title="{escape(self.titles[t])}">{_shown(symbol)}{below}</span>{"<br>" if symbol == chr(10) else ""}'


@dataclass(frozen=True)
class Tint:
    """A text whose symbols are coloured: `values` `[T]` from -1, cold, to 1, warm, NaN for none. Words are `spaced`; `mark` is framed."""

    heading: str
    symbols: Sequence[str]
    values: Sequence[float]
    titles: Sequence[str]
    spaced: bool
    mark: int | None = None

    def html(self) -> str:
        """Running text."""
        return _text(self.heading, "tint", [self._symbol(t) for t in _window(len(self.symbols), self.mark)], " " if self.spaced else "")

    def _symbol(self, t: int) -> str:
        value, symbol = self.values[t], self.symbols[t]
        kind = ("w" if value > 0 else "c") + (" at" if t == self.mark else "")
        depth = 0.0 if isnan(value) else abs(value)
        found = f'<span class="{kind}" style="--v:{depth:.2f}" title="{escape(self.titles[t])}">{_shown(symbol)}</span>'
        return f"{found}<br>" if symbol == "\n" else found


@dataclass(frozen=True)
class Table:
    """Rows under a header; a long one is `folded` away until it is asked for."""

    heading: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False

    def html(self) -> str:
        """A table that can be moved aside."""
        rows = (f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        head = f"<thead><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in self.header)}</tr></thead>"
        table = f'<div class="scroll"><table>{head}<tbody>{"".join(rows)}</tbody></table></div>'
        if self.folded:
            return f"<details><summary>{escape(self.heading)}</summary>{table}</details>"
        return f"<h3>{escape(self.heading)}</h3>{table}"


def _figure(svg: str, caption: str, kind: str) -> str:
    return f'<figure class="{kind}"><div class="scroll" role="img" aria-label="{escape(caption)}">{svg}</div><figcaption>{escape(caption)}</figcaption></figure>'


def _text(heading: str, kind: str, symbols: Sequence[str], between: str = "") -> str:
    return f'<h3>{escape(heading)}</h3><div class="text {kind}">{between.join(symbols)}</div>'


def _window(steps: int, mark: int | None) -> range:
    """The steps that are shown: a text that is too long is cut at its beginning, or around the mark."""
    if steps <= MOST_SHOWN:
        return range(steps)
    end = steps if mark is None else min(steps, mark + MOST_SHOWN // 8)
    return range(max(0, end - MOST_SHOWN), max(end, MOST_SHOWN))


def _shown(symbol: str) -> str:
    return escape(symbol.translate(_SIGNS)) or "∅"
