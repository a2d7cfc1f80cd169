"""Files as `predict` writes them again."""

import io
from pathlib import Path

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats import ReadingOptions, read_examples, resolve_format, write_predictions

LABELS, TAGS = Target.LABELS, Target.TAGS


def predicted(path: Path, wanted: Target, **options: str) -> str:
    """The file as `predict` writes it: to each label `new`, to each step its number."""
    reading = resolve_format(path, ReadingOptions(**options).to_predict(), wanted)
    found = [(example, said(example, wanted)) for example in read_examples(path, reading, wanted)]
    file = io.StringIO()
    write_predictions(found, file, reading)
    return file.getvalue()


def said(example: Example, wanted: Target) -> Prediction:
    if wanted is LABELS:
        return Prediction(labels=("new",), probabilities=(0.5,), known=("new", "old"), scores=(0.5, 0.5))
    return Prediction(tags=tuple(map(str, range(example.steps))), probabilities=(1.0,) * example.steps)
