"""`unrolled predict`: what a trained network says of new sequences."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from unrolled.cli.flags import chosen, given, merged_flags, require
from unrolled.cli.translating import write_translations
from unrolled.data.examples import Example, Prediction
from unrolled.data.formats import ReadingOptions, read_examples, settle_format, write_predictions
from unrolled.data.formats.files import named
from unrolled.data.formats.known import require_looked_at
from unrolled.data.formats.regions import spans
from unrolled.data.pairs import PairOptions, read_pairs, shortened
from unrolled.errors import RunError
from unrolled.tasks import load
from unrolled.tasks.labelling import TrainedLabeller, WindowOptions
from unrolled.tasks.language_model import TrainedLanguageModel
from unrolled.tasks.translation import SearchOptions, TrainedTranslator, require_drawable
from unrolled.training.checkpoint import replace_file

Writing = Callable[[TextIO], None]
"""Writes everything that was asked for."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("file", default="-")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write there.  [default: to the terminal]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each sequence.")
@click.option(
    "--attention", "picture", type=click.Path(path_type=Path, dir_okay=False),
    help="Draw what a translator looked at into this PNG or SVG file; with several lines into numbered ones. Objects of --json then have the weights.",
)  # fmt: skip
def predict(run: Path, file: str, out: Path | None, as_json: bool, **options: Any) -> None:
    """Label the sequences of FILE with the network RUN, as they were written, with what is predicted added; or translate its lines.

    Without FILE, or with -, lines of text are read from the terminal or a pipe, or a table if the network learnt from event logs or
    tables of series. Labels and targets that a file already has are left as they are, but in .ts files, whose labels are then
    the predicted ones. For images a new table is written, and for tagged FASTA files a BED file with the regions.
    """
    require(given(options), PairOptions, SearchOptions, WindowOptions)
    trained = load(run)
    if isinstance(trained, TrainedLanguageModel):
        raise RunError(f"{run} holds a language model, which labels nothing. Use `unrolled sample` or `unrolled score` with it.")
    say = _translations if isinstance(trained, TrainedTranslator) else _labels
    write = say(trained, file, given(options), as_json)
    if out is None:
        write(sys.stdout)
    else:
        replace_file(out, lambda aside: _write_to(aside, write))


def _write_to(path: Path, write: Writing) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        write(file)


def _typed(file: str) -> bool:
    """Whether somebody types what is read."""
    return file == "-" and sys.stdin.isatty()


def _translations(trained: TrainedTranslator, file: str, options: dict[str, Any], as_json: bool) -> Writing:
    picture = options.pop("picture", None)
    pairs, search = chosen(options, PairOptions, SearchOptions, of="a translator")
    if picture:
        require_drawable(trained, picture)
    if _typed(file):
        click.echo("Type a text and press Enter; end with Ctrl-D.", err=True)
    # What is longer than what was learnt is still worth a try.
    reading = trained.reading_of(**{"longest": None, **pairs}).to_predict()
    if file == "-":
        reading = dataclasses.replace(reading, format=pairs.get("format", "lines"))
    sources = shortened(read_pairs(file, reading), reading, trained.codings.source.level)
    found = trained.translate_pairs(sources, SearchOptions(**search), at_once=1 if _typed(file) else None)
    return lambda target: write_translations(found, target, as_json=as_json, several=search.get("nbest", 1) > 1, picture=picture)


def _labels(trained: TrainedLabeller, file: str, options: dict[str, Any], as_json: bool) -> Writing:
    reading, windows = chosen(options, ReadingOptions, WindowOptions, of="a labeller")
    settled = trained.reading_of(file, labels=False, **reading)
    table = settled.case or settled.series or settled.channels
    if file == "-" and not reading.get("format") and not table:
        settled = dataclasses.replace(settled, format="lines")
    if _typed(file):
        click.echo(f"Type {'the rows of a table, with their header' if table else 'a text and press Enter'}; end with Ctrl-D.", err=True)
    settled = settle_format(file, settled, tagged=trained.tagged)
    require_looked_at(settled, reading)
    examples = _noticing(file, read_examples(file, settled, tagged=trained.tagged))
    found = trained.predict_stream(examples, at_once=1 if _typed(file) else None, **windows)

    def write(target: TextIO) -> None:
        if as_json:
            for line in _json_lines(found, regions=settled.format == "fasta"):
                print(line, file=target, flush=True)
        else:
            write_predictions(found, target, settled)

    return write


def _noticing(file: str, examples: Iterable[Example]) -> Iterator[Example]:
    """The examples; of the first that has labels it is said that they are ignored."""
    noticed = False
    for example in examples:
        if not noticed and (example.labels or example.tags):
            click.echo(f"{named(Path(file))} has labels, which are ignored here; `unrolled evaluate` compares with them.", err=True)
            noticed = True
        yield example


def _json_lines(found: Iterable[tuple[Example, Prediction]], *, regions: bool) -> Iterator[str]:
    for example, said in found:
        known: dict[str, Any] = {"id": example.name, "text": example.text, "tokens": example.tokens}
        if regions and said.tags is not None:
            known["regions"] = spans(said.tags)
        yield json.dumps({**{k: v for k, v in known.items() if v is not None}, **_said(said)}, ensure_ascii=False)


def _said(said: Prediction) -> dict[str, Any]:
    if said.tags is not None:
        return {"labels": said.tags, "probabilities": [round(p, 6) for p in said.probabilities]}
    labels = said.labels or ()
    found = {"labels": labels} if said.several else {"label": labels[0], "labels": labels}
    return {**found, "probabilities": {name: round(p, 6) for name, p in said.chances.items()}}


predict.params += merged_flags(ReadingOptions, WindowOptions, PairOptions, SearchOptions, without=["target", "source"])
