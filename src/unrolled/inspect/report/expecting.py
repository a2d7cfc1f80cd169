"""What the network expects or says, and how much what comes surprises it."""

from collections.abc import Sequence

import numpy as np

from unrolled.inspect import draw
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.inspect.predicting import Predictions, predictions
from unrolled.inspect.report.page import Section
from unrolled.inspect.report.parts import MOST_BARS, Bars, Drawing, Part, Table, Tint
from unrolled.inspect.report.wording import counted, plain, quoted, visible
from unrolled.inspect.wording import percent
from unrolled.models import Arrangement

OPEN_ROWS, MOST_ROWS = 12, 400
"""Rows of a table that are always seen, and that there are at all."""


def prediction_section(inspected: InspectionInput) -> Section | None:
    """The best choices and their probabilities; None for a network whose answers have no names."""
    model = inspected.model
    if not isinstance(model, Arrangement) or not (model.writes or inspected.answers):
        return None
    found = predictions(
        model, inspected.x, None if inspected.supposed and not inspected.written else inspected.targets, copies=inspected.copies
    )
    if model.writes:
        return _writing(inspected, found)
    return (_text if model.predicts_input else _label if model.once else _tags)(inspected, found)


def _numbers(inspected: InspectionInput, found: Predictions) -> dict[str, object]:
    return {
        "choices": [[inspected.answers[k] for k in row] for row in found.choices[:, 0].tolist()],
        "probabilities": plain(found.probabilities[:, 0]),
        "surprise": plain(found.surprise[:, 0]),
    }


def _text(inspected: InspectionInput, found: Predictions) -> Section:
    """Of a language model."""
    bits = found.surprise[:, 0]
    told = [_told(inspected, found, t) for t in range(inspected.steps)]
    before = ["nothing was expected", *told[:-1]]
    titles = [
        f"step {t}, {quoted(s)}" + ("" if np.isnan(b) else f": {b:.2f} bits; expected: {expected}")
        for t, (s, b, expected) in enumerate(zip(inspected.symbols, bits, before, strict=True))
    ]
    most = np.nanmax(bits, initial=1.0)
    heading, depth = f"Surprise at each {inspected.unit}, in bits", (bits / most).tolist()
    few = inspected.steps <= MOST_BARS
    strip: Part = (
        Bars(heading, inspected.symbols, depth, titles)
        if few
        else Tint(heading, inspected.symbols, depth, titles, inspected.level != "char")
    )
    rows = [
        (str(t), visible(inspected.symbols[t]), "" if np.isnan(bits[t]) else f"{bits[t]:.2f}", told[t])
        for t in range(max(0, inspected.steps - MOST_ROWS), inspected.steps)
    ]
    parts: list[Part] = [strip, *_tables(("step", "symbol", "bits", "then expected"), rows)]
    if inspected.steps > MOST_BARS:
        parts.append(Drawing("surprise", draw.surprise(found, inspected.symbols), "Surprise in bits along the text", wide=True))
    worst = int(np.nan_to_num(bits, nan=-1).argmax())
    surprised = f" The greatest surprise is {quoted(inspected.symbols[worst])} at step {worst}, {bits[worst]:.1f} bits." if worst else ""
    return Section(
        "predictions",
        "What it expects",
        f"For each {inspected.unit} the bits of surprise at it, −log₂ of the probability that the network gave it from what stood before. "
        "The table has the most probable ones that could come next.",
        f"{found.summary}{surprised} After the end it expects {told[-1]}.",
        parts,
        _numbers(inspected, found),
    )


def _tags(inspected: InspectionInput, found: Predictions) -> Section:
    """Of a tagger."""
    best = [inspected.answers[k] for k in found.choices[:, 0, 0].tolist()]
    sure = found.probabilities[:, 0, 0]
    titles = [f"step {t}, {quoted(s)}: {_told(inspected, found, t)}" for t, s in enumerate(inspected.symbols)]
    strip = Bars("The most probable tag of each step, and how probable it is", inspected.symbols, sure.tolist(), titles, below=best)
    rows = [(str(t), visible(s), _told(inspected, found, t)) for t, s in enumerate(inspected.symbols[:MOST_ROWS])]
    least = int(sure.argmin())
    doubt = f"It is least sure of {quoted(inspected.symbols[least])} at step {least}: {_told(inspected, found, least)}."
    known = "" if np.isnan(found.surprise).all() else f" {found.summary}"
    return Section(
        "predictions",
        "What it says",
        "A bar above each step: the probability of the tag below it.",
        f"{doubt}{known}",
        [strip, *_tables(("step", "symbol", "tags"), rows)],
        _numbers(inspected, found),
    )


def _label(inspected: InspectionInput, found: Predictions) -> Section:
    """Of a classifier."""
    names = [inspected.answers[k] for k in found.choices[0, 0].tolist()]
    sure = found.probabilities[0, 0].tolist()
    bars = Bars(
        "Probabilities of labels",
        names,
        sure,
        [f"{n}: {percent(p)}" for n, p in zip(names, sure, strict=True)],
        below=list(map(percent, sure)),
    )
    known = "" if np.isnan(found.surprise).all() else f" {found.summary}"
    return Section(
        "predictions",
        "What it says",
        "The most probable labels of the whole sequence.",
        f"It says {quoted(names[0])} with {percent(sure[0])}.{known}",
        [bars],
        _numbers(inspected, found),
    )


def _writing(inspected: InspectionInput, found: Predictions) -> Section:
    """Of an encoder-decoder."""
    bits = found.surprise[:, 0]
    titles = [
        f"step {t}, {quoted(s)}: {b:.2f} bits; {_told(inspected, found, t)}"
        for t, (s, b) in enumerate(zip(inspected.written, bits, strict=True))
    ]
    most = max(float(np.nanmax(bits, initial=0.0)), 1.0)
    parts: list[Part] = [
        Bars("What was written, and how surprising each symbol was to it, in bits", inspected.written, (bits / most).tolist(), titles)
    ]
    if found.attention is not None:
        caption = "What it looked at: a row for each symbol that it wrote, a column for each that it read, dark is much"
        parts.append(Drawing("attention", draw.attention(found.attention[:, 0], inspected.symbols, inspected.written), caption, wide=True))
    rows = [(str(t), visible(s), f"{bits[t]:.2f}", _told(inspected, found, t)) for t, s in enumerate(inspected.written[:MOST_ROWS])]
    between = "" if all(len(s) == 1 for s in inspected.written[:-1]) else " "
    looked = "" if found.attention is None else " and the picture what it looked at as it wrote"
    return Section(
        "predictions",
        "What it writes",
        f"The table has the most probable symbols at each step of what it wrote{looked}.",
        f"It writes “{between.join(inspected.written[:-1])}”, {counted(len(inspected.written), 'symbol')} with the end. {found.summary}",
        [*parts, *_tables(("step", "symbol", "bits", "most probable"), rows)],
        _numbers(inspected, found),
    )


def _tables(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[Part]:
    last = rows[-OPEN_ROWS:]
    tables: list[Part] = [Table("The last steps" if len(rows) > OPEN_ROWS else "Step by step", header, last)]
    if len(rows) > OPEN_ROWS:
        tables.append(Table(f"All {len(rows)} steps" if rows[0][0] == "0" else f"The last {len(rows)} steps", header, rows, folded=True))
    return tables


def _told(inspected: InspectionInput, found: Predictions, t: int) -> str:
    """The best choices at a step with their probabilities."""
    pairs = zip(found.choices[t, 0].tolist(), found.probabilities[t, 0].tolist(), strict=True)
    return ", ".join(f"{quoted(inspected.answers[k])} {percent(p)}" for k, p in pairs)
