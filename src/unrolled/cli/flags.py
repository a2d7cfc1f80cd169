"""Command-line flags made from option dataclasses, the same options from a TOML file, and messages about options as flags."""

import ast
import dataclasses
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import click

from unrolled.cli.catalogue import Group, known_groups
from unrolled.errors import ConfigError
from unrolled.options import Option, dashed, options_of
from unrolled.plain import from_toml

_NOTES = {"format", "task", "corpus"}
"""What the configuration of a run says beside its options."""

_QUOTED = re.compile(r"`([^`\n]+)`")

PLAIN = {
    "at",
    "beside",
    "config",
    "count",
    "length",
    "lines",
    "out",
    "picture",
    "png",
    "prompt",
    "prompts",
    "repetition_penalty",
    "space",
    "stop",
    "trials",
    "resume",
    "temperature",
    "task",
    "top_k",
    "top_p",
}
"""Flags that are arguments of functions, and no fields of an option dataclass."""


class Flag(click.Option):
    """A flag of an option, with the group that it is shown in; `rare` ones are in no short help."""

    def __init__(self, *arguments: Any, group: str = "", rare: bool = False, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.group, self.rare = group, rare

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """With other options named as flags, which is found out only where help is asked for."""
        record = super().get_help_record(ctx)
        return None if record is None else (record[0], as_flags(record[1]))


def flags(groups: Iterable[type | Group], without: Iterable[str] = (), titles: Sequence[str] = ("",)) -> list[click.Parameter]:
    """One flag for every option, of dataclasses or as the catalogue has them, that has an explanation; the others are for runs to remember.

    A flag that is not given is None, so that a file's value can stand. `titles` are those of the groups in help, the last of all further ones.
    """
    return [
        _flag(option, title)
        for group, title in zip(groups, chain(titles, repeat(titles[-1])), strict=False)
        for option in (options_of(group) if isinstance(group, type) else group)
        if option.help and option.name not in without
    ]


def parts_of(values: Mapping[str, Any], *groups: type) -> list[dict[str, Any]]:
    """What was given for each of some dataclasses."""
    return [{option.name: values[option.name] for option in options_of(group) if option.name in values} for group in groups]


def _flag(option: Option, group: str) -> Flag:
    names = option.flags if option.kind is not bool else (f"{option.flag}/--no-{option.flag[2:]}",)
    text = option.help if option.default in (None, (), dataclasses.MISSING) else f"{option.help}  [default: {_shown(option.default)}]"
    return Flag([*names, option.name], type=option.kind, default=None, multiple=option.several, help=text, group=group, rare=option.rare)


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:g}" if isinstance(default, float) else str(default) or "none"


def as_flags(message: str) -> str:
    """A message in which arguments of Python functions between backticks are the flags of the command line.

    `hidden` becomes --hidden, `attention='general'` becomes --attention general, and `bidirectional=False` --no-bidirectional.
    """
    return _QUOTED.sub(lambda found: _as_flag(found[1]) or found[0], message)


def _as_flag(text: str) -> str | None:
    """The flags of what stands between backticks; None if it is something else, as a piece of somebody's data may be."""
    if re.fullmatch(r"[a-z][a-z_0-9]*", text):
        return f"`{dashed(text)}`" if text in _names() else None
    if not re.match(r"[a-z][a-z_0-9]*=", text):
        return None
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or any(k.arg not in _names() for k in call.keywords):
            return None
        return f"`{' '.join(_given(str(k.arg), ast.literal_eval(k.value)) for k in call.keywords)}`"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _given(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return dashed(name) if value else f"--no-{dashed(name)[2:]}"
    values = value if isinstance(value, list | tuple) else [value]
    return " ".join(f"{dashed(name)} {shlex.quote(str(v))}" for v in values)


@cache
def _names() -> frozenset[str]:
    """The names of all options of all tasks."""
    return frozenset({option.name for group in known_groups().values() for option in group} - {"sources"} | PLAIN)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the flags that were really given."""
    return {name: value for name, value in values.items() if value not in (None, ())}


def read_options(path: Path) -> dict[str, Any]:
    """Options by name from a TOML file, in tables or not; the configuration of a run is such a file. `ConfigError` if it is none."""
    try:
        found = from_toml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"`--config {path}` cannot be read: {error.strerror}. Give a TOML file.") from None
    except ValueError as error:
        raise ConfigError(f"`--config {path}` is not TOML: {error}.") from None
    options: dict[str, Any] = {}
    for name, value in found.items():
        if name not in _NOTES:
            options.update(value if isinstance(value, dict) else {name: value})
    return options
