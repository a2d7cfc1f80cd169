"""MusicXML, plain and packed: the notes of scores part by part."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from unrolled.data.formats.sheets.reading import open_seekable, telling
from unrolled.data.music.abc_keys import STEPS
from unrolled.data.music.events import MOST_PITCH, MOST_TICKS
from unrolled.data.music.piece import END, NO_NOTES, Piece, in_order, in_tempos
from unrolled.errors import DataError

MUSICXML = (".musicxml", ".mxl", ".xml")

LARGEST = 1 << 28
"""Bytes that a score may have."""

Sounding = tuple[Fraction, Fraction, int, int]
"""When a note begins and ends, in quarter notes, its pitch and its voice."""


@dataclass
class _Part:
    """A part while it is read: how far it is, where the last note began, quarter notes of a division, semitones by which it
    sounds higher than it is written, notes that are tied on, by voice and pitch, and how much of it is odd."""

    number: int
    clock: Fraction = Fraction(0)
    last: Fraction = Fraction(0)
    division: Fraction = Fraction(1)
    up: int = 0
    tied: dict[tuple[int, int], tuple[Fraction, Fraction]] = field(default_factory=dict)
    odd: dict[str, int] = field(default_factory=lambda: {"unpitched": 0, "outside": 0, "ties": 0})


def read_musicxml(path: Path) -> tuple[Piece, dict[str, int]]:
    """The notes of all parts as they sound, without grace notes; each voice of each part is one. Repeats are not played. What is no score by parts is a `DataError`.

    And how many notes are `unpitched` or `outside` the pitches of MIDI, which are left out, and how many `ties` join nothing, which are passed over.
    """
    with telling(path, "MusicXML"):
        root = ElementTree.fromstring(_content(path))
    parts = root.findall("part")
    if root.tag != "score-partwise" or not parts:
        raise DataError(f"{path} must be a score with parts (score-partwise), got <{root.tag}>. Export it as MusicXML by parts.")
    about: dict[str, Any] = {}
    voices: dict[tuple[int, str], int] = {}
    tempos: list[tuple[Fraction, float]] = []
    with telling(path, "MusicXML"):
        read = [_Part(number) for number in range(len(parts))]
        found = [note for part, at in zip(parts, read, strict=True) for note in _notes(part, at, voices, about, tempos)]
        ticks = min(lcm(*(time.denominator for note in found for time in note[:2])), MOST_TICKS)
        timed = [(round(b * ticks), max(round(e * ticks), round(b * ticks) + 1), pitch, voice) for b, e, pitch, voice in found]
        notes = in_order(np.array(timed, np.int64)) if found else NO_NOTES
    odd = {kind: sum(at.odd[kind] for at in read) for kind in read[0].odd}
    length = int(notes[:, END].max(initial=0))
    about |= in_tempos([(round(begin * ticks), tempo) for begin, tempo in tempos], length)
    return Piece(notes, ticks, length, place=str(path), **about), odd


def _content(path: Path) -> bytes:
    """The score, which in a packed file is the one that lies beside META-INF."""
    with open_seekable(path) as file:
        content = file.read(LARGEST + 1)
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [
                one
                for one in archive.infolist()
                if one.filename.endswith((".xml", ".musicxml")) and not one.filename.startswith("META-INF/")
            ]
            if not names:
                raise DataError(f"{path} has no score in it. Export it again.")
            with archive.open(names[0]) as member:
                content = member.read(LARGEST + 1)
    if len(content) > LARGEST or b"<!ENTITY" in content:
        raise DataError(f"{path} is too large, or declares entities, which a score has no use for. Export it again.")
    return content


def _notes(
    part: ElementTree.Element, at: _Part, voices: dict[tuple[int, str], int], about: dict[str, Any], tempos: list[tuple[Fraction, float]]
) -> Iterator[Sounding]:
    """The notes of a part."""
    for element in part.iterfind("measure/*"):
        length = _number(element.findtext("duration") or "0", "a duration") * at.division
        if element.tag == "attributes":
            if divisions := element.findtext("divisions"):
                at.division = 1 / _number(divisions, "divisions", above=0)
            if (moved := element.find("transpose")) is not None:
                at.up = round(float(moved.findtext("chromatic") or 0)) + 12 * int(moved.findtext("octave-change") or 0)
            _note_about(element, about)
        elif element.tag == "backup":
            at.clock = max(at.clock - length, Fraction(0))
        elif element.tag == "forward":
            at.clock += length
        elif element.tag == "note" and element.find("grace") is None:
            yield from _note(element, at, length, voices)
        if (tempo := _tempo(element)) is not None:
            tempos.append((at.clock, tempo))
    at.odd["ties"] += len(at.tied)
    yield from ((*times, pitch, voice) for (voice, pitch), times in at.tied.items())


def _note(element: ElementTree.Element, at: _Part, length: Fraction, voices: dict[tuple[int, str], int]) -> Iterator[Sounding]:
    """A note, unless it is tied on or a rest; the clock goes on, but for further notes of a chord."""
    if element.find("chord") is None:
        at.last, at.clock = at.clock, at.clock + length
    pitch = element.find("pitch")
    at.odd["unpitched"] += element.find("unpitched") is not None
    if pitch is None or not length:
        return
    alter = round(float(pitch.findtext("alter") or 0)) + at.up
    number = 12 * (int(pitch.findtext("octave") or 4) + 1) + STEPS[pitch.findtext("step") or "C"] + alter
    if not 0 <= number <= MOST_PITCH:
        at.odd["outside"] += 1
        return
    voice = voices.setdefault((at.number, element.findtext("voice") or ""), len(voices))
    ties = {tie.get("type") for tie in element.iterfind("tie")}
    begin, before = at.last, at.tied.pop((voice, number), None)
    if before is not None and "stop" in ties and before[1] == at.last:
        begin = before[0]
    elif before is not None:
        at.odd["ties"] += 1
        yield *before, number, voice
    if "start" in ties:
        at.tied[voice, number] = begin, at.last + length
    else:
        yield begin, at.last + length, number, voice


def _note_about(element: ElementTree.Element, about: dict[str, Any]) -> None:
    """The first meter and key."""
    beats, unit = element.findtext("time/beats"), element.findtext("time/beat-type")
    if beats and unit:
        about.setdefault(
            "meter", (sum(int(_number(part, "beats", above=0)) for part in beats.split("+")), int(_number(unit, "a beat-type")))
        )
    fifths = element.findtext("key/fifths") or ""
    if "fifths" not in about and re.fullmatch(r"[+-]?[0-7]", fifths):
        about["fifths"], about["minor"] = int(fifths), element.findtext("key/mode") == "minor"


def _number(text: str, name: str, above: int = -1) -> Fraction:
    """A number that a score may have: of nine digits at most before and after the point."""
    if not re.fullmatch(r"\+?\d{1,9}(?:\.\d{0,9})?", text.strip()) or Fraction(text) <= above:
        raise ValueError(f"{name} must be a number {'above 0' if not above else 'of at least 0'}, got {text.strip()[:20]!r}")
    return Fraction(text)


def _tempo(element: ElementTree.Element) -> float | None:
    """Quarter notes a minute, where an element says so."""
    sound = element if element.tag == "sound" else element.find("sound")
    value = None if sound is None else sound.get("tempo")
    return float(value) if value and 10 <= float(value) <= 1000 else None
