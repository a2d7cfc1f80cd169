"""How a run was trained: its losses, and what was seen where it was watched."""

from unrolled.inspect.draw.style import HEIGHT, WIDTH, drawn
from unrolled.inspect.report import Drawing, Part, Section, Table
from unrolled.training import FEWEST, Readings, RunFolder, diagnose, diagnose_losses, read_watch
from unrolled.training.plot import Records, draw_gates, draw_layers, draw_losses, points

NOT_WATCHED = " The run was not watched: trained with “watch” its gradients, updates and gates stand here, too."

SIZE = (WIDTH, HEIGHT)


def training_section(folder: RunFolder) -> Section:
    """The losses, and, where the run was watched, gradients, updates and gates, with what looks wrong."""
    records = folder.history.records()
    loss = drawn(draw_losses)(records, "loss", SIZE)
    parts: list[Part] = [Drawing("loss", loss, "The loss of the training batches and of the held-out part, in nats")]
    readings = read_watch(folder) if folder.watched.size() else None
    findings = diagnose_losses(folder.history) if readings is None else diagnose(readings)
    verdict = _course(records)
    if readings is not None:
        parts += _pictures(readings)
    if findings:
        parts.append(Table("What looks wrong", ("finding", "what to try"), [(f.says, f.cure) for f in findings]))
        verdict += f" What looks wrong: {'; '.join(f.name for f in findings)}."
    elif readings is not None and len(readings.update) >= FEWEST:
        verdict += " Nothing looks wrong."
    numbers = {"findings": [{"name": f.name, "figure": f.figure, "limit": f.limit, "where": f.where} for f in findings]}
    shows = f"How the loss fell, and what the network looked like on the way.{NOT_WATCHED if readings is None else ''}"
    return Section("training", "How it was trained", shows, verdict, parts, numbers)


def _pictures(readings: Readings) -> list[Part]:
    draw, update = drawn(draw_layers), readings.update
    found: list[Part] = [
        Drawing(
            "watched-gradients",
            draw(readings.gradients(), update, "norm of the gradient", SIZE),
            "The gradient of each layer, before clipping",
        ),
        Drawing(
            "watched-updates",
            draw(readings.ratios(), update, "change / weights", SIZE),
            "What one update changes in each layer, beside the size of what it changes: 0.001 to 0.01 is usual",
        ),
    ]
    if readings.gates:
        caption = "The part of each gate's values at its upper end, dashed at its lower end"
        found.append(Drawing("watched-gates", drawn(draw_gates)(readings.gates, update, SIZE), caption))
    return found


def _course(records: Records) -> str:
    held_out = points(records, "held_out")
    final = points(records, "final_held_out")
    told = []
    if held_out:
        update, best = min(held_out, key=lambda point: point[1])
        told.append(
            f"After {held_out[-1][0]:,} updates the held-out loss was {held_out[-1][1]:.3f}; it was lowest, {best:.3f}, after {update:,}."
        )
    if final:
        told.append(f"With the weights that were kept it is {final[-1][1]:.3f}." if told else f"The held-out loss is {final[-1][1]:.3f}.")
    return " ".join(told) or "It was stopped before anything was measured."
