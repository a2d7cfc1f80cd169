"""What was found in a recording: its text, and when each word and symbol of it was said, and how sure that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from unrolled.data.codecs.lexicon import BETWEEN
from unrolled.data.codecs.text import CHAR, WORD
from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.decoding.alignment import Stretch

_DIGITS = 3
"""Decimals of seconds and confidences."""


@dataclass(frozen=True)
class Timed:
    """A word or a symbol, said from `begin` to `end`, in seconds; `confidence` is the geometric mean of its symbols' probabilities."""

    text: str
    begin: float
    end: float
    confidence: float

    def to_json(self, name: str) -> dict[str, Any]:
        """Plain values by name, the text under one of its own."""
        times = {key: round(getattr(self, key), _DIGITS) for key in ("begin", "end", "confidence")}
        return {name: self.text, **times}


@dataclass(frozen=True)
class Transcript:
    """A text that was found, with its `score`, `log_probability` and `confidence`, its words and symbols in time, and `seconds` of all there was to hear."""

    text: str
    score: float
    log_probability: float
    confidence: float
    words: tuple[Timed, ...]
    symbols: tuple[Timed, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return {
            "text": self.text,
            "score": round(self.score, 6),
            "log_probability": round(self.log_probability, 6),
            "confidence": round(self.confidence, _DIGITS),
            "words": [word.to_json("word") for word in self.words],
            "symbols": [symbol.to_json("symbol") for symbol in self.symbols],
            "seconds": round(self.seconds, _DIGITS),
        }


def timed(
    symbols: Sequence[int],
    stretches: Sequence[Stretch],
    codec: TranscriptCodec,
    step: float,
    seconds: float,
    *,
    score: float,
    log_probability: float,
) -> Transcript:
    """A text of symbols in time, where these stand in `stretches` of outputs, each of `step` seconds; none of them do if there are too few."""
    text = codec.decode(np.array(symbols, np.int64))
    names = codec.text.shown(codec.text.strings(np.array(symbols, np.int64)))
    each = [_timed(name, [one], step, seconds) for name, one in zip(names, stretches, strict=False)]
    words = [
        _timed(codec.decode([stretches[i].symbol for i in places]), [stretches[i] for i in places], step, seconds)
        for places in _words(codec, [one.symbol for one in stretches])
    ]
    return Transcript(text, score, log_probability, _confidence(stretches), tuple(words), tuple(each), seconds)


def _timed(text: str, stretches: Sequence[Stretch], step: float, seconds: float) -> Timed:
    begin, end = stretches[0].begin * step, stretches[-1].end * step
    return Timed(text, min(begin, seconds), min(end, seconds), _confidence(stretches))


def _confidence(stretches: Sequence[Stretch]) -> float:
    """The geometric mean of the probabilities of symbols; 1 without any."""
    return math.exp(sum(one.log_probability for one in stretches) / len(stretches)) if stretches else 1.0


def _words(codec: TranscriptCodec, symbols: Sequence[int]) -> list[list[int]]:
    """The places of the symbols of each word."""
    names = codec.text.strings(np.array(symbols, np.int64))
    if codec.lexicon is not None:
        return [list(places) for between, places in groupby(range(len(names)), lambda place: names[place] == BETWEEN) if not between]
    if codec.text.level == WORD:
        return [[place] for place in range(len(names))]
    if codec.text.level == CHAR:
        return [list(places) for blank, places in groupby(range(len(names)), lambda place: names[place].isspace()) if not blank]
    # A piece of a word begins a new one where the text before it, set without it, does not go on with it.
    found = list[list[int]]()
    for place in range(len(symbols)):
        begins = len(codec.decode(symbols[: place + 1]).split()) > len(found)
        if begins or not found:
            found.append([])
        found[-1].append(place)
    return found
