"""Sentences for programs and people."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from unrolled.data.examples import Example
from unrolled.errors import ConfigError
from unrolled.tasks.captioning.caption import Caption
from unrolled.tasks.captioning.looking import MOST_DRAWN, LookingOptions, Page, draw_looking, require_looking
from unrolled.tasks.captioning.options import WritingOptions
from unrolled.tasks.captioning.trained import TrainedCaptioner
from unrolled.tasks.recipe import Answering, Writing
from unrolled.tasks.sequences.ahead import readable

Answers = Iterable[tuple[Example, list[Caption]]]
"""Pictures with the best sentences about each."""


def answer(
    trained: TrainedCaptioner,
    files: Sequence[str],
    reading: Mapping[str, Any],
    writing: WritingOptions,
    looking: LookingOptions,
    how: Answering,
) -> Writing:
    """The sentences about the pictures of files, folders or tables: a line or an object for each."""
    if "-" in files:
        raise ConfigError("There is no FILE to look at. Pass a picture, a video, a folder or a table of them.")
    require_looking(trained, looking)
    asked = trained.reading_of(**reading).to_predict()
    examples = readable(chain.from_iterable(trained.read([file], asked) for file in files), asked.bad_rows)
    found = trained.caption_stream(examples, writing)
    if looking.attention is not None or looking.page is not None:
        found = _shown(trained, found, looking, how)
    lines = _objects(found, aligned=looking.attention is not None) if how.as_json else _lines(found, several=writing.nbest > 1)

    def write(target: TextIO) -> None:
        for line in lines:
            print(line, file=target, flush=True)

    return write


def _shown(trained: TrainedCaptioner, found: Answers, looking: LookingOptions, how: Answering) -> Iterator[tuple[Example, list[Caption]]]:
    """The same, each drawn on the way."""
    eyes, page = trained.eyes(), Page(trained)
    folder = None if looking.attention is None else Path(looking.attention)
    for number, (example, best) in enumerate(found, 1):
        frames = eyes.shown(example)
        page.add(example, frames, best[0])
        if folder is not None and number <= MOST_DRAWN:
            draw_looking(frames, best[0], folder / f"{number:03d}-{Path(example.name or '').stem}.png")
        yield example, best
    if folder is not None:
        how.say(f"Where it looked is drawn in {folder}.")
    if looking.page is not None:
        page.save(Path(looking.page))
        how.say(f"The page is {looking.page}.")


def _lines(found: Answers, *, several: bool) -> Iterator[str]:
    """A sentence a line; if there may be several, each with its picture and its score between tabs."""
    for example, best in found:
        if several:
            yield from (f"{example.name}\t{one.score:.4f}\t{one.text}" for one in best)
        else:
            yield best[0].text


def _objects(found: Answers, *, aligned: bool) -> Iterator[str]:
    for example, best in found:
        every = [{"text": one.text, "score": round(one.score, 6), "log_probability": round(one.log_probability, 6)} for one in best]
        first, more = best[0], {}
        if aligned and first.weights is not None:
            more = {"written": first.written, "weights": first.weights.astype(np.float64).round(4).tolist()}
        yield json.dumps({"file": str(example.clip or example.place), **every[0], "best": every, **more}, ensure_ascii=False)
