"""What a run was asked to do: groups of options, from flat names, from a run folder, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unrolled.errors import ConfigError, RunError
from unrolled.options import build, closest, options_of, table
from unrolled.training import RunFolder
from unrolled.training.options import CHANGEABLE

TRAINING = "training"
_CORPUS = "corpus"


@dataclass(frozen=True)
class Configuration:
    """The options of a task by group, each an instance of a dataclass, and the fingerprint of the data they were used on.

    A group is a table of `config.toml`; `training`, which every task has, holds `TrainingOptions`.
    """

    task: str
    groups: Mapping[str, Any]
    fingerprint: str = ""

    def __getitem__(self, group: str) -> Any:
        return self.groups[group]

    @classmethod
    def from_flat(cls, task: str, kinds: Mapping[str, type], values: Mapping[str, Any]) -> "Configuration":
        """From options by name, whichever group they belong to; what is open is decided. `ConfigError` for what cannot be."""
        homes = {o.name: group for group, kind in kinds.items() for o in options_of(kind)}
        for name in values:
            if name not in homes:
                raise ConfigError(f"There is no option {name!r}.{closest(name, homes)} There are {', '.join(homes)}.")
        parts = {group: {n: v for n, v in values.items() if homes[n] == group} for group in kinds}
        return cls(task, {group: build(kind, parts[group]).resolved() for group, kind in kinds.items()})

    @classmethod
    def read(cls, task: str, kinds: Mapping[str, type], folder: RunFolder) -> "Configuration":
        """From a run folder. `RunError` if it holds something else, such as a run of another task."""
        config = folder.read_config()
        found = config.get("task")
        if isinstance(found, str) and found != task:
            run = f"{folder} holds a run of `unrolled train {found}`, not of `unrolled train {task}`."
            raise RunError(f"{run} Go on with it as `unrolled train {found} --resume {folder}`.")
        try:
            groups: dict[str, Any] = {group: build(kind, config[group]) for group, kind in kinds.items()}
            return cls(task, groups, str(config[_CORPUS]["fingerprint"]))
        except (KeyError, TypeError, AttributeError, ConfigError) as error:
            raise RunError(f"The configuration of {folder} is damaged or foreign: {error}. Take it from a copy of the run.") from None

    def write(self, folder: RunFolder) -> None:
        """Store it."""
        tables = {group: table(options) for group, options in self.groups.items()}
        folder.write_config({"task": self.task, **tables, _CORPUS: {"fingerprint": self.fingerprint}})

    def told_anew(self, values: Mapping[str, Any]) -> "Configuration":
        """For a run that goes on: with other training options, as far as they do not change its course up to now."""
        for name in values:
            if name not in CHANGEABLE:
                raise ConfigError(f"`--{name.replace('_', '-')}` cannot change when a run is resumed. Leave it out, or begin a new run.")
        limits = {"epochs", "minutes"} if {"epochs", "minutes"} & values.keys() else set()
        kept = {name: value for name, value in table(self[TRAINING]).items() if name not in limits}
        training = build(type(self[TRAINING]), {**kept, **values}).resolved()
        return Configuration(self.task, {**self.groups, TRAINING: training}, self.fingerprint)
