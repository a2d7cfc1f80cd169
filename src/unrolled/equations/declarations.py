"""What a cell says above its equations: constants, shared scalars, fixed matrices, sizes, the parts of its input."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Real
from typing import Any

from unrolled.errors import ConfigError

FixedRows = tuple[tuple[float, ...], ...] | tuple[float, ...]

SQUARE = ("identity", "lower", "upper", "hippo", "legendre")
"""Fixed matrices that have as many rows as columns."""

FIXED_MATRICES = (*SQUARE, "ones", "blocks", "repeat")
FIXED_VECTORS = ("ones", "hippo", "legendre", "index", "position")
_OF_BLOCKS = ("lower", "upper", "blocks")
_FIXED = re.compile(r"(\w+)(?:\(\s*(\d+)\s*\))?")


@dataclass(frozen=True)
class Size:
    """A number of units, `part` of H or I; of nothing where it is that number itself."""

    part: Fraction
    of: str = ""

    def units(self, hidden: int, inputs: int) -> Fraction:
        """How many those are in a layer; not a whole number where H cannot be divided so."""
        return self.part * (hidden if self.of == "H" else inputs if self.of == "I" else 1)

    def __str__(self) -> str:
        if not self.of:
            return str(self.part)
        times, over = self.part.numerator, self.part.denominator
        return f"{f'{times}*' if times > 1 else ''}{self.of}{f'/{over}' if over > 1 else ''}"


@dataclass(frozen=True)
class Declarations:
    """The names that a text uses otherwise than as matrices and vectors to be learnt. `usual` are vectors whose names look like constants'."""

    constants: tuple[tuple[str, float], ...] = ()
    scalars: tuple[str, ...] = ()
    fixed: tuple[tuple[str, str | FixedRows], ...] = ()
    sizes: tuple[tuple[str, Size], ...] = ()
    inputs: tuple[str, ...] = ()
    usual: tuple[str, ...] = field(default=(), compare=False)

    @property
    def names(self) -> dict[str, str]:
        """What every declared name is: the key that declares it."""
        kinds = {"constant": dict(self.constants), "scalar": self.scalars, "fixed": dict(self.fixed), "inputs": self.inputs}
        return {name: kind for kind, names in kinds.items() for name in names}

    def plain(self) -> dict[str, Any]:
        """All of it as plain data, from which `declarations` makes the same; of scalars the names alone."""
        fixed = {name: how if isinstance(how, str) else [list(r) if isinstance(r, tuple) else r for r in how] for name, how in self.fixed}
        sizes = {name: str(size) if size.of else int(size.part) for name, size in self.sizes}
        all_keys = {"constant": dict(self.constants), "scalar": dict.fromkeys(self.scalars, 0.0), "fixed": fixed, "size": sizes}
        all_keys |= {"inputs": list(self.inputs), "usual": list(self.usual)}
        return {key: value for key, value in all_keys.items() if value}


NOTHING = Declarations()


def declarations(
    cell: str,
    constant: Mapping[str, float] | None = None,
    scalar: Mapping[str, float] | None = None,
    fixed: Mapping[str, Any] | None = None,
    size: Mapping[str, int | str] | None = None,
    inputs: Sequence[str] | None = None,
    usual: Sequence[str] = (),
) -> Declarations:
    """The declarations of a cell, checked. Raises `ConfigError` for a value that one cannot have, and for a name that is declared twice."""
    constants = _each(cell, "constant", constant, number)
    scalars = _each(cell, "scalar", scalar, number)
    matrices = _each(cell, "fixed", fixed, _fixed)
    sizes = _each(cell, "size", size, _size)
    parts = _inputs(cell, inputs)
    found = Declarations(tuple(constants.items()), tuple(scalars), tuple(matrices.items()), tuple(sizes.items()), parts, tuple(usual))
    given = [*constants, *scalars, *matrices, *parts]
    if twice := next((name for name in given if given.count(name) > 1), None):
        raise ConfigError(f"Cell {cell!r} declares {twice!r} twice. A name is a constant, a scalar, fixed, or a part of the input.")
    return found


def _each(cell: str, key: str, given: Mapping[str, Any] | None, read: Callable[[str, Any], Any]) -> dict[str, Any]:
    for name in given or {}:
        check_name(cell, key, name)
    return {name: read(f"`{key}.{name}` of cell {cell!r}", value) for name, value in (given or {}).items()}


def check_name(cell: str, key: str, name: object) -> str:
    """The name itself; `ConfigError` where no equation could read it."""
    if not isinstance(name, str) or not name.isidentifier():
        raise ConfigError(f"`{key}` of cell {cell!r} has the name {name!r}. A name is made of letters, digits and `_`.")
    return name


def number(what: str, value: Any) -> float:
    """A finite number; `ConfigError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ConfigError(f"{what} must be a finite number, got {value!r}.")
    return float(value)


def _fixed(what: str, value: Any) -> str | FixedRows:
    if isinstance(value, str):
        known = f"one of {', '.join(dict.fromkeys((*FIXED_MATRICES, *FIXED_VECTORS)))}, or rows of numbers"
        match = _FIXED.fullmatch(value.strip())
        if match is None or match[1] not in (*FIXED_MATRICES, *FIXED_VECTORS) or (match[2] and match[1] not in _OF_BLOCKS):
            raise ConfigError(f"{what} must be {known}, got {value!r}.")
        if match[2] == "0" or (match[1] == "blocks" and not match[2]):
            raise ConfigError(f"{what} needs the number of blocks, as in 'blocks(4)', got {value!r}.")
        return f"{match[1]}({match[2]})" if match[2] else match[1]
    rows = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(rows, Sequence) or not rows:
        raise ConfigError(f"{what} must be a name such as 'identity', a list of numbers or a list of rows, got {value!r}.")
    if not any(isinstance(row, Sequence) for row in rows):
        return tuple(number(what, entry) for entry in rows)
    lengths = {len(row) if isinstance(row, Sequence) and not isinstance(row, str) else 0 for row in rows}
    if len(lengths) > 1 or 0 in lengths:
        raise ConfigError(f"{what} must have rows of one length, got rows of {', '.join(map(str, sorted(lengths)))} numbers.")
    return tuple(tuple(number(what, entry) for entry in row) for row in rows)


def _size(what: str, value: Any) -> Size:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Size(Fraction(value))
    match = re.fullmatch(r"(?:(\d+)\s*\*\s*)?([HI])(?:\s*/\s*(\d+))?", value.strip()) if isinstance(value, str) else None
    if match is None or match[1] == "0" or (match[3] and not int(match[3])):
        raise ConfigError(f"{what} must be a whole number of at least 1, or a part of H or I such as 'H/4' or '2*H', got {value!r}.")
    return Size(Fraction(int(match[1] or 1), int(match[3] or 1)), match[2])


def _inputs(cell: str, inputs: Any) -> tuple[str, ...]:
    if inputs is None:
        return ()
    if isinstance(inputs, str) or not isinstance(inputs, Sequence) or not inputs:
        raise ConfigError(f"`inputs` of cell {cell!r} must be a list of names, as in ['x', 'dt'], got {inputs!r}.")
    names = tuple(check_name(cell, "inputs", name) for name in inputs)
    if len(set(names)) < len(names):
        raise ConfigError(f"`inputs` of cell {cell!r} names a part twice: {', '.join(names)}.")
    return names
