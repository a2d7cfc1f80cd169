"""How translations are written at the terminal."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import click

from unrolled.data.pairs import Pair
from unrolled.tasks.translation import Translation, draw_alignment

DRAWN = 100
"""Most pictures that are drawn."""


def write_translations(
    found: Iterable[tuple[Pair, list[Translation]]], target: TextIO, *, as_json: bool, several: bool, picture: Path | None
) -> None:
    """Write each as soon as it is there.

    A line for each source; if there may be `several`, a line for each, with the number of its source from 1, its score, and its text
    between tabs; or a JSON object for each source. The best one of each is drawn into `picture`, and objects then have the weights, too.
    """
    for number, (pair, best) in enumerate(found, 1):
        if as_json:
            lines = [json.dumps(_object(pair, best, aligned=picture is not None), ensure_ascii=False)]
        elif several:
            lines = [f"{number}\t{said.score:.4f}\t{said.text}" for said in best]
        else:
            lines = [best[0].text]
        for line in lines:
            print(line, file=target, flush=True)
        if picture is None or not pair.source:
            continue
        if number <= DRAWN:
            path = picture if number == 1 else picture.with_stem(f"{picture.stem}-{number}")
            draw_alignment(best[0], path)
            click.echo(f"What it looked at is drawn in {path}.", err=True)
        elif number == DRAWN + 1:
            click.echo(f"No more than {DRAWN} pictures are drawn.", err=True)


def _object(pair: Pair, best: list[Translation], *, aligned: bool) -> dict[str, Any]:
    said = [{"text": t.text, "score": round(t.score, 6), "log_probability": round(t.log_probability, 6)} for t in best]
    first, alignment = best[0], {}
    if aligned and first.weights is not None:
        alignment = {"read": first.read, "written": first.written, "weights": first.weights.round(4).tolist()}
    return {"source": pair.source, **said[0], "best": said, **alignment}
