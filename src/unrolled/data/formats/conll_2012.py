"""The files of the shared task CoNLL-2012 (OntoNotes): https://conll.cemantix.org/2012/data.html.

Lines `#begin document` and `#end document` stand around documents; words have their tag of speech in column 4, and names in column 10, in
brackets: `(PERSON*`, `*`, `*)`.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from unrolled.data.examples import Example, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.columns import Block, Columns, Origin
from unrolled.data.formats.files import named, read_blocks
from unrolled.data.formats.format import About
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError, DataError

BEGIN = "#begin document"
_WORD, _NAMES = 3, 10
_COLUMNS = {"pos": 4, "ner": _NAMES, "names": _NAMES}
_BRACKETS = re.compile(r"(?:\(([^()*]+))?(\*?)(\)?)")


class Conll2012(Columns):
    """Sentences of documents; the tags are names in BIO, or what stands in another `column`."""

    name = "conll2012"
    suffixes: tuple[str, ...] = (".v4_gold_conll", ".v4_auto_conll", ".gold_conll", ".auto_conll")
    about = About(
        "CoNLL-2012: a token a line between lines #begin document and #end document, with names in brackets",
        ("tokens", "tags", "step values"),
        ("column",),
        f"{BEGIN} (wsj); part 000\nwsj 0 0 Ada NNP (NP* - - - - (PERSON* -\nwsj 0 1 Lovelace NNP *) - - - - *) -\nwsj 0 2 wrote VBD * - - - - * -\n\n#end document\n",
        {"column": "ner"},
        task="tag",
        labels="Name their column as `column`: ner, pos, or a number from 0.",
    )

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """As they are: the format says what its columns have."""
        return options

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The sentences. One whose lines have too few columns, or whose brackets do not close, is bad."""
        if not wanted.each_step:
            raise ConfigError("A CoNLL-2012 file has tags for words and no label for a sentence. Use it to tag.")
        asked = options.column or "ner"
        column = _COLUMNS.get(asked.lower(), int(asked) if asked.isdecimal() else -1)
        if column < 0:
            raise ConfigError(f"CoNLL-2012 has the columns ner and pos, and others by their numbers from 0, got `column={asked!r}`.")
        for path in paths:
            before, rest = list[str](), list[str]()
            for block in read_blocks(path, options.encoding):
                if isinstance(block, DataError):
                    yield block
                    continue
                rows = [line for line in block if not line[1].startswith(("#begin ", "#end "))]
                before += [line for _, line in block if line.startswith(("#begin ", "#end "))]
                if rows:
                    yield from tried([rows], partial(_sentence, path, column, before, rest))
                    before = []
            rest += before


def _sentence(path: Path, column: int, before: list[str], rest: list[str], rows: Block) -> Example:
    cells = [line.split() for _, line in rows]
    for (number, _), row in zip(rows, cells, strict=True):
        if len(row) <= max(column, _WORD):
            raise DataError(
                f"{named(path)}, line {number}: a line must have more than {max(column, _WORD)} columns, got {len(row)}. Mend it."
            )
    found = [row[column] for row in cells]
    tags = _names(path, rows, found) if column == _NAMES else tuple(found)
    lines = [*before, *(line for _, line in rows)]
    return Example(
        f"{named(path)}, line {rows[0][0]}",
        tokens=tuple(row[_WORD] for row in cells),
        tags=tags,
        path=path,
        lines=[number for number, _ in rows],
        origin=Origin(lines, len(before), False, rest),
    )


def _names(path: Path, rows: Block, cells: Sequence[str]) -> tuple[str, ...]:
    """Names in brackets as BIO."""
    tags, inside, begins = list[str](), "", False
    for (number, _), cell in zip(rows, cells, strict=True):
        found = _BRACKETS.fullmatch(cell) if cell != "-" else _BRACKETS.fullmatch("*")
        if found is None or (found[1] and inside) or (found[3] and not (found[1] or inside)):
            raise DataError(f"{named(path)}, line {number}: names must stand in brackets that close, got {cell!r}. Mend the line.")
        inside, begins = found[1] or inside, bool(found[1])
        tags.append(f"{'B' if begins else 'I'}-{inside}" if inside else "O")
        inside = "" if found[3] else inside
    return tuple(tags)
