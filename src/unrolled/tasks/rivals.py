"""Networks that learn the same data after another one, for as long: runs inside its own, beside which it is measured."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from unrolled.cells import Cell
from unrolled.errors import TrainingError
from unrolled.tasks.configuration import Configuration, G
from unrolled.training import Display, Outcome, RunFolder
from unrolled.training.run_folder import TRAINED
from unrolled.training.task import Measures

if TYPE_CHECKING:
    from unrolled.tasks.recipe import AnyRecipe

FOLDER = "rivals"
"""The folder with the runs of rivals, inside that of a network."""

DL = TypeVar("DL")

_FINAL = "final_"


@dataclass(frozen=True)
class Learnt(Generic[G, DL]):
    """What a call of a run has learnt from: its options, its cell and its data; and how it ended."""

    configuration: Configuration[G]
    cell: Cell
    data: DL
    outcome: Outcome


Go = Callable[[RunFolder, Configuration[Any]], Outcome]
"""Begins the run of a rival, or goes on with it."""


def announced(recipe: "AnyRecipe", configuration: Configuration[Any], codecs: Any, cell: Cell) -> str:
    """What will be learnt after a network, and how long it takes; nothing where there are no rivals."""
    names = [*recipe.rivals(configuration, codecs, cell)]
    if not names:
        return ""
    training = configuration.options.training
    every = f"{training.minutes:g} minutes each, {(1 + len(names)) * training.minutes:g} in all" if training.minutes else ""
    long = every or f"{training.epochs or training.updates:,} {'epochs' if training.epochs else 'updates'} each, as the network itself"
    one = "a rival learns" if len(names) == 1 else f"{len(names)} rivals learn"
    return f"Then {one} from the same data, {' and '.join(names)}: {long}. `rivals=False` leaves them out."


def train_rivals(recipe: "AnyRecipe", learnt: Learnt[Any, Any], folder: RunFolder, display: Display, go: Go, *, changed: bool) -> Outcome:
    """Train the rivals of the network in a folder, those that are not finished or, where options have `changed`, all.

    The outcome is that of the network, finished if all are. One that fails is told, and the others go on.
    """
    rivals = recipe.rivals(learnt.configuration, learnt.data.codecs, learnt.cell)
    finished, took = True, _minutes(folder)
    with ExitStack() as stack:
        if rivals:
            stack.enter_context(folder.hold())
        for number, (name, configuration) in enumerate(rivals.items(), 1):
            run = folder.inside(FOLDER).inside(name)
            if run.begun and run.finished and not changed:
                continue
            display.say(f"Rival {number} of {len(rivals)}: {name}{took}, in {run}")
            try:
                finished = go(run, configuration).finished
            except TrainingError as error:
                display.say(f"{name} failed: {error}")
            except KeyboardInterrupt:
                finished = False
            if not finished:
                return Outcome(False, learnt.outcome.measures)
    found = {name: measures for name, run in runs_of_rivals(folder) if name in rivals and (measures := _measures(run))}
    for line in recipe.beside(learnt.outcome.measures, found) if learnt.outcome.measures and found else ():
        display.say(line)
    return learnt.outcome


def runs_of_rivals(folder: RunFolder) -> Iterator[tuple[str, RunFolder]]:
    """The names and the runs of the rivals that a network was trained with, as far as they have learnt something. `RunError` for what leads out of its folder."""
    inside = folder.inside(FOLDER)
    for path in sorted(inside.path.iterdir()) if inside.path.is_dir() else ():
        run = inside.inside(path.name)
        if run.has_weights():
            yield path.name, run


def _minutes(folder: RunFolder) -> str:
    """How long the network itself was learnt, as the rest of a sentence."""
    seconds = next((record[TRAINED] for record in folder.history.records()[-1:] if TRAINED in record), None)
    return "" if seconds is None else f" (the network itself took {seconds / 60:.1f} minutes)"


def _measures(run: RunFolder) -> Measures:
    """What was measured of the weights that a run kept; nothing of one that is not finished."""
    last: Mapping[str, Any] = run.history.records()[-1] if run.finished else {}
    return {name.removeprefix(_FINAL): value for name, value in last.items() if name.startswith(_FINAL)}
