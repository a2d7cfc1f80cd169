"""What a run was asked to do: groups of options, from flat names, from a run folder, and back."""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from unrolled.errors import ConfigError, RunError
from unrolled.options import build, no_option, options_of, table
from unrolled.training import RunFolder, TrainingOptions
from unrolled.training.options import CHANGEABLE, LIMITS

_CORPUS = "corpus"

PLACES = ("sources", "validation", "source", "target")
"""Options that say where the data of a run lies, which may be moved: by what is in it, it is seen whether it is the same."""


class Options:
    """The options of a task: a dataclass with an option dataclass for each group, which is a table of `config.toml`.

    Every task has `training`.
    """

    training: TrainingOptions


G = TypeVar("G", bound=Options)


def groups_of(kind: type[Options]) -> dict[str, type]:
    """The groups of a task's options by name."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}  # type: ignore[arg-type]


def default_cell(options: type[G]) -> str:
    """The name of the cell that a task has where none is named."""
    (default,) = (o.default for o in options_of(groups_of(options)["model"]) if o.name == "cell")
    return str(default)


@dataclass(frozen=True)
class Configuration(Generic[G]):
    """The options of a task, and the fingerprint of the data they were used on."""

    task: str
    options: G
    fingerprint: str = ""

    @classmethod
    def from_flat(cls, task: str, kind: type[G], values: Mapping[str, Any]) -> "Configuration[G]":
        """From options by name, whichever group they belong to; what is open is decided. `ConfigError` for what cannot be."""
        groups = groups_of(kind)
        homes = {o.name: group for group, options in groups.items() for o in options_of(options)}
        for name in values:
            if name not in homes:
                raise no_option(name, [o.name for options in groups.values() for o in options_of(options) if o.help])
        parts = {group: {n: v for n, v in values.items() if homes[n] == group} for group in groups}
        return cls(task, kind(**{group: build(options, parts[group]).resolved() for group, options in groups.items()}))

    @classmethod
    def read(cls, task: str, kind: type[G], folder: RunFolder) -> "Configuration[G]":
        """From a run folder. `RunError` if it holds something else, such as a run of another task."""
        config = folder.read_config()
        found = config.get("task")
        if found != task:
            raise RunError(f"{folder} holds a run of the task {found!r}, not of {task!r}. Go on with it as `unrolled train {found}`.")
        try:
            groups: dict[str, Any] = {group: build(options, config[group]) for group, options in groups_of(kind).items()}
            return cls(task, kind(**groups), str(config[_CORPUS]["fingerprint"]))
        except (KeyError, TypeError, AttributeError, ConfigError) as error:
            raise RunError(f"The configuration of {folder} is damaged or foreign: {error}. Take it from a copy of the run.") from None

    def write(self, folder: RunFolder) -> None:
        """Store it."""
        tables = {group: table(getattr(self.options, group)) for group in groups_of(type(self.options))}
        folder.write_config({"task": self.task, **tables, _CORPUS: {"fingerprint": self.fingerprint}})

    def replace(self, **groups: Any) -> "Configuration[G]":
        """With other options in some groups."""
        options: G = dataclasses.replace(self.options, **groups)  # type: ignore[type-var]
        return dataclasses.replace(self, options=options)

    def changed(self, values: Mapping[str, Any]) -> "Configuration[G]":
        """For a run that goes on: with other training options, as far as they do not change its course up to now, and with its data elsewhere."""
        moved = {name: value for name, value in values.items() if name in PLACES}
        for name in values:
            if name not in CHANGEABLE and not (name in PLACES and self.home_of(name)):
                raise ConfigError(f"`{name}` cannot change when a run is resumed. Leave it out, or begin a new run.")
        training = self.options.training
        limits = LIMITS if LIMITS & values.keys() else set()
        kept = {name: value for name, value in table(training).items() if name not in limits}
        asked = {name: value for name, value in values.items() if name not in moved}
        groups: dict[str, Any] = {"training": build(type(training), {**kept, **asked}).resolved()}
        for name, value in moved.items():
            home = str(self.home_of(name))
            group = groups.get(home, getattr(self.options, home))
            groups[home] = build(type(group), {**table(group), name: value}).resolved()
        return self.replace(**groups)

    def home_of(self, name: str) -> str | None:
        """The group of an option of data or reading; None where it is of another group, or means something else, as the column `target` does."""
        for home in ("data", "reading"):
            group = getattr(self.options, home, None)
            if group is not None and name in {field.name for field in dataclasses.fields(group)}:
                return None if name == "target" and not hasattr(group, "source") else home
        return None
