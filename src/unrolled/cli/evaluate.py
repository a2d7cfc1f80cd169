"""`unrolled evaluate`: a trained network measured on files."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from unrolled.cli.flags import flags, given
from unrolled.data.formats import ReadingOptions
from unrolled.tasks import load
from unrolled.tasks.labelling import TrainedLabeller
from unrolled.tasks.language_model import TrainedLanguageModel, describe
from unrolled.training import Display, display_here


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--confusion", type=click.Path(path_type=Path), help="Draw which labels were taken for which into this PNG file.")
def evaluate(run: Path, data: tuple[str, ...], as_json: bool, confusion: Path | None, **reading: Any) -> None:
    """Measure the network RUN on all of DATA: files of the kind that it was trained on, or builtin:… texts and examples.

    A language model gives nats, bits, perplexity, accuracy and tokens; a labeller accuracy, macro F1, the F1 of entities where tags are BIO, and
    the scores of every label.
    """
    trained, chosen = load(run), given(reading)
    with display_here() as display:
        if isinstance(trained, TrainedLabeller):
            found, told = _labels(trained, data, chosen, display, confusion)
        else:
            found, told = _text(trained, data, chosen, display)
    click.echo(json.dumps(found) if as_json else told)


def _text(trained: TrainedLanguageModel, data: tuple[str, ...], chosen: dict[str, Any], display: Display) -> tuple[dict[str, Any], str]:
    found = trained.evaluate(data, progress=display.work, **chosen)
    numbers = {"nats": found.nats, "bits": found.bits, "perplexity": found.perplexity, **found.accuracies, "tokens": found.tokens}
    return numbers, f"{describe(found, trained.vocabulary)}, perplexity {found.perplexity:.3f}, over {found.tokens:,} tokens"


def _labels(
    trained: TrainedLabeller, data: tuple[str, ...], chosen: dict[str, Any], display: Display, confusion: Path | None
) -> tuple[dict[str, Any], str]:
    found = trained.evaluate(data, reading=dataclasses.replace(trained.reading, **chosen), progress=display.work)
    if confusion:
        found.draw(confusion)
    unit = "tokens" if trained.tagged else "sequences"
    numbers: dict[str, Any] = {"accuracy": found.accuracy, "macro_f1": found.macro_f1}
    if found.entities is not None:
        numbers |= dict(zip(("entity_precision", "entity_recall", "entity_f1"), found.entities, strict=True))
    return {**numbers, unit: found.size}, f"{found.report}\n{found}, over {found.size:,} {unit}"


evaluate.params += flags([ReadingOptions])
