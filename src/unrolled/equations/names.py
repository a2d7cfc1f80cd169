"""What the names of a text mean: assigned, declared, parameters; and what is wrong where one is used otherwise."""

import ast
import difflib
import math
from collections.abc import Iterable

from unrolled.equations.declarations import Declarations
from unrolled.equations.functions import DERIVED, FUNCTIONS
from unrolled.equations.recurrence import VECTOR
from unrolled.equations.syntax import Line, Source

REDUCTIONS = ("sum", "mean", "cumsum")
"""Functions over units that are products with a matrix that is known."""

MAPS = {
    "blocks": "Blocks make a matrix, which stands on the left of `@`: `blocks(R, 4) @ h[t-1]`.",
    "conv": "A convolution is a map, which stands on the left of `@`: `conv(R, 3) @ h[t-1]`.",
}
"""Functions that make maps, and what is said where they stand elsewhere."""

RESERVED = {"t", "x", "outer", *MAPS, *REDUCTIONS, *FUNCTIONS, *DERIVED}

_CONSTANTS = {"pi": math.pi}
_JOINED = "Read each part with a matrix of its own: `W @ x[t] + R @ h[t-1]`."
_CONVOLVED = "Write `conv(W, 3) @ x[t]`."
_ELSEWHERE = {
    "swish": "Write `silu`.", "logistic": "Write `sigmoid`.", "maximum": "Write `max`.", "minimum": "Write `min`.", "clamp": "Write `clip`.",
    "layernorm": "Write `norm`.", "layer_norm": "Write `norm`.", "rmsnorm": "Write `rms_norm`.", "cumax": "Write `cumsum(softmax(a))`.",
    "concat": _JOINED, "concatenate": _JOINED, "cat": _JOINED, "stack": _JOINED, "heaviside": "Write `step`, or `spike` to learn through it.",
    "dot": "Write `sum(a[t] * b[t])`.", "transpose": "Write `R.T @ h[t-1]`.", "square": "Write `a[t] ** 2`.", "mod": "Write `a % b`.",
    "sigma": "Write `sigmoid`.", "σ": "Write `sigmoid`.", "logsumexp": "Write `log(sum(exp(a[t])))`.", "conv1d": _CONVOLVED, "conv2d": _CONVOLVED, "conv3d": _CONVOLVED, "convolve": _CONVOLVED,
}  # fmt: skip
"""What functions are called in other places, and how they are written here."""

_LIKE_CONSTANTS = ("dt", "eps", "epsilon", "delta_t", "pi")
_NO_NUMBERS = ("inf", "Inf", "infinity", "nan", "NaN")


class Names:
    """The names of a text, and how each parameter has been used so far."""

    def __init__(self, source: Source, lines: list[Line], declared: Declarations) -> None:
        self.source, self.given = source, declared
        self.assigned_on = {line.name: line.target.lineno for line in reversed(lines)}
        self.declared = declared.names
        self.inputs = declared.inputs or ("x",)
        self.read: set[str] = set()
        self.bare: set[str] = set()
        self.kinds: dict[str, str] = {}
        self._values = {**_CONSTANTS, **dict(declared.constants)}
        self.untimed = {name for name, key in self.declared.items() if key != "inputs"}
        self._check_declared()
        self.areas, self.heads = set[str](), 1
        self._find_areas(lines)

    def _check_declared(self) -> None:
        for name, key in self.declared.items():
            if (name in RESERVED or name in _CONSTANTS) and not (key == "inputs" and name == "x"):
                raise self.source.error_at(f"`{key}` declares `{name}`, which the language has already. Choose another name.", 0, 0)
            if name in self.assigned_on:
                told = f"`{name}` is declared as {_what(key)} and cannot be assigned. Give one of them another name."
                raise self.source.error_at(told, self.assigned_on[name], 0)

    def _find_areas(self, lines: list[Line]) -> None:
        """The names that are matrices, because an outer product is added to them somewhere; and the heads of all of them."""
        calls = [node for line in lines for node in ast.walk(line.value) if isinstance(node, ast.Call) and _calls(node) == "outer"]
        for call in (call for call in calls if len(call.args) == 3):
            heads = self.count(call.args[2])
            if heads is None:
                raise self.source.error("The number of heads must be a whole number, as in `outer(v[t], k[t], 4)`.", call.args[2])
            if self.heads not in (1, heads):
                raise self.source.error(f"All matrices of a cell have as many heads, {self.heads} so far.", call.args[2])
            self.heads = heads
        found = -1
        while found < len(self.areas):
            found = len(self.areas)
            self.areas |= {line.name for line in lines if self.is_area(line.value)}

    def is_area(self, node: ast.AST) -> bool:
        """Whether an expression is a matrix that is computed at every step."""
        match node:
            case ast.Attribute(attr="T"):
                return self.is_area(node.value)
            case ast.BinOp(op=ast.MatMult()):
                return False
            case ast.Call():
                name = _calls(node)
                return name == "outer" or (name not in REDUCTIONS and any(map(self.is_area, node.args)))
            case ast.Subscript():
                return isinstance(node.value, ast.Name) and node.value.id in self.areas
            case ast.BinOp() | ast.UnaryOp() | ast.Compare():
                return any(map(self.is_area, ast.iter_child_nodes(node)))
        return False

    def constant(self, name: str) -> float | None:
        """The number that a name stands for; None where it stands for none."""
        if (
            name in self.assigned_on
            or name not in self._values
            or (name in _CONSTANTS and self.declared.get(name, "constant") != "constant")
        ):
            return None
        self.read.add(name)
        return self._values[name]

    def count(self, node: ast.AST) -> int | None:
        """The whole number of at least 1 that stands there, or the constant that has it; None where there is none."""
        number = self.constant(node.id) if isinstance(node, ast.Name) else getattr(node, "value", None)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 1 <= number < math.inf or number != int(number):
            return None
        return int(number)

    def check_target(self, name: str, node: ast.AST) -> None:
        """Raise an error where a name cannot stand on the left."""
        if name in RESERVED or name in self.inputs:
            what = "the input" if name in self.inputs or name == "x" else "the time" if name == "t" else "a function"
            raise self.source.error(f"`{name}` is {what} and cannot be assigned. Choose another name.", node)

    def check_parameter(self, name: str, node: ast.AST) -> None:
        """Raise an error where a name without a time cannot be one."""
        if name in self.assigned_on or name in self.inputs:
            times = f"`{name}[t]`" if name in self.inputs else f"`{name}[t]` or `{name}[t-1]`"
            raise self.source.error(f"`{name}` needs a time. Write {times}.", node)
        if name in RESERVED:
            raise self.source.error(f"`{name}` is a function and needs an argument.", node)
        if name in _NO_NUMBERS and name not in self.declared:
            cure = "Write a number; a state may begin infinite: `begin.m = -inf`, above the equations."
            raise self.source.error(f"`{name}` is not a number with which cells compute. {cure}", node)
        if name.lower() in _LIKE_CONSTANTS and name not in self.declared and name not in self.given.usual:
            raise self.source.error(
                f"`{name}` looks like a constant, but a name without a time is a vector that is learnt. Declare it above the equations, "
                f"`constant.{name} = 0.1` (or `scalar.{name} = 0.1` for one number that is learnt), or say how the vector begins: `init.{name} = 0.1`.",
                node,
            )

    def use(self, name: str, kind: str, node: ast.AST) -> None:
        """Note that a parameter is used as a vector or as a map; an error where it has been used as another."""
        seen = self.kinds.setdefault(name, kind)
        self.read.add(name)
        if seen == kind or (VECTOR not in (seen, kind) and self.declared.get(name) == "fixed"):
            return
        if VECTOR in (seen, kind):
            raise self.source.error(f"`{name}` is used both as a matrix and as a vector. Give one of them another name.", node)
        raise self.source.error(f"`{name}` is applied both to the input and to a state. Give one of them another name.", node)

    def check_all_read(self) -> None:
        """Raise an error for a declaration that no line reads: it may be misspelt."""
        for name, key in self.declared.items():
            if name not in self.read:
                raise self.source.error_at(
                    f"`{key}` declares `{name}`, which no line reads.{closest(name, self.kinds)} Leave it out, or read it.", 0, 0
                )

    def no_function(self, name: str) -> str:
        """What is said where a function is called that there is not."""
        if name in self.assigned_on or name in self.inputs:
            return f"`{name}` is not a function. A time stands in square brackets: `{name}[t]`."
        if name in _ELSEWHERE:
            return f"There is no function `{name}`. {_ELSEWHERE[name]}"
        known = (*FUNCTIONS, *REDUCTIONS, "outer", *MAPS)
        return f"There is no function `{short(name)}`.{closest(name, known)} The functions are {', '.join(known)}."

    def not_yet(self, name: str) -> str:
        """What is said where a name is read at [t] before it is assigned."""
        if name in self.assigned_on:
            where = f"line {self.assigned_on[name]}"
            return f"`{name}[t]` is read before it is assigned, on {where}. Move that line up, or read `{name}[t-1]`."
        return f"`{name}` is not defined: no line assigns `{name}[t]`.{closest(name, self.assigned_on)} A parameter is written without a time: `{name}`."


def short(text: str) -> str:
    """The beginning of a long text."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def closest(name: str, names: Iterable[str]) -> str:
    """A hint at the name that was meant, if one is alike."""
    close = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean `{close[0]}`?" if close else ""


def _calls(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _what(key: str) -> str:
    return {"inputs": "a part of the input", "fixed": "fixed"}.get(key, f"a {key}")
