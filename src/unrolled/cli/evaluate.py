"""`unrolled evaluate`: a trained network measured on files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from unrolled.cli.flags import chosen, given, merged_flags, require
from unrolled.data.formats import ReadingOptions, settle_format
from unrolled.data.formats.known import require_looked_at
from unrolled.data.pairs import PairOptions
from unrolled.errors import ConfigError
from unrolled.tasks import load
from unrolled.tasks.labelling import TrainedLabeller, WindowOptions
from unrolled.tasks.language_model import TrainedLanguageModel, describe
from unrolled.tasks.translation import SearchOptions, TrainedTranslator
from unrolled.training import Display, display_here

Told = tuple[dict[str, Any], str]
"""Numbers by name, and the same in words."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--confusion", type=click.Path(path_type=Path), help="Draw which labels were taken for which into this PNG file.")
def evaluate(run: Path, data: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Measure the network RUN on all of DATA: files of the kind that it was trained on, or builtin:… texts, examples and pairs.

    A language model gives nats, bits, perplexity, accuracy and tokens; a labeller accuracy, macro F1, the F1 of entities where tags are BIO, and
    the scores of every label; a translator BLEU, chrF, exact matches and perplexity.
    """
    if not data and "source" not in given(options):
        raise ConfigError("There is no DATA to measure. Pass files, or builtin:… data.")
    require(given(options), PairOptions, SearchOptions, WindowOptions)
    trained = load(run)
    with display_here() as display:
        found, told = _MEASURES[type(trained)](trained, data, given(options), display)
    click.echo(json.dumps(found) if as_json else told)


def _text(trained: TrainedLanguageModel, data: tuple[str, ...], options: dict[str, Any], display: Display) -> Told:
    found = trained.evaluate(data, progress=display.work, **options)
    numbers: dict[str, Any] = {"nats": found.nats, "bits": found.bits, "perplexity": found.perplexity, **found.accuracies}
    numbers |= {"tokens": found.tokens, "unknown": found.unknown, "unigram": found.unigram, "parts": found.parts, "lost": found.lost}
    return numbers, f"{describe(found, trained.vocabulary)}, perplexity {found.perplexity:.3f}, over {found.tokens:,} tokens"


def _labels(trained: TrainedLabeller, data: tuple[str, ...], options: dict[str, Any], display: Display) -> Told:
    confusion = options.pop("confusion", None)
    reading, windows = chosen(options, ReadingOptions, WindowOptions, of="a labeller")
    settled = settle_format(data, trained.reading_of(data, **reading), tagged=trained.tagged)
    require_looked_at(settled, reading)
    found = trained.evaluate(data, reading=settled, progress=display.work, **windows)
    if confusion:
        found.draw(confusion)
    unit = "tokens" if trained.tagged else "sequences"
    numbers: dict[str, Any] = {"accuracy": found.accuracy, "macro_f1": found.macro_f1}
    if found.entities is not None:
        numbers |= dict(zip(("entity_precision", "entity_recall", "entity_f1"), found.entities, strict=True))
    return {**numbers, unit: found.size}, f"{found.report}\n{found}, over {found.size:,} {unit}"


def _pairs(trained: TrainedTranslator, data: tuple[str, ...], options: dict[str, Any], display: Display) -> Told:
    pairs, search = chosen(options, PairOptions, SearchOptions, of="a translator")
    reading = trained.reading_of(**pairs)
    measured = trained.evaluate(data, reading=reading, search=SearchOptions(**search), progress=display.work)
    found = measured.scores
    numbers = {
        "bleu": found.bleu,
        "chrf": found.chrf,
        "exact": found.exact,
        "token_accuracy": found.token_accuracy,
        "perplexity": measured.perplexity,
        "sequences": found.size,
        "pairs": measured.tally.pairs,
        "left_out": measured.tally.left_out,
        "bleu_signature": found.bleu_signature,
        "chrf_signature": found.chrf_signature,
    }
    told = f"{measured.tally}\n{found}, perplexity {measured.perplexity:.3f}, over {found.size:,} sources"
    return numbers, f"{told}\nBLEU {found.bleu_signature}\nchrF {found.chrf_signature}"


_MEASURES: dict[type, Callable[[Any, tuple[str, ...], dict[str, Any], Display], Told]] = {
    TrainedLanguageModel: _text,
    TrainedLabeller: _labels,
    TrainedTranslator: _pairs,
}

evaluate.params += merged_flags(ReadingOptions, WindowOptions, PairOptions, SearchOptions, without=["nbest"])
