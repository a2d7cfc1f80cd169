"""MusicXML, plain and packed: the notes of scores part by part."""

import io
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
from unrolled.data.music.piece import NO_NOTES, Piece, in_order
from unrolled.errors import DataError

MUSICXML = (".musicxml", ".mxl", ".xml")

LARGEST = 1 << 28
"""Bytes that a score may have."""

Sounding = tuple[Fraction, Fraction, int, int]
"""When a note begins and ends, in quarter notes, its pitch and its voice."""


@dataclass
class _Part:
    """A part while it is read: how far it is, where the last note began, quarter notes of a division, and notes that are tied on, by voice and pitch."""

    number: int
    clock: Fraction = Fraction(0)
    last: Fraction = Fraction(0)
    division: Fraction = Fraction(1)
    tied: dict[tuple[int, int], Fraction] = field(default_factory=dict)


def read_musicxml(path: Path) -> Piece:
    """The notes of all parts, without grace notes; each voice of each part is one. Repeats are not played. What is no score by parts is a `DataError`."""
    with telling(path, "MusicXML"):
        root = ElementTree.fromstring(_content(path))
    parts = root.findall("part")
    if root.tag != "score-partwise" or not parts:
        raise DataError(f"{path} must be a score with parts (score-partwise), got <{root.tag}>. Export it as MusicXML by parts.")
    about: dict[str, Any] = {}
    voices: dict[tuple[int, str], int] = {}
    with telling(path, "MusicXML"):
        found = [note for number, part in enumerate(parts) for note in _notes(part, _Part(number), voices, about)]
    ticks = lcm(*(time.denominator for note in found for time in note[:2]))
    notes = in_order(np.array([(int(b * ticks), int(e * ticks), *rest) for b, e, *rest in found], np.int64)) if found else NO_NOTES
    return Piece(notes, ticks, int(notes[:, 1].max(initial=0)), place=str(path), **about)


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


def _notes(part: ElementTree.Element, at: _Part, voices: dict[tuple[int, str], int], about: dict[str, Any]) -> Iterator[Sounding]:
    """The notes of a part."""
    for element in part.iterfind("measure/*"):
        length = Fraction(element.findtext("duration") or 0) * at.division
        if element.tag == "attributes":
            at.division = 1 / Fraction(element.findtext("divisions") or 1 / at.division)
            _note_about(element, about)
        elif element.tag == "backup":
            at.clock = max(at.clock - length, Fraction(0))
        elif element.tag == "forward":
            at.clock += length
        elif element.tag == "note" and element.find("grace") is None:
            yield from _note(element, at, length, voices)
        if (tempo := _tempo(element)) is not None:
            about.setdefault("tempo", tempo)
    yield from ((begin, at.clock, pitch, voice) for (voice, pitch), begin in at.tied.items())


def _note(element: ElementTree.Element, at: _Part, length: Fraction, voices: dict[tuple[int, str], int]) -> Iterator[Sounding]:
    """A note, unless it is tied on or a rest; the clock goes on, but for further notes of a chord."""
    if element.find("chord") is None:
        at.last, at.clock = at.clock, at.clock + length
    pitch = element.find("pitch")
    if pitch is None or not length:
        return
    number = (
        12 * (int(pitch.findtext("octave") or 4) + 1) + STEPS[pitch.findtext("step") or "C"] + round(float(pitch.findtext("alter") or 0))
    )
    voice = voices.setdefault((at.number, element.findtext("voice") or ""), len(voices))
    ties = {tie.get("type") for tie in element.iterfind("tie")}
    begin = at.tied.pop((voice, number), at.last) if "stop" in ties else at.last
    if "start" in ties:
        at.tied[voice, number] = begin
    else:
        yield begin, at.last + length, min(max(number, 0), 127), voice


def _note_about(element: ElementTree.Element, about: dict[str, Any]) -> None:
    """The first meter and key."""
    beats, unit = element.findtext("time/beats"), element.findtext("time/beat-type")
    if beats and unit:
        about.setdefault("meter", (sum(map(int, beats.split("+"))), int(unit)))
    fifths = element.findtext("key/fifths")
    if fifths is not None and "fifths" not in about and -7 <= int(fifths) <= 7:
        about["fifths"], about["minor"] = int(fifths), element.findtext("key/mode") == "minor"


def _tempo(element: ElementTree.Element) -> float | None:
    """Quarter notes a minute, where an element says so."""
    sound = element if element.tag == "sound" else element.find("sound")
    value = None if sound is None else sound.get("tempo")
    return float(value) if value and 10 <= float(value) <= 1000 else None
