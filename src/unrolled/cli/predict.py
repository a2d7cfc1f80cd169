"""`unrolled predict`: what a trained network says of new sequences."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from unrolled.cli.flags import flags, given
from unrolled.data.examples import Example, Prediction
from unrolled.data.formats import ReadingOptions, read_examples, settle_format, write_predictions
from unrolled.errors import RunError
from unrolled.tasks import load
from unrolled.tasks.labelling import TrainedLabeller
from unrolled.training.checkpoint import replace_file


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("file", default="-")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write there.  [default: to the terminal]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each sequence.")
def predict(run: Path, file: str, out: Path | None, as_json: bool, **reading: Any) -> None:
    """Label the sequences of FILE with the network RUN: as they were written, with a column added.

    Without FILE, or with -, lines of text are read from the terminal or a pipe, or a table if the network learnt from event logs or
    tables of series. Labels that a file already has are left as they are.
    """
    trained = load(run)
    if not isinstance(trained, TrainedLabeller):
        raise RunError(f"{run} holds a language model, which labels nothing. Use `unrolled sample` or `unrolled score` with it.")
    options = dataclasses.replace(trained.reading, **given(reading))
    table = options.case or options.series or options.channels
    if file == "-" and not given(reading).get("format") and not table:
        options = dataclasses.replace(options, format="lines")
    if file == "-" and sys.stdin.isatty():
        click.echo(f"Type {'the rows of a table, with their header' if table else 'a text and press Enter'}; end with Ctrl-D.", err=True)
    options = settle_format(file, options.to_predict(), tagged=trained.tagged)
    examples = read_examples(file, options, tagged=trained.tagged)
    found = trained.predict_stream(examples, at_once=1 if file == "-" and sys.stdin.isatty() else None)

    def write(target: TextIO) -> None:
        if as_json:
            for line in _json_lines(found):
                print(line, file=target, flush=True)
        else:
            write_predictions(found, target, options)

    if out is None:
        write(sys.stdout)
    else:
        replace_file(out, lambda aside: _write_to(aside, write))


def _write_to(path: Path, write: Callable[[TextIO], None]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        write(file)


def _json_lines(found: Iterable[tuple[Example, Prediction]]) -> Iterator[str]:
    for example, said in found:
        known = {"id": example.name, "text": example.text, "tokens": example.tokens}
        yield json.dumps({**{k: v for k, v in known.items() if v is not None}, **_said(said)}, ensure_ascii=False)


def _said(said: Prediction) -> dict[str, Any]:
    if said.tags is not None:
        return {"labels": said.tags, "probabilities": [round(p, 6) for p in said.probabilities]}
    label = {"label": said.labels[0]} if said.labels and len(said.labels) == 1 else {}
    return {**label, "labels": said.labels, "probabilities": {name: round(p, 6) for name, p in said.chances.items()}}


predict.params += flags([ReadingOptions], without=["target"])
