"""Trials of options, one run each, in one folder, whose journal several processes may share."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrolled.data.text import Source
from unrolled.errors import ConfigError, RunError, TrainingError, UnrolledError
from unrolled.extras import extra
from unrolled.plain import from_json
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.recipe import AnyRecipe
from unrolled.tasks.tuning.asked import asked_of, differences
from unrolled.tasks.tuning.space import Space, parse_space, usual_space
from unrolled.training import Callback, Display, RunFolder, Running, display_here
from unrolled.training.callbacks import Record

JOURNAL = "tune.log"
"""The file with all trials, as Optuna writes it."""

_WARM = 5
"""Trials that are not pruned, as there is nothing to compare with."""

_MEASURE, _FOLDER, _SEARCH, _STOPPED, _REFUSED = "measure", "folder", "search", "stopped", "refused"


@dataclass(frozen=True)
class Trial:
    """One trial: its number, what was tried, the measure's value where it was not pruned and did not fail, and how it ended."""

    number: int
    options: Mapping[str, Any]
    score: float | None
    state: str
    folder: str


@dataclass(frozen=True)
class Search:
    """All trials up to now; `measure` is what they are compared by."""

    trials: tuple[Trial, ...]
    measure: str
    lowest: bool

    @property
    def ranked(self) -> list[Trial]:
        """Those with a score, the best first."""
        scored = [(trial.score, trial) for trial in self.trials if trial.score is not None]
        return [trial for _, trial in sorted(scored, key=lambda pair: pair[0] if self.lowest else -pair[0])]

    @property
    def text(self) -> str:
        """A table, the best first, and how many were pruned and failed."""
        ranked = self.ranked
        if not ranked:
            return f"No trial has a score yet, of {len(self.trials)}."
        names = list(dict.fromkeys(name for trial in ranked for name in trial.options))
        head = ["trial", self.measure, *names, "run"]
        rows = [[str(t.number), f"{t.score:.4g}", *(_shown(t.options.get(name)) for name in names), t.folder] for t in ranked]
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)]
        others = {
            state: sum(trial.state == state for trial in self.trials)
            for state in ("pruned", "failed", _STOPPED, _REFUSED, "running", "waiting")
        }
        told = ", ".join(f"{count} {state}" for state, count in others.items() if count)
        return "\n".join([*lines, f"{len(ranked)} trials{f', besides {told}' if told else ''}."])

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return {
            "measure": self.measure,
            "lowest": self.lowest,
            "trials": [{**vars(trial), "options": dict(trial.options)} for trial in self.trials],
        }


def tune(
    task: str,
    data: Source | Sequence[Source] = (),
    *,
    out: Source,
    trials: int = 20,
    space: Sequence[str] = (),
    prune: bool = True,
    display: Display | None = None,
    **options: Any,
) -> Search:
    """Train networks for a `task` with options drawn from a `space`, until there are so many `trials` in the folder `out`, and give all of them.

    `space` has texts as `parse_space` reads them, or what is usual. Each trial is a run in a folder of its own; those that are worse than the median of
    the others at the same update are pruned. `options` are the same for all, as `unrolled.tasks.train` takes them. The search goes on where it was
    stopped, with the trial that was interrupted begun again, and may be called by several processes at once: each ends the trial that it trains when there
    are enough, so that n of them train up to n - 1 more.

    Raises what `unrolled.tasks.train` raises, but no `TrainingError`: such a trial failed, and others go on. What is wrong with options, data or an end of
    the space is raised before anything is written. `RunError` for a folder with a search of another task, space, data, measure, or with other options.
    """
    if trials < 1:
        raise ConfigError(f"`trials` must be at least 1, got {trials}.")
    optuna, recipe, folder = extra("optuna"), find_recipe(task), Path(out)
    searched = parse_space(recipe, space) if space else usual_space(recipe)
    clash = next((name for name in searched if options.get(name) is not None), None)
    if clash:
        raise ConfigError(f"`{clash}` is searched, and given. Leave it out of `space`, or of the options.")
    logging.getLogger("optuna").setLevel(logging.WARNING)
    display = display or display_here()
    asked = asked_of(recipe, data, searched, options, display)
    study = _study(optuna, folder, asked, seed=options.get("seed"), prune=prune)
    objective = _Objective(optuna, recipe, data, folder, searched, options, display)
    states = optuna.trial.TrialState
    done = (states.COMPLETE, states.PRUNED, states.FAIL)

    def enough() -> bool:
        return sum(trial.state in done and not {_STOPPED, _REFUSED} & trial.user_attrs.keys() for trial in study.trials) >= trials

    if not enough():
        study.optimize(objective, callbacks=[lambda study, _: study.stop() if enough() else None], catch=(TrainingError,))
    return _found(study, objective.measure(study))


def _study(optuna: Any, folder: Path, asked: Mapping[str, Any], *, seed: int | None, prune: bool) -> Any:
    """The search in a folder, begun or gone on with."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}. Choose another folder with `out`.") from None
    if os.path.lexists(folder / "config.toml"):
        raise RunError(f"{folder} is the folder of a run, and a search needs one of its own. Choose another with `out`.")
    first = _makes(folder / JOURNAL)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL)))
    sampler = optuna.samplers.TPESampler(seed=(seed or 0) if first else None)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=_WARM) if prune else optuna.pruners.NopPruner()
    study = optuna.create_study(study_name="unrolled", storage=storage, sampler=sampler, pruner=pruner, load_if_exists=True)
    if others := differences(study.user_attrs.get(_SEARCH, asked), asked):
        raise RunError(
            f"{folder} holds another search, whose trials cannot be compared with these: {'; '.join(others)}. Give the same, or another folder with `out`."
        )
    study.set_user_attr(_SEARCH, asked)
    return study


def _makes(journal: Path) -> bool:
    """Whether this process makes the journal: of several that begin together one does, and the others, with its seed, would try the same."""
    try:
        os.close(os.open(journal, os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        return False
    return True


class _Objective:
    """Trains one trial, and gives what is to be made small: the measure, or its negative."""

    def __init__(
        self, optuna: Any, recipe: AnyRecipe, data: Any, folder: Path, space: Space, options: Mapping[str, Any], display: Display
    ) -> None:
        self.optuna, self.recipe, self.data, self.folder = optuna, recipe, data, folder
        self.space, self.options, self.display = space, options, display

    def __call__(self, trial: Any) -> float:
        """Train it. `TrialPruned` where others were better at the same update."""
        chosen = {name: values.suggest(trial, name) for name, values in self.space.items()}
        run = RunFolder(self.folder / f"trial-{trial.number}")
        trial.set_user_attr(_FOLDER, str(run))
        shown = ", ".join(f"{name} {_shown(value)}" for name, value in chosen.items())
        self.display.say(f"Trial {trial.number}: {shown}")
        pruning = _Pruning(self.optuna, trial)
        try:
            outcome = run_training(self.recipe, self.data, run, {**self.options, **chosen}, self.display, callbacks=[pruning], rivals=False)
        except TrainingError:
            raise
        except UnrolledError:
            trial.set_user_attr(_REFUSED, True)
            raise
        except KeyboardInterrupt:
            self._begin_again(trial, chosen)
            raise
        if not outcome.finished:
            self._begin_again(trial, chosen)
            trial.study.stop()
            raise self.optuna.TrialPruned
        best = run.history.records()[-1].get("best")
        if best is None:
            trial.set_user_attr(_REFUSED, True)
            raise ConfigError("A search needs measurements on the way, and there was none. Hold something out, or train longer.")
        return pruning.sign * float(best)

    def _begin_again(self, trial: Any, chosen: Mapping[str, Any]) -> None:
        """The trial was interrupted: it is no score, and the next one has its options."""
        trial.set_user_attr(_STOPPED, True)
        trial.study.enqueue_trial(chosen)

    def measure(self, study: Any) -> tuple[str, bool]:
        """What trials were compared by, and whether it is best where it is lowest."""
        found = [trial.user_attrs[_MEASURE] for trial in study.trials if _MEASURE in trial.user_attrs]
        name, lowest = from_json(found[0]) if found else ("loss", True)
        return str(name), bool(lowest)


class _Pruning(Callback):
    """Tells Optuna how good a trial is on the way, and ends it where it is worse than others were."""

    def __init__(self, optuna: Any, trial: Any) -> None:
        self._pruned, self._trial = optuna.TrialPruned, trial

    def began(self, running: Running) -> None:
        """By which measure, and which end of it is the better one."""
        self._criterion = running.task.criterion
        self.sign = 1.0 if self._criterion.lowest else -1.0
        self._trial.set_user_attr(_MEASURE, f'["{self._criterion.option}", {str(self._criterion.lowest).lower()}]')

    def measured(self, record: Record) -> None:
        """The held-out part was measured."""
        value = self._criterion.read(record)
        if value == value:
            self._trial.report(self.sign * value, int(record["update"]))
        if self._trial.should_prune():
            raise self._pruned


def _found(study: Any, measure: tuple[str, bool]) -> Search:
    name, lowest = measure
    words = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running", "WAITING": "waiting"}
    trials = tuple(
        Trial(
            trial.number,
            dict(trial.params),
            None if trial.value is None or trial.state.name != "COMPLETE" else (1 if lowest else -1) * trial.value,
            next((word for word in (_STOPPED, _REFUSED) if word in trial.user_attrs), words[trial.state.name]),
            str(trial.user_attrs.get(_FOLDER, "")),
        )
        for trial in study.trials
    )
    return Search(trials, name, lowest)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
