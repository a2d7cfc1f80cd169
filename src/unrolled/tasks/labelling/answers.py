"""Labels for programs and people: predictions as JSON or in the format of their file, and measures in words."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from unrolled.data.examples import Example, Prediction
from unrolled.data.formats import read_examples, resolve_format, write_predictions
from unrolled.data.formats.files import named
from unrolled.data.formats.known import require_looked_at
from unrolled.data.formats.regions import spans
from unrolled.extras import extra
from unrolled.options import option
from unrolled.tasks.labelling.trained import TrainedLabeller
from unrolled.tasks.recipe import Progress
from unrolled.tasks.summary import Answering, Summary, Writing


@dataclass(frozen=True)
class ConfusionOptions:
    """The picture of what was taken for what."""

    confusion: str | None = option(None, "Draw the confusion matrix, which labels were taken for which, into this PNG file.")


def summarise(
    trained: TrainedLabeller,
    data: Sequence[str],
    reading: Mapping[str, Any],
    windows: Mapping[str, Any],
    confusion: str | None,
    progress: Progress,
) -> Summary:
    """How well a labeller finds the labels of files; see `Scores`."""
    for library in ("sklearn.metrics", *(["matplotlib"] if confusion else [])):
        extra(library)
    resolved = resolve_format(data, trained.reading_of(data, **reading), tagged=trained.tagged)
    require_looked_at(resolved, reading)
    found = trained.evaluate(data, reading=resolved, progress=progress, **windows)
    if confusion:
        found.draw(Path(confusion))
    unit = "tokens" if trained.tagged else "sequences"
    numbers: dict[str, Any] = {"accuracy": found.accuracy, "macro_f1": found.macro_f1}
    if found.entities is not None:
        numbers |= dict(zip(("entity_precision", "entity_recall", "entity_f1"), found.entities, strict=True))
    return Summary({**numbers, unit: found.size}, f"{found.report}\n{found}, over {found.size:,} {unit}")


def answer(trained: TrainedLabeller, file: str, reading: Mapping[str, Any], windows: Mapping[str, Any], how: Answering) -> Writing:
    """The labels of a file, written in its own format with the predictions added, or as an object for each sequence."""
    resolved = trained.reading_of(file, labels=False, **reading)
    table = resolved.case or resolved.series or resolved.channels
    if file == "-" and not reading.get("format") and not table:
        resolved = replace(resolved, format="lines")
    if how.typed:
        how.say(f"Type {'the rows of a table, with their header' if table else 'a text and press Enter'}; end with Ctrl-D.")
    resolved = resolve_format(file, resolved, tagged=trained.tagged)
    require_looked_at(resolved, reading)
    examples = _noticing(file, read_examples(file, resolved, tagged=trained.tagged), how.say)
    found = trained.predict_stream(examples, at_once=1 if how.typed else None, **windows)

    def write(target: TextIO) -> None:
        if how.as_json:
            for line in _json_lines(found, regions=resolved.format == "fasta"):
                print(line, file=target, flush=True)
        else:
            write_predictions(found, target, resolved)

    return write


def _noticing(file: str, examples: Iterable[Example], say: Callable[[str], None]) -> Iterator[Example]:
    """The examples; of the first that has labels it is said that they are ignored."""
    noticed = False
    for example in examples:
        if not noticed and (example.labels or example.tags):
            say(f"{named(Path(file))} has labels, which are ignored here; `unrolled evaluate` compares with them.")
            noticed = True
        yield example


def _json_lines(found: Iterable[tuple[Example, Prediction]], *, regions: bool) -> Iterator[str]:
    for example, prediction in found:
        known: dict[str, Any] = {"id": example.name, "text": example.text, "tokens": example.tokens}
        if regions and prediction.tags is not None:
            known["regions"] = spans(prediction.tags)
        yield json.dumps({**{k: v for k, v in known.items() if v is not None}, **_object(prediction)}, ensure_ascii=False)


def _object(prediction: Prediction) -> dict[str, Any]:
    if prediction.tags is not None:
        return {"labels": prediction.tags, "probabilities": [round(p, 6) for p in prediction.probabilities]}
    labels = prediction.labels or ()
    found = {"labels": labels} if prediction.several else {"label": labels[0], "labels": labels}
    return {**found, "probabilities": {name: round(p, 6) for name, p in prediction.chances.items()}}
