"""What a search was asked for: whether all its trials can be made, and whether another call asks for the same."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from unrolled.data.text import Source
from unrolled.errors import ConfigError, UnrolledError
from unrolled.options import options_of, table
from unrolled.tasks.configuration import PLACES, Configuration, groups_of
from unrolled.tasks.recipe import AnyRecipe
from unrolled.tasks.runs import Asked, Prepared, ask, prepare
from unrolled.tasks.telling import told_once
from unrolled.tasks.tuning.space import Space
from unrolled.training import Display

_FREE = {"device", "checkpoint_seconds", "tensorboard", "track", "watch", "watch_every"}
"""Options that change neither what is learnt nor what is measured of it."""


def asked_of(
    recipe: AnyRecipe, data: Source | Sequence[Source], space: Space, options: Mapping[str, Any], display: Display
) -> dict[str, Any]:
    """The task, the space, the fingerprint of the data and the options that are the same in all trials, `best_by` among them: all plain.

    The data is read, and every end and choice of the space is tried out. Errors are those of `run_training`; `ConfigError` also where nothing is held out.
    """
    sources = [data] if isinstance(data, str) or not isinstance(data, Sequence) else list(data)
    lowest = {name: values.values[0] for name, values in space.items()}
    with told_once(), display:
        every = {
            (name, value): _ask(recipe, sources, {**options, **lowest, name: value}, name)
            for name, values in space.items()
            for value in values.values
        }
        first = ask(recipe, sources, {**options, **lowest})
        prepared = prepare(recipe, first, display)
        if not prepared.task.held_out_size:
            raise ConfigError("A search compares trials on what is held out, which is nothing. Hold something out.")
        _require_networks(recipe, every, prepared)
    return {
        "task": recipe.name,
        "space": "; ".join(f"{name} {values}" for name, values in sorted(space.items())),
        "data": prepared.configuration.fingerprint,
        "options": {
            **_plain(first.configuration, space),
            **({} if "cell" in space else {"cell": first.cell.to_file_text()}),
            "best_by": prepared.task.criterion.option,
        },
    }


def _ask(recipe: AnyRecipe, sources: list[Source], options: Mapping[str, Any], name: str) -> Asked[Any]:
    """`ask`, whose error may be about the searched option of this name."""
    try:
        return ask(recipe, sources, options)
    except UnrolledError as error:
        raise _of_space(error, name, options[name]) from None


def _require_networks(recipe: AnyRecipe, every: Mapping[tuple[str, Any], Asked[Any]], prepared: Prepared[Any, Any]) -> None:
    """`ConfigError` for a network of the space that cannot be; on the device `meta` it takes neither memory nor time."""
    of_model = {option.name for option in options_of(groups_of(recipe.options)["model"])}
    for (name, value), asked in every.items():
        if name not in of_model:
            continue
        try:
            with torch.device("meta"):
                recipe.build(recipe.resolve(asked.configuration, prepared.data.codecs), prepared.data.codecs, asked.cell)
        except ConfigError as error:
            raise _of_space(error, name, value) from None


def _of_space(error: UnrolledError, name: str, value: Any) -> UnrolledError:
    """An error that is told to be about the space where it is about what is searched."""
    about = f"`{name}" in str(error) or (name == "cell" and repr(value) in str(error))
    return ConfigError(f"`space` has {name}={value}, which cannot be: {error}") if about else error


def _plain(configuration: Configuration[Any], space: Space) -> dict[str, Any]:
    """The options that are the same in all trials, without those that say where the data lies."""
    groups = groups_of(type(configuration.options))
    flat = {name: value for group in groups for name, value in table(getattr(configuration.options, group)).items()}
    left = {*space, *_FREE, *(name for name in PLACES if configuration.home_of(name))}
    return {name: value for name, value in flat.items() if name not in left}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a search was asked for and is not now."""
    told = [f"its {name} is {before[name]}, not {now[name]}" for name in ("task", "space") if before[name] != now[name]]
    if told:
        return told
    told = ["its data is not the same"] if before["data"] != now["data"] else []
    theirs, ours = before["options"], now["options"]
    names = sorted(name for name in {*theirs, *ours} if theirs.get(name) != ours.get(name))
    return [*told, *(_other(name, theirs.get(name), ours.get(name)) for name in names)]


def _other(name: str, before: Any, now: Any) -> str:
    shown = ["not given" if value is None else str(value) for value in (before, now)]
    return f"`{name}` is not the same" if any("\n" in text for text in shown) else f"`{name}` is {shown[0]}, not {shown[1]}"
