"""Files with a token a line and its tags beside it, as those of the CoNLL shared tasks; an empty line ends a sequence."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.files import HEAD, look_ahead, named, read_blocks
from unrolled.data.formats.format import About
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError, DataError

_ABOUT = re.compile(r"# +(?:id\s|.*=)")
"""How a line begins that tells about a sequence: `# id …`, `# text = …`."""

Block = list[tuple[int, str]]


@dataclass(frozen=True)
class _Origin:
    """The lines of a sequence with those before it, where its first token stands among them, and whether tabs divide columns."""

    lines: list[str]
    start: int
    tabs: bool


@dataclass(frozen=True)
class _Layout:
    """How the lines of a file are made up: what divides them, into how many columns, and where token and tag stand."""

    path: Path
    tabs: bool
    width: int
    token: int
    tag: int | None

    def split(self, line: str) -> list[str]:
        """The cells of a line. Other blanks than space and tab are part of a cell."""
        return _split(line, self.tabs)

    def example(self, block: Block, before: list[str]) -> Example:
        """The sequence of a block; `before` are lines that stand before it and belong to no sequence."""
        start = next((at for at, (_, line) in enumerate(block) if not self.is_comment(line)), len(block))
        rows = [self.split(line) for _, line in block[start:]]
        for (number, _), row in zip(block[start:], rows, strict=True):
            if len(row) != self.width:
                raise DataError(
                    f"{named(self.path)}, line {number}: a line must have {self.width} columns as the first of the file has, got {len(row)}. "
                    "Mend the line."
                )
            if not row[self.token].strip(" "):
                raise DataError(f"{named(self.path)}, line {number}: the token is empty. Fill it in, or take the line out.")
        return Example(
            f"{named(self.path)}, line {block[start][0]}",
            tokens=tuple(row[self.token] for row in rows),
            tags=None if self.tag is None else tuple(row[self.tag] for row in rows),
            path=self.path,
            lines=range(block[start][0], block[-1][0] + 1),
            origin=_Origin([*before, *(line for _, line in block)], len(before) + start, self.tabs),
        )

    def is_comment(self, line: str) -> bool:
        """Whether a line, one of the first of its block, tells about the sequence and is no token `#`."""
        return bool(line.startswith("# ") and (len(self.split(line)) != self.width or _ABOUT.match(line)))


class Columns:
    """Columns divided by tabs, if the first line has one, or by spaces.

    The tag stands in the last column or in that which `column` names by its number; the token in the first, or in the second if the
    first counts the tokens, or where `input` says.
    """

    name = "columns"
    suffixes = (".conll", ".bio", ".bio2", ".iob", ".iob2", ".bioes", ".conll2003")
    about = About(
        "a token a line with its tag, as in CoNLL's shared tasks; an empty line ends a sequence",
        ("tokens", "tags", "step values"),
        ("input", "column"),
        "Ada NNP B-person\nLovelace NNP I-person\nwrote VBD O\n\nParis NNP B-place\n",
        {"column": "2"},
        task="tag",
        labels="Name their column as `column`.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example]:
        """The sequences. Lines with another number of columns than the first are a `DataError`; a missing column is a `ConfigError`."""
        if not wanted.each_step:
            raise ConfigError("A file with a token a line has tags for tokens and no label for a sequence. Use it to tag.")
        for path in paths:
            yield from _read(path, options)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The lines as they were with the predicted tag as one more column."""
        for example, prediction in found:
            origin: _Origin = example.origin
            lines, start = origin.lines, origin.start
            print(*lines[:start], sep="\n", end="\n" if start else "", file=file)
            for line, cells in zip(lines[start:], prediction.step_cells(","), strict=True):
                print(line if origin.tabs else line.rstrip(" \t"), cells[0], sep="\t" if origin.tabs else " ", file=file)
            print(file=file)


def _read(path: Path, options: ReadingOptions) -> Iterator[Example]:
    head, blocks = look_ahead(read_blocks(path, options.encoding), HEAD)
    layout = _lay_out(path, head, options)
    before: list[str] = []
    for block in blocks:
        if block[0][1].startswith("-DOCSTART-"):
            before.append(block[0][1])
            block = block[1:]
        if all(layout.is_comment(line) for _, line in block):
            before += [*(line for _, line in block), ""]
        else:
            yield layout.example(block, before)
            before = []


def _lay_out(path: Path, head: list[Block], options: ReadingOptions) -> _Layout:
    """The layout of a file, from its first blocks."""
    lines = [[line for _, line in block if not line.startswith(("-DOCSTART-", "# "))] for block in head]
    first = next((block[0] for block in lines if block), None)
    if first is None:
        if not any(block for block in head):
            raise DataError(f"{named(path)} has no lines with tokens. Pass a file with a token a line.")
        first = head[0][-1][1]
    tabs = "\t" in first
    rows = [[_split(line, tabs) for line in block] for block in lines if block]
    width = len(_split(first, tabs))
    token = _number(path, options.input, "input", width, True)
    if token is None:
        token = int(width > 1 and _counts(rows))
    tag = _number(path, options.column, "column", width, options.labels_needed)
    if options.column is None and token != width - 1:
        tag = width - 1
    return _Layout(path, tabs, width, token, tag)


def _counts(blocks: Sequence[Sequence[Sequence[str]]]) -> bool:
    """Whether the first cells of all blocks count the tokens, from 0 or 1, and there is a block where that can be seen."""
    seen = False
    for block in blocks:
        numbers = [row[0] for row in block]
        if all(numbers != [str(start + at) for at in range(len(numbers))] for start in (0, 1)):
            return False
        seen = seen or len(numbers) > 1
    return seen


def _number(path: Path, asked: str | None, name: str, width: int, needed: bool) -> int | None:
    """A column by its number from 0, or from the end if it is negative."""
    if asked is None:
        return None
    number = int(asked) if re.fullmatch(r"-?\d+", asked) else None
    if number is not None and -width <= number < width:
        return number % width
    if not needed:
        return None
    raise ConfigError(f"{named(path)} has no column {asked!r}; its columns are 0 to {width - 1}. Pass one of these numbers as `{name}`.")


def _split(line: str, tabs: bool) -> list[str]:
    return line.split("\t") if tabs else [cell for cell in re.split(r"[ \t]+", line) if cell]
