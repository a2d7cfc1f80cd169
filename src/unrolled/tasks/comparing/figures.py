"""What is known of a run from its folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from unrolled.options import table
from unrolled.tasks import load, recipe_of
from unrolled.tasks.comparing.forgetfulness import half_life
from unrolled.tasks.configuration import Configuration, groups_of
from unrolled.training import RunFolder
from unrolled.training.criterion import LOSS, LOSS_KEY
from unrolled.training.plot import Records
from unrolled.training.run_folder import BEST_BY, CELL, TRAINED

FREE = ("model", "training", "batches", "streams", "cell")
"""Groups of options in which runs may differ that are compared: what they say changes neither the data nor what is measured of it."""


@dataclass(frozen=True)
class Figures:
    """A run. `hidden` is None of a feed-forward network; what is not known yet is None.

    `loss` is that of the held-out part, with the weights that are kept where the run is `finished`, and else the lowest on the way; `measures` are all
    measures of the weights that are kept, and `best_by` names the one by which they were; `absent` says whether some labels are not held out, of which these say nothing. `seconds` are those of all sittings together, with measuring on the way; `speed` is in losses, of tokens or sequences, per second of updates; `half_life` in steps, and `no_half_life` says why there is none. `settings` are all options but seed, fold and the place of the data.
    """

    name: str
    task: str
    cell: str
    hidden: int | None
    seed: int
    fold: tuple[int, ...]
    parameters: int
    finished: bool
    updates: int
    seconds: float
    speed: float | None
    best_by: str | None
    loss: float | None
    measures: Mapping[str, float]
    absent: bool
    half_life: float | None
    no_half_life: str
    fingerprint: str
    settings: Mapping[str, Mapping[str, Any]]
    records: Records

    @property
    def flat(self) -> dict[str, Any]:
        """The options of what may differ between runs that are compared, in one level."""
        return {name: value for group in FREE for name, value in self.settings.get(group, {}).items()}

    @property
    def kind(self) -> str:
        """Equal for runs that differ in nothing but the seed and the fold."""
        return json.dumps([self.fingerprint, self.cell, self.settings], sort_keys=True)


def read_run(folder: RunFolder, name: str, *, memory: bool) -> Figures:
    """What a run says of itself, with `memory` also how fast its network forgets. `RunError` for a folder that holds no whole run."""
    recipe = recipe_of(folder.path)
    configuration: Configuration[Any] = Configuration.read(recipe.name, recipe.options, folder)
    options, trained, records = configuration.options, load(folder.path), folder.history.records()
    last = records[-1] if records else {}
    settings = {group: table(getattr(options, group)) for group in groups_of(recipe.options)}
    for group, option in (("training", "seed"), ("data", "fold"), ("data", "sources")):
        settings[group].pop(option, None)
    settings["cell"] = {"text": folder.read_text(CELL)}
    kept = {key.removeprefix("final_"): value for key, value in last.items() if key.startswith("final_")}
    on_the_way = [record[LOSS_KEY] for record in records if LOSS_KEY in record]
    speeds = [record["tokens_per_second"] for record in records if "tokens_per_second" in record]
    value, why = half_life(folder, trained) if memory and options.model.layers else (None, "it has no recurrent layers" if memory else "")
    return Figures(
        name=name,
        task=recipe.name,
        cell=options.model.cell if options.model.layers else "none",
        hidden=options.model.hidden if options.model.layers else None,
        seed=options.training.seed,
        fold=tuple(getattr(options.data, "fold", ())),
        parameters=sum(p.numel() for p in trained.model.parameters()),
        finished=BEST_BY in last,
        updates=last.get("update", 0),
        seconds=last.get(TRAINED, last.get("seconds", 0.0)),
        speed=median(speeds) if speeds else None,
        best_by=last.get(BEST_BY),
        loss=kept.pop(LOSS_KEY, min(on_the_way, default=None)),
        absent=kept.pop("absent", 0) > 0,
        measures=kept,
        half_life=value,
        no_half_life=why,
        fingerprint=configuration.fingerprint,
        settings=settings,
        records=records,
    )


def measure_of(run: Figures, name: str | None) -> float | None:
    """One of the measures by the name that `best_by` has for it; the loss by its own."""
    return run.loss if name == LOSS.option else run.measures.get(name or "")
