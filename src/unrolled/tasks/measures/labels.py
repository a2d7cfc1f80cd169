"""How well labels were found, by the measures that the field agrees on."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.codecs.labels import enumerated
from unrolled.errors import DataError
from unrolled.extras import extra
from unrolled.labels import literal
from unrolled.tasks.measures.calibration import Calibration
from unrolled.tasks.pictures import save_picture

Labels = Sequence[tuple[str, ...]]
"""For each sequence its labels, or the tags of its steps."""

BARELY = 1.1
"""By how much balanced accuracy must be better than chance to say that something was learnt."""

LONGER = "Train longer, with a lower `learning_rate`, or look whether inputs and targets are those that are meant."
"""What to try where nothing was learnt."""

_CASES = ("true negatives", "false positives", "false negatives", "true positives")
"""What is counted of each label where several may hold, in the order of scikit-learn's matrices."""


@dataclass(frozen=True)
class Scores:
    """Shares from 0 to 1, of `size` sequences or, for tags, of their steps; `unit` says which.

    `accuracy` counts what is wholly right, `macro_f1` is the mean of all labels' F1. Of one label each, `balanced_accuracy` is the mean of the
    recalls of the labels that hold somewhere; of several, `micro_f1` is the F1 of all their decisions together. Where tags mark entities in BIO,
    `entities` are precision, recall and F1 of entities of which every tag is right, and `macro_entity_f1` is the mean of the F1 of their types.
    Labels that were learnt and hold nowhere are `absent`: nothing is known of how well they are found. `report` says the same of every label. `confusion` `[K, K]` counts how often each
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
    balanced_accuracy: float | None = None
    micro_f1: float | None = None
    macro_entity_f1: float | None = None
    absent: tuple[str, ...] = ()
    calibration: Calibration | None = None

    @property
    def entity_f1(self) -> float | None:
        """The F1 of entities."""
        return None if self.entities is None else self.entities[2]

    def __str__(self) -> str:
        always = "no label" if self.frequent is None else f"always {self.frequent!r}"
        rival = "" if self.baseline is None else f" ({always}: {self.baseline:.2%})"
        absent = f"; not measured, as none is there: {enumerated(self.absent)}" if self.absent else ""
        if self.entities is None:
            balanced = "" if self.balanced_accuracy is None else f"balanced {self.balanced_accuracy:.2%}, "
            micro = "" if self.micro_f1 is None else f"micro F1 {self.micro_f1:.2%}, "
            return f"accuracy {self.accuracy:.2%}{rival}, {balanced}{micro}macro F1 {self.macro_f1:.2%}{absent}"
        precision, recall, f1 = self.entities
        return f"entities: F1 {f1:.2%}, precision {precision:.2%}, recall {recall:.2%}; accuracy {self.accuracy:.2%}{rival}{absent}"

    @property
    def warning(self) -> str:
        """That always saying the same is as good, by the mean of the recalls too, so that balanced weights are not blamed for what they give up."""
        chance = 1 / max(int((self.confusion.sum(1) > 0).sum()), 1) if self.balanced_accuracy is not None else 0.0
        found = self.micro_f1 or self.entity_f1 or (self.balanced_accuracy or 0.0) > chance * BARELY
        if self.baseline is None or self.accuracy > self.baseline or found:
            return ""
        always = "no label" if self.frequent is None else repr(self.frequent)
        return f"WARNING: what was learnt is of no use: always saying {always} is right as often. {LONGER}"

    def measures(self) -> dict[str, float]:
        """Numbers for the log of a run, with that of the `absent` labels if there are some."""
        names = ("accuracy", "balanced_accuracy", "micro_f1", "macro_f1", "entity_f1", "macro_entity_f1")
        absent = {"absent": float(len(self.absent))} if self.absent else {}
        return {name: value for name in names if (value := getattr(self, name)) is not None} | absent

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        numbers: dict[str, Any] = self.measures()
        if self.entities is not None:
            numbers |= dict(zip(("entity_precision", "entity_recall", "entity_f1"), self.entities, strict=True))
        if self.calibration is not None:
            numbers["calibration_error"] = self.calibration.error
        return {**numbers, "baseline_accuracy": self.baseline, "absent": list(self.absent), self.unit: self.size}

    @property
    def text(self) -> str:
        """The report, and all of them in a line."""
        calibration = "" if self.calibration is None else f"\n{self.calibration}"
        return f"{self.report}\n{self}, over {self.size:,} {self.unit}{calibration}"

    def draw_calibration(self, path: str | Path) -> None:
        """Draw the reliability curve into a picture. `DataError` where several labels may hold, each of which has one."""
        if self.calibration is None:
            raise DataError(
                "`calibration` draws how far the probability of one answer can be believed, and here several labels may hold. Leave it out."
            )
        self.calibration.draw(path)

    def draw(self, path: str | Path) -> None:
        """Draw the confusion matrix into a picture: rows are the true labels, each coloured by its shares.

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
        save_picture(figure, path)


def score_labels(
    true: Labels, predicted: Labels, *, several: bool = False, frequent: str | None = None, learnt: Sequence[str] = ()
) -> Scores:
    """Of whole sequences: one label each, or with `several` any number. `learnt` are the labels that were, `frequent` the most frequent one."""
    if not several:
        return _scores([t[0] for t in true], [p[0] for p in predicted], frequent, learnt)
    measures = extra("sklearn.metrics")
    kinds = extra("sklearn.preprocessing").MultiLabelBinarizer().fit([*true, *predicted])
    names, none = tuple(kinds.classes_), sum(not labels for labels in true) / max(len(true), 1)
    absent = _absent(chain(*true), learnt)
    if not names:
        told, nothing = "No label holds, and none was found.", np.zeros((0, 2, 2), np.int64)
        return Scores(len(true), 1.0, 0.0, None, told, names, nothing, baseline=none, micro_f1=0.0, absent=absent)
    # A single column would be taken for one label each: beside those of the labels stand two that never hold.
    rows, found = (np.pad(kinds.transform(some), ((0, 0), (0, 2))) for some in (true, predicted))
    which = {"labels": range(len(names))}
    report = measures.classification_report(rows, found, target_names=names, zero_division=0, **which)
    micro, macro = (float(measures.f1_score(rows, found, average=mean, zero_division=0, **which)) for mean in ("micro", "macro"))
    confusion = measures.multilabel_confusion_matrix(rows, found, **which)
    accuracy = float(measures.accuracy_score(rows, found))
    return Scores(len(true), accuracy, macro, None, report, names, confusion, baseline=none, micro_f1=micro, absent=absent)


def score_tags(true: Labels, predicted: Labels, *, spans: bool, frequent: str | None = None, learnt: Sequence[str] = ()) -> Scores:
    """Of steps; where tags mark `spans` in BIO, of entities too (as CoNLL-2000's conlleval counts them), 0 where there are none."""
    flat, found = ([tag for tags in all_tags for tag in tags] for all_tags in (true, predicted))
    scores = _scores(flat, found, frequent, learnt, unit="tokens")
    if not spans:
        return scores
    rows, columns = [list(tags) for tags in true], [list(tags) for tags in predicted]
    entity_report = extra("seqeval.metrics").classification_report
    entity_scores = extra("seqeval.metrics.sequence_labeling").precision_recall_fscore_support
    with warnings.catch_warnings():
        # No entity found yet, as at the beginning of training, is an F1 of 0 and no news.
        warnings.simplefilter("ignore")
        precision, recall, f1, _ = entity_scores(rows, columns, average="micro", zero_division=0)
        _, _, macro, _ = entity_scores(rows, columns, average="macro", zero_division=0)
        report = entity_report(rows, columns, zero_division=0) if {*flat, *found} != {"O"} else scores.report
    return replace(scores, entities=(float(precision), float(recall), float(f1)), macro_entity_f1=float(macro), report=report)


def _scores(
    true: Sequence[str],
    predicted: Sequence[str],
    frequent: str | None,
    learnt: Sequence[str],
    *,
    unit: str = "sequences",
) -> Scores:
    measures = extra("sklearn.metrics")
    names = tuple(sorted({*true, *predicted}))
    number = {name: i for i, name in enumerate(names)}
    rows, columns = (np.array([number[name] for name in some]) for some in (true, predicted))
    macro = measures.f1_score(rows, columns, average="macro", zero_division=0)
    report = measures.classification_report(rows, columns, labels=range(len(names)), target_names=names, zero_division=0)
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (rows, columns), 1)
    accuracy = float(measures.accuracy_score(rows, columns))
    baseline = None if frequent is None else true.count(frequent) / max(len(true), 1)
    times = confusion.sum(1)
    recalls = confusion.diagonal()[times > 0] / times[times > 0]
    return Scores(
        len(true),
        accuracy,
        float(macro),
        None,
        report,
        names,
        confusion,
        unit,
        baseline,
        frequent,
        balanced_accuracy=float(recalls.mean()),
        absent=_absent(true, learnt),
    )


def _absent(true: Iterable[str], learnt: Sequence[str]) -> tuple[str, ...]:
    """The labels that were learnt and do not hold anywhere."""
    found = {*true}
    return tuple(label for label in learnt if label not in found)
