"""A named recurrence with what a paper says beside its equations: initial values, output, reference; and its form as a file."""

import re
from collections.abc import Mapping
from importlib import import_module
from numbers import Real
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import tomli_w

from unrolled.errors import ConfigError, DataError
from unrolled.plain import from_toml

if TYPE_CHECKING:
    from unrolled.equations import Recurrence


_LARGEST = 3.4028234663852886e38  # of a number in single precision
_RULE = "---"
_HEADER = {"name": str, "family": str, "year": int, "about": str, "reference": str, "output": str, "init": dict}


class Cell:
    """A recurrence written as its equations; it does not change.

    `equations` is text in the equation language, one `name[t] = expression` a line. `output` names the state that the next layer sees.
    `init` gives vector parameters (biases, peepholes, gains) an initial value other than 0, as `{"b_f": 1.0}`; matrices are initialised
    by the layer. `reference` says where the equations come from, `about` what the cell is for, in one sentence; `family` and `year` are where it
    stands in a list.

    Raises `EquationError` for a text that breaks a rule of the language, `ConfigError` for an `init` that does not fit it.
    """

    def __init__(
        self,
        name: str,
        equations: str,
        *,
        output: str = "h",
        init: Mapping[str, float] | None = None,
        reference: str = "",
        family: str = "",
        year: int = 0,
        about: str = "",
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"A cell needs a name, got {name!r}.")
        if not isinstance(init, (Mapping, type(None))):
            raise ConfigError(f"`init` of cell {name!r} must map vectors to numbers, as in {{'b': 1.0}}, got {init!r}.")
        language = import_module("unrolled.equations")  # Naming a cell needs no algebra.
        recurrence = language.parse(equations, output)
        for key, value in (init or {}).items():
            _check_init(name, recurrence, key, value)
        numbers = MappingProxyType({key: float(value) for key, value in (init or {}).items()})
        self.__dict__.update(name=name, equations=language.to_text(recurrence), recurrence=recurrence, init=numbers)
        self.__dict__.update(reference=reference, family=family, year=year, about=about)

    name: str
    init: Mapping[str, float]
    reference: str
    family: str
    year: int
    about: str
    equations: str
    """The equations, normalised."""
    recurrence: "Recurrence"
    """What the equations say."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A cell does not change: {name!r} cannot be set. Make a new Cell.")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cell):
            return NotImplemented
        return self is other or (self.recurrence, self._told()) == (other.recurrence, other._told())

    def __hash__(self) -> int:
        return hash((self.name, self.recurrence, self.reference))

    def __repr__(self) -> str:
        return f"Cell({self.name!r}, {self.equations!r}, init={dict(self.init)!r}, reference={self.reference!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return _from_parts, (self.equations, self._told())

    def _told(self) -> dict[str, Any]:
        """All that is said beside the equations, as keyword arguments: what has another value than it would have unsaid."""
        said = {key: self.__dict__[key] for key in _HEADER if key not in ("output", "init") and self.__dict__[key]}
        return {**said, "output": self.recurrence.output, **({"init": dict(self.init)} if self.init else {})}

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states, output first."""
        return self.recurrence.states

    def to_file_text(self) -> str:
        """The cell as the text of a cell file, from which `cell_from_text` makes the same cell."""
        return f"{_inline(self._told())}{_RULE}\n{self.equations}\n"


def _from_parts(equations: str, told: dict[str, Any]) -> Cell:
    return Cell(equations=equations, **told)


def _inline(header: dict[str, object]) -> str:
    """TOML without tables, so that every key stands on one line of its own."""
    init = header.pop("init", {})
    assert isinstance(init, dict)
    return tomli_w.dumps(header) + "".join(f"init.{line}\n" for line in tomli_w.dumps(init).splitlines())


def _check_init(name: str, recurrence: "Recurrence", key: str, value: object) -> None:
    vectors = [p.name for p in recurrence.parameters if not p.is_matrix]
    if key not in vectors:
        raise ConfigError(
            f"`init` of cell {name!r} names {key!r}, which is not one of its vectors ({', '.join(vectors) or 'it has none'})."
        )
    if isinstance(value, bool) or not isinstance(value, Real) or not _is_finite(value):
        raise ConfigError(f"`init` of cell {name!r} must give {key!r} a finite number, got {value!r}. It must fit single precision.")


def _is_finite(value: Real) -> bool:
    """Whether it is a number in single precision, too."""
    try:
        return abs(float(value)) <= _LARGEST
    except OverflowError:  # a whole number beyond every float
        return False


def cell_from_text(text: str, name: str) -> Cell:
    """The cell that a cell file holds.

    The file holds equations; if it has a line `---`, what stands above it is TOML with any of `name`, `family`, `year`, `about`, `reference`,
    `output`, `init`. `name` is used where the file gives none. Raises `DataError` for a header that is not as it should be, `EquationError`
    for the rest.
    """
    header, equations = split_file(text, name)
    return Cell(equations=equations, **{"name": name, **header})


def split_file(text: str, name: str) -> tuple[dict[str, Any], str]:
    """What the header of a cell file says, and its equations, on the lines where the file has them; `DataError` as `cell_from_text`."""
    # Not splitlines, which also ends a line at separators that a TOML string may hold.
    lines = re.split(r"\r\n|\r|\n", text)
    rule = next((i for i, line in enumerate(lines) if line.strip() == _RULE), None)
    header: dict[str, Any] = {}
    if rule is not None:
        try:
            header = from_toml("\n".join(lines[:rule]))
        except ValueError as error:
            raise DataError(f"The header of cell {name!r}, above `---`, is not TOML: {error}.") from None
        lines[: rule + 1] = [""] * (rule + 1)
    for key, value in header.items():
        if type(value) is not _HEADER.get(key):
            known = ", ".join(f"{k} ({v.__name__})" for k, v in _HEADER.items())
            raise DataError(f"The header of cell {name!r} has {key} = {value!r}. It may hold {known}.")
    return header, "\n".join(lines)


def read_cell(path: str | Path) -> Cell:
    """The cell in a file; its name is the file's unless the file says another. `DataError` when the file cannot be read."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(
            f"The cell file {str(path)!r} cannot be read: {error.strerror}. Give a built-in cell's name or a file of equations."
        ) from None
    except UnicodeDecodeError as error:
        raise DataError(f"The cell file {str(path)!r} is not UTF-8 text (byte {error.start}).") from None
    except ValueError as error:
        raise DataError(f"{str(path)!r} cannot be the name of a cell file: {error}.") from None
    return cell_from_text(text, path.stem)
