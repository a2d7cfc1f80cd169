"""Command-line flags made from option dataclasses, and the same options from a TOML file."""

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from unrolled.errors import ConfigError
from unrolled.options import Option, options_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_NOTES = {"format", "task", "corpus"}
"""What the configuration of a run says beside its options."""


def flags(groups: Iterable[type], without: Iterable[str] = ()) -> list[click.Parameter]:
    """One flag for every option of the dataclasses that has an explanation; the others are for runs to remember.

    A flag that is not given is None, so that a file's value can stand.
    """
    return [_flag(option) for group in groups for option in options_of(group) if option.help and option.name not in without]


def parts_of(values: Mapping[str, Any], *groups: type) -> list[dict[str, Any]]:
    """What was given for each of some dataclasses."""
    return [{option.name: values[option.name] for option in options_of(group) if option.name in values} for group in groups]


def _flag(option: Option) -> click.Option:
    names = [option.flag] if option.kind is not bool else [f"{option.flag}/--no-{option.flag[2:]}"]
    text = option.help if option.default in (None, (), dataclasses.MISSING) else f"{option.help}  [default: {_shown(option.default)}]"
    return click.Option([*names, option.name], type=option.kind, default=None, multiple=option.several, help=text)


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:g}" if isinstance(default, float) else str(default)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the flags that were really given."""
    return {name: value for name, value in values.items() if value not in (None, ())}


def read_options(path: Path) -> dict[str, Any]:
    """Options by name from a TOML file, in tables or not; the configuration of a run is such a file. `ConfigError` if it is none."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"`--config {path}` cannot be read: {error.strerror}. Give a TOML file.") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"`--config {path}` is not TOML: {error}.") from None
    options: dict[str, Any] = {}
    for name, value in found.items():
        if name not in _NOTES:
            options.update(value if isinstance(value, dict) else {name: value})
    return options
