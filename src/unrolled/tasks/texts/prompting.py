"""Prompts and lines as they are typed or stand in files, and texts drawn after them."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from unrolled.data.formats.known import looks_like_a_file
from unrolled.data.opening import open_unpacked
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.recipe import Written

AT_ONCE = 64
"""Prompts of a file that are gone on with side by side."""

UNKNOWN_SHOWN = 10
"""Unknown symbols that are named."""

_TYPED = {"n": "\n", "t": "\t", "\\": "\\"}


class Writer(Protocol):
    """What draws texts."""

    def sample_stream(self, prompt: Sequence[str], **options: Any) -> Iterator[list[str]]:
        """What is new of each text after each draw."""

    def missing(self, text: str) -> list[str]:
        """The symbols of a text that it does not know."""


def drawn(trained: Writer, options: Mapping[str, Any], say: Callable[[str], None]) -> Iterator[Written]:
    """Texts for each of the prompts that the `options` name; the first one of some drawn side by side is seen as it is drawn. When it is interrupted,
    what there is of the others is given, and then the interrupt."""
    asked = dict(options)
    prompt, prompts, count = asked.pop("prompt", None), asked.pop("prompts", None), asked.get("count", 1)
    if prompt is not None and prompts is not None:
        raise ConfigError("`prompt` and `prompts` both say how texts begin. Give one of them.")
    begins = [_typed(prompt or "")] if prompts is None else lines_of(prompts)
    if "stop" in asked:
        asked["stop"] = _typed(asked["stop"])
    say_unknown(trained, begins, say)
    for first in range(0, len(begins), AT_ONCE):
        some = begins[first : first + AT_ONCE]
        own = {**asked, "seed": asked["seed"] + first} if "seed" in asked else asked
        together = _Together(trained.sample_stream(some, **own), len(some) * count)
        for number in range(len(some) * count):
            yield Written(some[number // count], together.first() if number == 0 else iter([together.texts[number]]))
        if together.interrupted:
            raise KeyboardInterrupt


class _Together:
    """Texts that are drawn side by side."""

    def __init__(self, pieces: Iterator[list[str]], count: int) -> None:
        self.texts, self.interrupted = [""] * count, False
        self._pieces = pieces

    def first(self) -> Iterator[str]:
        """The first one, piece by piece, while the others grow."""
        try:
            for new in self._pieces:
                self.texts = [text + more for text, more in zip(self.texts, new, strict=True)]
                yield new[0]
        except KeyboardInterrupt:
            self.interrupted = True


def say_unknown(trained: Writer, texts: Sequence[str], say: Callable[[str], None]) -> None:
    """Tell which symbols of some texts the network does not know."""
    missing = list(dict.fromkeys(symbol for text in texts for symbol in trained.missing(text)))
    if missing:
        shown = ", ".join(map(repr, missing[:UNKNOWN_SHOWN])) + (", …" if len(missing) > UNKNOWN_SHOWN else "")
        say(f"The model does not know {shown}: read as <UNK>.")


def names_lines(given: Sequence[str]) -> bool:
    """Whether what is to be scored is one file with lines, or the standard input. `DataError` for a folder, several files, and the name of a file that
    there is not: as a text it would be scored in silence."""
    if len(given) == 1 and (given[0] == "-" or os.path.isfile(given[0])):
        return True
    if named := next((text for text in given if os.path.exists(text) or looks_like_a_file(text)), None):
        what = (
            "is a folder" if os.path.isdir(named) else "is one file of several" if os.path.exists(named) else "names no file that is there"
        )
        raise DataError(f"{named!r} {what}. Pass one text file, or - and the text through the standard input.")
    return False


def lines_of(file: str) -> list[str]:
    """The lines of a file, packed or not, or of the standard input, empty ones too, so that each answer stands at the place of its line. `DataError` where
    there are none with something in them, or where it cannot be read."""
    try:
        if file == "-":
            found = sys.stdin.read()
        else:
            with open_unpacked(Path(file)) as unpacked:
                found = unpacked.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{'The standard input' if file == '-' else file} is not UTF-8 text. Give a text file.") from None
    lines = found.splitlines()
    if not any(map(str.strip, lines)):
        raise DataError(f"{'The standard input' if file == '-' else file} has no line with something in it. Give some.")
    return lines


def _typed(text: str) -> str:
    """A text with line ends and tabs where they were typed as such."""
    return re.sub(r"\\([nt\\])", lambda found: _TYPED[found[1]], text)
