"""How well labels were found, by the measures that the field agrees on."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.extras import extra
from unrolled.training.checkpoint import save_whole
from unrolled.training.plot import literal

Labels = Sequence[tuple[str, ...]]
"""For each sequence its labels, or the tags of its steps."""

_CASES = ("true negatives", "false positives", "false negatives", "true positives")
"""What is counted of each label where several may hold, in the order of scikit-learn's matrices."""


@dataclass(frozen=True)
class Scores:
    """Shares from 0 to 1, of `size` sequences or, for tags, of their steps; `unit` says which.

    `accuracy` counts what is wholly right, `macro_f1` is the mean of all labels' F1, and where tags mark entities in BIO, `entity_f1` and
    its parts count entities of which every tag is right. `report` says the same of every label. `confusion` `[K, K]` counts how often each
    of `names`, row by row, was taken for each; where several labels may hold it is `[K, 2, 2]`, and counts for each of them how often it
    does not and does hold, row by row, and was not and was found. `baseline` is the accuracy of always saying `frequent`, the most frequent
    label of what was learnt, or no label where several may hold.
    """

    size: int
    accuracy: float
    macro_f1: float
    entities: tuple[float, float, float] | None
    report: str
    names: tuple[str, ...]
    confusion: NDArray[np.int64]
    unit: str = "sequences"
    baseline: float | None = None
    frequent: str | None = None

    @property
    def entity_f1(self) -> float | None:
        """The F1 of entities."""
        return None if self.entities is None else self.entities[2]

    @property
    def decisive(self) -> float:
        """What is usually reported."""
        return self.accuracy if self.entities is None else self.entities[2]

    def __str__(self) -> str:
        always = "no label" if self.frequent is None else f"always {self.frequent!r}"
        rival = "" if self.baseline is None else f" ({always}: {self.baseline:.2%})"
        if self.entities is None:
            return f"accuracy {self.accuracy:.2%}{rival}, macro F1 {self.macro_f1:.2%}"
        precision, recall, f1 = self.entities
        return f"entities: F1 {f1:.2%}, precision {precision:.2%}, recall {recall:.2%}; accuracy {self.accuracy:.2%}{rival}"

    def measures(self) -> dict[str, float]:
        """Numbers for the log of a run."""
        entities = {} if self.entities is None else {"entity_f1": self.entities[2]}
        return {"accuracy": self.accuracy, "macro_f1": self.macro_f1, "decisive": self.decisive, **entities}

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        numbers: dict[str, Any] = {"accuracy": self.accuracy, "macro_f1": self.macro_f1}
        if self.entities is not None:
            numbers |= dict(zip(("entity_precision", "entity_recall", "entity_f1"), self.entities, strict=True))
        return {**numbers, "baseline_accuracy": self.baseline, self.unit: self.size}

    @property
    def text(self) -> str:
        """The report, and all of them in a line."""
        return f"{self.report}\n{self}, over {self.size:,} {self.unit}"

    def draw(self, path: str | Path) -> None:
        """Draw the confusion matrix into a PNG: rows are the true labels, each coloured by its shares.

        Where several labels may hold, columns are what was right and wrong of each. Without any label there is nothing to draw: `DataError`.
        """
        if not self.names:
            raise DataError("There is no label to draw: none holds where it was measured, and none was found. Leave `confusion` out.")
        several = self.confusion.ndim == 3
        columns = _CASES if several else self.names
        shares = (self.confusion / np.maximum(self.confusion.sum(-1, keepdims=True), 1)).reshape(-1, len(columns))
        counts = self.confusion.reshape(-1, len(columns))
        rows, columns = tuple(map(literal, self.names)), tuple(map(literal, columns))
        room = 2 + 0.09 * max(map(len, (*rows, *columns)))
        size = (room + 1 + min(0.4 * len(columns), 11), room + min(0.4 * len(rows), 11))
        figure = extra("matplotlib.figure").Figure(figsize=size, layout="constrained")
        extra("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.argwhere(counts).tolist() if len(self.names) <= 30 else ():
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=7)
        axes.set_xticks(range(len(columns)), columns, rotation=90)
        axes.set_yticks(range(len(self.names)), rows)
        axes.set_xlabel("" if several else "predicted")
        axes.set_ylabel("label" if several else "true")
        save_whole(Path(path), lambda file: figure.savefig(file, format="png", dpi=120))


def score_labels(true: Labels, predicted: Labels, *, several: bool = False, frequent: str | None = None) -> Scores:
    """Of whole sequences: one label each, or with `several` any number. `frequent` is the most frequent label of what was learnt."""
    if not several:
        return _scores([t[0] for t in true], [p[0] for p in predicted], None, frequent=frequent)
    measures = extra("sklearn.metrics")
    kinds = extra("sklearn.preprocessing").MultiLabelBinarizer().fit([*true, *predicted])
    names, none = tuple(kinds.classes_), sum(not labels for labels in true) / max(len(true), 1)
    if not names:
        return Scores(len(true), 1.0, 0.0, None, "No label holds, and none was found.", names, np.zeros((0, 2, 2), np.int64), baseline=none)
    # A single column would be taken for one label each: beside those of the labels stand two that never hold.
    rows, found = (np.pad(kinds.transform(some), ((0, 0), (0, 2))) for some in (true, predicted))
    which = {"labels": range(len(names))}
    report = measures.classification_report(rows, found, target_names=names, zero_division=0, **which)
    macro = measures.f1_score(rows, found, average="macro", zero_division=0, **which)
    confusion = measures.multilabel_confusion_matrix(rows, found, **which)
    accuracy = float(measures.accuracy_score(rows, found))
    return Scores(len(true), accuracy, float(macro), None, report, names, confusion, baseline=none)


def score_tags(true: Labels, predicted: Labels, *, spans: bool, frequent: str | None = None) -> Scores:
    """Of steps; where tags mark `spans` in BIO, of entities too (as CoNLL-2000's conlleval counts them), 0 where there are none."""
    flat, found = ([tag for tags in all_tags for tag in tags] for all_tags in (true, predicted))
    if not spans:
        return _scores(flat, found, None, unit="tokens", frequent=frequent)
    rows, columns = [list(tags) for tags in true], [list(tags) for tags in predicted]
    entity_report = extra("seqeval.metrics").classification_report
    entity_scores = extra("seqeval.metrics.sequence_labeling").precision_recall_fscore_support
    with warnings.catch_warnings():
        # No entity found yet, as at the beginning of training, is an F1 of 0 and no news.
        warnings.simplefilter("ignore")
        precision, recall, f1, _ = entity_scores(rows, columns, average="micro", zero_division=0)
        report = entity_report(rows, columns, zero_division=0) if {*flat, *found} != {"O"} else ""
    return _scores(flat, found, (float(precision), float(recall), float(f1)), report, unit="tokens", frequent=frequent)


def _scores(
    true: Sequence[str],
    predicted: Sequence[str],
    entities: tuple[float, float, float] | None,
    report: str = "",
    *,
    unit: str = "sequences",
    frequent: str | None = None,
) -> Scores:
    measures = extra("sklearn.metrics")
    names = tuple(sorted({*true, *predicted}))
    number = {name: i for i, name in enumerate(names)}
    rows, columns = (np.array([number[name] for name in some]) for some in (true, predicted))
    macro = measures.f1_score(rows, columns, average="macro", zero_division=0)
    report = report or measures.classification_report(rows, columns, labels=range(len(names)), target_names=names, zero_division=0)
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (rows, columns), 1)
    accuracy = float(measures.accuracy_score(rows, columns))
    baseline = None if frequent is None else true.count(frequent) / max(len(true), 1)
    return Scores(len(true), accuracy, float(macro), entities, report, names, confusion, unit, baseline, frequent)
