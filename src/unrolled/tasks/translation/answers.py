"""Translations for programs and people."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from unrolled.data.examples import Example
from unrolled.data.formats.pairs import read_pairs
from unrolled.data.parts import shortened
from unrolled.options import option
from unrolled.tasks.places import PICTURES
from unrolled.tasks.recipe import Answering, Writing
from unrolled.tasks.translation.alignment import draw_alignment, require_attention
from unrolled.tasks.translation.options import SearchOptions
from unrolled.tasks.translation.results import Translation
from unrolled.tasks.translation.trained import TrainedTranslator

DRAWN = 100
"""Most pictures that are drawn."""


@dataclass(frozen=True)
class AttentionOptions:
    """The picture of what was looked at."""

    attention: str | None = option(
        None,
        "Draw what the network looked at into this PNG, SVG or PDF file; with several lines into numbered ones. JSON objects then have the weights.",
        written=PICTURES,
    )


def answer(
    trained: TrainedTranslator,
    file: str,
    pairs: Mapping[str, Any],
    search: Mapping[str, Any],
    attention: str | None,
    how: Answering,
) -> Writing:
    """The translations of a file's sources, a line or an object for each."""
    picture = Path(attention) if attention else None
    if picture:
        require_attention(trained)
    if how.typed:
        how.say("Type a text and press Enter; end with Ctrl-D.")
    # What is longer than what was learnt is still worth a try.
    reading = trained.reading_of(**{"longest": None, **pairs}).to_predict()
    if file == "-":
        reading = replace(reading, format=pairs.get("format", "lines"))
    sources = shortened(read_pairs(file, reading), reading, trained.codecs.source.level)
    found = trained.translate_pairs(sources, SearchOptions(**search), at_once=1 if how.typed else None)
    several = search.get("nbest", 1) > 1
    return lambda target: _write(found, target, how.say, as_json=how.as_json, several=several, picture=picture)


def _write(
    found: Iterable[tuple[Example, list[Translation]]],
    target: TextIO,
    say: Callable[[str], None],
    *,
    as_json: bool,
    several: bool,
    picture: Path | None,
) -> None:
    """Write each as soon as it is there.

    A line for each source; if there may be `several`, a line for each, with the number of its source from 1, its score, and its text
    between tabs; or a JSON object for each source. The best one of each is drawn into `picture`, and objects then have the weights, too.
    """
    for number, (pair, best) in enumerate(found, 1):
        if as_json:
            lines = [json.dumps(_object(pair, best, aligned=picture is not None), ensure_ascii=False)]
        elif several:
            lines = [f"{number}\t{translation.score:.4f}\t{translation.text}" for translation in best]
        else:
            lines = [best[0].text]
        for line in lines:
            print(line, file=target, flush=True)
        if picture is None or not pair.text:
            continue
        if number <= DRAWN:
            path = picture if number == 1 else picture.with_stem(f"{picture.stem}-{number}")
            draw_alignment(best[0], path)
            say(f"What it looked at is drawn in {path}.")
        elif number == DRAWN + 1:
            say(f"No more than {DRAWN} pictures are drawn.")


def _object(pair: Example, best: list[Translation], *, aligned: bool) -> dict[str, Any]:
    every = [{"text": t.text, "score": round(t.score, 6), "log_probability": round(t.log_probability, 6)} for t in best]
    first, alignment = best[0], {}
    if aligned and first.weights is not None:
        alignment = {"read": first.read, "written": first.written, "weights": first.weights.astype(np.float64).round(4).tolist()}
    return {"source": pair.text, **every[0], "best": every, **alignment}
