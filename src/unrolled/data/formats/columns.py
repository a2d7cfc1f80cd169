"""Files with a token a line and its tags beside it, as those of the CoNLL shared tasks; an empty line ends a sequence."""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import dropwhile, islice, takewhile
from pathlib import Path
from typing import TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.files import HEAD, look_ahead, named, read_blocks
from unrolled.data.formats.format import About
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.words import word_shape
from unrolled.errors import ConfigError, DataError, UnrolledWarning

_USUAL = re.compile(r"# +(?:id\s|[^\t]*=)")
"""How a line begins that usually tells about a sequence: `# id …`, `# text = …`."""

_ABOUT = re.compile(r"# +(?:id\s|[^\t]* = |[^\W\d][\w.:-]*\t)")
"""The same where it has as many columns as a token, and a name before a tab: `# sent_id<TAB>…`."""

_SPAN = re.compile(r"O|[BIESLUM]-.+")

Block = list[tuple[int, str]]


@dataclass(frozen=True)
class Origin:
    """The lines of a sequence with those before it, where its first token stands among them, and whether tabs divide columns; `rest` are the lines
    behind the last sequence of its file, which are known once that is read."""

    lines: list[str]
    start: int
    tabs: bool
    rest: list[str]


_TOKENS = frozenset(("token", "tokens", "word", "words", "form"))
_TAGS = frozenset(("tag", "tags", "label", "labels", "pos", "upos", "xpos", "ner", "ner_tag", "ner_tags", "bio", "iob"))
"""Names under which tokens and tags stand, where the first line has names."""


@dataclass(frozen=True)
class _Layout:
    """How the lines of a file are made up: what divides them, into how many columns, and where token and tag stand.

    `numbered` says that the first column counts the tokens; `tags` are some that stand beside tokens, and their `shapes`, by which others are
    known.
    """

    path: Path
    tabs: bool
    width: int
    token: int
    tag: int | None
    numbered: bool
    tags: frozenset[str]
    shapes: frozenset[str]

    def split(self, line: str) -> list[str]:
        """The cells of a line. Other blanks than space and tab are part of a cell."""
        return _split(line, self.tabs)

    def example(self, start: int, before: list[str], rest: list[str], block: Block) -> Example:
        """The sequence of a block from line `start` of it on; `before` are lines that stand before it and belong to no sequence."""
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
            tags=None if self.tag is None else tuple(row[self.tag].strip() for row in rows),
            path=self.path,
            lines=range(block[start][0], block[-1][0] + 1),
            origin=Origin([*before, *(line for _, line in block)], len(before) + start, self.tabs, rest),
        )

    def is_header(self, line: str) -> bool:
        """Whether a line, the first of all, has the names of the columns and no token."""
        row = [cell.strip().lower() for cell in self.split(line)]
        others = (cell for at, cell in enumerate(row) if at != self.token)
        return len(row) == self.width and row[self.token] in _TOKENS and any(cell in _TAGS for cell in others)

    def is_comment(self, line: str) -> bool:
        """Whether a line, one of the first of its block, tells about the sequence and is no token such as `#` or `#hashtag`.

        It does if it has other columns than tokens have, or no tag that is one or looks like one.
        """
        if not line.startswith("#"):
            return False
        row = self.split(line)
        if len(row) != self.width:
            return line[1:2] in (" ", "\t") or (len(line.split()) > 1 and row[-1] not in self.tags)
        if self.numbered or _ABOUT.match(line):
            return True
        tag = "" if self.tag is None else row[self.tag].strip()
        usual = tag in self.tags or _SPAN.fullmatch(tag) or word_shape(tag) in self.shapes
        return bool(self.tags and tag and not usual)


class Columns:
    """Columns divided by tabs, if the first line has one, or by spaces.

    The tag stands in the last column or in that which `column` names by its number; the token in the first, or in the second if the
    first counts the tokens, or where `input` says.
    """

    name = "columns"
    suffixes: tuple[str, ...] = (".conll", ".bio", ".bio2", ".iob", ".iob2", ".bioes", ".conll2003")
    about = About(
        "a token a line with its tag, as in CoNLL's shared tasks; an empty line ends a sequence",
        ("tokens", "tags", "step values"),
        ("input", "column"),
        "Ada NNP B-person\nLovelace NNP I-person\nwrote VBD O\n\nParis NNP B-place\n",
        {"column": "2"},
        task="tag",
        labels="Name their column as `column`.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The sequences. One that has a line with another number of columns than the first is bad; a missing column is a `ConfigError`."""
        if not wanted.each_step:
            raise ConfigError("A file with a token a line has tags for tokens and no label for a sequence. Use it to tag.")
        for path in paths:
            yield from _read(path, options, wanted)

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns of the first file that are not read, by their numbers."""
        with warnings.catch_warnings():
            # What is doubtful is told where the file is read.
            warnings.simplefilter("ignore", UnrolledWarning)
            layout = _lay_out(paths[0], list(islice(good(read_blocks(paths[0], options.encoding)), HEAD)), options, wanted)
        return replace(options, left=tuple(str(at) for at in range(layout.width) if at not in (layout.token, layout.tag)))

    def head(self, path: Path, options: ReadingOptions) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The columns by their numbers, a row for each token."""
        first = list(islice(good(read_blocks(path, options.encoding)), HEAD))
        layout = _lay_out(path, first, options, Target.TAGS)
        rows = [row for block in first for _, line in block if len(row := layout.split(line)) == layout.width]
        return tuple(map(str, range(layout.width))), rows[:HEAD]

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The lines as they were with the predicted tag as one more column."""
        rest: list[str] = []
        for example, prediction in found:
            origin: Origin = example.origin
            if origin.rest is not rest:
                file.writelines(f"{line}\n" for line in rest)
                rest = origin.rest
            lines, start = origin.lines, origin.start
            print(*lines[:start], sep="\n", end="\n" if start else "", file=file)
            for line, cells in zip(lines[start:], prediction.step_cells(","), strict=True):
                print(line if origin.tabs else line.rstrip(" \t"), cells[0], sep="\t" if origin.tabs else " ", file=file)
            print(file=file)
        file.writelines(f"{line}\n" for line in rest)


def _read(path: Path, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    head, blocks = look_ahead(read_blocks(path, options.encoding), HEAD)
    layout = _lay_out(path, list(good(head)), options, wanted)
    before, rest = list[str](), list[str]()
    left_out: list[tuple[int, str]] = []
    for number, block in enumerate(blocks):
        if isinstance(block, DataError):
            yield block
            continue
        if block[0][1].startswith("-DOCSTART-"):
            before.append(block[0][1])
            block = block[1:]
        if not number and block and layout.is_header(block[0][1]):
            told = f"line {block[0][0]}, {block[0][1]!r}, has names of columns, and is no token."
            warnings.warn(f"{named(path)}: {told}", UnrolledWarning, stacklevel=2)
            before.append(block[0][1])
            block = block[1:]
        comments = list(takewhile(lambda line: layout.is_comment(line[1]), block))
        left_out += [(number, line) for number, line in comments if not _USUAL.match(line)]
        if len(comments) == len(block):
            before += [*(line for _, line in block), ""]
        else:
            yield from tried([block], partial(layout.example, len(comments), before, rest))
            before = []
    rest += before
    if left_out:
        number, line = left_out[0]
        told = f"lines with # that are left out as comments: {len(left_out):,}, first line {number}: {line[:40]!r}."
        warnings.warn(f"{named(path)}: {told}", UnrolledWarning, stacklevel=2)


def _lay_out(path: Path, head: list[Block], options: ReadingOptions, wanted: Target) -> _Layout:
    """The layout of a file, from its first blocks."""
    blocks = [[line for _, line in block if not line.startswith("-DOCSTART-")] for block in head]
    if not any(blocks):
        if not head:
            raise DataError(f"{named(path)} has no lines with tokens. Pass a file with a token a line.")
        blocks = [[head[0][-1][1]]]
    # What begins with # may be a comment wherever nothing else stands before it.
    sure = [list(dropwhile(lambda line: line.startswith("#"), block)) for block in blocks]
    every = [line for block in blocks for line in block]
    first = next((block[0] for block in sure if block), next((line for line in every if not line.startswith("# ")), every[-1]))
    tabs = "\t" in first
    rows = [[_split(line, tabs) for line in block] for block in sure if block]
    width = len(_split(first, tabs))
    numbered = width > 1 and _counts(rows)
    token = _number(path, options.input, "input", width, True)
    if token is None:
        token = int(numbered)
    tag = _number(path, options.column, "column", width, options.labels_needed)
    if options.column is None and token != width - 1:
        tag = width - 1
    whole = [row for block in rows for row in block if len(row) == width]
    if tag is not None and options.input is None and options.column is None and wanted is Target.TAGS:
        token, tag = _in_order(path, whole, token, tag)
    tags = frozenset(row[tag].strip() for row in whole) if tag is not None else frozenset()
    return _Layout(path, tabs, width, token, tag, numbered, tags, frozenset(map(word_shape, tags)))


def _in_order(path: Path, rows: Sequence[Sequence[str]], token: int, tag: int) -> tuple[int, int]:
    """Where token and tag stand if nobody says it: the other way round if only the tokens look like tags of spans.

    That is told, and so is it if there are far more tags than tokens.
    """
    tokens, tags = ({row[at] for row in rows} for at in (token, tag))
    marked, others = (sum(bool(_SPAN.fullmatch(name)) for name in some) * 20 >= 19 * len(some) for some in (tokens, tags))
    if marked and not others and tokens != {"O"}:
        told = f"column {token} has tags such as {min(tokens - {'O'})!r}, and is read as that of the tags, and column {tag} as that of the tokens."
        warnings.warn(f"{named(path)}: {told} If it is otherwise, pass `input` and `column`.", UnrolledWarning, stacklevel=2)
        return tag, token
    if len(tags) > 2 * len(tokens) and max(map(len, tokens), default=0) > 1:
        told = (
            f"column {token}, read as that of the tokens, has {len(tokens):,} different ones, and column {tag}, of the tags, {len(tags):,}."
        )
        cure = f"If it is the other way round, pass `input='{tag}', column='{token}'`."
        warnings.warn(f"{named(path)}: {told} {cure}", UnrolledWarning, stacklevel=2)
    return token, tag


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
