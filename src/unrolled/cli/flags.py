"""Command-line flags made from option dataclasses."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import click

from unrolled.tasks.options import Option, options_of


def flags(*groups: type) -> list[click.Option]:
    """One flag for every option of the dataclasses. A flag that is not given is None, so that a file's value can stand."""
    return [_flag(option) for group in groups for option in options_of(group)]


def _flag(option: Option) -> click.Option:
    names = [option.flag] if option.kind is not bool else [f"{option.flag}/--no-{option.flag[2:]}"]
    text = option.help if option.default in (None, (), dataclasses.MISSING) else f"{option.help}  [default: {_shown(option.default)}]"
    return click.Option([*names, option.name], type=option.kind, default=None, multiple=option.several, help=text)


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:g}" if isinstance(default, float) else str(default)


def given(values: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those of the named options that were really given."""
    return {n: values[n] for n in names if values.get(n) not in (None, ())}
