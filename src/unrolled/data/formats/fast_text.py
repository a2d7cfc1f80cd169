"""Lines as fastText has them: labels that begin with `__label__`, and the text."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from unrolled.data.examples import Example, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.files import named, tried_lines
from unrolled.data.formats.format import About
from unrolled.data.formats.lines import PlainLines
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError, DataError

MARK = "__label__"
"""How a label begins."""


class FastText(PlainLines):
    """A sequence a line, with one label or several, wherever they stand in it."""

    name = "fasttext"
    suffixes: tuple[str, ...] = (".ft",)
    about = About(
        f"fastText: a line with {MARK}… before the text",
        ("text", "labels", "values"),
        ("separator",),
        f"{MARK}alarm set an alarm for six\n{MARK}music play something slow\n",
        labels=f"Write {MARK} and the label before each text.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The lines; one without text is bad."""
        if wanted.each_step:
            raise ConfigError("Lines of fastText have labels and no tags. Use them to classify, not to tag.")
        for path in paths:
            lines = (item for item in tried_lines(path, options.encoding) if isinstance(item, DataError) or item[1].strip())
            yield from tried(lines, partial(_labelled, named(path)))


def _labelled(name: str, numbered: tuple[int, str]) -> Example:
    """What stands in a line. `DataError` if there is no text."""
    place, words = f"{name}, line {numbered[0]}", numbered[1].split()
    labels = tuple(word.removeprefix(MARK) for word in words if word.startswith(MARK))
    text = " ".join(word for word in words if not word.startswith(MARK))
    if not text:
        raise DataError(f"{place}: there is no text beside the label. Fill it in, or take the line out.")
    return Example(place, text=text, labels=labels or None)
