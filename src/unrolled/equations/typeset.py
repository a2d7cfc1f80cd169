"""A recurrence printed: as text that parses back to it, and as LaTeX."""

import ast
import re

import sympy as sp
from sympy.core.alphabets import greeks

from unrolled.equations.functions import FUNCTIONS
from unrolled.equations.recurrence import Recurrence

_COMPARISON, _SUM, _SIGNED, _PRODUCT, _FRACTION, _POWER, _ATOM = range(7)
_GLYPHS: dict[type[ast.AST], str] = {
    ast.Add: " + ",
    ast.Sub: " - ",
    ast.Gt: " > ",
    ast.GtE: r" \geq ",
    ast.Lt: " < ",
    ast.LtE: r" \leq ",
    ast.Eq: " = ",
    ast.NotEq: r" \neq ",
}


def to_text(recurrence: Recurrence) -> str:
    """The equations in the equation language, one a line, normalised; `parse` gives the same recurrence back."""
    return "\n".join(f"{line.name}[t] = {line.text}" for line in recurrence.equations if line.text)


def to_latex(recurrence: Recurrence) -> str:
    """The equations as a LaTeX `aligned` block (amsmath), terms in the order in which they were written."""
    rows = [
        f"{_symbol(line.name, 't')} &= {_latex(ast.parse(line.text, mode='eval').body)[0]}" for line in recurrence.equations if line.text
    ]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _latex(node: ast.AST) -> tuple[str, int]:
    """The node's LaTeX and how tightly it binds."""
    match node:
        case ast.BinOp(op=ast.Div()):
            return rf"\frac{{{_latex(node.left)[0]}}}{{{_latex(node.right)[0]}}}", _FRACTION
        case ast.BinOp(op=ast.Pow()):
            return f"{_within(node.left, _ATOM)}^{{{_latex(node.right)[0]}}}", _POWER
        case ast.BinOp(op=ast.MatMult()):
            return f"{_within(node.left, _POWER)} {_within(node.right, _FRACTION)}", _PRODUCT
        case ast.BinOp(op=ast.Mult()):
            left, right = _within(node.left, _SIGNED), _within(node.right, _FRACTION)
            # Two numbers side by side would read as one.
            dot = r" \cdot " if right[0].isdigit() else r" \, " if _is_number(node.left) else r" \odot "
            return f"{left}{dot}{right}", _SIGNED if left[0] in "+-" else _PRODUCT
        case ast.BinOp(op=ast.Mod()):
            return rf"{_within(node.left, _PRODUCT)} \bmod {_within(node.right, _FRACTION)}", _PRODUCT
        case ast.BinOp():
            return f"{_within(node.left, _SUM)}{_GLYPHS[type(node.op)]}{_within(node.right, _PRODUCT)}", _SUM
        case ast.UnaryOp():
            sign = "-" if isinstance(node.op, ast.USub) else "+"
            return f"{sign}{_within(node.operand, _PRODUCT)}", _SIGNED
        case ast.Compare():
            sides = (_within(side, _SUM) for side in (node.left, node.comparators[0]))
            return _GLYPHS[type(node.ops[0])].join(sides), _COMPARISON
        case ast.Attribute(attr="T"):
            return rf"{_within(node.value, _ATOM)}^{{\top}}", _POWER
        case ast.Call(func=ast.Name(id="outer")):
            return rf"{_within(node.args[0], _ATOM)} \otimes {_within(node.args[1], _ATOM)}", _PRODUCT
        case ast.Call(func=ast.Name(id="blocks" | "conv" as name)):
            return rf"\mathrm{{{name}}}_{{{_latex(node.args[1])[0]}}}\left({_latex(node.args[0])[0]}\right)", _ATOM
        case ast.Call(func=ast.Name(id="sum" | "mean" | "cumsum" as name)):
            return rf"\mathrm{{{name}}}\left({_latex(node.args[0])[0]}\right)", _ATOM
        case ast.Call():
            return ", ".join(_latex(a)[0] for a in node.args).join(FUNCTIONS[_name(node.func)].latex_around), _ATOM
        case ast.Subscript():
            return _symbol(_name(node.value), ast.unparse(node.slice).replace(" ", "")), _ATOM
        case ast.Constant():
            return _number(repr(node.value))
    return _symbol(_name(node)), _ATOM


def _within(node: ast.AST, tightness: int) -> str:
    text, binds = _latex(node)
    return text if binds >= tightness else rf"\left({text}\right)"


def _is_number(node: ast.AST) -> bool:
    return not any(isinstance(part, ast.Name) for part in ast.walk(node))


def _name(node: ast.AST) -> str:
    assert isinstance(node, ast.Name)
    return node.id


def _number(text: str) -> tuple[str, int]:
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text, _ATOM
    power = f"10^{{{int(exponent)}}}"
    return (power, _POWER) if mantissa == "1" else (rf"{mantissa} \cdot {power}", _PRODUCT)


def split_name(name: str) -> tuple[str, str, str]:
    """A name as it is set: its letters, the digits after them, and what follows a `_`; the last two are subscripts."""
    letters, digits, below = re.fullmatch(r"(_*[^_]*?)(\d*)(?:_(.*))?", name).groups()  # type: ignore[union-attr]
    return letters, digits, below or ""


def _symbol(name: str, time: str = "") -> str:
    """A name with everything after its letters, and the time, as one subscript: LaTeX refuses a second one."""
    letters, digits, below = split_name(name)
    subscript = ",".join(filter(None, (digits, _word(below), time)))
    return f"{_word(letters)}_{{{subscript}}}" if subscript else _word(letters)


def _word(letters: str) -> str:
    """Letters as one sign: a Greek one by its name, several upright, so that they do not read as a product."""
    if letters[:1].lower() + letters[1:] in (*greeks, "lamda"):  # `lambda` itself is a word of Python
        return sp.latex(sp.Symbol(letters))
    text = letters.replace("_", r"\_")
    return text if len(letters) < 2 or letters.isdigit() else rf"\mathrm{{{text}}}"
