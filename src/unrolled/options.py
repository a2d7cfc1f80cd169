"""Options as data: a dataclass says what there is, and flags, TOML and the stored configuration all follow from it."""

import dataclasses
import difflib
import os
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from unrolled.errors import ConfigError

T = TypeVar("T")

LARGEST = 2**63
"""What whole numbers stay below, so that everything that computes can hold them."""


FLAGS = {"from_run": "--from"}
"""The flags of options whose names are no names in Python."""


def option(default: Any, help: str, *, rare: bool = False, also: str = "", written: tuple[str, ...] = ()) -> Any:
    """A dataclass field with its explanation, in which names of other options stand between backticks. `rare` ones are in no short list; `also` is
    another name that is understood at the terminal. `written` are the ends that the name of a file may have which the option says is to be written."""
    return dataclasses.field(default=default, metadata={"help": help, "rare": rare, "also": also, "written": written})


@dataclasses.dataclass(frozen=True)
class Option:
    """One option: its name, the plain type of its value, whether it may be left unset, whether it holds several, default, help, whether it
    is seldom needed, another name of it, and how the name of a file may end that it has written."""

    name: str
    kind: type
    optional: bool
    several: bool
    default: Any
    help: str
    rare: bool = False
    also: str = ""
    written: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The option as it is typed at the terminal."""
        return dashed(self.name)

    @property
    def flags(self) -> tuple[str, ...]:
        """All ways to type it."""
        return (self.flag, *((dashed(self.also),) if self.also else ()))


def dashed(name: str) -> str:
    """A name as a flag of the command line."""
    return FLAGS.get(name) or "--" + name.replace("_", "-")


def options_of(cls: type) -> list[Option]:
    """The options that a dataclass declares."""
    hints = typing.get_type_hints(cls)
    return [_option(field, hints[field.name]) for field in dataclasses.fields(cls)]


def _option(field: "dataclasses.Field[Any]", hint: Any) -> Option:
    optional = several = False
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = next(a for a in typing.get_args(hint) if a is not type(None))
        optional = True
    if typing.get_origin(hint) is tuple:
        hint, several = typing.get_args(hint)[0], True
    about = field.metadata
    return Option(field.name, hint, optional, several, field.default, **{"help": "", **about})


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """An instance from plain values, as TOML gives them. `ConfigError` for a name that does not exist or a value of another type."""
    known = {o.name: o for o in options_of(cls)}
    for name in values:
        if name not in known:
            shown = [option.name for option in known.values() if option.help]
            raise ConfigError(f"There is no option {name!r}.{closest(name, shown)} There are {', '.join(shown)}.")
    return cls(**{name: _convert(known[name], value) for name, value in values.items() if value is not None})


def closest(name: str, names: Iterable[str]) -> str:
    """A guess at what was meant, as a sentence, or nothing."""
    close = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _convert(option: Option, value: Any) -> Any:
    if option.several:
        if isinstance(value, (str, os.PathLike)):
            return (_single(option, value),)
        if not isinstance(value, Iterable):
            raise ConfigError(f"`{option.name}` must be a list, got {value!r}.")
        return tuple(_single(option, v) for v in value)
    return _single(option, value)


def _single(option: Option, value: Any) -> Any:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if option.kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST:
        return float(value)
    if not isinstance(value, option.kind) or (isinstance(value, bool) and option.kind is not bool):
        raise ConfigError(f"`{option.name}` must be of type {option.kind.__name__}, got {value!r}.")
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise ConfigError(f"`{option.name}` must be less than 2^63, got a number of {value.bit_length()} bits.")
    return value


def table(instance: Any) -> dict[str, Any]:
    """The values of an instance, ready for TOML: lists for tuples, and what is unset left out."""
    values = ((f.name, getattr(instance, f.name)) for f in dataclasses.fields(instance))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values if value is not None}
