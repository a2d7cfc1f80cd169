"""Digits looked at in glimpses, beside random glimpses and small convolutional networks: errors on digits that were not learnt.

    python benchmarks/glimpses.py cluttered train-images-idx3-ubyte.gz t10k-images-idx3-ubyte.gz --who learned --who paper --out runs/digits

Rows: `centred` (28 × 28, 6 glimpses of 8 × 8), `translated` and `cluttered` (60 × 60, glimpses of 12 × 12 in three scales). Who: `learned`, the network
that chooses, with the rivals that `unrolled train classify --image glimpses` trains after it (`random-glimpses` and `cnn`; `--no-rivals` leaves them
out); `random`, random glimpses alone; `paper`, the convolutional network that Mnih et al. (2014) compare with, about as large (one layer of 8 filters of
10 × 10 with stride 5, 256 rectified units). All see the same pictures, varied in the same ways, as often. A twentieth of the digits decides which weights
are kept; the test digits decide nothing.
"""

import json
import math
from pathlib import Path
from typing import Any

import click
from torch import Tensor, nn

from unrolled.models import LOCATIONS, Whole
from unrolled.models.glimpses import LEARNED
from unrolled.tasks import run_training
from unrolled.tasks.recipes.classify import Classifying
from unrolled.tasks.rivals import runs_of_rivals
from unrolled.tasks.runs import load_run
from unrolled.training import RunFolder, display_here
from unrolled.training.run_folder import TRAINED

SHARED = {"batch": 128, "shift": 3, "learning_rate": 2e-3, "held_out": 0.05, "dropout": 0.1, "evaluations": 10}
LOOKING = {"image": "glimpses", "cell": "elman-relu", "hidden": 256, "pooling": "last", "samples": 2}
LARGE = {"glimpse_size": 12, "scales": 3, "copies": 3}
ROWS: dict[str, dict[str, Any]] = {
    "centred": {"shift": 2, "glimpses": 6, "glimpse_size": 8, "scales": 1, "epochs": 110},
    "translated": {**LARGE, "glimpses": 6, "epochs": 28},
    "cluttered": {**LARGE, "glimpses": 6, "epochs": 24},
}
OF_GLIMPSES = ("glimpses", "glimpse_size", "scales")
PAPER = {"image": "frame", "layers": 0, "pooling": "last", "bidirectional": False, "hidden": 256}
FILTERS = 8
INTERRUPTED = 130


@click.command()
@click.argument("row", type=click.Choice([*ROWS]))
@click.argument("digits", type=click.Path(exists=True))
@click.argument("test", type=click.Path(exists=True))
@click.option("--who", multiple=True, type=click.Choice(["learned", "random", "paper"]), default=("learned",))
@click.option("--rivals/--no-rivals", default=True, help="Train those of the network itself.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the runs; those that were stopped go on.")
@click.option("--epochs", type=int, help="In the place of those of the row.")
@click.option("--seed", default=0)
def main(row: str, digits: str, test: str, who: tuple[str, ...], rivals: bool, out: Path, epochs: int | None, seed: int) -> None:
    """Train and measure on TEST, pictures of digits as DIGITS has them."""
    options = {**SHARED, **ROWS[row], "seed": seed, **({"epochs": epochs} if epochs else {})}
    source, measured = (digits, test) if row == "centred" else (f"builtin:{row}-digits",) * 2
    for name in who:
        shared = {key: value for key, value in options.items() if name in LOCATIONS or key not in OF_GLIMPSES}
        kind = {**LOOKING, "locations": name, "rivals": rivals and name == LEARNED} if name in LOCATIONS else PAPER
        recipe, folder = (OfThePaper if name == "paper" else Classifying)(), RunFolder(out / f"{row}-{name}-{seed}")
        asked, others = ({}, {}) if row == "centred" else ({"digits": digits}, {"digits": test})
        for who_else, found in _measured(recipe, source, measured, folder, {**shared, **kind, **asked}, others).items():
            click.echo(json.dumps({"row": row, "who": who_else or name, "seed": seed, "epochs": options["epochs"], **found}))


def _measured(
    recipe: Classifying, source: str, test: str, folder: RunFolder, options: dict[str, Any], others: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Train, or go on with a run that was stopped, and measure; the network itself has no name beside those of its rivals."""
    begun = folder.begun
    outcome = run_training(recipe, () if begun else source, folder, {} if begun else options, display_here(), resume=begun)
    if not outcome.finished:
        raise SystemExit(INTERRUPTED)
    runs = {"": folder, **dict(runs_of_rivals(folder))}
    return {name: _errors(recipe, run, test, others) for name, run in runs.items()}


def _errors(recipe: Classifying, folder: RunFolder, test: str, others: dict[str, Any]) -> dict[str, Any]:
    trained = load_run(recipe, folder)
    scores = trained.evaluate(test, reading=trained.reading_of(test, **others))
    seconds = next(record[TRAINED] for record in folder.history.records() if TRAINED in record)
    parameters = sum(parameter.numel() for parameter in trained.model.parameters())
    return {"error": round(1 - scores.accuracy, 4), "of": scores.size, "parameters": parameters, "minutes": round(seconds / 60, 1)}


class OfThePaper(Classifying):
    """The same task with the convolutional network that glimpses are compared with in the paper."""

    def build(self, configuration: Any, codecs: Any, cell: Any) -> Whole:
        """One layer of convolutions, and the rectified units of `hidden`."""
        model = super().build(configuration, codecs, cell)
        channels, height, width = codecs.inputs.frames.size
        places = math.prod((side - 10) // 5 + 1 for side in (height, width))
        model.encoder.inputs.frames = OneLayer(channels)
        model.encoder.feed_forward = nn.Linear(FILTERS * places, configuration.options.model.hidden)
        return model


class OneLayer(nn.Conv2d):
    """Rectified filters of 10 × 10 with stride 5 over frames `[T, B, C, H, W]`, as vectors."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, FILTERS, 10, 5)

    def forward(self, frames: Tensor, real: Tensor | None = None) -> Tensor:
        """`[T, B, width]`."""
        return super().forward(frames.flatten(0, 1)).relu().flatten(1).unflatten(0, frames.shape[:2])


if __name__ == "__main__":
    main()
