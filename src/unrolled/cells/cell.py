"""A named recurrence with what a paper says beside its equations: initial values, output, reference; and its form as a file."""

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from math import inf
from numbers import Real
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import tomli_w

from unrolled.cells.beginnings import Beginning, is_finite, read_beginning
from unrolled.errors import ConfigError, DataError
from unrolled.plain import from_toml

if TYPE_CHECKING:
    from unrolled.equations import Recurrence


_RULE = "---"
_TOLD: dict[str, tuple[type, ...]] = {"family": (str,), "year": (int,), "about": (str,), "reference": (str,)}
"""Keys that say something to people."""
_TABLES = ("constant", "scalar", "fixed", "size", "begin", "init")
"""Keys that map names to values, as in `init.b_f = 1.0`."""
_HEADER = {"name": (str,), **_TOLD, "output": (str, list), "inputs": (list,), **dict.fromkeys(_TABLES, (dict,))}


class Cell:
    """A recurrence written as its equations; it does not change.

    Args:
        equations: text in the equation language, one `name[t] = expression` a line.
        output: the state that the next layer sees, or a list of states, which it sees joined.
        init: how parameters begin, by name: a number, or a rule such as `"uniform(-0.1, 0.1)"`, `"orthogonal"`, `"chrono(100)"`. The others
            begin as the layer says, vectors with 0.
        begin: what states begin with instead of 0, as `{"m": -inf}`.
        constant: numbers by name, as `{"dt": 0.1}`.
        scalar: single numbers that are learnt and shared by all units, with what they begin with.
        fixed: matrices and vectors that are not learnt: `"identity"`, `"ones"`, `"lower"`, `"hippo"`, … or their numbers.
        size: units of the vector of that name, or rows of the matrix: a number, or a part of H or I such as `"H/4"`.
        inputs: names of the parts of the input, which the equations read as `dt[t]`.
        reference: where the equations come from.
        about: what the cell is for, in one sentence.
        family: among which cells it is listed.
        year: when it was published, for lists in that order.

    Raises `EquationError` for a text that breaks a rule of the language, `ConfigError` for a declaration that does not fit it.
    """

    def __init__(
        self, name: str, equations: str, *, output: str | Sequence[str] = "h", init: Mapping[str, float | str] | None = None,
        begin: Mapping[str, float] | None = None, constant: Mapping[str, float] | None = None, scalar: Mapping[str, float] | None = None,
        fixed: Mapping[str, Any] | None = None, size: Mapping[str, int | str] | None = None, inputs: Sequence[str] | None = None,
        reference: str = "", about: str = "", family: str = "", year: int = 0,
    ) -> None:  # fmt: skip
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"A cell needs a name, got {name!r}.")
        tables = {"constant": constant, "scalar": scalar, "fixed": fixed, "size": size, "begin": begin, "init": init}
        for key, table in tables.items():
            if not isinstance(table, (Mapping, type(None))):
                raise ConfigError(f"`{key}` of cell {name!r} must map names to values, as in {{'b': 1.0}}, got {table!r}.")
        outputs = (output,) if isinstance(output, str) else output
        if not isinstance(outputs, (list, tuple)) or not outputs or not all(isinstance(o, str) for o in outputs):
            raise ConfigError(f"`output` of cell {name!r} must be a state's name or a list of them, got {output!r}.")
        if len(set(outputs)) < len(outputs):
            raise ConfigError(f"`output` of cell {name!r} names a state twice: {', '.join(outputs)}.")
        language, declarations = (
            import_module("unrolled.equations"),
            import_module("unrolled.equations.declarations"),
        )  # With algebra: late.
        declared = declarations.declarations(name, constant, scalar, fixed, size, inputs, tuple(init or ()))
        self.__dict__.update(
            {key: MappingProxyType(dict(table or {})) for key, table in tables.items()}, name=name, inputs=tuple(inputs or ())
        )
        self.__dict__.update(reference=reference, about=about, family=family, year=year, _outputs=tuple(outputs))
        self.__dict__["recurrence"] = language.parse(equations, self.__dict__["_outputs"], declared)
        self.__dict__["equations"] = language.to_text(self.recurrence)
        self._check_begin()
        self.__dict__["beginnings"] = found = self._read_beginnings()
        numbers = {key: found[key].numbers[0] for key in self.init if found[key].rule == "number"}
        self.__dict__["init"] = MappingProxyType({**self.init, **numbers})

    name: str
    init: Mapping[str, float | str]
    begin: Mapping[str, float]
    constant: Mapping[str, float]
    scalar: Mapping[str, float]
    fixed: Mapping[str, Any]
    size: Mapping[str, int | str]
    inputs: tuple[str, ...]
    reference: str
    about: str
    family: str
    year: int
    equations: str
    """The equations, normalised."""
    recurrence: "Recurrence"
    """What the equations say."""
    beginnings: Mapping[str, Beginning]
    """How parameters begin, by name, where the cell says it."""

    def _read_beginnings(self) -> Mapping[str, Beginning]:
        known = {p.name: p for p in self.recurrence.learned}
        found = {name: Beginning("number", (float(value),)) for name, value in self.scalar.items()}
        for key, value in self.init.items():
            if key not in known:
                names = ", ".join(known) or "it has none"
                raise ConfigError(f"`init` of cell {self.name!r} names {key!r}, which is not one of its parameters ({names}).")
            found[key] = read_beginning(f"`init.{key}` of cell {self.name!r}", value, matrix=known[key].is_matrix)
        for key, beginning in found.items():
            other = known.get(beginning.other)
            if beginning.rule == "minus" and (other is None or (other.rows, other.columns) != (known[key].rows, known[key].columns)):
                raise ConfigError(
                    f"`init.{key}` of cell {self.name!r} mirrors {beginning.other!r}, which is no parameter of the same size."
                )
            if beginning.rule == "minus" and beginning.other in found and found[beginning.other].rule == "minus":
                raise ConfigError(
                    f"`init.{key}` of cell {self.name!r} mirrors {beginning.other!r}, which mirrors another. Give one of them a rule."
                )
        return MappingProxyType(found)

    def _check_begin(self) -> None:
        states = [s for s in self.recurrence.states if s not in self.recurrence.counters]
        for state, value in self.begin.items():
            if state not in states:
                raise ConfigError(f"`begin` of cell {self.name!r} names {state!r}, which is not one of its states ({', '.join(states)}).")
            if (
                isinstance(value, bool)
                or not isinstance(value, Real)
                or value != value
                or (value not in (inf, -inf) and not is_finite(value))
            ):
                raise ConfigError(f"`begin.{state}` of cell {self.name!r} must be a number, or inf or -inf, got {value!r}.")
            if value in (inf, -inf) and (product := self.recurrence.read_through_a_map(state)):
                raise ConfigError(
                    f"`begin.{state}` of cell {self.name!r} is {value}, but `{product}` adds up numbers of that state, which makes NaN of it. "
                    "Let it begin with a finite number."
                )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A cell does not change: {name!r} cannot be set. Make a new Cell.")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cell):
            return NotImplemented
        return self is other or (self.recurrence == other.recurrence and self._said() == other._said())

    def _said(self) -> tuple[object, ...]:
        """What it says beside its recurrence."""
        return self.name, self.init, self.begin, self.scalar, *(self.__dict__[key] for key in _TOLD)

    def __hash__(self) -> int:
        return hash((self.name, self.recurrence, self.reference))

    def __repr__(self) -> str:
        return f"Cell(equations={self.equations!r}{''.join(f', {key}={value!r}' for key, value in self.header.items())})"

    def __reduce__(self) -> tuple[object, ...]:
        return _from_parts, (self.equations, self.header)

    @property
    def header(self) -> dict[str, Any]:
        """All that is said beside the equations, as it is given to the constructor: what stands above them in a file."""
        told = {key: self.__dict__[key] for key in _TOLD if self.__dict__[key]}
        return {"name": self.name, **told, **self.declarations}

    @property
    def declarations(self) -> dict[str, Any]:
        """Of the header what the equations need, beside the usual output."""
        tables = {key: dict(self.__dict__[key]) for key in _TABLES if self.__dict__[key]}
        output = {} if self.output == "h" else {"output": self.output}
        return {**output, **({"inputs": list(self.inputs)} if self.inputs else {}), **tables}

    @property
    def output(self) -> str | list[str]:
        """The state that the next layer sees, or several."""
        outputs = self.__dict__["_outputs"]
        return outputs[0] if len(outputs) == 1 else list(outputs)

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states, output first."""
        return self.recurrence.states

    def to_file_text(self) -> str:
        """The cell as the text of a cell file, from which `cell_from_text` makes the same cell."""
        return f"{_inline(self.header)}{_RULE}\n{self.equations}\n"

    def to_bare_text(self) -> str:
        """The same without its name and what it says to people: no more than its equations where nothing is declared."""
        return f"{_inline(self.declarations)}{_RULE}\n{self.equations}\n" if self.declarations else f"{self.equations}\n"


def _from_parts(equations: str, header: dict[str, Any]) -> Cell:
    return Cell(equations=equations, **header)


def _inline(header: dict[str, Any]) -> str:
    """TOML without tables, so that every key stands on one line of its own."""
    plain = {key: value for key, value in header.items() if not isinstance(value, dict)}
    tables = {f"{key}.{name}": value for key, table in header.items() if isinstance(table, dict) for name, value in table.items()}
    return "".join(f"{key} = {_value(value)}\n" for key, value in {**plain, **tables}.items())


def _value(value: Any) -> str:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return tomli_w.dumps({"key": value}).removeprefix("key = ").rstrip("\n")


def cell_from_text(text: str, name: str) -> Cell:
    """The cell that a cell file holds.

    The file holds equations; if it has a line `---`, what stands above it is TOML with any of the keys of `Cell`.
    `name` is used where the file gives none. Raises `DataError` for a header that is not as it should be, `EquationError` for the rest.
    """
    header, equations = split_file(text, name)
    return Cell(equations=equations, **{"name": name, **header})


def split_file(text: str, name: str) -> tuple[dict[str, Any], str]:
    """What the header of a cell file says, and its equations, on the lines where the file has them; `DataError` as `cell_from_text`."""
    # Not splitlines, which also ends a line at separators that a TOML string may hold.
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    rule = next((i for i, line in enumerate(lines) if line.strip() == _RULE), None)
    header: dict[str, Any] = {}
    if rule is not None:
        try:
            header = from_toml("\n".join(lines[:rule]))
        except ValueError as error:
            raise DataError(f"The header of cell {name!r}, above `---`, is not TOML: {error}.") from None
        lines[: rule + 1] = [""] * (rule + 1)
    for key, value in header.items():
        if type(value) not in _HEADER.get(key, ()):
            known = ", ".join(f"{k} ({' or '.join(t.__name__ for t in kinds)})" for k, kinds in _HEADER.items())
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
