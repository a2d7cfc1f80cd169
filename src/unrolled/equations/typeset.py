"""A recurrence printed: as text that parses back to it, and as LaTeX."""

import ast
import re

import sympy as sp
from sympy.core.alphabets import greeks

from unrolled.equations.functions import FUNCTIONS
from unrolled.equations.recurrence import Recurrence

_SUM, _PRODUCT, _FRACTION, _POWER, _ATOM = range(1, 6)
_GLYPHS = {ast.Add: " + ", ast.Sub: " - "}


def to_text(recurrence: Recurrence) -> str:
    """The equations in the equation language, one a line, normalised; `parse` gives the same recurrence back."""
    return "\n".join(f"{line.name}[t] = {line.text}" for line in recurrence.equations)


def to_latex(recurrence: Recurrence) -> str:
    """The equations as a LaTeX `aligned` block (amsmath), terms in the order in which they were written."""
    rows = [f"{_symbol(line.name, 't')} &= {_latex(ast.parse(line.text, mode='eval').body)[0]}" for line in recurrence.equations]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _latex(node: ast.AST) -> tuple[str, int]:
    """The node's LaTeX and how tightly it binds."""
    match node:
        case ast.BinOp(op=ast.Div()):
            return rf"\frac{{{_latex(node.left)[0]}}}{{{_latex(node.right)[0]}}}", _FRACTION
        case ast.BinOp(op=ast.Pow()):
            return f"{_within(node.left, _ATOM)}^{{{_latex(node.right)[0]}}}", _POWER
        case ast.BinOp(op=ast.MatMult()):
            return f"{_within(node.left, _ATOM)} {_within(node.right, _FRACTION)}", _PRODUCT
        case ast.BinOp(op=ast.Mult()):
            left, right = _within(node.left, _PRODUCT), _within(node.right, _FRACTION)
            # Two numbers side by side would read as one.
            dot = r" \cdot " if right[0].isdigit() else r" \, " if isinstance(node.left, ast.Constant) else r" \odot "
            return f"{left}{dot}{right}", _PRODUCT
        case ast.BinOp():
            return f"{_within(node.left, _SUM)}{_GLYPHS[type(node.op)]}{_within(node.right, _PRODUCT)}", _SUM
        case ast.UnaryOp():
            sign = "-" if isinstance(node.op, ast.USub) else "+"
            return f"{sign}{_within(node.operand, _PRODUCT)}", _SUM
        case ast.Call():
            return rf"{FUNCTIONS[_name(node.func)].latex_name}\left({_latex(node.args[0])[0]}\right)", _ATOM
        case ast.Subscript():
            return _symbol(_name(node.value), ast.unparse(node.slice).replace(" ", "")), _ATOM
        case ast.Constant():
            return _number(repr(node.value))
    return _symbol(_name(node)), _ATOM


def _within(node: ast.AST, tightness: int) -> str:
    text, binds = _latex(node)
    return text if binds >= tightness else rf"\left({text}\right)"


def _name(node: ast.AST) -> str:
    assert isinstance(node, ast.Name)
    return node.id


def _number(text: str) -> tuple[str, int]:
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text, _ATOM
    power = f"10^{{{int(exponent)}}}"
    return (power, _POWER) if mantissa == "1" else (rf"{mantissa} \cdot {power}", _PRODUCT)


def _symbol(name: str, time: str = "") -> str:
    """A name with everything after its letters, and the time, as one subscript: LaTeX refuses a second one."""
    letters, digits, below = re.fullmatch(r"(_*[^_]*?)(\d*)(?:_(.*))?", name).groups()  # type: ignore[union-attr]
    base = letters.replace("_", r"\_")
    if letters.lower() in greeks:
        base = sp.latex(sp.Symbol(letters))
    elif len(letters) > 1:
        base = rf"\mathrm{{{base}}}"
    subscript = ",".join(filter(None, (digits, (below or "").replace("_", r"\_"), time)))
    return f"{base}_{{{subscript}}}" if subscript else base
