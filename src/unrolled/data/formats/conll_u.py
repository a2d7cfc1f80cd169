"""CoNLL-U files, the format of Universal Dependencies: https://universaldependencies.org/format.html."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.columns import Block
from unrolled.data.formats.files import named, read_blocks
from unrolled.data.formats.format import About
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError, DataError
from unrolled.extras import extra

_COLUMNS = "# global.columns ="
"""How the line begins with which a CoNLL-U Plus file names its columns."""

_MAY_BE_EMPTY = frozenset({"feats", "deps", "misc"})
"""Columns in which an underscore says that a word has none of what stands there; elsewhere it says that nothing is known."""


class ConllU:
    """Sentences with their words as tokens and one column as tags, `upos` unless another, or a key of the column misc, is named.

    Lines of multiword tokens and of empty nodes are not tokens. Where all words have an underscore in the column there are no tags, except
    in a column in which it is a value.
    """

    name = "conllu"
    suffixes = (".conllu", ".conllup")
    about = About(
        "CoNLL-U, the format of Universal Dependencies",
        ("tokens", "tags", "step values"),
        ("column",),
        "1\tNobody\tnobody\tPRON\tNN\t_\t2\tnsubj\t_\t_\n2\tknows\tknow\tVERB\tVBZ\t_\t0\troot\t_\tSpaceAfter=No\n"
        "3\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_\n\n",
        {"column": "upos"},
        task="tag",
        labels="Name their column as `column`, or fill it in.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The sentences. What the `conllu` library refuses, and a line of another width, is bad; a missing column a `ConfigError`."""
        if not wanted.each_step:
            raise ConfigError("A CoNLL-U file has tags for words and no label for a sentence. Use it to tag.")
        for path in paths:
            names = tuple(extra("conllu.parser").DEFAULT_FIELDS)
            for block in read_blocks(path, options.encoding):
                if isinstance(block, DataError):
                    yield block
                    continue
                if block[0][1].startswith(_COLUMNS):
                    names = tuple(block[0][1][len(_COLUMNS) :].lower().split())
                if any(not line.startswith("#") for _, line in block):
                    yield from tried([block], partial(_sentence, path, names, options))

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns of the words and of their tags."""
        return replace(options, learnt=("form", (options.column or "upos").lower()))

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The lines as they were with `Predicted=` in the last column, MISC."""
        for example, prediction in found:
            lines, words = list(example.origin[0]), example.origin[1]
            for at, (tag, *_) in zip(words, prediction.step_cells(","), strict=True):
                cells, misc = lines[at].rpartition("\t")[::2]
                kept = [] if misc == "_" else [part for part in misc.split("|") if not part.startswith("Predicted=")]
                lines[at] = f"{cells}\t{'|'.join([*kept, f'Predicted={_escaped(tag)}'])}"
            print(*lines, "", sep="\n", file=file)


def _sentence(path: Path, names: tuple[str, ...], options: ReadingOptions, block: Block) -> Example:
    """The sentence in a block of lines."""
    column, key = _column(path, names, options, block)
    form = names.index("form")
    fields = names[: max(form, column or 0) + 1]
    parser, failure = extra("conllu.parser"), extra("conllu.exceptions").ParseException
    parsers = {name: _as_id if name == "id" else _as_it_is for name in fields}
    found, words, sentence = [], [], None
    for at, (number, line) in enumerate(block):
        place = f"{named(path)}, line {number}"
        if line.startswith("#"):
            sentence = line.partition("=")[2].strip() if line.startswith("# sent_id") else sentence
            continue
        if line.count("\t") != len(names) - 1:
            width = line.count("\t") + 1
            raise DataError(f"{place}: a line must have {len(names)} columns with tabs between them, got {width}. Mend the line.")
        try:
            token = parser.parse_line(line, fields, parsers)
        except failure as error:
            raise DataError(f"{place}: {error} Mend the line.") from None
        if isinstance(token.get("id"), int):
            found.append(token)
            words.append(at)
    if not found:
        raise DataError(f"{named(path)}, line {block[0][0]}: the sentence has no words. Take it out.")
    tags = None if column is None else tuple(token[names[column]] for token in found)
    if key and tags:
        tags = tuple(_value(cell, key) for cell in tags)
    if column is not None and set(tags or ()) == {"_"} and not (options.labels_needed and names[column] in _MAY_BE_EMPTY):
        tags = None
    return Example(
        f"{named(path)}, line {block[words[0]][0]}",
        tokens=tuple(token["form"] for token in found),
        tags=tags,
        name=sentence,
        path=path,
        lines=[block[at][0] for at in words],
        origin=([line for _, line in block], words),
    )


def _column(path: Path, names: tuple[str, ...], options: ReadingOptions, block: Block) -> tuple[int | None, str | None]:
    """Where the column with the tags stands, and their key if they are among what a block has in the column misc."""
    asked = (options.column or "upos").lower()
    if "id" not in names or "form" not in names:
        raise DataError(f"{named(path)} must have the columns id and form, got {', '.join(names)}. Mend the line `{_COLUMNS} …`.")
    if asked in names:
        return names.index(asked), None
    if asked.isdecimal() and int(asked) < len(names):
        return int(asked), None
    cells = (line.split("\t")[names.index("misc")] for _, line in block if line.count("\t") == len(names) - 1) if "misc" in names else ()
    if any(_value(cell, asked) != "_" for cell in cells):
        return names.index("misc"), asked
    if not options.labels_needed:
        return None, None
    raise ConfigError(f"{named(path)} has no column {asked!r}; its columns are {', '.join(names)}. Pass one of them as `column`.")


def _value(cell: str, key: str) -> str:
    """What a cell of misc says under a key, written in small letters; an underscore if it says nothing."""
    parts = (part.partition("=") for part in cell.split("|"))
    found = next((value for name, _, value in parts if name.lower() == key), "_")
    return found.replace(r"\p", "|").replace(r"\s", " ")


def _escaped(tag: str) -> str:
    """A tag without what divides values and cells, as Universal Dependencies write it."""
    return tag.replace("|", r"\p").replace(" ", r"\s")


def _as_it_is(cells: list[str], column: int) -> str:
    return cells[column]


def _as_id(cells: list[str], column: int) -> Any:
    return extra("conllu.parser").parse_id_value(cells[column])
