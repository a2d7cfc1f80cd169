"""ABC tunes read as events: a small reader of the standard 2.1 for tunes of one voice."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from unrolled.data.music.abc_fields import Tune, TuneError, read_field
from unrolled.data.music.abc_music import read_music_line
from unrolled.data.music.abc_parts import PartsError, in_order_of_play
from unrolled.data.music.events import LENGTH, Sound, events_of_elements, is_event, play
from unrolled.data.music.piece import Piece
from unrolled.data.opening import open_unpacked
from unrolled.errors import DataError

ABC = (".abc",)

_FIELD = re.compile(r"[A-Za-z+]:(?![|:])")
_READ = "MLQKVP"
"""Fields that say something of the notes."""

_NUMBER = re.compile(r"\d{8}")
_TEXTS = re.compile(r"\"[^\"]*\"|![^!]*!")


def read_abc(path: Path, encoding: str = "utf-8") -> Iterator[Piece | DataError]:
    """The tunes of a file, with repeats played. A tune that cannot be read stands there as an error that names the line; a file without any raises it.

    Meter and unit before the first tune are those of all tunes that say no other. A tune ends at an empty line.
    """
    with open_unpacked(path) as file:
        text = file.read().decode(encoding, "replace").removeprefix("\ufeff")
    every = text.splitlines()
    starts = [number for number, line in enumerate(every) if line.startswith("X:")]
    if not starts:
        raise DataError(
            f"{path} has no tune in it: none of its lines begins with X:, as the first one of each does. Add X:1, or pass another file."
        )
    try:
        common = _common(every[: starts[0]])
    except TuneError as error:
        raise DataError(f"{path}, {error}") from None
    for start, stop in pairwise([*starts, len(every)]):
        yield _read_one(common, path, every[start:stop], start + 1)


def _common(lines: list[str]) -> Tune:
    """What stands before the first tune, for all of them."""
    tune = Tune()
    for number, line in enumerate(lines, 1):
        tune.line, text = number, _plain(line)
        if re.match(r"[ML]:", text):
            _check(tune, text)
            read_field(tune, text[0], text[2:].strip(), False)
    return tune


def _read_one(common: Tune, path: Path, lines: list[str], first: int) -> Piece | DataError:
    tune = Tune(unit=common.unit, meter=common.meter)
    try:
        return _read(tune, lines, first, f"{path}, line {first}")
    except TuneError as error:
        return DataError(f"{path}, {error}")


def _read(tune: Tune, lines: list[str], first: int, place: str) -> Piece:
    in_body = False
    for number, line in enumerate(lines, first):
        tune.line, text = number, _plain(line)
        if in_body and not line.strip():
            break
        if _FIELD.match(text):
            if text[0] in _READ:
                _check(tune, text)
            in_body = read_field(tune, text[0], text[2:].strip(), in_body) or in_body
        elif in_body and text:
            _check(tune, text)
            read_music_line(tune, text)
    if not in_body:
        raise TuneError(f"line {first}: the tune has no K:, with which its notes begin. Add its key, or K:none")
    for sound in tune.found:
        if isinstance(sound, Sound) and not is_event(f"{LENGTH}{sound.length}"):
            raise TuneError(f"line {sound.place}: a note cannot be {sound.length} quarter notes long")
    try:
        played = in_order_of_play(tune.found, tune.order)
    except PartsError as error:
        raise TuneError(f"line {tune.order_line}: {error}") from None
    return play(events_of_elements(played), tune.tempo, place)


def _plain(line: str) -> str:
    """A line without its comment."""
    return re.sub(r"(?<!\\)%.*", "", line).strip()


def _check(tune: Tune, text: str) -> None:
    if found := _NUMBER.search(_TEXTS.sub("", text)):
        raise tune.error(f"the number {found[0]}… has more digits than any in music")
